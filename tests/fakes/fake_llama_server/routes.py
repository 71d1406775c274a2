"""llama-server's endpoints, as far as Llamero asks them."""

from __future__ import annotations

import asyncio
import json
import math
import os
import signal
import time
import zlib
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

from tests.fakes.fake_llama_server import others, sse
from tests.fakes.fake_llama_server.answers import Answer, pieces_of
from tests.fakes.fake_llama_server.completions import completions, flat_events, flat_whole, text_events, text_whole
from tests.fakes.fake_llama_server.journal import Journal
from tests.fakes.fake_llama_server.options import Options
from tests.fakes.fake_llama_server.startup import log
from tests.fakes.fake_llama_server.wire import ClientGone, Reply, Request

PUBLIC = {"/health", "/v1/health", "/models", "/v1/models", "/"}
DIMENSIONS = 8
Handler = Callable[[Any, Reply], Awaitable[None]]


def error(code: int, message: str, kind: str, **more: object) -> dict[str, Any]:
    """llama-server's error body."""
    return {"error": {"message": message, "type": kind, "code": code, **more}}


class Routes:
    """Answers requests; `ready` is set by the process when loading is over."""

    def __init__(self, options: Options, journal: Journal) -> None:
        self.options, self.switches, self.journal = options, options.switches, journal
        self.ready = False
        self.requests = 0
        self.vocabulary: dict[int, str] = {}
        self.held: dict[int, tuple[int, int]] = {}  # prompt and written tokens of each stream, by its request
        self.refusals_left = self.switches.unavailable_first
        self.name = (options.alias or Path(options.model).name).split(",")[0]

    async def handle(self, request: Request, reply: Reply) -> None:
        """Answer one request, as the middleware of llama-server does: key first, then loading, then the route."""
        path = request.path
        self.requests += 1
        number = self.requests
        self.journal.write("request", path=path, number=number)
        if path == "/health" and self.switches.health_hangs:
            await self._until_gone(reply)
        if path not in PUBLIC and not self._has_key(request):
            log(self.switches, "0.00.100.000 W srv    operator(): unauthorized: Invalid API Key")
            await reply.json(401, error(401, "Invalid API Key", "authentication_error"))
        elif path in self.switches.status:
            code = self.switches.status[path]
            await reply.json(code, error(code, f"told to answer {code}", "server_error"))
        elif not self.ready:
            await reply.json(503, error(503, "Loading model", "unavailable_error"))
        elif path.startswith("/v1/") and path != "/v1/models" and self.refusals_left > 0:
            self.refusals_left -= 1
            await reply.json(503, error(503, "told to be unavailable", "unavailable_error"))
        else:
            await self._route(request, reply, number)

    async def _route(self, request: Request, reply: Reply, number: int) -> None:
        path = request.path.removeprefix("/v1")
        if path == "/slots" and request.method == "GET" and self.switches.slots_hang:
            await self._until_gone(reply)
        if path == "/slots" and request.method == "GET" and self.switches.no_slots:
            message = "This server does not support slots endpoint. Start it with `--slots`"
            await reply.json(501, error(501, message, "not_supported_error"))
            return
        simple = {
            "/health": {"status": "ok"},
            "/models": self._models(),
            "/props": self._props(),
            "/slots": self._slots(),
            "/lora-adapters": [{"id": 0, "path": "/adapters/one.gguf", "scale": 1.0}],
        }
        if request.method == "GET" and path in simple:
            await reply.json(200, simple[path])
            return
        handlers: dict[str, Handler] = {
            "/chat/completions": self._chat,
            "/embeddings": self._embeddings,
            "/tokenize": self._tokenize,
            "/detokenize": self._detokenize,
            "/completions": self._completions,
            "/completion": self._flat_completion,
            "/infill": self._flat_completion,
            "/rerank": self._simple(lambda body: others.reranked(body, self.name)),
            "/apply-template": self._simple(others.templated),
            "/props": self._simple(lambda _: {"success": True}),
            "/lora-adapters": self._simple(lambda _: {"success": True}),
            **{f"/slots/{i}": self._simple(lambda _: {"action": request.query}) for i in range(self.options.parallel)},
        }
        if request.method == "POST" and path == "/audio/transcriptions":
            await reply.json(200, others.transcribed(request.headers.get("content-type", ""), request.body))
            return
        if request.method != "POST" or path not in handlers:
            await reply.json(404, error(404, "File Not Found", "not_found_error"))
            return
        try:
            body = json.loads(request.body)
        except ValueError as problem:
            await reply.json(400, error(400, f"[json.exception.parse_error.101] {problem}", "invalid_request_error"))
            return
        try:
            await handlers[path](body, reply)
            self.journal.write("answered", path=request.path, number=number)
        except ClientGone:
            self.journal.write("client-gone", path=request.path, number=number)
            raise

    def _has_key(self, request: Request) -> bool:
        keys = [key for key in self.options.api_key.split(",") if key]
        sent = request.headers.get("authorization", "").removeprefix("Bearer ")
        return not keys or sent in keys or request.headers.get("x-api-key") in keys

    def _models(self) -> dict[str, Any]:
        meta = {"n_ctx": self.options.ctx_size or 8192, "n_ctx_train": 8192, "n_embd": DIMENSIONS}
        entry = {"id": self.name, "object": "model", "created": int(time.time()), "owned_by": "llamacpp", "meta": meta}
        return {"object": "list", "data": [entry]}

    def _props(self) -> dict[str, Any]:
        settings = {"params": {}, "n_ctx": self.options.ctx_size or 8192}
        return {
            "default_generation_settings": settings,
            "total_slots": self.options.parallel,
            "model_alias": self.name,
            "model_path": self.options.model,
            "build_info": "b0-fake",
        }

    def _slots(self) -> list[dict[str, Any]]:
        limit = self.options.ctx_size or 8192
        idle = [{"id": index, "n_ctx": limit, "is_processing": False} for index in range(self.options.parallel)]
        for slot, (prompt, written) in zip(idle, self.held.values(), strict=False):
            slot |= {"is_processing": True, "n_prompt_tokens": prompt + written, "n_prompt_tokens_cache": 0}
            slot |= {"n_prompt_tokens_processed": prompt, "next_token": [{"n_decoded": written}]}
        return idle

    async def _embeddings(self, body: dict[str, Any], reply: Reply) -> None:
        if not self.options.embedding:
            message = "This server does not support embeddings. Start it with `--embeddings`"
            await reply.json(501, error(501, message, "not_supported_error"))
            return
        inputs = body["input"] if isinstance(body["input"], list) else [body["input"]]
        data = [
            {"object": "embedding", "index": index, "embedding": embedding(str(text))}
            for index, text in enumerate(inputs)
        ]
        usage = {"prompt_tokens": len(inputs), "total_tokens": len(inputs)}
        await reply.json(200, {"object": "list", "model": self.name, "data": data, "usage": usage})

    @staticmethod
    def _simple(answer: Callable[[Any], dict[str, Any]]) -> Handler:
        async def handler(body: Any, reply: Reply) -> None:
            await reply.json(200, answer(body))

        return handler

    async def _completions(self, body: dict[str, Any], reply: Reply) -> None:
        self.journal.write("asked", body=body)
        answers = completions(self.options, body)
        if not body.get("stream"):
            await reply.json(200, text_whole(answers, self.name, self.requests))
            return
        identity = {"id": f"chatcmpl-{self.requests}", "created": int(time.time()), "model": self.name}
        await self._stream_completion(text_events(answers, identity), reply, done=True)

    async def _flat_completion(self, body: dict[str, Any], reply: Reply) -> None:
        self.journal.write("asked", body=body)
        answers = completions(self.options, body)
        if body.get("stream"):
            await self._stream_completion(flat_events(answers, self.name), reply, done=False)
        else:
            await reply.json(200, flat_whole(answers[0], self.name))

    async def _stream_completion(
        self, events: Iterator[tuple[dict[str, Any], int]], reply: Reply, *, done: bool
    ) -> None:
        async def emit(event: dict[str, Any] | str) -> None:
            await sse.send(reply, sse.encode(event, self.switches), self.switches)

        await reply.start()
        began = time.monotonic()
        if self.switches.die_after_chunks == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        if self.switches.null_first:
            await emit("null")
        for event, tokens in events:
            await emit(event)
            if tokens and await self._misbehaved(tokens, reply, emit):
                return
            await self._pause(tokens, began)
        if done and not self.switches.no_done:
            await emit(sse.DONE)
        await reply.finish()

    async def _tokenize(self, body: dict[str, Any], reply: Reply) -> None:
        """Tokens are those that an answer is streamed and counted in; each stands for its text."""
        pieces = pieces_of(str(body.get("content", "")))
        self.vocabulary |= {zlib.crc32(piece.encode()): piece for piece in pieces}
        await reply.json(200, {"tokens": [zlib.crc32(piece.encode()) for piece in pieces]})

    async def _detokenize(self, body: dict[str, Any], reply: Reply) -> None:
        pieces = [self.vocabulary.get(token, "") for token in body.get("tokens", [])]
        await reply.json(200, {"content": "".join(pieces)})

    async def _chat(self, body: dict[str, Any], reply: Reply) -> None:
        messages = body.get("messages")
        if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
            await reply.json(400, error(400, "'messages' is to be a list of objects", "invalid_request_error"))
            return
        self.journal.write("asked", body=body)
        answer = Answer(self.options, body)
        if answer.prefix and self.switches.refuse_prefill:
            message = "Assistant response prefill is incompatible with enable_thinking."
            await reply.json(400, error(400, message, "invalid_request_error"))
            return
        if 0 < self.options.ctx_size < answer.prompt_tokens:
            message = "the request exceeds the available context size, try increasing it"
            counts = {"n_prompt_tokens": answer.prompt_tokens, "n_ctx": self.options.ctx_size}
            await reply.json(400, error(400, message, "exceed_context_size_error", **counts))
            return
        identity = {"id": f"chatcmpl-{self.requests}", "created": int(time.time()), "model": self.name}
        if body.get("stream"):
            await self._stream(body, reply, answer, identity)
            return
        await self._pause(len(answer.pieces))
        choice = {"finish_reason": answer.finish_reason, "index": 0, "message": answer.message}
        await reply.json(200, {"choices": [choice], "object": "chat.completion", "usage": answer.usage, **identity})

    async def _stream(self, body: dict[str, Any], reply: Reply, answer: Answer, identity: dict[str, Any]) -> None:
        async def emit(event: dict[str, Any] | str) -> None:
            await sse.send(reply, sse.encode(event, self.switches), self.switches)

        def chunk(choices: list[dict[str, Any]], **more: object) -> dict[str, Any]:
            return {"choices": choices, **identity, "object": "chat.completion.chunk", **more}

        number = self.requests
        self.held[number] = (answer.prompt_tokens, 0)
        try:
            await self._say(body, reply, answer, emit, chunk, number)
        finally:
            del self.held[number]

    async def _say(
        self, body: dict[str, Any], reply: Reply, answer: Answer, emit: Any, chunk: Callable[..., Any], number: int
    ) -> None:
        await reply.start()
        if body.get("return_progress"):
            progress = {"total": answer.prompt_tokens, "cache": 0, "processed": answer.prompt_tokens, "time_ms": 1}
            await emit(chunk([{"finish_reason": None, "index": 0, "delta": {}}], prompt_progress=progress))
        began, sent = time.monotonic(), 0
        for place, delta in enumerate(answer.deltas(self.switches.prefix)):
            if place == self.switches.die_after_deltas:
                os.kill(os.getpid(), signal.SIGKILL)
            await emit(chunk([{"finish_reason": None, "index": 0, "delta": delta}]))
            sent += bool(delta.get("content"))
            self.held[number] = (answer.prompt_tokens, sent)
            if await self._misbehaved(sent, reply, emit):
                return
            await self._pause(sent, began)
        timings = {"prompt_n": answer.prompt_tokens, "predicted_n": len(answer.pieces)}
        wants_usage = (body.get("stream_options") or {}).get("include_usage")
        last = [{"finish_reason": answer.finish_reason, "index": 0, "delta": {}}]
        await emit(chunk(last) if wants_usage else chunk(last, timings=timings))
        if wants_usage:
            await emit(chunk([], usage=answer.usage, timings=timings))
        if not self.switches.no_done:
            await emit(sse.DONE)
        await reply.finish()

    async def _misbehaved(self, sent: int, reply: Reply, emit: Any) -> bool:
        """Do what is due after so many content deltas; True when the stream is over by it."""
        switches = self.switches
        if sent == switches.die_after_chunks:
            os.kill(os.getpid(), signal.SIGKILL)
        if sent == switches.break_after_chunks:
            reply.break_off()
            return True
        if sent == switches.error_after_chunks:
            await emit(error(500, "told to fail", "server_error"))
            await reply.finish()
            return True
        if sent == switches.stall_after_chunks:
            await self._until_gone(reply)
        return False

    async def _pause(self, tokens: int, began: float | None = None) -> None:
        """Keep the pace, counted from the beginning so that lateness does not add up."""
        if self.switches.tokens_per_second > 0:
            due = tokens / self.switches.tokens_per_second
            await asyncio.sleep(due if began is None else began + due - time.monotonic())

    @staticmethod
    async def _until_gone(reply: Reply) -> None:
        while not reply.gone:  # noqa: ASYNC110 - a closed connection raises no event while nobody reads from it
            await asyncio.sleep(0.005)
        raise ClientGone


def embedding(text: str) -> list[float]:
    """A unit vector that depends on the text alone."""
    raw = [(zlib.crc32(f"{index}{text}".encode()) & 0xFFFF) / 0xFFFF - 0.5 for index in range(DIMENSIONS)]
    length = math.sqrt(sum(value * value for value in raw)) or 1.0
    return [value / length for value in raw]
