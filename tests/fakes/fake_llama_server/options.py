"""llama-server's command line as far as the fake acts on it, and the switches that make it misbehave.

Switches come, weakest first, from the environment (`FAKE_LLAMA`, a JSON object), from a control file
(`FAKE_LLAMA_CONTROL` or `--fake-control`: `{"always": {…}, "lives": [{…}, …]}`) and from flags
(`--fake-load-seconds 0.5`). The n-th process started with one control file takes `lives[n]`; past the end of the list
it behaves. A switch that does not exist ends the fake with exit code 2, so that a slip in a test is seen.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

VALUE_FLAGS = {
    "--host": "host",
    "--port": "port",
    "-m": "model",
    "--model": "model",
    "-a": "alias",
    "--alias": "alias",
    "-c": "ctx_size",
    "--ctx-size": "ctx_size",
    "-np": "parallel",
    "--parallel": "parallel",
}


@dataclass
class Switches:
    """What can be made to go wrong, and how the answers look. Counts of chunks are streamed content deltas."""

    # Before it is ready
    load_seconds: float = 0.0  # 503 "Loading model" for so long
    never_ready: bool = False
    announces_early: bool = False  # says that it listens as soon as its port is open
    silent: bool = False  # writes nothing at all
    last_lines: list[str] = field(default_factory=list)  # written to stderr before an exit while loading
    exit_while_loading: int | None = None  # exit code, after `load_seconds`
    kill_while_loading: int | None = None  # signal sent to itself, after `load_seconds`
    port_stolen: bool = False  # exit 1: couldn't bind HTTP server socket
    health_hangs: bool = False  # /health accepts and never answers
    # Ending
    ignore_sigterm: bool = False
    exit_delay_s: float = 0.0  # between SIGTERM and the exit
    exit_code: int = 0  # after SIGTERM
    die_after_s: float | None = None  # SIGKILL to itself, so long after being ready
    stop_itself: bool = False  # SIGSTOP to itself when ready
    lifetime_s: int = 900  # SIGALRM then, so that no test can leave a fake behind for ever
    # Descendants, which ignore SIGTERM and hold the output pipe
    fork: list[str] = field(default_factory=list)  # of "same_session", "own_session", "double_fork"
    fork_forgets_environment: bool = False  # they exec with an empty environment
    # Output
    flood_mb_per_s: float = 0.0
    flood_stream: str = "stderr"
    long_line_mb: float = 0.0  # one line of that size, without its newline until the end
    # Status
    no_slots: bool = False  # 501 for /slots, as with `--no-slots`
    slots_hang: bool = False  # /slots accepts and never answers
    status: dict[str, int] = field(default_factory=dict)  # path → status to answer instead
    unavailable_first: int = 0  # so many requests to /v1/* get a 503 at first
    # The answer
    words: int = 40
    reply: str | None = None
    reply_file: str | None = None
    think: bool = False  # reasoning_content before content
    tool_call: bool = False  # a tool call instead of content
    nondeterministic: bool = False  # the text differs from life to life
    tokens_per_second: float = 0.0  # 0: as fast as the reader takes them
    refuse_prefill: bool = False  # 400 when the last message is the assistant's, as thinking templates do
    prefix: str = "repeat"  # a prefilled prefix is in the first delta: "repeat", in one of its own: "alone", "omit"
    # The stream: after N content deltas …
    die_after_chunks: int | None = None  # … SIGKILL to itself
    die_after_deltas: int | None = None  # the same, counting the role, reasoning and tool calls, too
    break_after_chunks: int | None = None  # … reset the connection
    error_after_chunks: int | None = None  # … `data: {"error": …}` and the end
    stall_after_chunks: int | None = None  # … nothing more until the reader leaves
    split_bytes: bool = False  # every byte by itself
    cut_utf8: bool = False  # writes end in the middle of a character
    newline: str = "lf"  # "lf", "cr", "crlf"
    comments: bool = False  # `:` lines between the events
    multi_line: bool = False  # one event's JSON over several data: lines
    event_name: str | None = None  # an `event:` line before each event
    no_done: bool = False
    null_first: bool = False  # `data: null` before the first event of a completion
    big_delta_bytes: int = 0  # the first content delta is that long


@dataclass
class Options:
    """The command line."""

    host: str = "127.0.0.1"
    port: int = 8080
    model: str = "model.gguf"
    alias: str = ""
    ctx_size: int = 0
    parallel: int = 4
    embedding: bool = False
    help: bool = False
    version: bool = False
    list_devices: bool = False
    api_key: str = ""
    life: int = 0
    control: str = ""
    switches: Switches = field(default_factory=Switches)


class BadArgument(Exception):
    """What llama-server calls `error: invalid argument`."""


class BadSwitch(Exception):
    """A switch that the fake does not have."""


def read_options(arguments: list[str]) -> Options:
    """Read argv and the environment. Raises `BadArgument` for `--does-not-exist` and for a missing value."""
    options = Options(api_key=os.environ.get("LLAMA_API_KEY", ""))
    flags: dict[str, Any] = {}
    tokens = list(arguments)
    while tokens:
        token = tokens.pop(0)
        if token.startswith("--does-not-exist"):
            raise BadArgument(token)
        if token in VALUE_FLAGS:
            if not tokens:
                raise BadArgument(token)
            name, value = VALUE_FLAGS[token], tokens.pop(0)
            setattr(options, name, type(getattr(options, name))(value))
        elif token in ("--embedding", "--embeddings"):
            options.embedding = True
        elif token in ("-h", "--help", "--usage"):
            options.help = True
        elif token == "--version":
            options.version = True
        elif token == "--list-devices":
            options.list_devices = True
        elif token.startswith("--fake-"):
            key = token[len("--fake-") :].replace("-", "_")
            flags[key] = tokens.pop(0) if tokens and not tokens[0].startswith("-") else "true"
    options.control = str(flags.pop("control", os.environ.get("FAKE_LLAMA_CONTROL", "")))
    if not (options.help or options.version or options.list_devices):
        _read_switches(options, {key: _json_or_text(value) for key, value in flags.items()})
    return options


def _read_switches(options: Options, flags: dict[str, Any]) -> None:
    merged: dict[str, Any] = json.loads(os.environ.get("FAKE_LLAMA", "{}"))
    if options.control:
        control = Path(options.control)
        options.life = _count_life(control)
        content = json.loads(control.read_text())
        lives = content.get("lives", [])
        merged |= content.get("always", {})
        merged |= lives[options.life] if options.life < len(lives) else {}
    merged |= flags
    unknown = merged.keys() - {entry.name for entry in fields(Switches)}
    if unknown:
        raise BadSwitch(", ".join(sorted(unknown)))
    if isinstance(merged.get("fork"), str):
        merged["fork"] = [merged["fork"]]
    options.switches = Switches(**merged)


def _count_life(control: Path) -> int:
    """Say which start this is, from 0. One byte is appended per start, which also counts starts at the same time."""
    descriptor = os.open(f"{control}.lives", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, b".")
        return os.lseek(descriptor, 0, os.SEEK_CUR) - 1
    finally:
        os.close(descriptor)


def _json_or_text(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return value
