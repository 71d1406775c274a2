"""Engines that die and models that are switched, seen by a client that knows nothing of either."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from openai import AsyncOpenAI, OpenAI

from tests.clients.engines import engine_of, home_with_models
from tests.process.cli import Home, serving

STREAMS = 50
SEED = 20_261_127
QUESTION = [{"role": "user", "content": "What is a llama?"}]


@pytest.fixture
def home(tmp_path: Path, demo_model: Path) -> Iterator[Home]:
    """Two models that are the same file under two names, of which one stays loaded."""
    home = home_with_models(Home(tmp_path), demo_model, "a", "b")
    yield home
    home.end_all()


# Of engines that crash within a minute of each other, each is started after a pause of two seconds.
@pytest.mark.timeout(300)
def test_engine_killed_at_random_points_of_fifty_streams_completes_them_all(home: Home) -> None:
    chance = random.Random(SEED)
    with serving(home, "--port", "0") as server, OpenAI(base_url=f"{server.url()}/v1", api_key="x") as client:

        def ask(kill_after: int | None) -> str:
            pieces: list[str] = []
            stream = client.chat.completions.create(model="a", messages=QUESTION, temperature=0, stream=True)  # type: ignore[call-overload]
            for chunk in stream:
                pieces.extend(choice.delta.content or "" for choice in chunk.choices)
                if kill_after is not None and len(pieces) > kill_after:
                    engine_of(home).kill()
                    kill_after = None
            return "".join(pieces)

        undisturbed = ask(None)
        assert len(undisturbed.split()) > 20
        for _ in range(STREAMS):
            assert ask(chance.randrange(1, 55)) == undisturbed


async def test_models_switched_under_thirty_two_streams_cut_none(home: Home) -> None:
    with serving(home, "--port", "0") as server:
        async with AsyncOpenAI(base_url=f"{server.url()}/v1", api_key="x", max_retries=0, timeout=60) as client:

            async def ask(number: int) -> str:
                stream = await client.chat.completions.create(
                    model="ab"[number % 2],
                    messages=QUESTION,
                    temperature=0,
                    stream=True,  # type: ignore[arg-type]
                )
                return "".join([choice.delta.content or "" async for chunk in stream for choice in chunk.choices])

            undisturbed = await ask(0)
            assert await asyncio.gather(*(ask(number) for number in range(32))) == [undisturbed] * 32
