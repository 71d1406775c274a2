"""Asking an engine for its flags, and keeping the answer."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

import pytest

from llamero.infrastructure.llama.flags import CACHE_NAME, learn_flags
from llamero.infrastructure.llama.probe import OUTPUT_LIMIT, probe
from llamero.models.errors import EngineFailed, EngineNotFound
from llamero.models.llama import Engine, EngineKind
from tests.unit.engine_help import FLAGS, HELP
from tests.unit.programs import is_alive, program_engine, until, write_program

COUNTING = """
with open(__file__ + ".calls", "a") as calls: calls.write(" ".join(sys.argv[1:]) + "\\n")
sys.stdout.write({help!r})
"""


def counting_engine(tmp_path: Path, text: str = HELP) -> Engine:
    return program_engine(tmp_path / "llama-server", COUNTING.format(help=text))


def calls(tmp_path: Path) -> list[str]:
    return (tmp_path / "llama-server.calls").read_text(encoding="utf-8").splitlines()


async def test_learn_flags_asks_once_per_binary(tmp_path: Path) -> None:
    engine = counting_engine(tmp_path)
    assert await learn_flags(engine, tmp_path / "cache") == FLAGS
    assert await learn_flags(engine, tmp_path / "cache") == FLAGS
    assert calls(tmp_path) == ["--help"]


async def test_learn_flags_changed_binary_is_asked_again(tmp_path: Path) -> None:
    await learn_flags(counting_engine(tmp_path), tmp_path)
    engine = counting_engine(tmp_path, HELP + "--brand-new N      something\n")
    flags = await learn_flags(engine, tmp_path)
    assert flags.find("--brand-new") is not None
    assert (await learn_flags(engine, tmp_path)).find("--brand-new") is not None
    assert len(calls(tmp_path)) == 2


async def test_learn_flags_same_size_other_time_is_asked_again(tmp_path: Path) -> None:
    engine = counting_engine(tmp_path)
    await learn_flags(engine, tmp_path)
    os.utime(engine.command[0], ns=(1, 1))
    await learn_flags(engine, tmp_path)
    assert len(calls(tmp_path)) == 2


async def test_learn_flags_changed_library_of_a_shared_build_is_asked_again(tmp_path: Path) -> None:
    engine = counting_engine(tmp_path)
    library = tmp_path / "libllama-common.so.0"
    library.write_bytes(b"1")
    await learn_flags(engine, tmp_path)
    library.write_bytes(b"22")
    await learn_flags(engine, tmp_path)
    assert len(calls(tmp_path)) == 2


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"written_by": 1}', b"\xff\xfe", b"[" * 100_000])
async def test_learn_flags_corrupt_cache_is_ignored_and_mended(tmp_path: Path, content: bytes) -> None:
    engine = counting_engine(tmp_path)
    (tmp_path / CACHE_NAME).write_bytes(content)
    assert await learn_flags(engine, tmp_path) == FLAGS
    assert await learn_flags(engine, tmp_path) == FLAGS
    assert len(calls(tmp_path)) == 1


async def test_learn_flags_cache_of_another_version_is_ignored(tmp_path: Path) -> None:
    engine = counting_engine(tmp_path)
    await learn_flags(engine, tmp_path)
    cache = tmp_path / CACHE_NAME
    cache.write_text(cache.read_text("utf-8").replace('"written_by":"', '"written_by":"0.0'), encoding="utf-8")
    await learn_flags(engine, tmp_path)
    assert len(calls(tmp_path)) == 2


async def test_learn_flags_two_engines_share_the_cache(tmp_path: Path) -> None:
    first, second = counting_engine(tmp_path / "a"), counting_engine(tmp_path / "b")
    for engine in (first, second, first, second):
        await learn_flags(engine, tmp_path)
    assert (len(calls(tmp_path / "a")), len(calls(tmp_path / "b"))) == (1, 1)


async def test_learn_flags_cache_that_cannot_be_written_costs_only_time(tmp_path: Path) -> None:
    engine = counting_engine(tmp_path)
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    assert await learn_flags(engine, tmp_path / "file" / "cache") == FLAGS
    (tmp_path / CACHE_NAME).mkdir()
    assert await learn_flags(engine, tmp_path) == FLAGS
    assert [name for name in os.listdir(tmp_path) if name.startswith(".")] == []  # noqa: PTH208


async def test_learn_flags_embedded_engine_is_kept_by_versions(tmp_path: Path) -> None:
    program = write_program(tmp_path / "engine.py", COUNTING.format(help=HELP))
    engine = Engine(EngineKind.EMBEDDED, (sys.executable, str(program)))
    await learn_flags(engine, tmp_path)
    os.utime(program, ns=(1, 1))
    await learn_flags(engine, tmp_path)
    assert (tmp_path / "engine.py.calls").read_text(encoding="utf-8").splitlines() == ["--help"]
    assert b"xllamacpp 20" in (tmp_path / CACHE_NAME).read_bytes()


async def test_learn_flags_help_on_stderr_is_read(tmp_path: Path) -> None:
    engine = program_engine(tmp_path / "llama-server", f"sys.stderr.write({HELP!r})")
    assert await learn_flags(engine, tmp_path) == FLAGS


async def test_learn_flags_spoilt_environment_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLAMA_ARG_THREADS", "many")
    body = f"sys.exit('bad') if 'LLAMA_ARG_THREADS' in os.environ else sys.stdout.write({HELP!r})"
    assert await learn_flags(program_engine(tmp_path / "llama-server", body), tmp_path) == FLAGS


async def test_learn_flags_other_program_is_refused(tmp_path: Path) -> None:
    engine = program_engine(tmp_path / "llama-server", "print('-a, --all     list all files')")
    with pytest.raises(EngineFailed) as caught:
        await learn_flags(engine, tmp_path)
    assert caught.value.code == "engine_error-help_failed"
    assert caught.value.arguments["path"] == engine.command[0]
    assert not (tmp_path / CACHE_NAME).exists()


async def test_learn_flags_failing_engine_says_why(tmp_path: Path) -> None:
    engine = program_engine(tmp_path / "llama-server", "print('first'); sys.exit('libfoo.so: cannot open')")
    with pytest.raises(EngineFailed) as caught:
        await learn_flags(engine, tmp_path)
    assert (caught.value.code, caught.value.exit_status) == ("engine_error-help_failed", 1)
    assert caught.value.log_tail[-1] == "libfoo.so: cannot open"
    assert "libfoo.so" in str(caught.value)


async def test_learn_flags_crashing_engine_gives_its_signal(tmp_path: Path) -> None:
    engine = program_engine(tmp_path / "llama-server", "os.kill(os.getpid(), 9)")
    with pytest.raises(EngineFailed) as caught:
        await learn_flags(engine, tmp_path)
    assert caught.value.exit_status == -9


async def test_learn_flags_missing_engine_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(EngineNotFound) as caught:
        await learn_flags(Engine(EngineKind.SETTINGS, (str(tmp_path / "none"),)), tmp_path)
    assert caught.value.code == "context_error-exec_not_exists"


@pytest.mark.parametrize(("mode", "content"), [(0o644, b"#!/bin/sh\n"), (0o755, b"\x00\x01 not a program")])
async def test_learn_flags_file_that_cannot_run_is_named_so(tmp_path: Path, mode: int, content: bytes) -> None:
    path = tmp_path / "llama-server"
    path.write_bytes(content)
    path.chmod(mode)
    with pytest.raises(EngineNotFound) as caught:
        await learn_flags(Engine(EngineKind.SETTINGS, (str(path),)), tmp_path)
    assert caught.value.code == "context_error-exec_not_executable"
    assert caught.value.arguments["path"] == str(path)


SILENT_WITH_CHILD = """
import time
child = os.fork()
if child:
    print("pids", os.getpid(), child, flush=True)
    {parent}
