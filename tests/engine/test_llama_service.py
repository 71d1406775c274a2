"""The service as the app composes it, with the demo model: its five methods, raw requests, and what listeners hear."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession

from llamero.application import Application, running
from llamero.infrastructure.paths import find_paths
from llamero.infrastructure.settings_file import load_settings
from llamero.models.chat import Finished, TextDelta
from llamero.models.errors import ModelDoesNotEmbed, ModelNotFound, Unavailable, UpstreamFailed
from llamero.models.events import ChatCompletions, Start, StateEvent, Stop, Variant
from llamero.models.inference import InferenceRequest
from llamero.models.llama import LlamaCppConfig, ModelId
from tests.process.support import eventually

QUESTION: list[dict[str, object]] = [{"role": "user", "content": "What is a llama?"}]


@asynccontextmanager
async def application(tmp_path: Path) -> AsyncIterator[tuple[Application, LlamaCppConfig, list[StateEvent]]]:
    paths = find_paths(tmp_path)
    async with running(paths, load_settings(paths.settings_file, {}, {})) as app:
        heard: list[StateEvent] = []

        async def listen(event: StateEvent) -> None:
            heard.append(event)

        app.llama.subscribe(listen)
        yield app, app.catalog.config("demo"), heard


async def test_chat_message_streams_typed_deltas_and_ends_with_finished(tmp_path: Path) -> None:
    async with application(tmp_path) as (app, demo, _):
        deltas = [delta async for delta in app.llama.send_chat_message(QUESTION, demo, temperature=0, stream=False)]
        text = "".join(delta.text for delta in deltas if isinstance(delta, TextDelta))
        assert text.startswith("Hello! I am the Llamero demo")
        last = deltas[-1]
        assert isinstance(last, Finished)
        assert last.reason == "stop"
        assert last.usage is not None
        assert last.usage.completion_tokens > 50


async def test_active_model_answers_when_none_is_named(tmp_path: Path) -> None:
    async with application(tmp_path) as (app, demo, _):
        with pytest.raises(Unavailable):
            [delta async for delta in app.llama.send_chat_message(QUESTION)]
        await app.llama.start(demo)
        assert [delta async for delta in app.llama.send_chat_message(QUESTION, max_tokens=2)]


async def test_start_metrics_and_stop_tell_what_is_so(tmp_path: Path) -> None:
    async with application(tmp_path) as (app, demo, heard):
        assert not app.llama.is_running()
        await app.llama.start(demo)
        await app.llama.start(demo)
        assert app.llama.is_running()
        (server,) = (await app.llama.get_metrics()).servers
        assert server.alias == "demo"
        assert server.process is not None
        assert server.process.rss
        await app.llama.stop("demo")
        assert not app.llama.is_running()
        await eventually(lambda: len(heard) == 3)
        assert heard[0] == Variant(heard[0].variant)  # type: ignore[union-attr]
        assert heard[1:] == [Start(demo.model), Stop(demo.model)]


async def test_engine_that_starts_complains_of_no_key_until_a_stranger_shows_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="llamero.engine")
    async with application(tmp_path) as (app, demo, _), ClientSession() as stranger:
        await app.llama.start(demo)
        (server,) = app.servers.status().servers
        headers = {"Authorization": "Bearer wrong"}
        async with stranger.get(f"http://127.0.0.1:{server.port}/props", headers=headers) as refused:
            assert refused.status == 401
        await eventually(lambda: any("Invalid API Key" in one.getMessage() for one in caplog.records))
        complaints = [one.levelno for one in caplog.records if "Invalid API Key" in one.getMessage()]
        assert complaints == [logging.WARNING]


async def test_chat_completions_is_told_once_whether_it_succeeded_or_not(tmp_path: Path) -> None:
    async with application(tmp_path) as (app, _, heard):
        good = InferenceRequest(model="demo", body={"messages": QUESTION, "max_tokens": 2})
        async with app.inference.stream(good) as reply:
            assert json.loads(b"".join([piece async for piece in reply]))["object"] == "chat.completion"
        with pytest.raises(ModelDoesNotEmbed):
            async with app.inference.stream(InferenceRequest(model="demo", body={}, endpoint="/v1/embeddings")):
                pass
        told = [ChatCompletions("demo")] * 2
        await eventually(lambda: [event for event in heard if isinstance(event, ChatCompletions)] == told)
        unknown = InferenceRequest(model="other", body={})
        with pytest.raises(ModelNotFound):
            async with app.inference.stream(unknown):
                pass


async def test_raw_requests_come_back_whole(tmp_path: Path) -> None:
    async with application(tmp_path) as (app, demo, _):
        tokens = json.loads(await app.llama.tokenize(demo, {"content": "Hello llama"}))
        text = json.loads(await app.llama.detokenize(demo, tokens))["content"]
        assert text.strip() == "Hello llama"
        reply = json.loads(await app.llama.chat_completions(demo, {"messages": QUESTION, "max_tokens": 3}))
        assert reply["usage"]["completion_tokens"] == 3
        with pytest.raises(UpstreamFailed):
            await app.llama.chat_completions(demo, {"messages": "none"})


async def test_embedding_model_embeds_without_being_told_so(tmp_path: Path, embed_model: Path) -> None:
    async with application(tmp_path) as (app, _, _heard):
        config = app.catalog.add_file(embed_model)
        (vector,) = json.loads(await app.llama.embeddings(config, {"input": "wool"}))["data"]
        assert len(vector["embedding"]) > 1


async def test_server_runs_for_every_name_that_it_does_for(tmp_path: Path) -> None:
    async with application(tmp_path) as (app, demo, _):
        path = demo.model.path
        app.catalog.add(LlamaCppConfig(model=ModelId(alias="twin", path=path)))
        app.catalog.add(LlamaCppConfig(model=ModelId(alias="other", path=path), context_length=512))
        assert not await app.servers.runs("demo")
        await app.servers.load("demo")
        assert [name for name in ("demo", "twin", "other") if await app.servers.runs(name)] == ["demo", "twin"]
        with pytest.raises(ModelNotFound):
            await app.servers.runs("nobody")
