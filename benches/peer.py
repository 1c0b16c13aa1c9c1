"""hop-client's side of `hop-bench decode`: decodes and reads on demand, and says how long that took.

A request and an answer are a line of JSON each: `{"name": …, "file": …, "iterations": …}`, `{"seconds": …, "sum": …}`.
"""

import functools
import json
import sys
import time
from pathlib import Path

from hop.io import Deserializer
from hop.models import GCNCircular


class Message:
    """What hop-client's consumer gets of a message from Kafka."""

    def __init__(self, label, content):
        self._headers = [("_id", b"0123456789abcdef"), ("_format", label.encode())]
        self._content = content

    def headers(self):
        return self._headers

    def value(self):
        return self._content


# What is read of each message, as inputs.rs reads it: numbers, and the lengths of texts.


def voevent(event):
    coordinates = event.WhereWhen["ObsDataLocation"]["ObservationLocation"]["AstroCoords"]
    position = coordinates["Position2D"]
    group = next(group for group in event.What["Group"] if group["name"] == "image_2")
    param = next(param for param in group["Param"] if param["name"] == "exposure")
    return (
        len(event.ivorn)
        + len(event.role)
        + float(position["Value2"]["C1"])
        + float(position["Value2"]["C2"])
        + float(position["Error2Radius"])
        + len(coordinates["Time"]["TimeInstant"]["ISOTime"])
        + float(param["value"])
        + len(param["unit"])
    )


def circular(circular):
    header = circular.header
    return len(header["subject"]) + len(header["number"]) + len(header["from"]) + len(circular.body)


def notice(notice):
    fields = notice.fields
    keys = "title", "trigger_num", "grb_ra", "grb_error", "grb_time"
    return sum(len(fields[key]) for key in keys)


def avro(blob):
    content = blob.content
    return (
        len(content["name"])
        + content["position"]["ra"]
        + content["position"]["dec"]
        + content["detections"][2]["magnitude"]
        + len(content["detections"][2]["band"])
    )


def alert(blob):
    content = blob.content
    candidate = content["candidate"]
    return (
        len(content["objectId"])
        + candidate["jd"]
        + candidate["ra"]
        + candidate["dec"]
        + candidate["magpsf"]
        + candidate["rb"]
        + sum(earlier["magpsf"] or 0.0 for earlier in content["prv_candidates"])
        + len(content["cutoutScience"]["stampData"])
    )


def json_small(blob):
    content = blob.content
    return (
        len(content["observatory"])
        + content["status"]["seeing"]
        + content["position"]["ra"]
        + len(content["instruments"][1])
    )


def json_alert(blob):
    content = blob.content
    return (
        len(content["superevent_id"])
        + len(content["alert_type"])
        + content["event"]["far"]
        + content["event"]["classification"]["BNS"]
        + len(content["event"]["instruments"])
    )


def json_circular(blob):
    return len(blob.content["header"]["subject"]) + len(blob.content["body"])


def json_large(blob):
    event = blob.content["event"]
    return (
        len(blob.content["superevent_id"])
        + event["far"]
        + event["classification"]["BNS"]
        + event["credible_regions"][7]["area"]
        + len(event["skymap"])
    )


# The label, and what is read.
KINDS = {
    "voevent": ("voevent", voevent),
    "circular": ("circular", circular),
    "notice": ("gcntextnotice", notice),
    "avro": ("avro", avro),
    "avro-alert": ("avro", alert),
    "avro-alert-struct": ("avro", alert),
    "json-small": ("json", json_small),
    "json-alert": ("json", json_alert),
    "json-circular": ("json", json_circular),
    "json-large": ("json", json_large),
    "blob": ("blob", lambda blob: len(blob.content)),
}


@functools.cache
def content_of(file):
    return Path(file).read_bytes()


def measure(name, file, iterations):
    content = content_of(file)
    if name == "circular-text":
        # hop-client reads the text of a circular from files alone.
        def once():
            return circular(GCNCircular.load(content.decode()))
    else:
        label, read = KINDS[name]
        message = Message(label, content)

        def once():
            return read(Deserializer.deserialize(message))

    total = 0.0
    start = time.perf_counter()
    for _ in range(iterations):
        total += once()
    return {"seconds": time.perf_counter() - start, "sum": total}


for line in sys.stdin:
    print(json.dumps(measure(**json.loads(line))), flush=True)
