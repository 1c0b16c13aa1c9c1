"""Reads Avro data by another schema than the writer's, with fastavro.

Reads lines of {"writer": schema, "reader": schema, "datum": base64}; prints for each {"value": …}, as the other scripts
print values, or {"refused": the name of the exception, "why": …}.
"""

import base64
import io
import json
import sys

import fastavro

from interop import to_json

for line in sys.stdin:
    pair = json.loads(line)
    datum = io.BytesIO(base64.b64decode(pair["datum"]))
    try:
        value = fastavro.schemaless_reader(datum, pair["writer"], pair["reader"])
        assert not datum.read(), "there is more of the datum"
        print(json.dumps({"value": to_json(value)}))
    except Exception as error:
        print(json.dumps({"refused": type(error).__name__, "why": str(error)}))
