"""Engines that die and models that are switched, seen by a client that knows nothing of either."""

from __future__ import annotations

import asyncio
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from openai import AsyncOpenAI, OpenAI

from tests.process.cli import Home, serving, until

STREAMS = 50
SEED = 20_261_127
QUESTION = [{"role": "user", "content": "What is a llama?"}]


@pytest.fixture
def home(tmp_path: Path, demo_model: Path) -> Iterator[Home]:
    """Two models that are the same file under two names, of which one stays loaded."""
    home = Home(tmp_path)
    home.write_settings('[servers]\ncrash_limit = 1000\nmax_loaded = 1\n[engine]\narguments = ["--threads 1"]\n')
    folder = home.data / "models"
    folder.mkdir()
    for name in ("a", "b"):
        shutil.copyfile(demo_model, folder / f"{name}.gguf")
    yield home
    home.end_all()


def engine_of(home: Home) -> psutil.Process:
    """The engine that runs now."""

    def find() -> psutil.Process | None:
        for pid in home.members():
            try:
                process = psutil.Process(pid)
                if any("llama.embedded" in word for word in process.cmdline()):
                    return process
            except psutil.Error:
                continue
        return None

    found = until(find, what="an engine")
    assert isinstance(found, psutil.Process)
    return found


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
