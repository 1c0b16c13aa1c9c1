"""What publish.py and receive.py share: values in JSON, a limit on time, and the assurance that the plugin is there."""

import base64
import datetime
import decimal
import math
import os
import sys
import threading
import uuid
from pathlib import Path

from hop.io import Deserializer

# hop-client only warns when a plugin fails to load, and then takes the model's messages for blobs.
if "DONUT" not in Deserializer.__members__:
    sys.exit("hop-client did not load the donut plugin; run this with the interpreter that tests/interop/setup prints")

# Exit codes beside 0 (all well), 1 (something raised) and 2 (wrong arguments).
TIMED_OUT = 3
WRONG_COUNT = 4


def limit_time(seconds, doing):
    """Ends the process with TIMED_OUT after `seconds`, whatever it is `doing` then.

    A thread, not a signal: Python sees a signal only when librdkafka hands control back.
    """

    def give_up():
        print(f"{Path(sys.argv[0]).name}: gave up after {seconds} s while {doing}", file=sys.stderr, flush=True)
        os._exit(TIMED_OUT)

    timer = threading.Timer(seconds, give_up)
    timer.daemon = True
    timer.start()


def tagged_bytes(value):
    """`value` as `{"$bytes": base64}`; None stays None."""
    return None if value is None else {"$bytes": base64.b64encode(value).decode()}


def to_json(value):
    """`value` in terms that every JSON reader takes; what plain JSON cannot hold is an object with one `$` key.

    README.md lists the keys. A value of another type is an error rather than a guess.
    """
    match value:
        case None | bool():
            return value
        case int():
            return value if -(2**63) <= value < 2**64 else {"$int": str(value)}
        case float():
            return value if math.isfinite(value) else {"$float": name_of(value)}
        case str():
            try:
                value.encode()
            except UnicodeEncodeError:  # a lone surrogate, which Python's JSON reader lets in
                return {"$wtf8": base64.b64encode(value.encode("utf-8", "surrogatepass")).decode()}
            return value
        case bytes():
            return tagged_bytes(value)
        case list() | tuple():
            return [to_json(item) for item in value]
        case dict():
            for key in value:
                if not isinstance(key, str) or to_json(key) != key:
                    raise TypeError(f"a dictionary key that JSON cannot hold: {key!r}")
            return {key: to_json(item) for key, item in value.items()}
        # The rest are Avro's logical types. datetime comes before date, of which it is a subclass.
        case datetime.datetime():
            return {"$datetime": value.isoformat()}
        case datetime.date():
            return {"$date": value.isoformat()}
        case datetime.time():
            return {"$time": value.isoformat()}
        case decimal.Decimal():
            return {"$decimal": str(value)}
        case uuid.UUID():
            return {"$uuid": str(value)}
    raise TypeError(f"no JSON form for {type(value).__name__}: {value!r}")


def name_of(value):
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def from_json(value):
    """The reverse of `to_json`, for `$bytes`, `$float`, `$int` and `$wtf8`."""
    match value:
        case {"$bytes": str(text)} if len(value) == 1:
            return base64.b64decode(text, validate=True)
        case {"$float": str(text)} if len(value) == 1:
            return float(text)
        case {"$int": str(text)} if len(value) == 1:
            return int(text)
        case {"$wtf8": str(text)} if len(value) == 1:
            return base64.b64decode(text, validate=True).decode("utf-8", "surrogatepass")
        case list():
            return [from_json(item) for item in value]
        case dict():
            return {key: from_json(item) for key, item in value.items()}
    return value


def format_of(headers):
    """The label in the first `_format` header, as text; None where there is none."""
    for name, value in headers or []:
        if name == "_format":
            return None if value is None else as_bytes(value).decode("utf-8", "backslashreplace")
    return None


def as_bytes(value):
    """`value` as it goes over the wire: text as UTF-8."""
    return value.encode() if isinstance(value, str) else value


def record(content, headers, key):
    """The parts of a Kafka record, as both scripts print them."""
    return {
        "format": format_of(headers),
        "content": tagged_bytes(content),
        "headers": [[name, tagged_bytes(as_bytes(value))] for name, value in headers or []],
        "key": tagged_bytes(as_bytes(key)),
    }
