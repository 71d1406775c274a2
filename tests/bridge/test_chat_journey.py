"""The real conversations behind the real bridge: ask, stream, reload in mid-answer, a second window, the end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from llamero.bridge.hub import Hub
from llamero.infrastructure.clock import SystemClock
from llamero.infrastructure.messages import default_messages
from llamero.infrastructure.storage.chats import ChatStore
from llamero.infrastructure.storage.database import Database
from llamero.infrastructure.storage.preferences import PreferenceStore
from llamero.models.bridge.chats import Progress
from llamero.models.chat import ChatDelta, Finished, TextDelta
from llamero.models.conversations import Sampling
from llamero.services.chats.protocols import ChatMessages
from llamero.services.chats.service import ChatService
from tests.bridge.harness import Bridge, running_bridge

QUESTION = {"text": "Tell me about llamas", "model": "m"}


class DictatedSource:
    """A model that says what a test dictates; None ends the answer."""

    def __init__(self) -> None:
        self.words: asyncio.Queue[str | None] = asyncio.Queue()

    async def ask(
        self, model: str, messages: ChatMessages, sampling: Sampling, on_progress: Callable[[Progress], None]
    ) -> AsyncGenerator[ChatDelta, None]:
        while (word := await self.words.get()) is not None:
            yield TextDelta(word)
        yield Finished("stop")


@asynccontextmanager
async def journey(folder: Path) -> AsyncIterator[tuple[Bridge, DictatedSource]]:
    database = await Database.open(folder / "llamero.db")
    source = DictatedSource()
    running: list[ChatService] = []

    def services(hub: Hub) -> dict[str, Any]:
        store = ChatStore(database, SystemClock())
        running.append(ChatService(store, source, hub, SystemClock(), default_messages()))
        return {"chats": running[0], "preferences": PreferenceStore(database)}

    try:
        async with running_bridge(folder, real=services) as bridge:
            yield bridge, source
            await running[0].close()
    finally:
        await database.close()


def is_end(frame: dict[str, Any]) -> bool:
    return frame.get("end") is True


def is_text(frame: dict[str, Any]) -> bool:
    return "text" in frame.get("d", {}) and "ch" in frame


async def ask(bridge: Bridge, channel: int, window: str = "w1") -> dict[str, Any]:
    response = await bridge.call("send_chat_message", QUESTION | {"on": f"__CHANNEL__:{channel}"}, window=window)
    assert response.status == 200, response.body
    asked: dict[str, Any] = response.json()
    return asked


async def test_answer_streams_to_the_window_that_asked_and_is_saved(tmp_path: Path) -> None:
    async with journey(tmp_path) as (bridge, source), bridge.page("w1") as page, bridge.page("w2") as other:
        await page.frame()
        await other.frame()
        asked = await ask(bridge, 7)
        for word in ("Llamas ", "are ", "kind.", None):
            source.words.put_nowait(word)
        await page.until(is_end)
        assert page.text(7) == "Llamas are kind."
        last = [frame["d"]["message"] for frame in page.frames if "message" in frame.get("d", {}) and "ch" in frame]
        assert [(message["status"], message["content"]) for message in last] == [("complete", "Llamas are kind.")]
        answer = asked["assistant_message"]["id"]
        done = await other.until(lambda f: f.get("ev") == "message" and f["d"]["id"] == answer)
        while done["d"]["status"] == "streaming":
            done = await other.until(lambda f: f.get("ev") == "message" and f["d"]["id"] == answer)
        assert done["d"]["content"] == "Llamas are kind."
        found = await bridge.call("get_conversation", {"conversation_id": asked["conversation"]["id"]})
        assert [message["content"] for message in found.json()["messages"]] == [
            "Tell me about llamas",
            "Llamas are kind.",
        ]
        hits = await bridge.call("search_messages", {"query": "kind"})
        assert len(hits.json()) == 1


async def test_answer_goes_on_while_the_page_is_reloaded_and_a_second_window_follows(tmp_path: Path) -> None:
    async with journey(tmp_path) as (bridge, source):
        async with bridge.page("w1") as page:
            await page.frame()
            asked = await ask(bridge, 7)
            source.words.put_nowait("one ")
            await page.until(is_text)
        source.words.put_nowait("two ")  # nobody is there
        async with bridge.page("w1") as page, bridge.page("w2") as other:
            message_id = asked["assistant_message"]["id"]
            for number, (window, shown) in enumerate((("w1", page), ("w2", other))):
                snapshot = (await shown.frame())["snapshot"]
                assert snapshot["streaming"] == [message_id]
                watch = {"message_id": message_id, "on": f"__CHANNEL__:{number}"}
                so_far = (await bridge.call("watch_message", watch, window=window)).json()
                source.words.put_nowait(f"{number} ")
                await shown.until(is_text)
                shown.frames.append({"ch": number, "so_far": so_far["content"]})
            source.words.put_nowait(None)
            for number, shown in enumerate((page, other)):
                await shown.until(is_end)
                so_far = next(frame["so_far"] for frame in shown.frames if "so_far" in frame)
                assert so_far + shown.text(number) == "one two 0 1 "


async def test_page_state_and_models_come_back_after_a_start(tmp_path: Path) -> None:
    (tmp_path / "m.gguf").write_bytes(b"x")
    async with journey(tmp_path) as (bridge, _):
        await bridge.call("set_ui_state", {"ui": {"theme": "dark", "drafts": {"": "half a thought"}}})
        await bridge.call("add_model_file", {"path": str(tmp_path / "m.gguf")})
    async with journey(tmp_path) as (bridge, _):
        ui = (await bridge.call("get_snapshot")).json()["ui"]
        assert (ui["theme"], ui["drafts"]) == ("dark", {"": "half a thought"})
        assert [config.model.alias for config in await bridge.services.preferences.models()] == ["m"]  # type: ignore[attr-defined]


async def test_question_that_says_nothing_is_refused_with_its_field(tmp_path: Path) -> None:
    async with journey(tmp_path) as (bridge, _):
        response = await bridge.call("send_chat_message", {**QUESTION, "text": " \n", "on": "__CHANNEL__:1"})
        assert (response.status, response.json()["data"]["param"]) == (400, "text")
        assert json.loads(response.body)["data"]["reason"] == "chat_error-empty_message"
