"""Two machines on one network, played by two network namespaces of this one, joined by a pair of virtual interfaces.

Needs root and iproute2. Each namespace has a loopback of its own, so what listens on 127.0.0.1 of one is as far from
the other as it would be on another machine.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

HOST_ADDRESS, GUEST_ADDRESS = "10.213.77.1", "10.213.77.2"
REFUSED = "refused"
ASK = """
import http.client, json, sys
address, port, method, path, headers, body = json.loads(sys.argv[1])
connection = http.client.HTTPConnection(address, port, timeout=10)
try:
    connection.request(method, path, body, headers)
except ConnectionRefusedError:
    print(json.dumps(["refused", ""]))
else:
    response = connection.getresponse()
    print(json.dumps([response.status, response.read().decode()]))
"""


@dataclass(frozen=True)
class Answer:
    """What came back: a status, or that nobody listens."""

    status: int | str
    body: str

    def code(self) -> str:
        """The code of an error."""
        error: dict[str, Any] = json.loads(self.body)["error"]
        return str(error["code"])


@dataclass(frozen=True)
class Lan:
    """The two machines. `host` is where Llamero runs."""

    host: str
    guest: str

    @property
    def on_host(self) -> tuple[str, ...]:
        """What a command begins with to be run on the host."""
        return ("ip", "netns", "exec", self.host)

    def ask(
        self,
        port: int,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: str | None = None,
        address: str = HOST_ADDRESS,
    ) -> Answer:
        """Send a request from the guest."""
        method = "GET" if body is None else "POST"
        request = json.dumps([address, port, method, path, dict(headers or {}), body])
        command = ["ip", "netns", "exec", self.guest, sys.executable, "-c", ASK, request]
        done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=20, check=True)
        status, text = json.loads(done.stdout)
        return Answer(status, text)

    def listening_on_host(self) -> set[tuple[str, int]]:
        """Every address and port on which anybody listens there."""
        done = subprocess.run([*self.on_host, "ss", "-Hltn"], capture_output=True, encoding="utf-8", check=True)
        found = (line.split()[3].rpartition(":") for line in done.stdout.splitlines())
        return {(address, int(port)) for address, _, port in found}


@contextmanager
def lan() -> Iterator[Lan]:
    """Plug the machines in. Fails the test where that is not permitted."""
    mark = uuid.uuid4().hex[:6]
    made = Lan(f"llamero-host-{mark}", f"llamero-guest-{mark}")
    cable = (f"lh{mark}", f"lg{mark}")
    try:
        for name in (made.host, made.guest):
            _ip("netns", "add", name)
            _ip("-n", name, "link", "set", "lo", "up")
        _ip("link", "add", cable[0], "type", "veth", "peer", "name", cable[1])
        for end, name, address in zip(cable, (made.host, made.guest), (HOST_ADDRESS, GUEST_ADDRESS), strict=True):
            _ip("link", "set", end, "netns", name)
            _ip("-n", name, "address", "add", f"{address}/24", "dev", end)
            _ip("-n", name, "link", "set", end, "up")
        yield made
    finally:
        for name in (made.host, made.guest):  # takes the interfaces along
            subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)


def _ip(*arguments: str) -> None:
    try:
        subprocess.run(["ip", *arguments], capture_output=True, encoding="utf-8", timeout=20, check=True)
    except FileNotFoundError:
        pytest.fail("two machines cannot be played: install the package iproute2")
    except subprocess.CalledProcessError as error:
        why = "" if os.geteuid() == 0 else "; run the tests as root"
        pytest.fail(f"two machines cannot be played: ip {' '.join(arguments)}: {error.stderr.strip()}{why}")
