"""Conversations over real servers: the way of a question to the engine and back, also when the engine dies."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import psutil

from llamero.infrastructure.clock import SystemClock
from llamero.infrastructure.messages import default_messages
from llamero.infrastructure.remote.client import RemoteClient
from llamero.infrastructure.remote_keys import RemoteKeys
from llamero.models.bridge.chats import SendChatMessage
from llamero.models.conversations import MessageStatus, Sampling
from llamero.models.llama import Engine, LlamaCppConfig
from llamero.services.catalog import ModelCatalog
from llamero.services.chats.attachments import Attachments
from llamero.services.chats.service import ChatService
from llamero.services.chats.source import InferenceChatSource
from llamero.services.inference import InferenceService
from llamero.services.llama.answer import Answer, open_answer
from llamero.services.llama.listeners import Listeners
from llamero.services.remotes import RemoteModels
from llamero.services.routing import Router
from tests.fakes.chats import Chats, RecordingPublisher, ScriptedModel, open_store
from tests.fakes.launch import fake_engine, journal
from tests.process.support import eventually
from tests.process.world import World, spec_for, world

DOT = b"GIF89a\x01\0\x01\0"


class Servers:
    """The part of LlamaCppService that conversations reach, with one engine for every model."""

    def __init__(self, w: World, engine: Engine, arguments: tuple[str, ...] = ()) -> None:
        self._world = w
        self._engine = engine
        self._arguments = arguments
        self.bodies: list[dict[str, Any]] = []

    def open(
        self, config: LlamaCppConfig, endpoint: str, body: dict[str, Any], **more: Any
    ) -> AbstractAsyncContextManager[Answer]:
        self.bodies.append(body)
        spec = spec_for(self._engine, config.model.alias, arguments=self._arguments)
        return open_answer(self._world.actor, spec, endpoint, body, **more)


@asynccontextmanager
async def chatting(
    tmp_path: Path, engine: Engine, arguments: tuple[str, ...] = (), model_arguments: tuple[str, ...] = ()
) -> AsyncIterator[tuple[Chats, World, Servers]]:
    async with world(crash_limit=100, backoff_s=(0.0,)) as w, open_store(tmp_path) as store:
        catalog = ModelCatalog()
        catalog.add_file(tmp_path / "m.gguf")
        catalog.change("m", arguments=model_arguments)
        servers, windows = Servers(w, engine, arguments), RecordingPublisher()
        remotes = RemoteModels(RemoteClient(), RemoteKeys(tmp_path), SystemClock())
        inference = InferenceService(servers, Router(catalog), Listeners(), remotes, SystemClock())  # type: ignore[arg-type]
        source = InferenceChatSource(inference, inference.is_local, w.phase, sees=inference.sees)
        service = ChatService(store, source, windows, SystemClock(), default_messages())
        try:
            yield Chats(store, service, ScriptedModel(), windows), w, servers
        finally:
            await service.close()


async def ask(chats: Chats, text: str = "Who?", **more: Any) -> Any:
    await chats.service.send("w", SendChatMessage(text=text, model="m", on=chats.on(), **more))
    return chats.last_channel


async def test_question_reaches_the_engine_with_its_parameters_and_the_answer_comes_back(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path, words=12, think=True, load_seconds=0.05)
    async with chatting(tmp_path, engine) as (chats, _, servers):
        sampling = Sampling(temperature=0, top_k=3, max_tokens=9, seed=7)
        channel = await ask(chats, system_prompt="Be kind.", sampling=sampling)
        final = await channel.until_end()
        (body,) = servers.bodies
        assert [m["content"] for m in body["messages"]] == ["Be kind.", "Who?"]
        assert {name: body[name] for name in ("temperature", "top_k", "max_tokens", "seed")} == {
            "temperature": 0,
            "top_k": 3,
            "max_tokens": 9,
            "seed": 7,
        }
        assert "top_p" not in body
        assert final.status is MessageStatus.COMPLETE
        assert len(final.content.split()) == 9 and final.reasoning == "Let me think about that first."
        stats = final.stats
        assert stats is not None and stats.finish_reason == "length" and stats.prompt_tokens and stats.completion_tokens
        kinds = [frame.progress.kind.value for frame in channel.frames if frame.progress]
        assert kinds == ["loading", "reading", "reading"]
        read = [frame.progress for frame in channel.frames if frame.progress][-1]
        assert read.done == read.total == stats.prompt_tokens
        channel = await ask(chats, "again")
        await channel.until_end()
        assert [frame.progress.kind.value for frame in channel.frames if frame.progress] == ["reading", "reading"]


async def test_engine_that_dies_in_mid_answer_is_a_pause_that_is_told(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path, words=40)
    async with chatting(tmp_path, engine) as (chats, w, _):
        whole = await (await ask(chats)).until_end()
        await w.actor.unload()
    engine = fake_engine(tmp_path / "dying", words=40, tokens_per_second=40)
    async with chatting(tmp_path, engine) as (chats, w, _):
        channel = await ask(chats)
        await channel.until(lambda: len(channel.text.split()) > 5)
        psutil.Process(w.pid()).kill()
        final = await channel.until_end()
        assert (final.content, final.status) == (whole.content, MessageStatus.COMPLETE)
        assert channel.text == final.content
        assert final.stats is not None and final.stats.recoveries == 1
        pause = [n for n, f in enumerate(channel.frames) if f.progress and f.progress.kind.value == "recovering"]
        assert len(pause) == 1
        assert 0 < len("".join(frame.text for frame in channel.frames[: pause[0]])) < len(final.content)


async def test_engine_that_dies_in_mid_answer_is_told_the_same_files_again(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path, words=40, tokens_per_second=40)
    async with chatting(tmp_path, engine) as (chats, w, _):
        file = await Attachments(chats.store.attachments).add("route.csv", b"pass,height\n")
        channel = await ask(chats, attachments=(file.id,))
        await channel.until(lambda: len(channel.text.split()) > 5)
        psutil.Process(w.pid()).kill()
        assert (await channel.until_end()).status is MessageStatus.COMPLETE
        questions = [asked["body"]["messages"][0] for asked in journal(engine, "asked")]
        assert questions == [{"role": "user", "content": "File: route.csv\n\n```csv\npass,height\n```\n\nWho?"}] * 2


async def test_picture_reaches_a_model_that_sees_and_is_told_again_after_a_crash(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path, words=40, tokens_per_second=40)
    async with chatting(tmp_path, engine, model_arguments=("--mmproj", "/p.gguf")) as (chats, w, _):
        file = await Attachments(chats.store.attachments).add("dot.gif", DOT)
        channel = await ask(chats, attachments=(file.id,))
        await channel.until(lambda: len(channel.text.split()) > 5)
        psutil.Process(w.pid()).kill()
        assert (await channel.until_end()).status is MessageStatus.COMPLETE
        picture = {"type": "image_url", "image_url": {"url": "data:image/gif;base64,R0lGODlhAQABAA=="}}
        questions = [asked["body"]["messages"][0]["content"] for asked in journal(engine, "asked")]
        assert questions == [[picture, {"type": "text", "text": "Who?"}]] * 2


async def test_picture_for_a_model_that_cannot_see_is_refused_before_it_is_loaded(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path)
    async with chatting(tmp_path, engine) as (chats, _, _):
        file = await Attachments(chats.store.attachments).add("dot.gif", DOT)
        final = await (await ask(chats, attachments=(file.id,))).until_end()
        assert final.error is not None and final.error.code == "chat_error-model_cannot_see"
        assert final.error.message.startswith("m cannot see pictures")
        assert journal(engine, "started") == []


async def test_file_longer_than_the_context_says_what_to_do(tmp_path: Path) -> None:
    async with chatting(tmp_path, fake_engine(tmp_path), ("--ctx-size", "20")) as (chats, _, _):
        file = await Attachments(chats.store.attachments).add("long.txt", b"word " * 50)
        final = await (await ask(chats, attachments=(file.id,))).until_end()
        assert final.error is not None and final.error.code == "chat_error-context_full"
        assert "holds 20" in final.error.message


async def test_stop_frees_the_engine_at_once(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path, words=10_000, tokens_per_second=200)
    async with chatting(tmp_path, engine) as (chats, w, _):
        channel = await ask(chats)
        await channel.until(lambda: len(channel.text) > 20)
        (id,) = chats.service.streaming
        stopped = await chats.service.stop(id)
        assert stopped.status is MessageStatus.STOPPED and stopped.content == channel.text
        server = w.server()
        assert server is not None and server.leases == 0
        await eventually(lambda: journal(engine, "client-gone"))


async def test_conversation_longer_than_the_context_says_what_to_do(tmp_path: Path) -> None:
    async with chatting(tmp_path, fake_engine(tmp_path), ("--ctx-size", "20")) as (chats, _, _):
        final = await (await ask(chats, "word " * 50)).until_end()
        assert final.status is MessageStatus.FAILED and final.error is not None
        assert final.error.code == "chat_error-context_full"
        assert "55 tokens" in final.error.message and "holds 20" in final.error.message


async def test_engine_that_fails_says_why_and_what_came_stays(tmp_path: Path) -> None:
    async with chatting(tmp_path, fake_engine(tmp_path, error_after_chunks=3)) as (chats, _, _):
        final = await (await ask(chats)).until_end()
        assert final.status is MessageStatus.FAILED and len(final.content.split()) == 3
        assert final.error is not None and "told to fail" in final.error.message
    async with chatting(tmp_path, fake_engine(tmp_path, status={"/v1/chat/completions": 400})) as (chats, _, _):
        final = await (await ask(chats)).until_end()
        assert final.error is not None and final.error.code == "chat_error-refused"
    engine = fake_engine(tmp_path, exit_while_loading=1, last_lines=["error: the file is a cake"])
    async with chatting(tmp_path, engine) as (chats, _, _):
        final = await (await ask(chats)).until_end()
        assert final.error is not None and final.error.code.startswith("server_error-")


async def test_model_that_is_not_known_fails_the_answer_and_keeps_the_question(tmp_path: Path) -> None:
    async with chatting(tmp_path, fake_engine(tmp_path)) as (chats, _, _):
        asked = await chats.service.send("w", SendChatMessage(text="Hi", model="other", on=chats.on()))
        final = await chats.last_channel.until_end()
        assert final.error is not None and final.error.code == "model_router_error-model_not_found"
        assert len((await chats.store.conversation(asked.conversation.id)).messages) == 2
