"""The one way to a model: what reaches it, whoever it is, and what listeners are told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from llamero.infrastructure.clock import SystemClock
from llamero.models.aliases import Destination, FallbackDestination, LocalDestination
from llamero.models.bridge.chats import Progress, ProgressKind
from llamero.models.chat import Finished, TextDelta
from llamero.models.conversations import Sampling
from llamero.models.errors import InvalidRequest, LlameroError, ModelNotFound, Unavailable, UpstreamFailed
from llamero.models.events import ChatCompletions, StateEvent
from llamero.models.inference import InferenceRequest
from llamero.models.llama import LlamaCppConfig, ModelId
from llamero.services.chats.source import InferenceChatSource
from llamero.services.inference import InferenceService
from tests.fakes.replies import Script, ScriptedModels, ScriptedReply, refusal, said

LOCAL = LocalDestination(
    alias="here",
    config=LlamaCppConfig(model=ModelId("here", "/m.gguf"), keep_alive_s=7),
    defaults={"temperature": 0.1},
    system_prompt="Be brief.",
)
FALLBACK = FallbackDestination(alias="f", targets=("a", "here"))
QUESTION = {"role": "user", "content": "hi"}


class Heard:
    def __init__(self) -> None:
        self.events: list[StateEvent] = []

    def tell(self, event: StateEvent) -> None:
        self.events.append(event)


class LocalModels:
    """The part of LlamaCppService that is asked; plays one script."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.asked: list[tuple[Any, ...]] = []

    def open(
        self, config: LlamaCppConfig, *asked: object, **more: object
    ) -> AbstractAsyncContextManager[ScriptedReply]:
        self.asked.append((config, *asked))
        return self._open()

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[ScriptedReply]:
        if self.script.refuse is not None:
            raise self.script.refuse
        yield ScriptedReply(self.script)


class World:
    def __init__(self, remote: Mapping[str, Script] | None = None, local: Script | None = None) -> None:
        destinations: dict[str, Destination] = {"here": LOCAL, "f": FALLBACK}
        self.models = ScriptedModels(remote or {}, destinations)
        self.local = LocalModels(local or Script())
        self.heard = Heard()
        self.service = InferenceService(
            self.local,  # type: ignore[arg-type]
            self.models,  # type: ignore[arg-type]
            self.heard,  # type: ignore[arg-type]
            self.models,
            SystemClock(),
        )

    async def ask(self, model: str, **more: Any) -> bytes:
        async with self.service.stream(InferenceRequest(model=model, **more)) as reply:
            return b"".join([piece async for piece in reply])


async def test_inference_local_model_gets_the_defaults_and_the_system_prompt_of_its_alias() -> None:
    world = World()
    await world.ask("here", body={"messages": [QUESTION], "seed": 1})
    config, _, body = world.local.asked[0][:3]
    assert config == LOCAL.config
    assert body == {
        "messages": [{"role": "system", "content": "Be brief."}, QUESTION],
        "seed": 1,
        "temperature": 0.1,
    }


async def test_inference_address_of_a_picture_is_for_servers_elsewhere_alone() -> None:
    picture = {"type": "image_url", "image_url": {"url": "https://example.org/llama.png"}}
    body = {"messages": [{"role": "user", "content": [picture]}]}
    world = World({"a": Script()})
    await world.ask("a", body=body)
    with pytest.raises(InvalidRequest):
        await world.ask("here", body=body)
    assert world.local.asked == []


async def test_inference_keep_alive_of_the_request_wins() -> None:
    world = World()
    await world.ask("here", keep_alive_s=0)
    assert world.local.asked[0][0].keep_alive_s == 0


async def test_inference_local_target_of_a_fallback_is_asked_as_any_other() -> None:
    world = World({"a": refusal(500)})
    assert await world.ask("f", body={"messages": [QUESTION]}, keep_alive_s=-1) == await World().ask("here")
    config, _, body = world.local.asked[0][:3]
    assert (config.keep_alive_s, body["temperature"]) == (-1, 0.1)


async def test_inference_full_local_queue_falls_through_and_is_told_with_its_retry_after() -> None:
    full = Unavailable("server_error-queue_full", retry_after=2)
    world = World({"a": refusal(500)}, Script(refuse=full))
    with pytest.raises(Unavailable) as caught:
        await world.ask("f")
    assert caught.value is full


@pytest.mark.parametrize(
    ("model", "remote", "local"),
    [
        ("here", Script(), Script()),
        ("a", Script(), Script()),
        ("a", Script(refuse=UpstreamFailed()), Script()),
        ("f", refusal(500), Script()),
        ("f", refusal(500), Script(refuse=UpstreamFailed())),
        ("f", Script((said("a"), UpstreamFailed())), Script()),
    ],
    ids=["local", "remote", "remote fails", "fallback", "fallback fails", "fallback breaks"],
)
async def test_inference_is_told_once_under_the_name_that_the_client_used(
    model: str, remote: Script, local: Script
) -> None:
    world = World({"a": remote}, local)
    try:
        await world.ask(model)
    except LlameroError as error:
        assert isinstance(error, UpstreamFailed)
    assert world.heard.events == [ChatCompletions(model)]


async def test_inference_name_that_leads_nowhere_is_not_told() -> None:
    world = World()
    with pytest.raises(ModelNotFound):
        await world.ask("nobody")
    assert world.heard.events == []


@pytest.mark.parametrize(
    ("model", "first"), [("here", ProgressKind.LOADING), ("a", ProgressKind.READING), ("f", ProgressKind.READING)]
)
async def test_inference_windows_chat_reaches_whatever_api_clients_reach(model: str, first: ProgressKind) -> None:
    answer = Script((said("Hel"), said("lo")))
    world = World({"a": answer}, answer)
    progress: list[Progress] = []
    source = InferenceChatSource(world.service, world.service.is_local, lambda _: None)
    asked = source.ask(model, [{"role": "user", "content": "hi"}], Sampling(), progress.append)
    assert [delta async for delta in asked] == [TextDelta("Hel"), TextDelta("lo"), Finished("stop")]
    assert progress[0].kind is first, "only what is here is loaded"
