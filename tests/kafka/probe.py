#!/usr/bin/env python3
"""What `up` asks of sockets: which ports are free, and whether a broker is ready for the tests.

probe.py free-ports N       prints N ports of 127.0.0.1 that are free, one a line
probe.py ready HOST:PORT    exits 0 if the broker there lists itself and serves consumer groups; else 1, with the reason
"""

import contextlib
import socket
import struct
import sys

# Request, as (key, version): the lowest versions that say what is needed, which every broker since 1.0 speaks.
METADATA = (3, 4)
FIND_COORDINATOR = (10, 1)
OFFSET_FETCH = (9, 3)

GROUP = "hop-tests-probe"


class NotReady(Exception):
    """The broker answers, but not yet as the tests need it."""


def free_ports(count):
    with contextlib.ExitStack() as held:
        # All are held until the last one is known, so that no port comes twice.
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def packed(text):
    return struct.pack(f">h{len(text)}s", len(text), text.encode())


class Answer:
    """A response, read field by field."""

    def __init__(self, content):
        self.content = content
        self.at = 0
        self.take("i")  # correlation id
        self.take("i")  # throttle time; the versions above all begin with it

    def take(self, form):
        (value,) = struct.unpack_from(">" + form, self.content, self.at)
        self.at += struct.calcsize(">" + form)
        return value

    def take_string(self):
        length = self.take("h")
        return self.take(f"{length}s").decode() if length >= 0 else None


def receive(connection, length):
    received = b""
    while len(received) < length:
        chunk = connection.recv(length - len(received))
        if not chunk:
            raise ConnectionError(f"the connection was closed after {len(received)} of {length} bytes")
        received += chunk
    return received


def ask(connection, request, body):
    message = struct.pack(">hhi", *request, 1) + packed("hop-tests") + body
    connection.sendall(struct.pack(">i", len(message)) + message)
    (length,) = struct.unpack(">i", receive(connection, 4))
    return Answer(receive(connection, length))


def brokers(connection):
    """The addresses that the broker lists as alive, as `(host, port)`."""
    answer = ask(connection, METADATA, struct.pack(">i?", 0, False))  # about no topics, and create none
    found = []
    for _ in range(answer.take("i")):
        answer.take("i")  # node id
        found.append((answer.take_string(), answer.take("i")))
        answer.take_string()  # rack
    return found


def check_groups(connection):
    """Makes sure that the broker serves consumer groups.

    It sets up the topic behind them when the first client asks, and answers with errors until that is done. hop-client
    takes such an error for the end of the stream, so the first test on a fresh broker would fail now and then.
    """
    error = ask(connection, FIND_COORDINATOR, packed(GROUP) + struct.pack(">b", 0)).take("h")
    if error:
        raise NotReady(f"has no group coordinator yet (error {error})")
    answer = ask(connection, OFFSET_FETCH, packed(GROUP) + struct.pack(">i", -1))  # of all topics: of none
    if answer.take("i"):
        raise NotReady(f"has offsets of the group {GROUP}, which nobody committed")
    error = answer.take("h")
    if error:
        raise NotReady(f"does not serve groups yet (error {error})")


def check(host, port):
    with socket.create_connection((host, port), timeout=2) as connection:
        # A port that accepts connections proves little: a broker that is still starting accepts them too.
        found = brokers(connection)
        if (host, port) not in found:
            raise NotReady(f"lists {found} as brokers")
        check_groups(connection)


def main():
    match sys.argv[1:]:
        case ["free-ports", count]:
            print(*free_ports(int(count)), sep="\n")
        case ["ready", address]:
            host, port = address.rsplit(":", 1)
            try:
                check(host, int(port))
            except NotReady as reason:
                sys.exit(f"{address} {reason}")
            except (OSError, struct.error) as error:
                sys.exit(f"{address} does not answer: {error}")
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
