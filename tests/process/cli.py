"""Runs the real command `llamero` as a person does, and finds every process that came of it."""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from llamero.models.llama import Engine
from tests.fakes.launch import REPOSITORY, journal

FAMILY = "TEST_FAMILY"
# Even root is held back by permissions without these.
WITHOUT_PRIVILEGES = ("setpriv", "--bounding-set=-dac_override,-dac_read_search",
                      "--inh-caps=-dac_override,-dac_read_search")  # fmt: skip


def until(condition: Callable[[], Any], timeout_s: float = 10.0, what: str = "") -> Any:
    """Wait until the condition holds, and return what it returned."""
    deadline = time.monotonic() + timeout_s
    while not (result := condition()):
        assert time.monotonic() < deadline, f"did not happen within {timeout_s} s: {what or condition}"
        time.sleep(0.005)
    return result


@dataclass
class Result:
    status: int
    stdout: str
    stderr: str
    seconds: float


class Home:
    """A data directory, and the processes that were started for it."""

    def __init__(self, directory: Path) -> None:
        self.data = directory / "data"
        self._mark = uuid.uuid4().hex

    def environment(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """Ours without what changes Llamero or Python, and without a llama-server that may be on PATH."""
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("LLAMERO_", "LLAMA_", "PYTHON"))
        }
        return kept | {"PATH": "/usr/bin:/bin", FAMILY: self._mark} | dict(extra or {})

    def command(self, *arguments: str | Path) -> list[str]:
        return [sys.executable, "-m", "llamero", "--data-dir", str(self.data), *map(str, arguments)]

    def write_settings(self, text: str) -> Path:
        self.data.mkdir(exist_ok=True)
        file = self.data / "settings.toml"
        file.write_text(text)
        return file

    def use_engine(self, engine: Engine, more: str = "") -> Path:
        return self.write_settings(f"[engine]\npath = {json.dumps(engine.command[0])}\n{more}")

    def run(
        self,
        *arguments: str | Path,
        stdin: str = "",
        env: Mapping[str, str] | None = None,
        prefix: tuple[str, ...] = (),
        timeout_s: float = 20.0,
    ) -> Result:
        """Run to the end."""
        began = time.monotonic()
        done = subprocess.run(
            [*prefix, *self.command(*arguments)],
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            env=self.environment(env),
            cwd=REPOSITORY,
            timeout=timeout_s,
            check=False,
        )
        return Result(done.returncode, done.stdout, done.stderr, time.monotonic() - began)

    def members(self) -> list[int]:
        """The running processes that came of this home, engines and guardians included."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.environ().get(FAMILY) == self._mark and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process.pid)
        return found

    def end_all(self) -> None:
        """Clean up after a test that failed."""
        for pid in self.members():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


class Serving:
    """A `llamero serve` in the background."""

    def __init__(
        self,
        home: Home,
        *arguments: str | Path,
        env: Mapping[str, str] | None = None,
        prefix: tuple[str, ...] = (),
    ) -> None:
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            [*prefix, *home.command("serve", *arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            env=home.environment(env),
            cwd=REPOSITORY,
        )

    def url(self) -> str:
        """Wait for the line that says where."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(f"no address: {self.finish()}")
        return line.rstrip("\n")

    def port(self) -> int:
        return int(self.url().rpartition(":")[2])

    def end(self, number: int = signal.SIGTERM) -> Result:
        """Ask it to end, and wait."""
        self.began = time.monotonic()
        self.process.send_signal(number)
        return self.finish()

    def finish(self) -> Result:
        stdout, stderr = self.process.communicate(timeout=20)
        return Result(self.process.returncode, stdout, stderr, time.monotonic() - self.began)


@contextmanager
def serving(
    home: Home, *arguments: str | Path, env: Mapping[str, str] | None = None, prefix: tuple[str, ...] = ()
) -> Iterator[Serving]:
    server = Serving(home, *arguments, env=env, prefix=prefix)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.process.kill()
            server.process.communicate()
        home.end_all()


def get(port: int, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path, headers=dict(headers or {}))
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


