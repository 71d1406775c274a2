"""The engine is killed at random points of completions, in each of their forms: all are complete and as undisturbed."""

from __future__ import annotations

import random
from typing import Any

import psutil
import pytest

from llamero.models.inference import COMPLETIONS
from llamero.models.llama import Engine
from llamero.services.llama.answer import open_answer
from tests.engine.test_healing_real import DEMO, ENGINES
from tests.process.test_completion_healing import assert_well_formed, ends, texts
from tests.process.world import Told, World, spec_for, told, world

KILLS = 50
PROMPT = "<|im_start|>user\nWhat is a llama?<|im_end|>\n<|im_start|>assistant\n"
# The model's own end comes after 63 tokens, so a longer answer has to be told to go on.
MORE: dict[str, Any] = {"model": "m", "stream": True, "temperature": 0, "ignore_eos": True}
BODIES: dict[str, dict[str, Any]] = {
    COMPLETIONS: {"prompt": PROMPT, "max_tokens": 150, **MORE},
    "/completion": {"prompt": PROMPT, "n_predict": 150, **MORE},
    "/infill": {"input_prefix": PROMPT, "input_suffix": ".", "n_predict": 150, **MORE},
}


async def killed_after(w: World, spec: Any, endpoint: str, events: int) -> Told:
    """A completion whose engine is killed as soon as the client has so many events."""
    raw: list[bytes] = []
    seen = 0
    async with open_answer(w.actor, spec, endpoint, BODIES[endpoint]) as answer:
        engine: psutil.Process | None = psutil.Process(w.pid())
        async for block in answer.blocks():
            raw.append(block.raw)
            seen += len(block.chunks)
            if engine is not None and seen > events:
                engine.kill()
                engine = None
        result = told(raw)
        result.continuations, result.replays = answer.continuations, answer.replays
    return result


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.kind.value)
async def test_engine_killed_at_random_points_of_fifty_completions_all_are_complete_and_equal(engine: Engine) -> None:
    chance = random.Random(7)
    spec = spec_for(engine, path=str(DEMO), arguments=("--ctx-size", "1024", "--parallel", "1", "--threads", "1"))
    killed = continued = 0
    async with world(crash_limit=10_000, backoff_s=(0.0,)) as w:
        undisturbed = {endpoint: await w.ask(spec, BODIES[endpoint], endpoint) for endpoint in BODIES}
        while killed < KILLS:
            endpoint = chance.choice([*BODIES])
            expected = undisturbed[endpoint]
            position, generation = chance.randrange(len(expected.chunks) - 4), w.generation()
            result = await killed_after(w, spec, endpoint, position)
            assert_well_formed(result, endpoint)
            assert (texts(result), ends(result)) == (texts(expected), ends(expected)), (endpoint, position)
            if result.continuations + result.replays:
                killed += 1
                continued += result.continuations
            else:  # it had sent everything before it died, and the next one must not begin with a corpse
                await w.until_restarted("m", generation)
    print(f"{killed} killed: {continued} continued")
    assert continued > 0
