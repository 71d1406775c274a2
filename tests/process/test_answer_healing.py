"""An answer outlives its server: what the client is told equals an undisturbed run, whatever dies under it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import psutil
import pytest

from llamero.models.errors import EngineFailed, UpstreamFailed
from llamero.models.llama import Engine
from llamero.services.llama.answer import open_answer
from llamero.services.llama.recovery import DISAGREES
from tests.fakes.launch import fake_engine, journal, set_switches, starts
from tests.process.support import eventually
from tests.process.world import CHAT, Told, World, chat, read, spec_for, told, world

NEVER_TOO_OFTEN = {"crash_limit": 10_000, "backoff_s": (0.0,)}
WORDS = 12


def disturb_next_life(engine: Engine, *lives: dict[str, Any], **switches: Any) -> None:
    """These switches in the coming lives, and `switches` in every one."""
    set_switches(engine, [*[{}] * starts(engine), *lives], **switches)


async def disturbed_at_each(
    w: World, engine: Engine, positions: range, switch: str, body: dict[str, Any], **switches: Any
) -> tuple[Told, list[Told]]:
    """The undisturbed answer, and one for each position at which a fresh server dies."""
    spec = spec_for(engine)
    undisturbed = await w.ask(spec, body)
    undisturbed.assert_well_formed()
    results = []
    for position in positions:
        await w.actor.unload()
        disturb_next_life(engine, {switch: position}, **switches)
        results.append(await w.ask(spec, body))
        results[-1].assert_well_formed()
        assert 1 in (results[-1].continuations, results[-1].replays), position
    return undisturbed, results


@pytest.mark.parametrize("prefix", ["repeat", "alone", "omit"])
async def test_answer_server_dies_at_any_chunk_is_completed_in_the_same_stream(prefix: str, tmp_path: Path) -> None:
    engine = fake_engine(tmp_path, words=WORDS, prefix=prefix)
    body = chat(stream_options={"include_usage": True})
    async with world(**NEVER_TOO_OFTEN) as w:
        positions = range(WORDS + 1) if prefix == "repeat" else range(2, WORDS + 1, 4)
        undisturbed, results = await disturbed_at_each(
            w, engine, positions, "die_after_chunks", body, words=WORDS, prefix=prefix
        )
        for result in results:
            assert result.text == undisturbed.text
            assert result.finish_reasons == undisturbed.finish_reasons
            assert result.chunks[-1]["usage"] == undisturbed.chunks[-1]["usage"]


async def test_answer_pushed_server_dies_at_any_chunk_is_completed_in_the_same_stream(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path, words=WORDS)
    body = chat(stream_options={"include_usage": True})
    async with world(**NEVER_TOO_OFTEN) as w:
        undisturbed = await w.ask(spec_for(engine), body)
        for position in range(WORDS + 1):
            await w.actor.unload()
            disturb_next_life(engine, {"die_after_chunks": position}, words=WORDS)
            result = await w.ask_pushed(spec_for(engine), body)
            result.assert_well_formed()
            assert 1 in (result.continuations, result.replays), position
            assert result.text == undisturbed.text
            assert result.chunks[-1]["usage"] == undisturbed.chunks[-1]["usage"]


async def killed_after_words(w: World, engine: Engine, words: int) -> Told:
    """An answer whose server is killed when the client has read so many words. `engine` must keep a slow pace."""
    pieces: list[bytes] = []
    server = psutil.Process(w.pid())
    async with open_answer(w.actor, spec_for(engine), CHAT, chat()) as answer:
        async for piece in answer:
            pieces.append(piece)
            if server is not None and len(told(pieces).text.split()) >= words:
                server.kill()
                server = None
        result = told(pieces)
        result.continuations, result.replays = answer.continuations, answer.replays
    return result


@pytest.mark.parametrize(
    ("switches", "words", "ways"),
    [
        ({}, 6, (1, 0)),
        ({"prefix": "alone"}, 6, (1, 0)),
        ({}, 1, (0, 1)),  # a few characters may be read as other tokens
        ({"refuse_prefill": True}, 6, (0, 1)),
        ({"prefix": "omit"}, 6, (1, 1)),  # the rest does not show that it belongs to what was sent
        ({"think": True}, 6, (0, 1)),
    ],
    ids=str,
)
async def test_answer_is_continued_where_the_text_stands_for_it_and_replayed_elsewhere(
    switches: dict[str, Any], words: int, ways: tuple[int, int], tmp_path: Path
) -> None:
    engine = fake_engine(tmp_path, words=WORDS, tokens_per_second=25.0, **switches)
    async with world(**NEVER_TOO_OFTEN) as w:
        undisturbed = await w.ask(spec_for(engine))
        result = await killed_after_words(w, engine, words)
        result.assert_well_formed()
        assert (result.reasoning, result.text) == (undisturbed.reasoning, undisturbed.text)
        assert (result.continuations, result.replays) == ways


async def test_answer_with_reasoning_server_dies_at_any_delta_is_completed(tmp_path: Path) -> None:
    switches: dict[str, Any] = {"words": 6, "think": True}
    engine = fake_engine(tmp_path, **switches)
    async with world(**NEVER_TOO_OFTEN) as w:
        undisturbed, results = await disturbed_at_each(w, engine, range(12), "die_after_deltas", chat(), **switches)
        assert undisturbed.reasoning
        for result in results:
            assert (result.reasoning, result.text) == (undisturbed.reasoning, undisturbed.text)


async def test_answer_with_tool_call_server_dies_at_any_delta_is_completed(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path, tool_call=True)
    async with world(**NEVER_TOO_OFTEN) as w:
        undisturbed, results = await disturbed_at_each(w, engine, range(7), "die_after_deltas", chat(), tool_call=True)
        for result in results:
            call_id, *rest = result.calls[0]
            assert rest == list(undisturbed.calls[0][1:]) == ["get_weather", '{"city":"Cusco"}']
            assert len(call_id) == 16, "the random id of one life, not of both"
            assert result.finish_reasons == ["tool_calls"]


async def test_answer_with_token_limit_keeps_it_over_a_recovery(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path, words=WORDS)
    async with world(**NEVER_TOO_OFTEN) as w:
        undisturbed, results = await disturbed_at_each(
            w, engine, range(9), "die_after_chunks", chat(max_tokens=8), words=WORDS
        )
        assert undisturbed.finish_reasons == ["length"]
        for result in results:
            assert (result.text, result.finish_reasons) == (undisturbed.text, ["length"])


async def test_answer_client_prefilled_is_completed(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path, words=WORDS)
    async with world(**NEVER_TOO_OFTEN) as w:
        beginning = (await w.ask(spec_for(engine))).text[:15]
        body = chat([*chat()["messages"], {"role": "assistant", "content": beginning}])
        undisturbed, results = await disturbed_at_each(
            w, engine, range(0, 10, 3), "die_after_chunks", body, words=WORDS
        )
        assert undisturbed.text.startswith(beginning)
        assert [result.text for result in results] == [undisturbed.text] * len(results)


async def test_answer_servers_die_again_and_again_is_completed(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path, words=40)
    async with world(**NEVER_TOO_OFTEN) as w:
        spec = spec_for(engine)
        undisturbed = await w.ask(spec)
        await w.actor.unload()
        # At a pace that lets the client read what came: a server that dies with all of it unread makes no progress.
        deaths = ({"die_after_chunks": n, "tokens_per_second": 50.0} for n in (3, 5, 9, 6, 4))
        disturb_next_life(engine, *deaths, words=40)
        result = await w.ask(spec)
        result.assert_well_formed()
        assert result.text == undisturbed.text
        assert starts(engine) == 7


async def test_answer_servers_die_without_any_progress_ends_in_a_typed_error(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path, die_after_deltas=0)
    async with world(**NEVER_TOO_OFTEN) as w:
        with pytest.raises(UpstreamFailed):
            await w.ask(spec_for(engine))
        assert starts(engine) <= 5


async def test_answer_replay_disagrees_ends_in_a_typed_error_and_nothing_comes_twice(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path, words=WORDS, think=True, nondeterministic=True, tokens_per_second=100.0)
    pieces: list[bytes] = []
    async with world(**NEVER_TOO_OFTEN) as w:
        await w.actor.load(spec_for(engine))
        with pytest.raises(UpstreamFailed) as caught:
            async with open_answer(w.actor, spec_for(engine), CHAT, chat()) as answer:
                async for piece in answer:
                    pieces.append(piece)
                    if len(told(pieces).text.split()) == 5:
                        psutil.Process(w.pid()).kill()
        assert caught.value.code == DISAGREES
        assert len(told(pieces).text.split()) in (5, 6), "what the first server had sent, and nothing of the second"
        assert len(told(pieces).deltas) == 1 + len(told(pieces).reasoning.split()) + len(told(pieces).text.split())
        await no_lease_left(w)


async def test_answer_server_crashes_too_often_ends_in_the_crash_loop(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path, words=40, die_after_chunks=6)
    async with world(crash_limit=3, backoff_s=(0.0,)) as w:
        with pytest.raises(EngineFailed) as caught:
            await w.ask(spec_for(engine))
        assert (caught.value.code, caught.value.exit_status) == ("server_error-crash_loop", -9)
        assert starts(engine) == 3


async def test_answer_replacement_does_not_start_ends_in_its_reason(tmp_path: Path) -> None:
    lives: list[dict[str, Any]] = [
        {"die_after_chunks": 6},
        {"exit_while_loading": 1, "last_lines": ["invalid magic characters"]},
    ]
    engine = fake_engine(tmp_path, lives)
    async with world(**NEVER_TOO_OFTEN) as w:
        with pytest.raises(EngineFailed) as caught:
            await w.ask(spec_for(engine))
        assert caught.value.exit_status == 1
        assert caught.value.log_tail[-1] == "invalid magic characters"


async def test_answer_connection_breaks_without_a_death_goes_on_with_the_same_server(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path, words=WORDS)
    async with world(concurrency=1) as w:
        spec = spec_for(engine)
        undisturbed = await w.ask(spec)
        await w.actor.unload()
        disturb_next_life(engine, {"break_after_chunks": 8}, words=WORDS)
        result = await w.ask(spec)
        result.assert_well_formed()
        assert result.text == undisturbed.text
        assert starts(engine) == 2, "one for each half of this test"
        await no_lease_left(w)


async def test_answer_not_streamed_is_asked_again_when_the_server_dies(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path, [{"tokens_per_second": 1.0}], words=30)
    async with world(**NEVER_TOO_OFTEN) as w:
        asking = asyncio.create_task(w.ask(spec_for(engine), chat(stream=False)))
        await eventually(lambda: [e for e in journal(engine, "request") if e["path"] == "/v1/chat/completions"])
        psutil.Process(w.pid()).kill()
        result = await asking
        assert result.status == 200
        assert b"chat.completion" in result.raw
        assert result.replays == 1
        assert starts(engine) == 2


@pytest.mark.parametrize("path", ["/tokenize", "/v1/embeddings"])
async def test_answer_of_other_endpoints_passes_untouched(path: str, tmp_path: Path) -> None:
    async with world() as w:
        spec = spec_for(fake_engine(tmp_path))
        result = await w.ask(spec, {"content": "two words", "input": "x"}, path)
        assert result.status == (200 if path == "/tokenize" else 501)
        assert result.raw.startswith(b'{"tokens"' if path == "/tokenize" else b'{"error"')


async def test_answer_refused_by_the_engine_passes_untouched(tmp_path: Path) -> None:
    async with world() as w:
        result = await w.ask(spec_for(fake_engine(tmp_path)), {"messages": "no list", "stream": True})
        assert (result.status, b"invalid_request_error" in result.raw) == (400, True)


async def test_answer_reader_who_leaves_frees_the_engine_and_the_lease(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path, words=1000, tokens_per_second=50.0)
    async with world() as w:
        async with open_answer(w.actor, spec_for(engine), CHAT, chat()) as answer:
            async for _ in answer:
                break
        await eventually(lambda: journal(engine, "client-gone"), timeout_s=1.0)
        await no_lease_left(w)
        assert (await read_short(w, engine)).status == 200


async def no_lease_left(w: World) -> None:
    await eventually(lambda: (server := w.server()) is None or server.leases == 0, what="leases given back")


async def read_short(w: World, engine: Engine) -> Told:
    async with open_answer(w.actor, spec_for(engine), CHAT, chat(max_tokens=2)) as answer:
        return await read(answer)
