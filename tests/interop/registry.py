#!/usr/bin/env python3
"""Writes or reads Avro by a schema registry, as confluent-kafka's serializers do. See README.md."""

import argparse
import json
import sys

from confluent_kafka import Consumer, Producer
from confluent_kafka.schema_registry import (
    Schema,
    SchemaReference,
    SchemaRegistryClient,
    record_subject_name_strategy,
    topic_record_subject_name_strategy,
    topic_subject_name_strategy,
)
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

import interop

STRATEGIES = {
    "topic": topic_subject_name_strategy,
    "record": record_subject_name_strategy,
    "topic-record": topic_record_subject_name_strategy,
}


def write(args, client):
    """Writes the values of the cases, each by its own schema."""
    producer = Producer({"bootstrap.servers": args.broker})
    with open(args.cases, encoding="utf-8") as file:
        cases = json.load(file)
    for case in cases:
        references = []
        for subject, text in case.get("references", {}).items():
            client.register_schema(subject, Schema(text, "AVRO"))
            version = client.get_latest_version(subject).version
            references.append(SchemaReference(json.loads(text)["name"], subject, version))
        schema = Schema(case["schema"], "AVRO", references)
        conf = {"auto.register.schemas": True, "subject.name.strategy": STRATEGIES[case.get("strategy", "topic")]}
        serializer = AvroSerializer(client, schema, conf=conf)
        headers = []
        context = SerializationContext(args.topic, MessageField.VALUE, headers)
        value = serializer(case["value"], context)
        producer.produce(args.topic, value, headers=headers, partition=0)
    if producer.flush(args.timeout):
        sys.exit("not everything was delivered")


def read(args, client):
    """Reads so many messages from the start, and prints each as a line of JSON."""
    consumer = Consumer(
        {"bootstrap.servers": args.broker, "group.id": f"registry-{args.topic}", "auto.offset.reset": "earliest"}
    )
    consumer.subscribe([args.topic])
    deserializer = AvroDeserializer(client)
    for _ in range(args.count):
        message = consumer.poll(args.timeout)
        if message is None or message.error():
            sys.exit(f"no message: {message and message.error()}")
        context = SerializationContext(args.topic, MessageField.VALUE, message.headers() or [])
        value = deserializer(message.value(), context)
        print(json.dumps(interop.to_json(value), allow_nan=False), flush=True)
    consumer.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["write", "read"])
    parser.add_argument("--broker", required=True, metavar="HOST:PORT")
    parser.add_argument("--registry", required=True, metavar="URL")
    parser.add_argument("--topic", required=True)
    parser.add_argument("--cases", metavar="CASES.json")
    parser.add_argument("--count", type=int, default=0)
    parser.add_argument("--timeout", required=True, type=float, metavar="SECONDS", help="exit 3 after these")
    args = parser.parse_args()
    interop.limit_time(args.timeout, f"{args.what} {args.topic} by {args.registry}")
    client = SchemaRegistryClient({"url": args.registry})
    {"write": write, "read": read}[args.what](args, client)


if __name__ == "__main__":
    main()
