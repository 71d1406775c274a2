"""Which of the recorded requests somebody looks for.

There may be tens of megabytes to look through, on the event loop that every stream passes: so the search lets others
have their turn after every `SLICE_BYTES`, which take a few milliseconds. Requests may come, end and be forgotten
meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator

from llamero.models.inspector import ListRequests, RequestSummary
from llamero.services.inspection.reading import answer_of, is_error
from llamero.services.inspection.trace import Trace

SLICE_BYTES = 256 * 1024


async def matching(
    traces: Iterable[Trace], wanted: ListRequests, summary_of: Callable[[Trace], RequestSummary]
) -> list[Trace]:
    """Those that are wanted, in their order."""
    found = []
    text = wanted.text.lower()
    unpaused = 0
    for trace in traces:
        if not _fits(trace, wanted):
            continue
        if not text or _says(summary_of(trace), text):
            found.append(trace)
            continue
        for piece, size in _said(trace):
            unpaused += size
            if text in piece.lower():
                found.append(trace)
                break
            if unpaused >= SLICE_BYTES:
                unpaused = 0
                await asyncio.sleep(0)
    return found


def _fits(trace: Trace, wanted: ListRequests) -> bool:
    if wanted.errors_only and not is_error(trace):
        return False
    if wanted.model and wanted.model.lower() not in trace.model.lower():
        return False
    return wanted.status is None or trace.status == wanted.status or (trace.status or 0) // 100 == wanted.status


def _says(line: RequestSummary, text: str) -> bool:
    told = (line.client, line.model, line.route, line.destination, line.error, line.key_name, line.preview)
    return any(text in (one or "").lower() for one in told)


def _said(trace: Trace) -> Iterator[tuple[str, int]]:
    """Everything that was said, and how much had to be read for it.

    JSON spells what is not ASCII in more than one way; what a person looks for in a body is nearly always in the first.
    The words of an answer are spread over its events, so it is put together.
    """
    bodies = [trace.content.body, *[sent.body for sent in trace.content.sent]]
    for body in bodies:
        if body.data:
            yield body.data.decode("utf-8", "replace"), len(body.data)
    events = bytes(trace.events.said)
    if size := len(events):
        yield from ((words, size // 2) for words in answer_of(events, is_stream=trace.is_streamed))
        yield events.decode("utf-8", "replace"), size
