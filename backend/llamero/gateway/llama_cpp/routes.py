"""The routes that llama-server has of its own, each for one model: the one in the body, in `?model=`, or the only one.

`/props`, `/slots` and `/lora-adapters` are about a process, so they answer for a loaded model and do not load one: a
look must not stop the model that somebody else uses. `?autoload=true`, as llama-server's router has it, loads it first.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import PurePath, PureWindowsPath

import msgspec
from aiohttp import web

from llamero.gateway.fields import wrong_type
from llamero.gateway.llama_cpp import requests as checks
from llamero.gateway.protocols import InferenceReply
from llamero.gateway.relay import Relay
from llamero.gateway.surface import Surface
from llamero.http.bodies import expect_later, read_json_list, read_json_object
from llamero.models.errors import InvalidRequest, ModelNotLoaded, UpstreamFailed
from llamero.models.inference import Form, InferenceRequest
from llamero.models.llama import ServerPhase

Check = Callable[[Mapping[str, object]], None]
DETOKENIZE = "/detokenize"
STREAMED = frozenset({"/completion", "/infill"})
LOADED = frozenset({ServerPhase.STARTING, ServerPhase.READY})


class LlamaCppRoutes:
    """Handlers and what they need."""

    def __init__(self, surface: Surface) -> None:
        self._surface = surface
        self._services = surface.services

    def install(self, app: web.Application) -> None:
        """Add the routes."""
        for path, endpoint, check in (
            ("/tokenize", "/tokenize", checks.check_tokenize),
            ("/v1/tokenize", "/tokenize", checks.check_tokenize),
            ("/detokenize", DETOKENIZE, checks.check_detokenize),
            ("/v1/detokenize", DETOKENIZE, checks.check_detokenize),
            ("/apply-template", "/apply-template", checks.check_template),
            ("/completion", "/completion", checks.check_completion),
            ("/completions", "/completion", checks.check_completion),
            ("/infill", "/infill", checks.check_infill),
        ):
            app.router.add_post(path, self._asking(endpoint, check), expect_handler=expect_later)
        for path, look in (
            ("/props", self.props),
            ("/slots", self.slots),
            ("/lora-adapters", self.adapters),
        ):
            app.router.add_get(path, look, expect_handler=expect_later)
        app.router.add_post("/props", self.change_props, expect_handler=expect_later)
        app.router.add_post("/slots/{id}", self.act_on_slot, expect_handler=expect_later)
        app.router.add_post("/lora-adapters", self.change_adapters, expect_handler=expect_later)

    def _asking(self, endpoint: str, check: Check) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """A handler that answers as the engine does, by events or whole."""

        async def ask(request: web.Request) -> web.StreamResponse:
            with self._surface.slots.hold():
                body = await read_json_object(request, self._surface.limits)
                check(body)
                model = await self._model(request, body)
                held = endpoint in STREAMED and body.get("stream") is True
                asked = InferenceRequest(model=model, body=body, endpoint=endpoint)
                opening = self._services.inference.stream(asked)
                if endpoint == DETOKENIZE:
                    opening = _with_known_tokens(opening)
                return await Relay(request, self._surface, held=held).run(opening)

        return ask

    async def props(self, request: web.Request) -> web.StreamResponse:
        """How the model was loaded. Its file is told by name, not by path."""
        return await self._look(request, "/props", without_folder)

    async def slots(self, request: web.Request) -> web.StreamResponse:
        """What each slot of the engine does. `fail_on_no_slot` is the engine's: 503 where none is free."""
        asks = request.query.get("fail_on_no_slot") in ("1", "true")
        return await self._look(request, "/slots?fail_on_no_slot=1" if asks else "/slots")

    async def adapters(self, request: web.Request) -> web.StreamResponse:
        """The LoRA adapters and their scales. Their files are told by name, not by path."""
        return await self._look(request, "/lora-adapters", without_folder)

    async def change_props(self, request: web.Request) -> web.StreamResponse:
        """Change what the engine lets be changed; it does so only where it was started with `--props`."""
        with self._surface.slots.hold():
            body = await read_json_object(request, self._surface.limits)
            checks.check_props(body)
            model = await self._loaded_model(request, body)
            return await self._run(request, InferenceRequest(model=model, body=body, endpoint="/props"))

    async def act_on_slot(self, request: web.Request) -> web.StreamResponse:
        """Save, restore or erase what a slot remembers; an engine saves only where it has a `--slot-save-path`."""
        with self._surface.slots.hold():
            body = await read_json_object(request, self._surface.limits) if request.body_exists else {}
            endpoint = checks.check_slot_action(request.match_info["id"], request.query.get("action"), body)
            model = await self._loaded_model(request, body)
            return await self._run(request, InferenceRequest(model=model, body=body, endpoint=endpoint))

    async def change_adapters(self, request: web.Request) -> web.StreamResponse:
        """Set the scales of LoRA adapters. The body is a list, so the model is in the query."""
        with self._surface.slots.hold():
            adapters = await read_json_list(request, self._surface.limits)
            checks.check_adapters(adapters)
            model = await self._loaded_model(request, {})
            form = Form("application/json", msgspec.json.encode(adapters))
            return await self._run(request, InferenceRequest(model=model, form=form, endpoint="/lora-adapters"))

    async def _look(
        self, request: web.Request, endpoint: str, shown: Callable[[bytes], bytes] | None = None
    ) -> web.StreamResponse:
        with self._surface.slots.hold():
            model = await self._loaded_model(request, {})
            return await self._run(request, InferenceRequest(model=model, method="GET", endpoint=endpoint), shown)

    async def _run(
        self, request: web.Request, asked: InferenceRequest, shown: Callable[[bytes], bytes] | None = None
    ) -> web.StreamResponse:
        return await Relay(request, self._surface, shown=shown).run(self._services.inference.stream(asked))

    async def _loaded_model(self, request: web.Request, body: Mapping[str, object]) -> str:
        """The model asked about, which is loaded, or is to be."""
        name = await self._model(request, body)
        if request.query.get("autoload") in ("1", "true") or await self._services.servers.runs(name):
            return name
        raise ModelNotLoaded(model=name, param="model")

    async def _model(self, request: web.Request, body: Mapping[str, object]) -> str:
        """The model that is named, or the only one: of those that are loaded, else of those that are known."""
        name = body.get("model") or request.query.get("model")
        if name is not None:
            if not isinstance(name, str):
                raise wrong_type("model", "string")
            return name
        loaded = [s.model.alias for s in self._services.servers.status().servers if s.phase in LOADED]
        names = loaded or [model.id for model in await self._services.models.listed()]
        if len(names) != 1:
            raise InvalidRequest("request_error-missing_param", param="model")
        return names[0]


@asynccontextmanager
async def _with_known_tokens(opening: AbstractAsyncContextManager[InferenceReply]) -> AsyncIterator[InferenceReply]:
    """A llama-server looks tokens up unchecked: one beyond its vocabulary is an exception of C++, and so a 500."""
    async with opening as reply:
        if reply.status == 500:
            raise InvalidRequest("request_error-unknown_token", param="tokens")
        yield reply


def without_folder(body: bytes) -> bytes:
    """An engine's answer with its paths cut to file names: the folders of a machine are nobody else's business."""
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UpstreamFailed(reason=f"an answer that is no JSON: {error}") from error
    for entry in document if isinstance(document, list) else [document]:
        if isinstance(entry, dict):
            for name in ("model_path", "path"):
                if isinstance(entry.get(name), str):
                    entry[name] = _file_name(entry[name])
    return msgspec.json.encode(document)


def _file_name(path: str) -> str:
    return PureWindowsPath(path).name if "\\" in path else PurePath(path).name
