#!/usr/bin/env python3
"""What `up` asks of sockets: which ports are free, and whether a broker answers.

probe.py free-ports N         prints N ports of 127.0.0.1 that are free, one a line
probe.py answers HOST:PORT    exits 0 if a broker there names itself in its metadata; else 1, with the reason on stderr
"""

import contextlib
import socket
import struct
import sys

METADATA = 3
# Version 4 is the lowest that lets a client forbid the creation of topics; every broker since 1.0 speaks it.
METADATA_VERSION = 4


def free_ports(count):
    with contextlib.ExitStack() as held:
        # All are held until the last one is known, so that no port comes twice.
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def receive(connection, length):
    received = b""
    while len(received) < length:
        chunk = connection.recv(length - len(received))
        if not chunk:
            raise ConnectionError(f"the connection was closed after {len(received)} of {length} bytes")
        received += chunk
    return received


def brokers(host, port):
    """The addresses that the broker lists as alive, as `(host, port)`.

    A port that accepts connections proves little: a broker that is still starting accepts them too.
    """
    client = b"hop-tests"
    request = struct.pack(f">hhih{len(client)}s", METADATA, METADATA_VERSION, 1, len(client), client)
    request += struct.pack(">i?", 0, False)  # about no topics, and create none
    with socket.create_connection((host, port), timeout=2) as connection:
        connection.sendall(struct.pack(">i", len(request)) + request)
        (length,) = struct.unpack(">i", receive(connection, 4))
        answer = receive(connection, length)

    at = 0

    def take(form):
        nonlocal at
        (value,) = struct.unpack_from(">" + form, answer, at)
        at += struct.calcsize(">" + form)
        return value

    def take_string():
        length = take("h")
        return take(f"{length}s").decode() if length >= 0 else None

    take("i")  # correlation id
    take("i")  # throttle time
    found = []
    for _ in range(take("i")):
        take("i")  # node id
        found.append((take_string(), take("i")))
        take_string()  # rack
    return found


def main():
    match sys.argv[1:]:
        case ["free-ports", count]:
            print(*free_ports(int(count)), sep="\n")
        case ["answers", address]:
            host, port = address.rsplit(":", 1)
            try:
                found = brokers(host, int(port))
            except (OSError, struct.error) as error:
                sys.exit(f"{address} does not answer: {error}")
            if (host, int(port)) not in found:
                sys.exit(f"{address} answers, but lists as brokers {found}")
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
