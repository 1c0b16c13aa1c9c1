#!/usr/bin/env python3
"""What the scripts ask of sockets: which ports are free, whether brokers are ready for the tests, and who may do what.

probe.py free-ports N          prints N ports of 127.0.0.1 that are free, one a line
probe.py ready HOST:PORT...    exits 0 if the brokers there list each other and serve consumer groups; else 1, with the
                               reason
probe.py allow HOST:PORT       sets the rules on the standard input; the file `acls` says how they are written
probe.py forbid HOST:PORT      removes the rules on the standard input
"""

import contextlib
import random
import socket
import struct
import sys

# Request, as (key, version): the lowest versions that say what is needed, which every broker since 1.0 speaks.
METADATA = (3, 4)
FIND_COORDINATOR = (10, 1)
OFFSET_FETCH = (9, 3)
CREATE_ACLS = (30, 1)
DELETE_ACLS = (31, 1)

GROUP = "hop-tests-probe"

# As the protocol numbers them.
RESOURCES = {"topic": 2, "group": 3}
OPERATIONS = {"all": 2, "read": 3, "write": 4, "create": 5, "describe": 8, "describe-configs": 10}
PREFIXED, ALLOW = 4, 3


class NotReady(Exception):
    """The broker answers, but not yet as the tests need it."""


def free_ports(count):
    # Below those that the system gives to whoever connects: a broker that is restarted finds its port free.
    found = []
    for port in random.sample(range(20000, 32000), 200):
        with socket.socket() as attempt, contextlib.suppress(OSError):
            attempt.bind(("127.0.0.1", port))
            found.append(port)
        if len(found) == count:
            return found
    sys.exit(f"only {len(found)} of 200 ports are free")


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


def coordinator(connection):
    """The address of the broker that looks after the group of the probe."""
    answer = ask(connection, FIND_COORDINATOR, packed(GROUP) + struct.pack(">b", 0))
    error = answer.take("h")
    if error:
        raise NotReady(f"has no group coordinator yet (error {error})")
    answer.take_string()  # the error's message
    answer.take("i")  # node id
    return (answer.take_string(), answer.take("i"))


def check_groups(connection):
    """Makes sure that the brokers serve consumer groups.

    They set up the topic behind them when the first client asks, and answer with errors until that is done. hop-client
    takes such an error for the end of the stream, so the first test on a fresh broker would fail now and then.
    """
    with socket.create_connection(coordinator(connection), timeout=2) as there:
        answer = ask(there, OFFSET_FETCH, packed(GROUP) + struct.pack(">i", -1))  # of all topics: of none
        if answer.take("i"):
            raise NotReady(f"has offsets of the group {GROUP}, which nobody committed")
        error = answer.take("h")
        if error:
            raise NotReady(f"does not serve groups yet (error {error})")


def check(address, all_addresses):
    with socket.create_connection(address, timeout=2) as connection:
        # A port that accepts connections proves little: a broker that is still starting accepts them too.
        found = brokers(connection)
        if not set(all_addresses) <= set(found):
            raise NotReady(f"lists {found} as brokers")
        check_groups(connection)


def allow(address, lines):
    with socket.create_connection(address, timeout=10) as connection:
        rules, answer = ask_about_rules(connection, CREATE_ACLS, lines)
        for rule in rules[: answer.take("i")]:
            error, message = answer.take("h"), answer.take_string()
            if error:
                raise NotReady(f"does not take the rule {rule}: error {error}, {message}")


def forbid(address, lines):
    with socket.create_connection(address, timeout=10) as connection:
        rules, answer = ask_about_rules(connection, DELETE_ACLS, lines)
        answer.take("i")  # how many
        error, message = answer.take("h"), answer.take_string()
        if error or not answer.take("i"):
            raise NotReady(f"does not remove the rule {rules[0]}: error {error}, {message}")


def ask_about_rules(connection, request, lines):
    rules = [line.split() for line in lines if line.strip() and not line.startswith("#")]
    body = struct.pack(">i", len(rules))
    for user, operation, resource, prefix in rules:
        body += struct.pack(">b", RESOURCES[resource]) + packed(prefix) + struct.pack(">b", PREFIXED)
        body += packed(f"User:{user}") + packed("*") + struct.pack(">bb", OPERATIONS[operation], ALLOW)
    return rules, ask(connection, request, body)


def parsed(address):
    host, port = address.rsplit(":", 1)
    return (host, int(port))


def main():
    match sys.argv[1:]:
        case ["free-ports", count]:
            print(*free_ports(int(count)), sep="\n")
        case ["ready", first, *others]:
            addresses = [parsed(first), *map(parsed, others)]
            for address in addresses:
                with told(address):
                    check(address, addresses)
        case ["allow", address]:
            with told(parsed(address)):
                allow(parsed(address), sys.stdin)
        case ["forbid", address]:
            with told(parsed(address)):
                forbid(parsed(address), sys.stdin)
        case _:
            sys.exit(__doc__)


@contextlib.contextmanager
def told(address):
    """Ends the program with what is wrong at the address."""
    name = f"{address[0]}:{address[1]}"
    try:
        yield
    except NotReady as reason:
        sys.exit(f"{name} {reason}")
    except (OSError, struct.error) as error:
        sys.exit(f"{name} does not answer: {error}")


if __name__ == "__main__":
    main()
