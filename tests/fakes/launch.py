"""Make a fake llama-server that a test can name as an engine: an executable `llama-server` with its own switches.

engine = fake_engine(tmp_path, load_seconds=0.2)                        # every life
engine = fake_engine(tmp_path, lives=[{"die_after_chunks": 5}])         # the first life only
set_switches(engine, ignore_sigterm=True)                               # from the next start on
events = journal(engine, "forked")                                      # what it did: pids, requests, …
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from llamero.models.llama import Engine, EngineKind

REPOSITORY = Path(__file__).resolve().parents[2]


def fake_engine(
    tmp_path: Path,
    lives: Sequence[dict[str, Any]] = (),
    *,
    kind: EngineKind = EngineKind.SETTINGS,
    **switches: Any,
) -> Engine:
    """Write `llama-server` into `tmp_path` and return it as an engine that was found so, by default in the settings.

    `switches` (see `fake_llama_server.options.Switches`) hold in every life; `lives` adds some to the first, second, …
    process started. To be found on PATH, put `tmp_path` on it.
    """
    tmp_path.mkdir(parents=True, exist_ok=True)
    program = tmp_path / "llama-server"
    # -I and -S: no user site, no site-packages. The fake needs neither and starts twice as fast without.
    program.write_text(
        f"#!{sys.executable} -IS\n"
        "import sys\n"
        f"sys.argv[1:1] = ['--fake-control', {str(tmp_path / 'fake.json')!r}]\n"
        f"sys.path.insert(0, {str(REPOSITORY)!r})\n"
        "from tests.fakes.fake_llama_server.__main__ import main\n"
        "main()\n"
    )
    program.chmod(0o755)
    engine = Engine(kind=kind, command=(str(program),))
    set_switches(engine, lives, **switches)
    return engine


def set_switches(engine: Engine, lives: Sequence[dict[str, Any]] = (), **switches: Any) -> None:
    """Replace the switches from the next start on; `lives` still counts from the very first start."""
    control = _control(engine)
    temporary = control.with_suffix(".new")
    temporary.write_text(json.dumps({"always": switches, "lives": list(lives)}))
    temporary.replace(control)


def starts(engine: Engine) -> int:
    """How many processes were started so far."""
    counter = Path(f"{_control(engine)}.lives")
    return counter.stat().st_size if counter.exists() else 0


def journal(engine: Engine, event: str | None = None) -> list[dict[str, Any]]:
    """What the fake's processes did, oldest first.

    Events: started (argv, has_key, parent) · forked (kind) · held · loading (port) · ready (port) · request, answered,
    client-gone (path, number) · asked (body of a chat) · asked-to-end · exits. Each has `pid`, `life` and `at`,
    monotonic seconds.
    """
    path = Path(f"{_control(engine)}.journal")
    entries = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return [entry for entry in entries if event in (None, entry["event"])]


def _control(engine: Engine) -> Path:
    return Path(engine.command[0]).parent / "fake.json"
