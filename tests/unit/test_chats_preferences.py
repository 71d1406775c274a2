"""What is remembered besides conversations."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from llamero.infrastructure.storage.database import Database
from llamero.infrastructure.storage.preferences import PreferenceStore
from llamero.models.bridge.window import UiState
from llamero.models.llama import LlamaCppConfig, ModelId


@asynccontextmanager
async def preferences(directory: Path) -> AsyncIterator[PreferenceStore]:
    database = await Database.open(directory / "llamero.db")
    yield PreferenceStore(database)
    await database.close()


async def test_value_is_there_after_the_next_start(tmp_path: Path) -> None:
    ui = UiState(theme="dark", conversation_id="c", drafts={"c": "half a thought 🦙"})
    async with preferences(tmp_path) as store:
        assert await store.value("ui", UiState) is None
        await store.set_value("ui", UiState())
        await store.set_value("ui", ui)
        await store.set_value("window", [1, 2])
    async with preferences(tmp_path) as store:
        assert await store.value("ui", UiState) == ui
        assert await store.value("window", list[int]) == [1, 2]


async def test_value_of_another_kind_counts_as_absent_and_stays(tmp_path: Path) -> None:
    async with preferences(tmp_path) as store:
        await store.set_value("ui", {"theme": 5})
        assert await store.value("ui", UiState) is None
        assert await store.value("ui", dict[str, int]) == {"theme": 5}


async def test_models_are_there_after_the_next_start_in_their_order(tmp_path: Path) -> None:
    configs = [
        LlamaCppConfig(model=ModelId("b", "/b.gguf"), context_length=4096, gpu_layers=-1, keep_alive_s=60.0),
        LlamaCppConfig(model=ModelId("a", "/a.gguf"), threads=3, arguments=("--top-k", "5")),
        LlamaCppConfig(model=ModelId("c", "/c.gguf"), embedding=True),
    ]
    async with preferences(tmp_path) as store:
        for config in configs:
            await store.save_model(config)
        changed = LlamaCppConfig(model=ModelId("b", "/elsewhere/b.gguf"), context_length=512)
        await store.save_model(changed)
        await store.forget_model("c")
        await store.forget_model("never known")
    async with preferences(tmp_path) as store:
        assert await store.models() == (changed, configs[1])
