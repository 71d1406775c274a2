"""The two things that are compared: a bare engine, and Llamero with the same engine. Both are real processes."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import msgspec
import psutil

REPOSITORY = Path(__file__).resolve().parents[2]
DEMO = REPOSITORY / "backend" / "llamero" / "assets" / "demo.gguf"
EMBEDDED = [sys.executable, "-m", "llamero.infrastructure.llama.embedded"]
KEY = "bench-key"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def get(url: str, timeout: float = 2.0) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(url, timeout=timeout) as reply:
            return reply.status, reply.read()
    except urllib.error.HTTPError as error:
        return error.code, b""
    except OSError:
        return 0, b""


def poll_health(address: str, every_s: float, limit_s: float = 30.0) -> None:
    end = time.monotonic() + limit_s
    while get(f"http://{address}/health")[0] != 200:
        if time.monotonic() > end:
            raise SystemExit(f"{address} does not answer")
        time.sleep(every_s)


@contextlib.contextmanager
def bare_engine(command: list[str], *arguments: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Start an engine as a script would. Yields its address at once; poll it yourself."""
    port = free_port()
    argv = [*command, "--alias", "demo", "--model", str(DEMO), "--port", str(port), *arguments]
    env = {**os.environ, "LLAMA_API_KEY": KEY}
    process = subprocess.Popen(argv, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield f"127.0.0.1:{port}", process
    finally:
        process.kill()
        process.wait()


class BareProxy:
    """A running `bare_proxy`: what a relay costs that does nothing else."""

    def __init__(self, process: subprocess.Popen[str], address: str) -> None:
        self._process = psutil.Process(process.pid)
        self.address = address

    def cpu_s(self) -> float:
        return cpu_s(self._process)


@contextlib.contextmanager
def bare_proxy(upstream: str) -> Iterator[BareProxy]:
    """Start one before the engine at this address."""
    argv = [sys.executable, "-m", "tests.bench.bare_proxy", upstream.rpartition(":")[2]]
    process = subprocess.Popen(argv, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield BareProxy(process, f"127.0.0.1:{process.stdout.readline().strip()}")
    finally:
        process.kill()
        process.wait()


class Engine:
    """An engine that Llamero has started, to be asked past the gateway."""

    def __init__(self, process: psutil.Process) -> None:
        argv = process.cmdline()
        self.address = f"127.0.0.1:{argv[argv.index('--port') + 1]}"
        self.key = process.environ()["LLAMA_API_KEY"]
        self._process = process

    def keep_on_one_core(self) -> None:
        """Have all its threads run on one core from now on."""
        core = min(os.sched_getaffinity(0))
        for thread in self._process.threads():
            with contextlib.suppress(ProcessLookupError):
                os.sched_setaffinity(thread.id, {core})


class Gateway:
    """A running `llamero serve`."""

    def __init__(self, process: subprocess.Popen[str], address: str, ready_s: float, page_url: str) -> None:
        self.process = psutil.Process(process.pid)
        self.address = address
        self.ready_s = ready_s
        self.page_url = page_url

    def cpu_s(self) -> float:
        return cpu_s(self.process)

    def engine(self) -> Engine:
        """The engine that runs now."""
        for child in self.process.children(recursive=True):
            if "--port" in child.cmdline():
                return Engine(child)
        raise SystemExit("no engine runs")

    def wait_until_unloaded(self) -> None:
        end = time.monotonic() + 30
        while time.monotonic() < end:
            _, body = get(f"http://{self.address}/health")
            if body and not json.loads(body)["servers"]:
                return
            time.sleep(0.01)
        raise SystemExit("the model was not unloaded")


@contextlib.contextmanager
def gateway(settings: str = "", *arguments: str) -> Iterator[Gateway]:
    """Start `llamero serve` on a free port with these settings."""
    with tempfile.TemporaryDirectory() as directory:
        Path(directory, "settings.toml").write_text(settings)
        argv = [sys.executable, "-m", "llamero", "--data-dir", directory, "serve", "--port", "0", *arguments]
        begin = time.monotonic()
        process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            ready_s = time.monotonic() - begin
            if not url.startswith("http://"):
                raise SystemExit(f"llamero serve did not start: {url!r}")
            page_url = process.stdout.readline().strip() if "--ui" in arguments else ""
            yield Gateway(process, url.removeprefix("http://").rstrip("/"), ready_s, page_url)
        finally:
            process.terminate()
            process.wait(20)


class Streamed(msgspec.Struct, frozen=True):
    """What a client saw of its streams: times in s, and one latency per stamped token and per first token in ms."""

    first_s: float
    seconds: float
    events: int
    latencies_ms: list[float]
    firsts_ms: list[float]


def client(address: str, streams: int, tokens: int, *options: str, key: str = KEY, model: str = "demo") -> Streamed:
    """Run the stream client to its end."""
    argv = [sys.executable, "-m", "tests.bench.stream_client", address, str(streams), str(tokens), model, key, *options]
    done = subprocess.run(argv, cwd=REPOSITORY, stdout=subprocess.PIPE, check=True, timeout=300)
    return msgspec.json.decode(done.stdout, type=Streamed)


def cpu_s(process: psutil.Process) -> float:
    """CPU time of a process without its children: in ns on Linux, where `times` counts in steps of 10 ms."""
    threads = Path(f"/proc/{process.pid}/task")
    if not threads.is_dir():
        times = process.cpu_times()
        return float(times.user + times.system)
    spent = 0
    for thread in threads.iterdir():
        with contextlib.suppress(OSError):  # it has ended
            spent += int((thread / "schedstat").read_text().split()[0])
    return spent / 1e9


@contextlib.contextmanager
def paced_program(rate: int = 60) -> Iterator[str]:
    """The paced engine as one executable file, with so many tokens per second."""
    with tempfile.TemporaryDirectory() as directory:
        program = Path(directory, "llama-server")
        engine = Path(__file__).with_name("paced_engine.py")
        program.write_text(f'#!/bin/sh\nPACED_RATE={rate} exec {sys.executable} {engine} "$@"\n')
        program.chmod(0o755)
        yield str(program)