class Chat:
    """A streamed answer, event by event."""

    def __init__(self, port: int, model: str, **parameters: object) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        body = {"model": model, "messages": [{"role": "user", "content": "Hello"}], "stream": True, **parameters}
        self._connection.request("POST", "/v1/chat/completions", json.dumps(body))
        self.response = self._connection.getresponse()

    def __iter__(self) -> Iterator[Any]:
        for line in self.response:
            if line.startswith(b"data: "):
                data = line[6:].strip()
                yield None if data == b"[DONE]" else json.loads(data)

    def text(self) -> str:
        """All of it."""
        pieces = [event["choices"][0]["delta"].get("content") for event in self if event and event.get("choices")]
        return "".join(filter(None, pieces))

    def close(self) -> None:
        self._connection.close()


def wait_for_health(port: int) -> Any:
    """Wait until the gateway listens, and return what it says about itself."""

    def ask() -> Any:
        with suppress(OSError, http.client.HTTPException):
            return get(port, "/health")[1]
        return None

    return until(ask, what="the gateway listens")


def phase_is(port: int, phase: str) -> bool:
    return any(server["state"] == phase for server in get(port, "/health")[1]["servers"])


def everyone_gone(home: Home, engine: Engine | None = None) -> bool:
    """Neither by its environment nor by its own account is any process left."""
    accounted = {entry["pid"] for entry in journal(engine)} if engine else set()
    return not home.members() and not any(map(_is_running, accounted))


def _is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class NothingShown(AssertionError):
    """What was waited for did not come."""


class Typist:
    """A person at a terminal: sees what is shown, types, presses Ctrl+C and Ctrl+D."""

    CTRL_C, CTRL_D = "\x03", "\x04"

    def __init__(self, home: Home, *arguments: str | Path) -> None:
        self._keyboard, screen = pty.openpty()
        # As in a window wide enough for every line.
        fcntl.ioctl(screen, termios.TIOCSWINSZ, b"\x18\x00\xff\x00\x00\x00\x00\x00")
        self.process = subprocess.Popen(
            home.command(*arguments),
            stdin=screen,
            stdout=screen,
            stderr=screen,
            env=home.environment({"TERM": "xterm"}),
            cwd=REPOSITORY,
            preexec_fn=lambda: os.login_tty(screen),  # type: ignore[attr-defined,unused-ignore]
        )
        os.close(screen)
        self.seen = ""

    def type(self, text: str) -> None:
        os.write(self._keyboard, text.encode())

    def see(self, pattern: str, timeout_s: float = 30.0) -> str:
        """Wait until the pattern is shown, and return what was shown up to its end; the rest is for the next look."""
        deadline = time.monotonic() + timeout_s
        while not (match := re.search(pattern, self.seen)):
            readable, _, _ = select.select([self._keyboard], [], [], max(0.0, deadline - time.monotonic()))
            if not readable:
                raise NothingShown(f"{pattern!r} was not shown: {self.seen[-2000:]!r}")
            try:
                self.seen += os.read(self._keyboard, 65536).decode("utf-8", "replace")
            except OSError:  # how Linux says that nobody has the other end open
                raise AssertionError(f"{pattern!r} was not shown before the end: {self.seen[-2000:]!r}") from None
        shown, self.seen = self.seen[: match.end()], self.seen[match.end() :]
        return shown

    def interrupt(self, pattern: str) -> str:
        """Press Ctrl+C at a prompt until the pattern is shown.

        `input` of Python 3.11 does not hear one that comes between the prompt and its wait for a key, before the next.
        """
        for _ in range(10):
            self.type(self.CTRL_C)
            with contextlib.suppress(NothingShown):
                return self.see(pattern, timeout_s=3.0)
        raise NothingShown(f"{pattern!r} was not shown after Ctrl+C: {self.seen[-2000:]!r}")

    def leave(self) -> int:
        """Wait for the end."""
        while True:  # what is still written has to be read, or it could not end
            try:
                if not os.read(self._keyboard, 65536):
                    break
            except OSError:
                break
        return self.process.wait(timeout=15)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._keyboard)
