"""What a trace says, put into words when somebody looks, or once when a request has ended.

Everything shown of a stranger's text passes the mask that logs have, except bodies and events: those are what was said,
whole, and a person looks at them in order to see just that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import msgspec

from llamero.infrastructure.remote.addresses import host_of
from llamero.infrastructure.secret_masking import process_secrets
from llamero.models.aliases import LocalDestination, RemoteDestination
from llamero.models.chat import ReasoningDelta, StreamChunk, TextDelta, TokenCounts, ToolCallDelta, WholeAnswer
from llamero.models.errors import LlameroError, UpstreamFailed
from llamero.models.inference import CHAT, COMPLETIONS
from llamero.models.inspector import (
    Outcome,
    Phase,
    PhaseKind,
    RawEvent,
    RequestDetails,
    RequestSummary,
    SentRequest,
    Step,
    Text,
)
from llamero.services.inspection.trace import Attempt, Kept, Trace
from llamero.services.llama.deltas import deltas_of, refusal
from llamero.services.llama.sse import SseSplitter

ErrorText = Callable[[LlameroError], str]

LINE_LIMIT = 2000
# Usage and timings stand in the last event or two.
ENDING_BYTES = 8 * 1024
# The status that an error in mid-stream would have had.
BROKEN_OFF = 500
_SHORTEST_MS = 0.05
_SHORTEST_QUEUE_MS = 0.5  # every request is asked for a moment whether it must wait
_FOLDERS = re.compile(r"^.*[\\/]")
_PROMPTED = frozenset({COMPLETIONS, "/completion"})


class _Answer(msgspec.Struct):
    """An answer in one piece, of a chat or a completion."""

    choices: tuple[_WholeChoice, ...] = ()
    content: str | None = None


class _Problem(msgspec.Struct):
    error: object = None


class _WholeMessage(msgspec.Struct):
    content: str | None = None
    reasoning_content: str | None = None


class _WholeChoice(msgspec.Struct):
    message: _WholeMessage = msgspec.field(default_factory=_WholeMessage)
    text: str | None = None


def conclude(trace: Trace) -> None:
    """Read off the last events of a request that has ended what they say about it, and let go of them."""
    for data in _payloads(_ending(trace)):
        try:
            whole = msgspec.json.decode(data, type=WholeAnswer)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
        trace.timings = whole.timings or trace.timings
        if trace.tokens is None and whole.usage is not None:
            trace.tokens = TokenCounts(whole.usage.prompt_tokens, whole.usage.completion_tokens)
        if trace.failure is None and (trace.status or 0) >= 400:
            trace.failure = refusal(trace.status or 0, data)
        elif trace.failure is None and _is_error(data):
            # A stream that has begun has its status; what ends it is told in its last event.
            trace.failure, trace.outcome = refusal(BROKEN_OFF, data), Outcome.FAILED
    trace.events.forget_last()


def _is_error(data: bytes) -> bool:
    """Is it an error in the place of an answer, as engines and every dialect of ours tell it?"""
    try:
        return msgspec.json.decode(data, type=_Problem).error not in (None, "")
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False


def summary_of(trace: Trace, messages: ErrorText) -> RequestSummary:
    """One line of the list."""
    origin, tokens = trace.origin, trace.tokens
    return RequestSummary(
        id=trace.id,
        at=trace.at,
        dialect=origin.dialect,
        route=origin.route,
        client=origin.client,
        address=origin.address,
        outcome=trace.outcome,
        phases=_phases(trace),
        model=trace.model,
        key_name=trace.key_name,
        destination=_target(trace.attempts[-1]) if trace.attempts else None,
        preview=trace.content.preview,
        status=trace.status,
        duration_ms=None if trace.ended is None else _ms(trace, trace.ended),
        prompt_tokens=None if tokens is None else tokens.prompt,
        generated_tokens=None if tokens is None else tokens.generated,
        tokens_per_second=_speed(trace),
        recoveries=trace.recoveries,
        error=None if trace.failure is None else _masked(messages(trace.failure)),
        replay_of=origin.replay_of,
        has_content=trace.content.body.data is not None,
    )


def details_of(trace: Trace, messages: ErrorText) -> RequestDetails:
    """Everything about a request, decoded now."""
    content = trace.content
    answer, reasoning = answer_of(bytes(trace.events.said), is_stream=trace.is_streamed)
    return RequestDetails(
        summary=summary_of(trace, messages),
        method=trace.origin.method,
        path=trace.origin.path,
        steps=tuple([_step(trace, attempt) for attempt in trace.attempts]),
        body=_text(content.body),
        sent=tuple(
            [
                SentRequest(endpoint=one.endpoint, method=one.method, at_ms=_ms(trace, one.at), body=_text(one.body))
                for one in content.sent
            ]
        ),
        events=tuple(
            [RawEvent(at_ms=_ms(trace, at), text=data.decode("utf-8", "replace")) for at, data in trace.events.kept]
        ),
        events_are_cut=trace.events.are_cut,
        answer=answer,
        reasoning=reasoning,
        can_replay=content.body.is_whole,
        can_render=prompt_request(trace) is not None,
    )


def answer_of(said: bytes, *, is_stream: bool) -> tuple[str, str]:
    """The text of an answer and its reasoning, as far as its events have any. Several choices follow each other."""
    text: list[str] = []
    reasoning: list[str] = []
    if not is_stream:
        return _whole_answer(said)
    for data in _payloads(said):
        try:
            chunk = msgspec.json.decode(data, type=StreamChunk)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
        for delta in deltas_of(chunk):
            match delta:
                case TextDelta():
                    text.append(delta.text)
                case ReasoningDelta():
                    reasoning.append(delta.text)
                case ToolCallDelta():
                    text.append((f"\n{delta.name} " if delta.name else "") + delta.arguments)
                case _:
                    pass
        text += [choice.text for choice in chunk.choices if choice.text]
        text.append(chunk.content or "")
    return "".join(text), "".join(reasoning)


def prompt_request(trace: Trace) -> tuple[str, dict[str, object]] | None:
    """The model and the body whose prompt can be shown: of a local model, and as it was first sent to it.

    A completion has its prompt in the body, which is told by the key `prompt`.
    """
    if not trace.attempts or not isinstance(destination := trace.attempts[-1].destination, LocalDestination):
        return None
    first = trace.attempts[-1].at
    for sent in trace.content.sent:
        if sent.at >= first and sent.body.is_whole and sent.endpoint in (CHAT, *_PROMPTED):
            try:
                return destination.alias, msgspec.json.decode(sent.body.data or b"", type=dict[str, object])
            except (msgspec.DecodeError, UnicodeDecodeError):
                return None
    return None


def _phases(trace: Trace) -> tuple[Phase, ...]:
    last_end = trace.now() if trace.ended is None else trace.ended
    ends = [*(at for _, at in trace.marks[1:]), last_end]
    phases = [
        Phase(kind=kind, start_ms=_ms(trace, at), end_ms=_ms(trace, end))
        for (kind, at), end in zip(trace.marks, ends, strict=True)
    ]
    last = phases[-1]
    if trace.ended is not None and last.kind is PhaseKind.PROMPT and trace.timings is not None:
        # An answer in one piece: only the engine knows when it began to write.
        begins = max(last.start_ms, last.end_ms - trace.timings.predicted_ms)
        phases[-1:] = [
            Phase(kind=PhaseKind.PROMPT, start_ms=last.start_ms, end_ms=begins),
            Phase(kind=PhaseKind.GENERATION, start_ms=begins, end_ms=last.end_ms),
        ]
    return tuple([phase for phase in phases if _is_noticeable(phase)])


def _is_noticeable(phase: Phase) -> bool:
    shortest = _SHORTEST_QUEUE_MS if phase.kind is PhaseKind.QUEUE else _SHORTEST_MS
    return phase.end_ms - phase.start_ms >= shortest


def _speed(trace: Trace) -> float | None:
    """Tokens per second while the model wrote: by the engine's clock where it tells, else by ours."""
    timings = trace.timings
    if timings is not None and timings.predicted_ms > 0 and not trace.recoveries:
        return timings.predicted_n * 1000 / timings.predicted_ms
    begins = next((at for kind, at in trace.marks if kind is PhaseKind.GENERATION), None)
    if trace.tokens is None or trace.ended is None or begins is None or trace.ended <= begins:
        return None
    return trace.tokens.generated / (trace.ended - begins)


