#!/usr/bin/env python3
"""Publishes messages with hop-client and prints what it handed to Kafka, one JSON object a message. See README.md."""

import argparse
import functools
import json
import sys
from datetime import timedelta
from pathlib import Path

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, NewTopic
from hop import Stream
from hop.io import Deserializer

import interop

CONTENTS = {"file", "fields", "json", "bytes", "raw"}
OPTIONS = {"format", "load", "headers", "key", "test"}


class Recorder:
    """Notes what a producer hands to Kafka, which hop-client tells nobody: `_id` is drawn while it writes."""

    def __init__(self, producer):
        self.producer = producer
        self.records = []
        self.failures = []
        self._write_raw = producer.write_raw
        producer.write_raw = self.write_raw  # Producer.write ends by calling it

    def write_raw(self, content, headers=None, delivery_callback=None, topic=None, key=None):
        entry = interop.record(content, headers, key)
        self.records.append(entry)
        delivered = functools.partial(self.delivered, entry)
        if any(value is None for _, value in headers or []):
            # write_raw adds up the lengths of all header values and so fails on a null one. The producer beneath it,
            # to which it would pass the message, takes null as Kafka does.
            topic = topic or self.producer.default_topic
            beneath = self.producer._record_for_topic(topic).producer
            beneath.write(content, headers=headers, delivery_callback=delivered, topic=topic, key=key)
        else:
            # An empty list for no headers: the same sum fails on None.
            self._write_raw(content, headers or [], delivered, topic, key)

    def delivered(self, entry, error, message):
        if error is not None:
            self.failures.append(f"message {self.records.index(entry)}: {error}")
        else:
            entry["partition"] = message.partition()
            entry["offset"] = message.offset()


def publish(producer, case, folder):
    """Writes one case, the way a user of hop-client would."""
    unknown = case.keys() - CONTENTS - OPTIONS
    kinds = case.keys() & CONTENTS
    if unknown or len(kinds) != 1:
        raise ValueError(f"one of {sorted(CONTENTS)} and any of {sorted(OPTIONS)}, but found {sorted(case)}")
    (kind,) = kinds
    label = case.get("format")
    headers = interop.from_json(case.get("headers"))
    if isinstance(headers, list):
        headers = [tuple(header) for header in headers]
    key = interop.from_json(case.get("key"))

    if kind == "raw":
        if label is not None or "test" in case:
            raise ValueError("raw content goes out with its headers as they are; format and test have no effect")
        if isinstance(headers, dict):
            headers = list(headers.items())
        producer.write_raw(interop.from_json(case["raw"]), headers, key=key)
        return

    if kind in ("file", "fields"):
        if label is None or label.upper() not in Deserializer.__members__:
            known = ", ".join(name.lower() for name in Deserializer.__members__)
            raise ValueError(f"unknown format {label!r}; hop-client has {known}")
        model = Deserializer[label.upper()].value
        if kind == "file":
            message = model.load_file(folder / case["file"], **case.get("load", {}))
        else:
            message = model(**interop.from_json(case["fields"]))
    else:
        message = interop.from_json(case[kind])
    producer.write(message, headers=headers, test=case.get("test", False), key=key)


def create_topic(broker, topic):
    client = AdminClient({"bootstrap.servers": broker})
    try:
        client.create_topics([NewTopic(topic, 1, 1)])[topic].result()
    except KafkaException as failed:
        if failed.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
            raise


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--broker", required=True, metavar="HOST:PORT")
    parser.add_argument("--topic", required=True, help="must exist: hop-client refuses to write where nothing is")
    parser.add_argument("--create-topic", action="store_true", help="make it first, with one partition, if it is not")
    parser.add_argument("--cases", required=True, type=Path, metavar="CASES.json")
    parser.add_argument("--timeout", type=float, default=60, metavar="SECONDS", help="exit 3 after these (60)")
    args = parser.parse_args()
    interop.limit_time(args.timeout, f"publishing to {args.topic} at {args.broker}")

    if args.create_topic:
        create_topic(args.broker, args.topic)
    producer = Stream(auth=False).open(
        f"kafka://{args.broker}/{args.topic}", "w", produce_timeout=timedelta(seconds=args.timeout)
    )
    recorder = Recorder(producer)
    for number, case in enumerate(json.loads(args.cases.read_text("utf-8"))):
        written = len(recorder.records)
        try:
            publish(producer, case, args.cases.parent)
        except Exception as failed:
            failed.add_note(f"in case {number} of {args.cases}")
            raise
        label = recorder.records[written]["format"]
        if case.get("format") not in (None, label):
            sys.exit(f"case {number}: asked for format {case['format']!r}, hop-client wrote {label!r}")

    unsent = producer.close()
    if unsent:
        recorder.failures.append(f"{unsent} messages unsent")
    if recorder.failures:
        sys.exit("\n".join(recorder.failures))
    for entry in recorder.records:
        print(json.dumps(entry, allow_nan=False))


if __name__ == "__main__":
    main()
