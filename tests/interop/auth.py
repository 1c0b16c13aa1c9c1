"""What hop-client makes of the files of credentials, and which credential it takes. auth_file.rs runs it.

auth.py list              the credentials in auth.toml, one JSON object a line
auth.py select CASES.json for each case, `{"credentials": [[username, hostname], …], "urls": […]}`, a line with a list: for
                          each URL the credential as `[username, hostname]`, or "none" or "several"

Where the files are, XDG_CONFIG_HOME says. Changes are made with hop-client's own command, `python -m hop auth`.
"""

import json
import sys
from pathlib import Path
from urllib.parse import unquote

import certifi
from adc import kafka
from hop.auth import AmbiguousCredentialError, Auth, load_auth, select_matching_auth


def shown(credential):
    ca = credential.ssl_ca_location
    return {
        "username": credential.username,
        "password": credential.password or "",
        "hostname": credential.hostname,
        "protocol": credential.protocol,
        # It writes what a CSV file says as it stands there.
        "mechanism": str(credential.mechanism).replace("_", "-"),
        "ssl_ca_location": None if ca == certifi.where() else ca,
        "token_endpoint": credential.token_endpoint,
        "token_command": credential.token_command,
    }


def taken(credentials, url):
    username, brokers, _ = kafka.parse_kafka_url(url)
    try:
        found = select_matching_auth(credentials, brokers[0], unquote(username) if username else None)
    except AmbiguousCredentialError:
        return "several"
    except RuntimeError:
        return "none"
    return [found.username, found.hostname]


match sys.argv[1:]:
    case ["list"]:
        for credential in load_auth():
            print(json.dumps(shown(credential)))
    case ["select", cases]:
        for case in json.loads(Path(cases).read_text()):
            credentials = [Auth(username, "secret", host=hostname) for username, hostname in case["credentials"]]
            print(json.dumps([taken(credentials, url) for url in case["urls"]]))
    case _:
        sys.exit(__doc__)
