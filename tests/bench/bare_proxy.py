"""The least that a relay in Python can be: wait, read, write. What it costs is the floor under the figures of ours.

usage: python -m tests.bench.bare_proxy PORT    (prints the port it listens on)
No event loop, no HTTP, nothing read of what passes.
"""

from __future__ import annotations

import contextlib
import select
import socket
import sys


def relay(upstream: int) -> None:
    waiting = select.poll()
    partners: dict[int, tuple[socket.socket, socket.socket]] = {}
    with socket.create_server(("127.0.0.1", 0)) as listener:
        waiting.register(listener, select.POLLIN)
        print(listener.getsockname()[1], flush=True)
        while True:
            for number, _ in waiting.poll():
                if number == listener.fileno():
                    pair = (listener.accept()[0], socket.create_connection(("127.0.0.1", upstream)))
                    for one, other in (pair, pair[::-1]):
                        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                        partners[one.fileno()] = (one, other)
                        waiting.register(one, select.POLLIN)
                elif number in partners:
                    pass_on(number, partners, waiting)


def pass_on(number: int, partners: dict[int, tuple[socket.socket, socket.socket]], waiting: select.poll) -> None:
    one, other = partners[number]
    data = b""
    with contextlib.suppress(ConnectionError):
        data = one.recv(65536)
    if data:
        with contextlib.suppress(ConnectionError):
            other.sendall(data)
        return
    for end in (one, other):
        waiting.unregister(end)
        del partners[end.fileno()]
        end.close()


if __name__ == "__main__":
    relay(int(sys.argv[1]))