time.sleep(60)
"""


@pytest.mark.parametrize("parent", ["pass", "os._exit(0)"], ids=["hangs", "leaves a child behind"])
async def test_probe_silent_program_ends_in_time_with_its_children(tmp_path: Path, parent: str) -> None:
    program = write_program(tmp_path / "silent", SILENT_WITH_CHILD.format(parent=parent))
    started = time.monotonic()
    with pytest.raises(EngineFailed) as caught:
        await probe((str(program),), timeout=0.5)
    assert time.monotonic() - started < 5
    pids = [int(word) for word in caught.value.log_tail[0].split()[1:]]
    assert len(pids) == 2
    await until(lambda: not any(map(is_alive, pids)))


async def test_probe_flood_is_cut_off(tmp_path: Path) -> None:
    program = write_program(tmp_path / "flood", "while True: sys.stdout.write('x' * 65536)")
    with pytest.raises(EngineFailed) as caught:
        await probe((str(program),), timeout=30)
    assert str(OUTPUT_LIMIT) in str(caught.value)
    assert max(map(len, caught.value.log_tail)) <= 8192


async def test_probe_cancelled_leaves_no_process(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    body = f"import time, pathlib\npathlib.Path({str(pid_file)!r}).write_text(f'{{os.getpid()}}.')\ntime.sleep(60)"
    program = write_program(tmp_path / "slow", body)
    task = asyncio.create_task(probe((str(program),), timeout=60))
    await until(lambda: pid_file.exists() and pid_file.read_text(encoding="utf-8").endswith("."))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    pid = int(pid_file.read_text(encoding="utf-8").rstrip("."))
    await until(lambda: not is_alive(pid))
