"""What the inspector knows of requests in every dialect: where they went, how long each part took, what was said."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from llamero.models.aliases import FallbackDestination
from llamero.models.chat import Finished
from llamero.models.conversations import Sampling
from llamero.models.errors import Conflict, ModelNotFound
from llamero.models.inspector import ListRequests, Outcome, PhaseKind, RequestDetails
from llamero.models.settings import InspectorSettings
from llamero.services.chats.source import InferenceChatSource
from tests.fakes.launch import fake_engine, journal
from tests.fakes.remote_server import answering, remote_server
from tests.gateway.harness import eventually, exchange, request_bytes, send
from tests.gateway.inspected import Inspected, inspected

QUESTION = [{"role": "user", "content": "Who leads the llamas?"}]
DIALECTS: Mapping[str, tuple[str, dict[str, Any], str]] = {
    "openai": ("/v1/chat/completions", {"model": "m", "messages": QUESTION, "stream": True, "seed": 7}, "openai"),
    "openai-whole": ("/v1/chat/completions", {"model": "m", "messages": QUESTION, "seed": 7}, "openai"),
    "completions": ("/v1/completions", {"model": "m", "prompt": "A llama", "stream": True, "seed": 7}, "openai"),
    "anthropic": (
        "/v1/messages",
        {"model": "m", "max_tokens": 50, "messages": QUESTION, "stream": True},
        "anthropic",
    ),
    "ollama": ("/api/chat", {"model": "m", "messages": QUESTION, "options": {"seed": 7}}, "ollama"),
    "llama.cpp": ("/completion", {"model": "m", "prompt": "A llama", "stream": True, "seed": 7}, "llama.cpp"),
}


async def post(
    at: Inspected, path: str, body: Mapping[str, Any], headers: Mapping[str, str] | None = None
) -> RequestDetails:
    """Ask, read the whole answer, and return what the inspector knows of it."""
    await send(at.gateway, "POST", path, {"User-Agent": "test/1", **(headers or {})}, json.dumps(body).encode())
    return await at.newest()


def kinds(details: RequestDetails) -> list[PhaseKind]:
    return [phase.kind for phase in details.summary.phases]


@pytest.mark.parametrize("name", DIALECTS)
async def test_request_in_each_dialect_is_seen_with_its_alias_timings_tokens_and_text(
    name: str, tmp_path: Path
) -> None:
    path, body, dialect = DIALECTS[name]
    async with inspected(fake_engine(tmp_path, words=12, load_seconds=0.1)) as at:
        details = await post(at, path, body)
        summary = details.summary
        assert (summary.dialect, summary.route, summary.client, summary.model) == (dialect, path, "test/1", "m")
        assert (summary.status, summary.outcome, summary.error) == (200, Outcome.FINISHED, None)
        assert summary.destination == "m.gguf"
        assert summary.prompt_tokens is not None
        assert summary.generated_tokens
        assert {PhaseKind.LOAD, PhaseKind.PROMPT} <= set(kinds(details))
        assert sum(phase.end_ms - phase.start_ms for phase in summary.phases) == pytest.approx(
            summary.duration_ms, abs=2
        )
        load = next(phase for phase in summary.phases if phase.kind is PhaseKind.LOAD)
        assert load.end_ms - load.start_ms >= 90
        assert details.body.text == json.dumps(body)
        assert len(details.answer.split()) >= 5
        assert details.events
        assert details.can_replay


async def test_request_shows_what_the_engine_was_really_sent(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path, words=3)
    async with inspected(engine) as at:
        details = await post(at, "/v1/chat/completions", {"model": "m", "messages": QUESTION, "stream": True})
        (sent,) = details.sent
        assert sent.body.text is not None
        merged = json.loads(sent.body.text)
        assert merged == journal(engine, "asked")[0]["body"]
        assert merged["temperature"] == 0.25
        assert merged["messages"][0] == {"role": "system", "content": "Be brief."}
        assert "seed" in merged, "Llamero chose one, so that the answer could be replayed"


async def test_request_whose_engine_dies_shows_the_recovery_and_both_requests(tmp_path: Path) -> None:
    async with inspected(fake_engine(tmp_path, words=20, lives=[{"die_after_chunks": 12}])) as at:
        details = await post(at, "/v1/chat/completions", DIALECTS["openai"][1])
        assert (details.summary.recoveries, details.summary.outcome) == (1, Outcome.FINISHED)
        order = kinds(details)
        assert order[order.index(PhaseKind.RECOVERY) :] == [PhaseKind.RECOVERY, PhaseKind.GENERATION]
        assert len(details.sent) == 2


@pytest.mark.parametrize("name", ["openai", "anthropic", "ollama"])
async def test_request_whose_engine_breaks_its_answer_off_has_failed(name: str, tmp_path: Path) -> None:
    """As an engine does whose context is full: by an event, long after the status."""
    async with inspected(fake_engine(tmp_path, words=20, error_after_chunks=5)) as at:
        details = await post(at, *DIALECTS[name][:2])
        assert (details.summary.status, details.summary.outcome) == (200, Outcome.FAILED)
        assert "told to fail" in (details.summary.error or "")


async def test_request_of_a_client_that_leaves_is_gone(tmp_path: Path) -> None:
    async with inspected(fake_engine(tmp_path, words=5000, tokens_per_second=50)) as at:
        body = json.dumps(DIALECTS["openai"][1]).encode()
        _, writer = await asyncio.open_connection("127.0.0.1", at.gateway.port)
        head = {"Host": at.gateway.host, "Content-Type": "application/json"}
        writer.write(request_bytes("POST", "/v1/chat/completions", head, body))
        await eventually(lambda: bool(at.all()) and bool(at.inspector.details(at.all()[0].id).answer))
        assert at.all()[0].outcome is Outcome.RUNNING
        writer.close()
        details = await at.newest()
        assert details.summary.outcome is Outcome.GONE
        assert kinds(details)[-1] is PhaseKind.GENERATION


async def test_request_through_a_fallback_shows_each_step_and_why(tmp_path: Path) -> None:
    refusing = answering(503, b'{"error":{"message":"busy"}}')
    async with remote_server(refusing) as server:
        others = {"far": server.destination(), "f": FallbackDestination(alias="f", targets=("far", "m"))}
        async with inspected(fake_engine(tmp_path, words=5), others) as at:
            details = await post(at, "/v1/chat/completions", {**DIALECTS["openai"][1], "model": "f"})
    first, second = details.steps
    assert (first.is_remote, first.error) == (True, "it answered 503")
    assert first.target.startswith("theirs @ ")
    assert (second.alias, second.is_remote, second.error) == ("m", False, None)
    assert (details.summary.model, details.summary.destination) == ("f", "m.gguf")


async def test_request_that_is_refused_says_why(tmp_path: Path) -> None:
    async with inspected(fake_engine(tmp_path)) as at:
        unknown = await post(at, "/v1/chat/completions", {**DIALECTS["openai"][1], "model": "nobody"})
        assert (unknown.summary.status, unknown.summary.outcome) == (404, Outcome.FAILED)
        assert "model_not_found" in (unknown.summary.error or "")
        broken = await post(at, "/v1/messages", {"model": "m", "messages": 7})
        assert (broken.summary.status, broken.summary.dialect) == (400, "anthropic")
        assert broken.summary.error
        found = (await at.inspector.find(ListRequests(errors_only=True, status=4))).requests
        assert {one.id for one in found} == {unknown.summary.id, broken.summary.id}


async def test_list_finds_words_in_what_was_said_and_what_came_after(tmp_path: Path) -> None:
    async with inspected(fake_engine(tmp_path, words=4)) as at:
        first = await post(at, "/v1/chat/completions", DIALECTS["openai"][1])
        second = await post(at, "/v1/completions", {"model": "m", "prompt": "Of vicuñas", "max_tokens": 3})

        async def found(**wanted: Any) -> list[str]:
            return [one.id for one in (await at.inspector.find(ListRequests(**wanted))).requests]

        assert await found(text="WHO LEADS") == [first.summary.id]
        answer = at.inspector.details(first.summary.id).answer
        assert answer.count(" ") == 3
        assert first.summary.id in await found(text=answer.upper())  # though its words came one by one
        assert await found(after=first.summary.id) == [second.summary.id]
        assert await found(model="other") == []


@pytest.mark.parametrize("name", DIALECTS)
async def test_replay_of_a_request_equals_the_original(name: str, tmp_path: Path) -> None:
    path, body, _ = DIALECTS[name]
    async with inspected(fake_engine(tmp_path, words=8)) as at:
        original = await post(at, path, body)
        replay = await at.inspector.replay(original.summary.id)
        again = await at.newest()
        assert again.summary.id == replay.id != original.summary.id
        assert again.summary.replay_of == original.summary.id
        assert (again.body, again.method, again.path) == (original.body, original.method, original.path)
        assert (again.answer, again.summary.status) == (original.answer, 200)
        assert _without_seed(again) == _without_seed(original)


async def test_replay_of_a_chat_of_the_window_equals_the_original(tmp_path: Path) -> None:
    async with inspected(fake_engine(tmp_path, words=8)) as at:
        source = InferenceChatSource(at.inference, at.inference.is_local, lambda _: None, at.inspector)
        async for _ in source.ask("m", QUESTION, Sampling(seed=7), lambda _: None):
            pass
        original = await at.newest()
        assert (original.summary.dialect, original.summary.client) == ("chat", "Llamero chat")
        assert original.summary.preview == "Who leads the llamas?"
        await at.inspector.replay(original.summary.id)
        again = await at.newest()
        assert (again.answer, _without_seed(again)) == (original.answer, _without_seed(original))


async def test_chat_of_which_nothing_is_read_behind_its_end_has_finished(tmp_path: Path) -> None:
    async with inspected(fake_engine(tmp_path, words=4)) as at:
        source = InferenceChatSource(at.inference, at.inference.is_local, lambda _: None, at.inspector)
        async with aclosing(source.ask("m", QUESTION, Sampling(), lambda _: None)) as deltas:
            async for delta in deltas:
                if isinstance(delta, Finished):
                    break
        summary = (await at.newest()).summary
        assert (summary.outcome, summary.status) == (Outcome.FINISHED, 200)


async def test_chat_whose_model_is_not_there_has_failed(tmp_path: Path) -> None:
    async with inspected(fake_engine(tmp_path)) as at:
        source = InferenceChatSource(at.inference, at.inference.is_local, lambda _: None, at.inspector)
        with pytest.raises(ModelNotFound):
            await anext(source.ask("nobody", QUESTION, Sampling(), lambda _: None))
        summary = (await at.newest()).summary
        assert (summary.outcome, summary.status) == (Outcome.FAILED, 404)


async def test_replay_needs_no_key_where_the_gateway_does_and_opens_no_door(tmp_path: Path) -> None:
    async with inspected(fake_engine(tmp_path, words=3), key="the-key-of-the-gateway") as at:
        original = await post(at, *DIALECTS["openai"][:2], {"Authorization": "Bearer the-key-of-the-gateway"})
        assert original.summary.key_name == "configured"
        await at.inspector.replay(original.summary.id)
        assert (await at.newest()).summary.status == 200
        forged = await post(at, *DIALECTS["openai"][:2], {"X-Llamero-Replay": "guessed"})
        assert (forged.summary.status, forged.summary.replay_of, forged.body.text) == (401, None, None)


async def test_prompt_of_a_request_is_rendered_by_the_engine_and_not_recorded(tmp_path: Path) -> None:
    async with inspected(fake_engine(tmp_path, words=3)) as at:
        details = await post(at, *DIALECTS["openai"][:2])
        rendered = await at.inspector.render_prompt(details.summary.id)
        assert "Who leads the llamas?" in rendered.prompt
        assert "Be brief." in rendered.prompt
        assert len(at.all()) == 1


async def test_content_off_keeps_how_it_went_and_nothing_that_was_said(tmp_path: Path) -> None:
    async with inspected(fake_engine(tmp_path, words=8)) as at:
        before = await post(at, *DIALECTS["openai"][:2])
        at.inspector.keep_content(False)
        assert at.inspector.details(before.summary.id).body.text is None
        details = await post(at, *DIALECTS["openai"][:2])
        assert (details.body.text, details.sent[0].body.text, details.events, details.answer) == (None, None, (), "")
        assert (details.summary.preview, details.can_replay, details.can_render) == ("", False, False)
        assert details.summary.generated_tokens
        assert PhaseKind.GENERATION in kinds(details)
        assert at.inspector.bytes_kept == 0
        with pytest.raises(Conflict):
            await at.inspector.replay(details.summary.id)


async def test_content_that_the_settings_forbid_cannot_be_turned_on(tmp_path: Path) -> None:
    async with inspected(fake_engine(tmp_path, words=3), settings=InspectorSettings(content=False)) as at:
        with pytest.raises(Conflict):
            at.inspector.keep_content(True)
        details = await post(at, *DIALECTS["openai"][:2])
        assert details.body.text is None


async def test_routes_that_ask_no_model_are_not_recorded(tmp_path: Path) -> None:
    async with inspected(fake_engine(tmp_path)) as at:
        for path in ("/health", "/v1/models", "/metrics"):
            await exchange(at.gateway.port, request_bytes("GET", path, {"Host": at.gateway.host}))
        assert at.all() == ()


def _without_seed(details: RequestDetails) -> list[object]:
    """What was sent, but for the seed that Llamero chooses where the client leaves it open."""
    bodies = [json.loads(one.body.text or "{}") for one in details.sent]
    for body in bodies:
        body.pop("seed", None)
    return [(one.endpoint, one.method, body) for one, body in zip(details.sent, bodies, strict=True)]
