#!/usr/bin/env python3
"""Reads a topic from its start to its end with hop-client and prints one JSON object a message. See README.md."""

import argparse
import dataclasses
import json
import sys
import traceback

from hop import Stream
from hop.io import Consumer, StartPosition

import interop


def describe(model, metadata):
    """One message: the model hop-client made of it, beside the record it came in."""
    message = metadata._raw
    described = interop.record(message.value(), metadata.headers, metadata.key)
    described["raw"] = described.pop("content")
    ids = [value for name, value in metadata.headers or [] if name == "_id"]
    return described | {
        "model": type(model).__name__,
        "fields": {field.name: interop.to_json(getattr(model, field.name)) for field in dataclasses.fields(model)},
        "is_test": Consumer.is_test(message),
        "id_bytes": None if not ids or ids[0] is None else len(ids[0]),
        "topic": metadata.topic,
        "partition": metadata.partition,
        "offset": metadata.offset,
        "timestamp": metadata.timestamp,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--broker", required=True, metavar="HOST:PORT")
    parser.add_argument("--topic", required=True)
    parser.add_argument("--count", required=True, type=int, help="exit 4 unless exactly so many came")
    parser.add_argument("--test", action="store_true", help="hand over test messages too, which are skipped else")
    parser.add_argument("--timeout", required=True, type=float, metavar="SECONDS", help="exit 3 after these")
    args = parser.parse_args()
    interop.limit_time(args.timeout, f"reading {args.topic} at {args.broker}")

    stream = Stream(auth=False, start_at=StartPosition.EARLIEST, until_eos=True)
    came = 0
    # fetch_external: hop-client would look for the address an external message names, and hand over what it finds.
    with stream.open(
        f"kafka://{args.broker}/{args.topic}", "r", ignoretest=not args.test, fetch_external=False
    ) as consumer:
        messages = consumer.read(metadata=True)
        while True:
            try:
                model, metadata = next(messages)
            except StopIteration:
                break
            except Exception:
                # hop-client's stream is over once a message does not decode, and it does not say which one that was.
                traceback.print_exc()
                sys.exit(f"hop-client raised (above) on what came after {came} messages of {args.topic}")
            print(json.dumps(describe(model, metadata), allow_nan=False), flush=True)
            came += 1

    if came != args.count:
        print(f"expected {args.count} messages on {args.topic}, found {came}", file=sys.stderr)
        sys.exit(interop.WRONG_COUNT)


if __name__ == "__main__":
    main()
