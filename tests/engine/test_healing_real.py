"""The engine is killed at random points of a generation, a hundred times: every answer is complete and as undisturbed.

`LLAMERO_NATIVE_SERVER` names a llama-server executable that goes through the same.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from llamero.models.inference import CHAT
from llamero.models.llama import Engine, EngineKind
from llamero.services.llama.answer import open_answer
from tests.process.world import Told, World, chat, spec_for, told, world

DEMO = Path(__file__).parents[2] / "backend" / "llamero" / "assets" / "demo.gguf"
EMBEDDED = Engine(kind=EngineKind.EMBEDDED, command=(sys.executable, "-m", "llamero.infrastructure.llama.embedded"))
NATIVE = os.environ.get("LLAMERO_NATIVE_SERVER", "")
ENGINES = [EMBEDDED, *([Engine(kind=EngineKind.SETTINGS, command=(NATIVE,))] if NATIVE else [])]
KILLS = 100
TOKENS = 150

# The model's own end comes after 63 tokens, so a longer answer has to be told to go on.
LONG = chat(ignore_eos=True, max_tokens=TOKENS, stream_options={"include_usage": True})
SHORT = chat(stream_options={"include_usage": True})


@dataclass
class Tally:
    """What became of the answers."""

    killed: int = 0
    continued: int = 0
    replayed: int = 0
    different: list[tuple[int, str]] = field(default_factory=list)


async def killed_after(w: World, spec: Any, body: dict[str, Any], pieces: int) -> Told:
    """An answer whose engine is killed as soon as the client has so many deltas."""
    raw: list[bytes] = []
    seen = 0
    async with open_answer(w.actor, spec, CHAT, body) as answer:
        engine = psutil.Process(w.pid(spec.model.alias))
        async for block in answer.blocks():
            raw.append(block.raw)
            seen += len(block.chunks)
            if engine is not None and seen > pieces:
                engine.kill()
                engine = None
        result = told(raw)
        result.continuations, result.replays = answer.continuations, answer.replays
    return result


async def kill_again_and_again(
    w: World, engine: Engine, alias: str, body: dict[str, Any], kills: int, tally: Tally
) -> None:
    # Servers with other arguments are other servers, so that several are killed at the same time.
    arguments = ("--ctx-size", str(1024 + 256 * int(alias)), "--parallel", "1", "--threads", "1")
    spec = spec_for(engine, alias, path=str(DEMO), arguments=arguments)
    chance = random.Random(int(alias))
    undisturbed = await w.ask(spec, body)
    undisturbed.assert_well_formed()
    expected = observed(undisturbed)
    length = len(undisturbed.chunks)
    done = 0
    while done < kills:
        position = chance.randrange(length - 4)
        generation = w.generation(alias)
        result = await killed_after(w, spec, body, position)
        result.assert_well_formed()
        disturbed = result.continuations + result.replays > 0
        if not disturbed:  # it had sent everything before it died, and the next answer must not begin with a corpse
            await w.until_restarted(alias, generation)
        done += disturbed
        tally.killed += disturbed
        tally.continued += result.replays == 0 and disturbed
        tally.replayed += result.replays > 0
        if observed(result) != expected:
            tally.different.append((position, result.text))


def observed(result: Told) -> tuple[str, list[str], int]:
    usage = result.chunks[-1]["usage"]
    return result.text, result.finish_reasons, usage["total_tokens"]


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.kind.value)
async def test_engine_killed_a_hundred_times_all_answers_are_complete_and_equal(
    engine: Engine,
) -> None:
    tally = Tally()
    async with world(max_loaded=2, crash_limit=10_000, backoff_s=(0.0,)) as w:
        await asyncio.gather(
            kill_again_and_again(w, engine, "1", LONG, KILLS * 3 // 4, tally),
            kill_again_and_again(w, engine, "2", SHORT, KILLS // 4, tally),
        )
    print(f"{tally.killed} killed: {tally.continued} continued, {tally.replayed} replayed")
    assert tally.killed == KILLS
    assert tally.different == []
    assert tally.continued > KILLS * 3 // 4, "most of them go on from the text, without generating it again"
