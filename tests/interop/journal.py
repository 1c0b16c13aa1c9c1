"""Writes journal files as hop-client's RobustProducer does: messages, of which the first is sent.

usage: journal.py FILE 1|2
"""

import sys

from hop.robust_publisher import PublicationJournal


def message(journal, version, number, content, topic, headers, key):
    if version == "2":
        return journal.queue_message(content, topic, headers, key)
    # hop-client only reads the first version now: its record, by hop-client's own functions.
    encode = PublicationJournal.encode_int
    body = encode(number) + encode(len(content)) + content + encode(len(headers))
    for name, value in headers:
        body += encode(len(name)) + name.encode() + encode(len(value)) + value
    journal._write_record(PublicationJournal.msg_record_type_v1, body)
    journal.messages_to_send[number] = (content, None, headers, None)
    return number


path, version = sys.argv[1:]
journal = PublicationJournal(path)
for number, (content, key) in enumerate([(b"sent", None), (b"waits", "GRB 1"), (b"\x00\xff", b"\xfe"), (b"", None)]):
    headers = [("_id", bytes([number]) * 16), ("note", "é".encode()), ("empty", b"")]
    message(journal, version, number, content, "ada.events", headers, key)
journal.get_next_message_to_send()
journal.inflight_topics.setdefault(None, 1)
journal.mark_message_sent(0)
journal.journal.close()
# hop-client reads back what it wrote.
assert len(PublicationJournal(path).messages_to_send) == 3
