"""Slots and context of the engine that is part of the package, while it writes."""

from __future__ import annotations

from pathlib import Path

from llamero.application import running
from llamero.infrastructure.paths import find_paths
from llamero.infrastructure.settings_file import load_settings
from llamero.models.inference import InferenceRequest
from llamero.models.metrics import ServerMetrics

CONTEXT, TOKENS = 4096, 3000
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


async def test_context_of_an_answer_is_seen_to_grow_to_what_its_end_says(tmp_path: Path) -> None:
    paths = find_paths(tmp_path)
    paths.settings_file.write_text(SETTINGS)
    seen: list[ServerMetrics] = []
    async with running(paths, load_settings(paths.settings_file, {}, {})) as app:
        await app.metrics.start()
        with app.metrics.watch(closely=True) as samples:
            async with app.inference.stream(InferenceRequest(model="demo", body=BODY)) as reply:
                pieces = aiter(reply)
                async for _ in samples:
                    seen += (await app.llama.get_metrics()).servers
                    said = await anext(pieces, None)
                    if said is None:
                        break
                    if len(seen) > 3 and (seen[-1].context_tokens or 0) > (seen[-3].context_tokens or 0):
                        async for _ in pieces:
                            pass
                        break
            async for _ in samples:
                (after,) = (await app.llama.get_metrics()).servers
                if not after.leases:
                    break
    assert {(one.slots_busy, one.slots, one.context_limit) for one in seen} == {(1, 4, CONTEXT)}
    grown = [one.context_tokens for one in seen if one.context_tokens]
    assert grown == sorted(grown)
    assert grown[0] < grown[-1] <= TOKENS + 100
    assert after.slots_busy == 0
    assert TOKENS < (after.context_tokens or 0) < TOKENS + 100
