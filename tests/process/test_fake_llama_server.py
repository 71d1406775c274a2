"""The fake engine does what its switches say: a fault that is not there would let every other test pass."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.fakes.launch import REPOSITORY, fake_engine, journal, set_switches, starts
from tests.process.support import command_of, eventually, running_spawner, spawn_engine

QUESTION = {"messages": [{"role": "user", "content": "hello"}], "stream": True}


@asynccontextmanager
async def session(tmp_path: Path, **switches: Any) -> AsyncIterator[aiohttp.ClientSession]:
    engine = fake_engine(tmp_path, **switches)
    async with running_spawner() as spawner:
        await spawn_engine(spawner, engine, "loading" if switches.get("never_ready") else "ready")
        base = f"http://127.0.0.1:{journal(engine, 'loading')[0]['port']}"
        async with aiohttp.ClientSession(base) as client:
            yield client


async def stream(tmp_path: Path, body: dict[str, Any] | None = None, **switches: Any) -> bytes:
    """The bytes of one stream; what arrived before the connection broke, if it broke."""
    received = b""
    async with session(tmp_path, **switches) as client:
        try:
            async with client.post("/v1/chat/completions", json=QUESTION | (body or {})) as response:
                async for piece in response.content.iter_any():
                    received += piece
        except aiohttp.ClientError:
            received += b"<broken>"
    return received


def deltas(received: bytes) -> list[dict[str, Any]]:
    events = [line[6:] for line in received.decode().splitlines() if line.startswith("data: {")]
    return [choice["delta"] for event in events for choice in json.loads(event)["choices"]]


def text(received: bytes) -> str:
    return "".join(delta.get("content") or "" for delta in deltas(received))


async def test_fake_stream_follows_the_order_of_llama_server(tmp_path: Path) -> None:
    body = {"stream_options": {"include_usage": True}, "return_progress": True}
    received = await stream(tmp_path, body, think=True, words=2)
    lines = [line[6:] for line in received.decode().splitlines() if line]
    assert lines[-1] == "[DONE]"
    events = [json.loads(line) for line in lines[:-1]]
    assert "prompt_progress" in events[0]
    assert events[1]["choices"][0]["delta"] == {"role": "assistant", "content": None}
    kinds = ["reasoning_content" if "reasoning_content" in delta else "content" for delta in deltas(received)[2:-1]]
    assert kinds == sorted(kinds, reverse=True)
    assert events[-2]["choices"][0]["finish_reason"] == "stop"
    assert events[-1]["choices"] == []
    assert events[-1]["usage"]["total_tokens"] > 0


async def test_fake_answer_depends_on_the_messages_alone_unless_told_otherwise(tmp_path: Path) -> None:
    first, second = await stream(tmp_path / "1"), await stream(tmp_path / "2")
    other = await stream(tmp_path / "3", {"messages": [{"role": "user", "content": "something else"}]})
    assert text(first) == text(second) != text(other)
    assert text(await stream(tmp_path / "4", nondeterministic=True)) != text(first)


@pytest.mark.parametrize(("mode", "repeats"), [("repeat", True), ("alone", True), ("omit", False)])
async def test_fake_continues_a_prefilled_answer(mode: str, repeats: bool, tmp_path: Path) -> None:
    whole = text(await stream(tmp_path / "whole"))
    prefix = whole[: len(whole) // 2]
    messages = [*QUESTION["messages"], {"role": "assistant", "content": prefix}]  # type: ignore[misc]
    continued = text(await stream(tmp_path / "continued", {"messages": messages}, prefix=mode))
    assert continued == (whole if repeats else whole[len(prefix) :])


async def test_fake_stream_ends_as_told(tmp_path: Path) -> None:
    died = await stream(tmp_path / "1", die_after_chunks=3)
    broken = await stream(tmp_path / "2", break_after_chunks=3)
    failed = await stream(tmp_path / "3", error_after_chunks=3)
    silent = await stream(tmp_path / "4", no_done=True)
    for received in (died, broken):
        assert received.endswith(b"<broken>")
        assert len([delta for delta in deltas(received) if delta.get("content")]) == 3
    assert b'data: {"error"' in failed
    for received in (failed, silent):
        assert b"[DONE]" not in received
        assert not received.endswith(b"<broken>")


async def test_fake_stream_takes_every_form(tmp_path: Path) -> None:
    plain = text(await stream(tmp_path / "plain"))
    forms: list[dict[str, Any]] = [{"split_bytes": True}, {"cut_utf8": True}, {"newline": "crlf"}]
    for number, switches in enumerate(forms):
        assert text(await stream(tmp_path / str(number), **switches)) == plain
    assert b"\n" not in await stream(tmp_path / "cr", newline="cr")
    assert (await stream(tmp_path / "event", event_name="evil")).startswith(b"event: evil\ndata: ")
    assert b"\n: keep-alive\n" in await stream(tmp_path / "comments", comments=True)
    assert b'data:  "choices": [\n' in await stream(tmp_path / "lines", multi_line=True)
    assert len(text(await stream(tmp_path / "big", big_delta_bytes=1 << 20))) > 1 << 20
    tool = deltas(await stream(tmp_path / "tool", tool_call=True))
    arguments = "".join(delta["tool_calls"][0]["function"]["arguments"] for delta in tool if "tool_calls" in delta)
    assert json.loads(arguments) == {"city": "Cusco"}


async def test_fake_answers_503_while_loading_and_401_without_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLAMA_API_KEY", "k")
    async with session(tmp_path / "1", never_ready=True) as client, client.get("/health") as response:
        assert response.status == 503
        assert (await response.json())["error"]["message"] == "Loading model"
    async with session(tmp_path / "2") as client:
        for headers, status in [({}, 401), ({"Authorization": "Bearer k"}, 200), ({"Authorization": "Bearer x"}, 401)]:
            async with client.get("/props", headers=headers) as response:
                assert response.status == status
        async with client.get("/health") as response:
            assert response.status == 200


async def test_fake_reader_that_leaves_is_noticed(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path, stall_after_chunks=2)
    async with running_spawner() as spawner:
        await spawn_engine(spawner, engine)
        url = f"http://127.0.0.1:{journal(engine, 'ready')[0]['port']}/v1/chat/completions"
        async with aiohttp.ClientSession() as client, client.post(url, json=QUESTION) as response:
            await response.content.readany()
        await eventually(lambda: journal(engine, "client-gone"))


async def test_fake_second_life_behaves_differently(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path, lives=[{"exit_while_loading": 7}, {"exit_while_loading": 8}])
    async with running_spawner() as spawner:
        for expected in (7, 8):
            assert await (await spawner.spawn(command_of(engine))).wait() == expected
        await spawn_engine(spawner, engine)
        assert starts(engine) == 3
        set_switches(engine, exit_while_loading=9)
        assert await (await spawner.spawn(command_of(engine))).wait() == 9


@pytest.mark.parametrize(
    ("arguments", "status", "last_line"),
    [
        (["--does-not-exist"], 1, "error: invalid argument: --does-not-exist"),
        (["--port"], 1, "error: invalid argument: --port"),
        (["--port", "0", "--fake-port-stolen"], 1, "srv  llama_server: exiting due to HTTP server error"),
        (["--fake-bogus"], 2, "fake llama-server: no such switch: bogus"),
        (["--port", "0", "--some-flag", "3", "-x", "--fake-exit-while-loading", "4"], 4, None),
    ],
)
def test_fake_exit_codes_and_last_lines(arguments: list[str], status: int, last_line: str | None) -> None:
    program = [sys.executable, "tests/fakes/fake_llama_server", *arguments]
    result = subprocess.run(program, cwd=REPOSITORY, capture_output=True, text=True, timeout=30, check=False)
    assert result.returncode == status
    assert result.stdout == ""
    assert last_line is None or result.stderr.splitlines()[-1] == last_line


@pytest.mark.parametrize("flag", ["--help", "--version", "--list-devices"])
def test_fake_help_and_version_are_answered_on_stdout(flag: str, tmp_path: Path) -> None:
    engine = fake_engine(tmp_path)
    result = subprocess.run([*engine.command, flag], capture_output=True, text=True, timeout=30, check=True)
    assert result.stdout
    assert starts(engine) == 0, "asking for help is no life"
