#!/usr/bin/env python3
"""Writes random stored messages as BSON, or reads uploads, with pymongo's bson and hop-client's. See README.md."""

import argparse
import base64
import json
import random
import sys
import uuid

import bson
import hop.bson


def text(data):
    return None if data is None else base64.b64encode(bytes(data)).decode()


def string(pick):
    alphabet = "abcXYZ019_-. \t\n\0éßλ中\U0001f600"
    return "".join(pick.choice(alphabet) for _ in range(pick.randrange(12)))


def extra(pick, depth=0):
    kinds = [
        lambda: None,
        lambda: pick.random() < 0.5,
        lambda: pick.randrange(-(2**63), 2**63),
        lambda: pick.uniform(-1e9, 1e9),
        lambda: string(pick),
        lambda: pick.randbytes(pick.randrange(20)),
        lambda: bson.Binary(uuid.UUID(int=pick.getrandbits(128)).bytes, 4),
        lambda: bson.ObjectId(pick.randbytes(12)),
    ]
    if depth < 3:
        kinds.append(lambda: [extra(pick, depth + 1) for _ in range(pick.randrange(4))])
        kinds.append(lambda: {f"k{n}": extra(pick, depth + 1) for n in range(pick.randrange(4))})
    return pick.choice(kinds)()


def write(count, seed):
    pick = random.Random(seed)
    for number in range(count):
        content = pick.randbytes(pick.choice([0, 1, 5, 300, 3000]))
        headers = [[string(pick), pick.randbytes(pick.randrange(40))] for _ in range(pick.randrange(6))]
        key = pick.choice([None, b"", pick.randbytes(8), "GRB 1"])
        timestamp = pick.choice([0, 12, 2**31 - 1, 2**31, 1_700_000_000_123, -1, 2**63 - 1])
        metadata = {"headers": headers, "timestamp": timestamp, "topic": string(pick)}
        if key is not None:
            metadata["key"] = key
        # By hop-client's own library the simple ones, by pymongo's whatever else may stand beside them.
        document = {"message": content, "metadata": metadata}
        if number % 2:
            encoded = hop.bson.dumps(document)
        else:
            for name in ("extra", "metadata.extra"):
                if pick.random() < 0.5:
                    (metadata if "." in name else document)[name.split(".")[-1]] = extra(pick)
            encoded = bson.encode(document)
        key = key.encode() if isinstance(key, str) else key
        print(json.dumps({
            "bson": text(encoded),
            "content": text(content),
            "headers": [[name, text(value)] for name, value in headers],
            "key": text(key or None),
            "timestamp": timestamp,
            "topic": metadata["topic"],
        }))


def read():
    for line in sys.stdin:
        data = base64.b64decode(line)
        found = []
        for loads in (bson.decode, hop.bson.loads):
            document = loads(data)
            assert list(document)[:2] == ["message", "headers"], list(document)
            found.append({
                "content": text(document["message"]),
                "headers": [[name, text(value)] for name, value in document["headers"]],
                "key": text(document.get("key")),
            })
        assert found[0] == found[1], found
        # Written anew by hop-client's library, it is the same to the byte.
        assert hop.bson.dumps(hop.bson.loads(data)) == data
        print(json.dumps(found[0]))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("action", choices=["write", "read"])
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    if args.action == "write":
        write(args.count, args.seed)
    else:
        read()


if __name__ == "__main__":
    main()
