"""From a model's configuration to a `LaunchSpec`: everything that can be known to be wrong is said before the spawn.

The file's header is read, the engine found, its flags learned, the argument tiers merged. A plan is kept as long as
neither the model file, nor the engine's executable, nor the settings change, so a request costs two `stat` calls.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from msgspec.structs import replace

from llamero.infrastructure.gguf import read_header
from llamero.infrastructure.llama.args import config_arguments, merge, render
from llamero.infrastructure.llama.engine_choice import EngineChoice, Find
from llamero.infrastructure.llama.engines import find_engine
from llamero.infrastructure.llama.flag_table import EngineFlags
from llamero.infrastructure.llama.flags import learn_flags
from llamero.models.gguf import GgufHeader
from llamero.models.llama import Engine, LaunchFlag, LaunchSpec, LlamaCppConfig
from llamero.models.settings import Settings
from llamero.services.llama.embedding_flags import embedding_flags, embeds
from llamero.services.llama.keep_alive import keep_alive_of
from llamero.services.llama.memory_estimate import memory_estimate

_Looks = tuple[int, int, int]
_Stamp = tuple[_Looks, _Looks]
FROM_THE_MODEL = "model"


class Plan:
    """A spec, what the model's file says about itself, and whether it is to embed."""

    def __init__(self, spec: LaunchSpec, header: GgufHeader, *, embeds: bool) -> None:
        self.spec = spec
        self.header = header
        self.embeds = embeds

    def kept_for(self, keep_alive_s: float) -> Plan:
        """The same for a model that is to stay so long."""
        if keep_alive_s == self.spec.keep_alive_s:
            return self
        return Plan(replace(self.spec, keep_alive_s=keep_alive_s), self.header, embeds=self.embeds)


class Planner:
    """Makes plans, and remembers them. `settings` may be replaced at any time."""

    def __init__(self, settings: Settings, data_dir: Path, cache_dir: Path, find: Find = find_engine) -> None:
        self._settings = settings
        self._cache_dir = cache_dir
        self._engines = EngineChoice(data_dir, self._learn_flags, find)
        self._plans: dict[LlamaCppConfig, tuple[_Stamp, Plan]] = {}

    def use(self, settings: Settings) -> None:
        """Plan with other settings from now on."""
        self._settings = settings
        self._plans.clear()
        self._engines.forget()

    async def plan(self, config: LlamaCppConfig) -> Plan:
        """The plan for this configuration.

        Raises ModelFileNotFound or BadModelFile for the file, EngineNotFound or EngineFailed for the engine,
        InvalidArgument for a flag that cannot work.
        """
        # Requests may bring any keep-alive of their own, and there must not be a plan for each.
        key = replace(config, keep_alive_s=None, keep_at_least_s=None)
        known = self._plans.get(key)
        if known is None or known[0] != _stamp(known[1].spec):
            settings, model = self._settings, _looks(config.model.path)
            plan = await self._make(key, settings)
            # As the model was before it was read: one that was replaced meanwhile is read again.
            known = ((model, _looks(plan.spec.engine.command[0])), plan)
            if settings is self._settings:
                self._plans[key] = known
        keep_alive_s = keep_alive_of(config, self._settings.servers.keep_alive_s)
        return known[1].kept_for(keep_alive_s)

    async def _make(self, config: LlamaCppConfig, settings: Settings) -> Plan:
        header = await asyncio.to_thread(read_header, Path(config.model.path))
        engine = await self._engines.choose(settings.engine)
        known_flags = await learn_flags(engine, self._cache_dir)
        arguments = merge(
            settings.engine.arguments,
            settings.engine.variant_arguments,
            config.arguments,
            known_flags,
            config=config_arguments(config),
        )
        added = embedding_flags(header, config, arguments, known_flags)
        tokens = (*render(arguments), *(token for flag in added for token in (flag.name, *flag.values)))
        flags = (
            *(LaunchFlag(flag.text, flag.tier.value) for flag in arguments),
            *(LaunchFlag(" ".join((flag.name, *flag.values)), FROM_THE_MODEL) for flag in added),
        )
        spec = LaunchSpec(
            model=config.model,
            engine=engine,
            arguments=tokens,
            keep_alive_s=keep_alive_of(config, settings.servers.keep_alive_s),
            memory_bytes=memory_estimate(header, config.context_length, config.parallel),
            flags=flags,
        )
        return Plan(spec, header, embeds=embeds(header, arguments, known_flags))

    async def _learn_flags(self, engine: Engine, *, timeout: float) -> EngineFlags:
        return await learn_flags(engine, self._cache_dir, timeout=timeout)


def _stamp(spec: LaunchSpec) -> _Stamp:
    """How the files that a plan rests on look now."""
    return _looks(spec.model.path), _looks(spec.engine.command[0])


def _looks(path: str) -> _Looks:
    try:
        status = os.stat(path)  # noqa: PTH116 - twice per request
    except OSError:
        return (0, 0, 0)
    return (status.st_ino, status.st_size, status.st_mtime_ns)
