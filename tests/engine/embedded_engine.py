"""Starts the embedded engine as its owners do, and asks it over HTTP. Waits for conditions, never for time to pass."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

COMMAND = (sys.executable, "-m", "llamero.infrastructure.llama.embedded")
QUESTION = [{"role": "user", "content": "What is a llama?"}]
_LISTENING = re.compile(r"main: server is listening on http://127\.0\.0\.1:(\d+)\n")

T = TypeVar("T")


def wait_for(condition: Callable[[], T], *, seconds: float = 20.0, what: str = "the condition") -> T:
    """Return the condition's first true value. Fails the test after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"{what} did not come within {seconds} s"
        time.sleep(0.002)
    return value


def environment(**changes: str) -> dict[str, str]:
    """This process's environment without what would set the engine's flags, plus `changes`."""
    return {name: value for name, value in os.environ.items() if not name.startswith("LLAMA_")} | changes


def run_to_end(*flags: str | Path, seconds: float = 20.0, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the engine with flags on which it must end by itself."""
    command = [*COMMAND, *map(str, flags)]
    return subprocess.run(command, capture_output=True, text=True, timeout=seconds, env=environment(**variables))


class Engine:
    """A running engine with its log in a file."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process = process
        self._log = log
        self.port = 0

    @property
    def log(self) -> str:
        """What it has written to stderr so far."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def wait_until_ready(self) -> None:
        """Wait for the port in the log and for /health, while watching that the process lives."""

        def port() -> int:
            assert self.process.poll() is None, self.log[-2000:]
            found = _LISTENING.search(self.log)
            return int(found[1]) if found else 0

        self.port = wait_for(port, what="the port")
        wait_for(lambda: self.request("GET", "/health")[0] == 200, what="readiness")

    def request(self, method: str, path: str, body: object = None, key: str = "") -> tuple[int, Any]:
        """Status and decoded JSON of one request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        with contextlib.closing(connection):
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            response = connection.getresponse()
            content = response.read()
        try:
            return response.status, json.loads(content)
        except ValueError:
            return response.status, content.decode()

    def chat(self, messages: list[dict[str, Any]] | None = None, **options: Any) -> dict[str, Any]:
        """The first choice of a chat completion at temperature 0."""
        body = {"messages": messages or QUESTION, "temperature": 0, **options}
        status, answer = self.request("POST", "/v1/chat/completions", body)
        assert status == 200, answer
        choice: dict[str, Any] = answer["choices"][0]
        return choice

    @contextlib.contextmanager
    def stream(self, **options: Any) -> Iterator[Iterator[str]]:
        """A streamed chat: an iterator over its lines that are not empty."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        body = {"messages": QUESTION, "temperature": 0, "stream": True, **options}
        with contextlib.closing(connection):
            connection.request("POST", "/v1/chat/completions", json.dumps(body))
            response = connection.getresponse()
            assert response.status == 200
            yield (line.decode().strip() for line in response if line.strip())


@contextlib.contextmanager
def running_engine(model: Path, folder: Path, *flags: str, ready: bool = True, **variables: str) -> Iterator[Engine]:
    """An engine on a free port. It is gone when the block ends."""
    log = folder / f"engine-{time.monotonic_ns()}.log"
    command = [*COMMAND, "--model", str(model), "--port", "0", "--no-ui", *flags]
    with log.open("wb") as stderr:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, env=environment(**variables))
    engine = Engine(process, log)
    try:
        if ready:
            engine.wait_until_ready()
        yield engine
    finally:
        process.kill()
        process.communicate()
