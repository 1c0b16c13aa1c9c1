"""Judges VOEvents by the public schema of VOEvent 2.0, with lxml.

Reads JSON strings of XML, one a line; writes for each a JSON string: "" for a valid event, else what is wrong with it.
The schema is the one that the package of the argument, a source distribution, has in it.
"""

import json
import sys
import tarfile

from lxml import etree

with tarfile.open(sys.argv[1]) as package:
    name = next(name for name in package.getnames() if name.endswith("/VOEvent-v2.0.xsd"))
    schema = etree.XMLSchema(etree.parse(package.extractfile(name)))
for line in sys.stdin:
    try:
        document = etree.fromstring(json.loads(line).encode())
    except etree.XMLSyntaxError as error:
        print(json.dumps(f"not XML: {error}"))
        continue
    print(json.dumps("" if schema.validate(document) else str(schema.error_log.last_error)))
