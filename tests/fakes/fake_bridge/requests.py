"""The inspector of the fake: some requests as programs make them, and what the commands do with them."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from msgspec import structs

from llamero.models import inspector
from llamero.models.inspector import (
    Outcome,
    Phase,
    PhaseKind,
    RawEvent,
    RequestDetails,
    RequestsChanged,
    RequestSummary,
    SentRequest,
    Step,
    Text,
)

if TYPE_CHECKING:
    from tests.fakes.fake_bridge.scenarios import World
    from tests.fakes.fake_bridge.server import FakeBridge

QWEN = "Qwen3-4B-Q4_K_M"
ANSWER = "The lead llama goes first, because the others follow the one they know."
ARGUMENTS: dict[str, type] = {
    "list_requests": inspector.ListRequests,
    "get_request": inspector.RequestRef,
    "render_prompt": inspector.RequestRef,
    "replay_request": inspector.RequestRef,
    "set_inspector": inspector.SetInspector,
    "watch_requests": inspector.WatchRequests,
}


def request(
    number: int,
    question: str,
    spent: dict[PhaseKind, float],
    *more: tuple[PhaseKind, float],
    answer: str = ANSWER,
    steps: tuple[Step, ...] = (),
    temperature: float = 0.7,
    **fields: Any,
) -> RequestDetails:
    """A request whose phases took so many milliseconds each."""
    phases: list[Phase] = []
    at = 0.0
    for kind, lasted in [*spent.items(), *more]:
        phases.append(Phase(kind=kind, start_ms=at, end_ms=at + lasted))
        at += lasted
    known: dict[str, Any] = {
        "dialect": "openai",
        "route": "/v1/chat/completions",
        "client": "OpenAI/Python 2.8.1",
        "outcome": Outcome.FINISHED,
        "model": QWEN,
        "address": "127.0.0.1",
        "destination": "qwen3-4b-q4_k_m.gguf",
        "preview": question,
        "status": 200,
        "duration_ms": at,
        "prompt_tokens": 1204,
        "generated_tokens": 186,
        "tokens_per_second": 42.5,
        "has_content": True,
        **fields,
    }
    summary = RequestSummary(id=f"r{number}", at=time.time() - 40 * number, phases=tuple(phases), **known)
    body = {"model": summary.model, "messages": [{"role": "user", "content": question}], "stream": True}
    merged = {
        **body,
        "messages": [{"role": "system", "content": "Answer briefly."}, *body["messages"]],  # type: ignore[misc]
        "temperature": temperature,
        "seed": 1234 + number,
    }
    words = answer.split(" ")
    chunks = [{"choices": [{"index": 0, "delta": {"content": f"{word} "}}]} for word in words]
    return RequestDetails(
        summary=summary,
        method="POST",
        path=summary.route,
        steps=steps,
        body=_text(body),
        sent=(SentRequest(endpoint="/v1/chat/completions", method="POST", at_ms=3.0, body=_text(merged)),),
        events=tuple(
            [
                RawEvent(at_ms=at / 2 + 20.0 * place, text=f"data: {json.dumps(chunk)}\n\n")
                for place, chunk in enumerate(chunks)
            ]
        ),
        events_are_cut=False,
        answer=answer,
        reasoning="",
        can_replay=True,
        can_render=True,
    )


def some_requests() -> list[RequestDetails]:
    """The newest first: one of each kind."""
    k = PhaseKind
    fallback = (
        Step(alias="large", is_remote=True, target="gpt-large @ api.example.com", at_ms=2.0, error="it answered 503"),
        Step(alias=QWEN, is_remote=False, target="qwen3-4b-q4_k_m.gguf", at_ms=310.0),
    )
    return [
        request(
            1,
            "Plan three days in the mountains",
            {k.RECEIVE: 2, k.PROMPT: 410, k.GENERATION: 3900},
            outcome=Outcome.RUNNING,
            status=None,
            duration_ms=None,
            client="Llamero chat",
            dialect="chat",
            generated_tokens=None,
            tokens_per_second=None,
        ),
        request(2, "Which llama goes first over the pass?", {k.RECEIVE: 3, k.PROMPT: 390, k.GENERATION: 4380}),
        request(
            3,
            "Which llama goes first over the pass?",
            {k.RECEIVE: 3, k.QUEUE: 700, k.LOAD: 2600, k.PROMPT: 640, k.GENERATION: 4100},
            temperature=0.2,
            client="curl/8.14.1",
            key_name="laptop",
        ),
        request(
            4,
            "Summarise the minutes of the herders’ meeting",
            {k.RECEIVE: 4, k.PROMPT: 800, k.GENERATION: 1500, k.RECOVERY: 1900},
            (k.GENERATION, 2100),
            dialect="anthropic",
            route="/v1/messages",
            client="claude-cli/2.0.14 (external, cli)",
            recoveries=1,
        ),
        request(
            5,
            "Translate the sign at the bridge",
            {k.RECEIVE: 2, k.QUEUE: 300, k.PROMPT: 350, k.GENERATION: 900},
            steps=fallback,
            model="large",
            client="ollama-python/0.6.1",
            dialect="ollama",
            route="/api/chat",
            generated_tokens=38,
        ),
        request(
            6,
            "What does the contract say about wool?",
            {k.RECEIVE: 3, k.PROMPT: 21},
            answer="",
            outcome=Outcome.FAILED,
            status=400,
            error="The conversation has 9,120 tokens and the context has 8,192. Shorten it, or raise the context.",
            prompt_tokens=None,
            generated_tokens=None,
            tokens_per_second=None,
            client="node",
        ),
        request(
            7,
            "Write a very long letter",
            {k.RECEIVE: 2, k.PROMPT: 300, k.GENERATION: 1200},
            outcome=Outcome.GONE,
            status=None,
            client="Continue/1.3",
        ),
    ]


class RequestCommands:
    """The commands about requests."""

    fake: FakeBridge
    world: World

    def list_requests(self, args: inspector.ListRequests) -> inspector.RequestList:
        found = [one.summary for one in self.world.requests if self._fits(one, args)]
        world = self.world
        return inspector.RequestList(
            requests=tuple(found),
            enabled=True,
            content=world.keeps_content,
            content_allowed=world.content_allowed,
            gateway_url="http://127.0.0.1:5526",
        )

    def get_request(self, args: inspector.RequestRef) -> RequestDetails:
        return next(one for one in self.world.requests if one.summary.id == args.id)

    def render_prompt(self, args: inspector.RequestRef) -> inspector.RenderedPrompt:
        question = self.get_request(args).summary.preview
        return inspector.RenderedPrompt(
            prompt=f"<|im_start|>system\nAnswer briefly.<|im_end|>\n<|im_start|>user\n{question}<|im_end|>\n"
            "<|im_start|>assistant\n"
        )

    def replay_request(self, args: inspector.RequestRef) -> RequestSummary:
        original = self.get_request(args)
        again = structs.replace(original.summary, id=f"{args.id}again", at=time.time(), replay_of=args.id)
        self.world.requests.insert(0, structs.replace(original, summary=again))
        self.fake.event("requests", RequestsChanged(requests=(again,)))
        return again

    def clear_requests(self) -> None:
        self.world.requests.clear()
        self.fake.event("requests", RequestsChanged(requests=(), is_reset=True))

    def set_inspector(self, args: inspector.SetInspector) -> inspector.InspectorState:
        self.world.keeps_content = args.content
        if not args.content:
            self.world.requests[:] = [_without_content(one) for one in self.world.requests]
        self.fake.event("requests", RequestsChanged(requests=(), is_reset=True))
        return inspector.InspectorState(content=args.content)

    def watch_requests(self, args: inspector.WatchRequests) -> None:
        pass

    def _fits(self, one: RequestDetails, args: inspector.ListRequests) -> bool:
        summary = one.summary
        said = " ".join([summary.model, summary.client, summary.preview, one.answer]).lower()
        return (
            args.text.lower() in said
            and args.model.lower() in summary.model.lower()
            and (args.status is None or (summary.status or 0) // 100 == args.status)
            and (not args.errors_only or summary.outcome is Outcome.FAILED)
        )


def _text(body: object) -> Text:
    text = json.dumps(body)
    return Text(text=text, size=len(text), content_type="application/json")


def _without_content(one: RequestDetails) -> RequestDetails:
    nothing = Text(text=None, size=one.body.size, content_type="application/json")
    return structs.replace(
        one,
        summary=structs.replace(one.summary, preview="", has_content=False),
        body=nothing,
        sent=tuple([structs.replace(sent, body=nothing) for sent in one.sent]),
        events=(),
        answer="",
        can_replay=False,
        can_render=False,
    )