def _step(trace: Trace, attempt: Attempt) -> Step:
    return Step(
        alias=attempt.destination.alias,
        is_remote=isinstance(attempt.destination, RemoteDestination),
        target=_target(attempt),
        at_ms=_ms(trace, attempt.at),
        error=None if attempt.error is None else _masked(attempt.error),
    )


def _target(attempt: Attempt) -> str:
    """A file by its name, a model elsewhere by its server's."""
    match attempt.destination:
        case LocalDestination(config=config):
            return _FOLDERS.sub("", config.model.path)
        case RemoteDestination(api=api, upstream=upstream):
            try:
                return f"{upstream} @ {host_of(api)}"
            except UpstreamFailed:  # an address that is none
                return f"{upstream} @ {api.name}"
    raise TypeError("a destination is local or remote")


def _whole_answer(said: bytes) -> tuple[str, str]:
    try:
        answer = msgspec.json.decode(said, type=_Answer)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return "", ""
    text = [choice.text or choice.message.content or "" for choice in answer.choices]
    reasoning = [choice.message.reasoning_content or "" for choice in answer.choices]
    return "".join([*text, answer.content or ""]), "".join(reasoning)


def _ending(trace: Trace) -> bytes:
    """The last whole events of a stream, which arrive in large pieces where a model is fast; all of anything else."""
    said = b"".join(trace.events.last)
    if not trace.is_streamed or len(said) <= ENDING_BYTES:
        return said
    return said[-ENDING_BYTES:].partition(b"\n\n")[2]


def _payloads(said: bytes) -> Iterator[bytes]:
    """The JSON documents in it: the data of events, or all of it."""
    if not said.lstrip().startswith((b"data:", b"event:", b":", b"id:")):
        yield said
        return
    splitter = SseSplitter()
    for event in [*splitter.feed(said), *splitter.finish()]:
        if event.data:
            yield event.data


def _text(kept: Kept) -> Text:
    text = None if kept.data is None else kept.data.decode("utf-8", "replace")
    is_cut = kept.data is not None and not kept.is_whole
    return Text(text=text, size=kept.size, is_cut=is_cut, content_type=kept.content_type)


def _ms(trace: Trace, at: float) -> float:
    return max(0.0, (at - trace.began) * 1000)


def _masked(text: str) -> str:
    return process_secrets.apply(text, LINE_LIMIT)


def is_error(trace: Trace) -> bool:
    """Did it not go well?"""
    return trace.outcome is Outcome.FAILED or (trace.status is not None and trace.status >= 400)
