"""Plans are remembered as long as what they rest on stays, and no longer."""

from __future__ import annotations

import shutil
from pathlib import Path

from llamero.infrastructure.llama.engines import find_engine
from llamero.models.llama import Engine, LlamaCppConfig, ModelId
from llamero.models.settings import EngineSettings, Settings
from llamero.services.llama.keep_alive import wanted_by_request
from llamero.services.llama.planning import Planner


def find(settings: EngineSettings, data_dir: Path) -> Engine:
    return find_engine(settings, data_dir, environment={})


async def test_plan_for_any_keep_alive_is_one_plan(tmp_path: Path, demo_model: Path) -> None:
    planner = Planner(Settings(), tmp_path, tmp_path / "cache", find)
    config = LlamaCppConfig(model=ModelId("m", str(demo_model)), keep_alive_s=60)
    first = await planner.plan(config)
    for seconds in (0.5, 60, 3600, -1):
        plan = await planner.plan(wanted_by_request(config, seconds, may_shorten=True))
        assert plan.spec.keep_alive_s == seconds
        assert plan.header is first.header, "the file was not read again"
    assert (await planner.plan(wanted_by_request(config, 5, may_shorten=False))).spec.keep_alive_s == 60
    assert (await planner.plan(config)).spec == first.spec


async def test_plan_of_a_file_that_is_replaced_while_it_is_planned_does_not_last(
    tmp_path: Path, demo_model: Path, embed_model: Path
) -> None:
    model = tmp_path / "m.gguf"
    shutil.copyfile(demo_model, model)

    def replace_meanwhile(settings: EngineSettings, data_dir: Path) -> Engine:
        shutil.copyfile(embed_model, model)
        return find(settings, data_dir)

    planner = Planner(Settings(), tmp_path, tmp_path / "cache", replace_meanwhile)
    config = LlamaCppConfig(model=ModelId("m", str(model)))
    assert not (await planner.plan(config)).embeds
    assert (await planner.plan(config)).embeds
