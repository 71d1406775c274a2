"""Every form that an event stream may arrive in tells the client the same, undisturbed and when the server dies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from llamero.services.llama.answer import open_answer
from tests.fakes.launch import fake_engine
from tests.process.world import CHAT, World, chat, read, spec_for, world

WORDS = 10
PLAIN = {"words": WORDS}
FORMS: dict[str, dict[str, Any]] = {
    "split at every byte": {"split_bytes": True},
    "cr": {"newline": "cr"},
    "crlf": {"newline": "crlf"},
    "crlf split at every byte": {"newline": "crlf", "split_bytes": True},
    "cr split at every byte": {"newline": "cr", "split_bytes": True},
    "comments": {"comments": True},
    "multi-line data": {"multi_line": True},
    "multi-line data in crlf with comments": {"multi_line": True, "newline": "crlf", "comments": True},
    "characters cut in half": {"cut_utf8": True},
    "injected event names": {"event_name": "llamero-command"},
    "injected event names in cr": {"event_name": "error", "newline": "cr"},
    "no done": {"no_done": True},
}


async def undisturbed_text(w: World, folder: Path) -> str:
    return (await w.ask(spec_for(fake_engine(folder, **PLAIN), "plain"))).text


@pytest.mark.parametrize("form", FORMS)
async def test_stream_form_tells_the_same_also_when_the_server_dies(form: str, tmp_path: Path) -> None:
    lives: list[dict[str, Any]] = [{}, {"die_after_chunks": 7}]
    engine = fake_engine(tmp_path / "formed", lives, **PLAIN, **FORMS[form])
    async with world(max_loaded=2, crash_limit=100, backoff_s=(0.0,)) as w:
        expected = await undisturbed_text(w, tmp_path / "plain")
        whole = await w.ask(spec_for(engine))
        whole.assert_well_formed()
        assert whole.text == expected
        await w.actor.unload("m")
        healed = await w.ask(spec_for(engine))
        healed.assert_well_formed()
        assert healed.text == expected
        assert healed.continuations + healed.replays == 1


@pytest.mark.parametrize("form", FORMS)
async def test_stream_form_pushed_tells_the_same_also_when_the_server_dies(form: str, tmp_path: Path) -> None:
    lives: list[dict[str, Any]] = [{"die_after_chunks": 7}]
    engine = fake_engine(tmp_path / "formed", lives, **PLAIN, **FORMS[form])
    async with world(max_loaded=2, crash_limit=100, backoff_s=(0.0,)) as w:
        healed = await w.ask_pushed(spec_for(engine))
        healed.assert_well_formed()
        assert healed.text == await undisturbed_text(w, tmp_path / "plain")
        assert healed.continuations + healed.replays == 1


async def test_stream_with_a_delta_of_a_megabyte_arrives_whole(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path, words=3, big_delta_bytes=1_000_000)
    async with world() as w:
        result = await w.ask(spec_for(engine))
        result.assert_well_formed()
        assert len(result.text) > 1_000_000
        pushed = await w.ask_pushed(spec_for(engine))
        assert pushed.text == result.text


async def test_stream_error_event_passes_and_ends_the_answer(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path, error_after_chunks=3)
    async with world() as w:
        result = await w.ask(spec_for(engine))
        assert result.chunks[-1]["error"]["message"] == "told to fail"
        assert b"[DONE]" not in result.data
        assert len(result.text.split()) == 3
        assert result.continuations + result.replays == 0


async def test_stream_undisturbed_passes_byte_for_byte(tmp_path: Path) -> None:
    async with world() as w:
        result = await w.ask(spec_for(fake_engine(tmp_path, comments=True, newline="crlf")), chat(return_progress=True))
        assert result.raw.count(b": keep-alive\r\n") == len(result.data)
        assert b"prompt_progress" in result.raw


@pytest.mark.parametrize(
    "body",
    [chat(stream_options={"include_usage": True}), chat(), chat(stream=False)],
    ids=["with usage", "without usage", "whole"],
)
async def test_answer_tells_how_many_tokens_there_were(body: dict[str, Any], tmp_path: Path) -> None:
    async with world() as w, open_answer(w.actor, spec_for(fake_engine(tmp_path, **PLAIN)), CHAT, body) as answer:
        assert (await read(answer)).status == 200
        assert answer.tokens.generated >= WORDS
        assert answer.tokens.prompt > 0


async def test_answer_that_is_left_has_the_tokens_that_were_seen(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path, words=100_000, tokens_per_second=1000)
    async with world() as w, open_answer(w.actor, spec_for(engine), CHAT, chat()) as answer:
        blocks = answer.blocks()
        for _ in range(5):
            await anext(blocks)
        await blocks.aclose()
        assert 1 <= answer.tokens.generated < 100_000
