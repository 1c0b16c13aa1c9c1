#!/usr/bin/env python3
"""Sends or reads large messages with hop-client, which stores or fetches them in the archive of the tests. See README.md.

The broker of these tests asks nobody who they are, and the archive does: so hop-client is given its credential after the
stream is open.
"""

import argparse
import base64
import json
import os
import sys

import hop.io
from hop import Stream
from hop.auth import Auth, SASLMethod
from hop.io import StartPosition
from hop.models import Blob

import interop


class Token:
    """A credential that is a token."""

    username = "ada"
    is_scram = False
    is_token = True

    def __init__(self, token):
        self.token = token


def credential(mechanism):
    secret = os.environ["HOP_TEST_ARCHIVE_SECRET"]
    if mechanism == "TOKEN":
        return Token(secret)
    return Auth("ada", secret, ssl=False, method=SASLMethod[mechanism.replace("-", "_")])


def text(data):
    return None if data is None else base64.b64encode(data).decode()


def send(args, url):
    producer = Stream(auth=False).open(url, "w")
    producer.auth = credential(args.mechanism)
    for number in range(args.count):
        content = bytes([number]) * args.size
        producer.write(Blob(content), headers=[("priority", b"1"), ("bin", b"\x00\xff")], key=f"GRB {number}", test=False)
    producer.close()


def read(args, url):
    consumer = Stream(auth=False, start_at=StartPosition.EARLIEST, until_eos=True).open(url, "r")
    consumer.auth = credential(args.mechanism)
    for message, metadata in consumer.read(metadata=True):
        headers = [[name, text(value)] for name, value in metadata.headers]
        found = {
            "model": type(message).__name__,
            "content": text(message.content),
            "headers": headers,
            "key": text(metadata.key.encode() if isinstance(metadata.key, str) else metadata.key),
            "timestamp": metadata.timestamp,
            "offset": metadata.offset,
        }
        print(json.dumps(found), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("action", choices=["send", "read"])
    parser.add_argument("--broker", required=True, metavar="HOST:PORT")
    parser.add_argument("--topic", required=True)
    parser.add_argument("--mechanism", required=True, choices=["SCRAM-SHA-256", "SCRAM-SHA-512", "TOKEN"])
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--size", type=int, default=200_000)
    args = parser.parse_args()
    interop.limit_time(60, f"{args.action} {args.topic}")
    # The broker knows no credentials: it is asked for the archive without one.
    find = hop.io._get_offload_server
    hop.io._get_offload_server = lambda brokers, auth: find(brokers, None)
    {"send": send, "read": read}[args.action](args, f"kafka://{args.broker}/{args.topic}")


if __name__ == "__main__":
    sys.exit(main())
