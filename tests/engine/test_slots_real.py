"""Slots and context of the engine that is part of the package, while it writes."""

from __future__ import annotations

from pathlib import Path

from llamero.application import Application, running
from llamero.infrastructure.paths import find_paths
from llamero.infrastructure.settings_file import load_settings
from llamero.models.inference import InferenceRequest
from llamero.models.metrics import ServerMetrics

CONTEXT, TOKENS = 8192, 8000
SETTINGS = f"""\
[engine]
arguments = ["--ctx-size {CONTEXT}"]
[metrics]
active_interval_s = 0.25
"""
BODY: dict[str, object] = {
    "messages": [{"role": "user", "content": "Hello"}],
    "stream": True,
    "ignore_eos": True,
    "max_tokens": TOKENS,
}
# An answer of that length may be over between two samples, where the machine has something else to do.
MOST_ANSWERS = 10


async def test_context_of_an_answer_is_seen_before_its_end_says_it(tmp_path: Path) -> None:
    paths = find_paths(tmp_path)
    paths.settings_file.write_text(SETTINGS)
    async with running(paths, load_settings(paths.settings_file, {}, {})) as app:
        await app.metrics.start()
        with app.metrics.watch(closely=True) as samples:
            for _ in range(MOST_ANSWERS):
                during = await context_while_answering(app)
                if during:
                    break
            async for _ in samples:
                (after,) = (await app.llama.get_metrics()).servers
                if not after.leases and after.context_tokens is not None:
                    break
    assert during
    assert 0 < during[0].context_tokens < TOKENS  # type: ignore[operator]  # those without have been left out
    assert {(one.slots_busy, one.slots, one.context_limit) for one in during} == {(1, 4, CONTEXT)}
    assert (after.slots_busy, after.slots) == (0, 4)
    assert TOKENS < (after.context_tokens or 0) < TOKENS + 100


async def context_while_answering(app: Application) -> list[ServerMetrics]:
    """What is told of the server during its answer, where that is known from a slot."""
    seen: list[ServerMetrics] = []
    async with app.inference.stream(InferenceRequest(model="demo", body=BODY)) as reply:
        sample = None
        async for _ in reply:
            if app.metrics.latest is not sample:
                sample = app.metrics.latest
                seen += (await app.llama.get_metrics()).servers
    return [one for one in seen if one.context_tokens is not None and one.context_tokens < TOKENS]
