"""hop-client's side of `hop-bench stream`: reads or writes as one job says, and reports what that took.

The job and the report are a line of JSON each, as `src/stream/job.rs` has them.
"""

import json
import signal
import sys
import time
from pathlib import Path

from hop import Stream
from hop.io import Deserializer, StartPosition

MASK = (1 << 64) - 1


class Message:
    """What hop-client decodes: a label and content."""

    def __init__(self, label, content):
        self._headers = [("_format", label.encode())]
        self._content = content

    def headers(self):
        return self._headers

    def value(self):
        return self._content


def check(content, offset):
    """As `load.rs` computes it."""
    first = int.from_bytes(content[:8], "little") if len(content) >= 8 else 0
    last = int.from_bytes(content[-8:], "little") if len(content) >= 8 else 0
    ends = first ^ (((last << 1) | (last >> 63)) & MASK)
    return (ends + len(content)) * (2 * offset + 1) & MASK


def status(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith(name))


class Meter:
    def __init__(self):
        self.started = time.perf_counter()
        self.cpu = time.process_time()
        self.first = self.last = None
        self.messages = self.sum = 0
        self.times = []

    def count(self, raw):
        if self.first is None:
            self.first = time.perf_counter()
        self.messages += 1
        self.sum = (self.sum + check(raw.value(), raw.offset())) & MASK

    def report(self, head):
        return {
            "messages": self.messages,
            "head": head,
            "sum": self.sum,
            "seconds": self.last - self.first,
            "whole_seconds": self.last - self.started,
            "cpu_seconds": time.process_time() - self.cpu,
            "peak_bytes": status("VmHWM"),
            "times_us": self.times,
            "samples": [],
        }


def url(job):
    return f"kafka://{job['broker']}/{','.join(job['topics'])}"


def reader(job):
    stream = Stream(auth=False, start_at=StartPosition.EARLIEST)
    # fetch_external: no message of these names another place.
    return stream.open(url(job), "r", group_id=job["group"], fetch_external=False)


def read(job):
    meter = Meter()
    consumer = reader(job)
    for _, metadata in consumer.read(metadata=True):
        meter.count(metadata._raw)
        if meter.messages == job["messages"]:
            break
    meter.last = time.perf_counter()
    return meter.report(1)


def write(job):
    turns = turns_of(job)
    meter = Meter()
    producer = Stream(auth=False).open(url(job), "w")
    meter.first = time.perf_counter()
    for number in range(job["messages"]):
        producer.write(turns[number % 10])
    producer.flush()
    meter.last = time.perf_counter()
    meter.messages = job["messages"]
    return meter.report(0)


def send(job):
    turns = turns_of(job)
    meter = Meter()
    producer = Stream(auth=False).open(url(job), "w")
    meter.first = time.perf_counter()
    for number in range(job["messages"]):
        sent = time.perf_counter()
        producer.write(turns[number % 10])
        producer.flush()
        meter.times.append((time.perf_counter() - sent) * 1e6)
    meter.last = time.perf_counter()
    meter.messages = job["messages"]
    return meter.report(0)


def latency(job):
    turns = turns_of(job)
    meter = Meter()
    messages = reader(job).read(metadata=True)
    producer = Stream(auth=False).open(url(job), "w")
    meter.first = due = time.perf_counter()
    for number in range(job["messages"]):
        time.sleep(max(0, due - time.perf_counter()))
        sent = time.perf_counter()
        producer.write(turns[number % 10])
        _, metadata = next(messages)
        meter.times.append((time.perf_counter() - sent) * 1e6)
        meter.count(metadata._raw)
        due = sent + job["pace_ms"] / 1e3
    meter.last = time.perf_counter()
    return meter.report(0)


def turns_of(job):
    """The models to write, in turn."""
    circular, alert = (Path(file).read_bytes() for file in job["files"])
    circular = Deserializer.deserialize(Message("circular", circular))
    alert = Deserializer.deserialize(Message("avro", alert))
    return {"circular": [circular] * 10, "alert": [alert] * 10, "mix": [circular] * 9 + [alert]}[job["load"]]


KINDS = {"read": read, "group": read, "write": write, "send": send, "latency": latency, "paced": latency}

job = json.load(sys.stdin)
signal.alarm(job["limit_s"])
print(json.dumps(KINDS[job["way"]](job)))
