"""What is measured: the model behind a name, its engine, and the machine."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import PurePath
from typing import Protocol

import msgspec

from llamero.infrastructure.llama.engines import engine_version
from llamero.infrastructure.machine import cpu_name, processor_counts
from llamero.infrastructure.secret_masking import process_secrets
from llamero.models.aliases import Destination, FallbackDestination, LocalDestination
from llamero.models.bench import BenchEngine, BenchHardware, BenchPlace
from llamero.models.errors import InvalidRequest, LlameroError
from llamero.models.inference import InferenceRequest
from llamero.models.llama import Engine, LlamaCppConfig
from llamero.models.metrics import HardwareMetrics
from llamero.services.bench.asking import Inference
from llamero.services.llama.planning import Plan

ARGUMENTS_LIMIT = 2000
_GIB = 1024**3


class Router(Protocol):
    """Where names lead: `services.routing.Router`."""

    async def resolve(self, name: str) -> Destination:
        """Return where `name` leads. Raises ModelNotFound."""
        ...


class Planner(Protocol):
    """Plans starts: `services.llama.service.LlamaCppService`."""

    async def plan(self, config: LlamaCppConfig) -> Plan:
        """What would be started for this configuration."""
        ...


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """A model as it is measured. `engine` is None where it is not on this machine."""

    model: str
    place: BenchPlace
    hardware: BenchHardware
    engine: BenchEngine | None = None
    file: str = ""
    file_size: int = 0

    @property
    def context(self) -> int | None:
        """The tokens that all streams share, where that is known."""
        return self.engine.context if self.engine is not None else None


class Subjects:
    """Finds out what a name leads to."""

    def __init__(
        self,
        inference: Inference,
        router: Router,
        planner: Planner,
        read_hardware: Callable[[], Awaitable[HardwareMetrics]],
    ) -> None:
        self._inference = inference
        self._router = router
        self._planner = planner
        self._read_hardware = read_hardware

    async def find(self, model: str) -> Subject:
        """Describe a model before it is loaded. Raises ModelNotFound, what `plan` raises, and InvalidRequest."""
        destination = await self._router.resolve(model)
        hardware = await self._hardware()
        if not isinstance(destination, LocalDestination):
            is_fallback = isinstance(destination, FallbackDestination)
            place = BenchPlace.FALLBACK if is_fallback else BenchPlace.REMOTE
            return Subject(model=model, place=place, hardware=hardware)
        plan = await self._planner.plan(destination.config)
        if plan.embeds:
            raise InvalidRequest("bench_error-embeds", model=model)
        engine = BenchEngine(
            kind=plan.spec.engine.kind.value,
            variant=plan.spec.engine.variant,
            build=await _build(plan.spec.engine),
            arguments=process_secrets.apply(" ".join(plan.spec.arguments), ARGUMENTS_LIMIT),
        )
        return Subject(
            model=model,
            place=BenchPlace.LOCAL,
            hardware=hardware,
            engine=engine,
            file=PurePath(plan.spec.model.path).name,
            file_size=plan.header.file_size,
        )

    async def loaded(self, subject: Subject) -> Subject:
        """Complete the description of a model that is loaded with what its engine says (`GET /props`)."""
        if subject.engine is None:
            return subject
        properties = await self._properties(subject.model)
        engine = msgspec.structs.replace(
            subject.engine,
            build=subject.engine.build or properties.build_info,
            context=properties.default_generation_settings.n_ctx or None,
            slots=properties.total_slots or None,
        )
        return msgspec.structs.replace(subject, engine=engine)

    async def _properties(self, model: str) -> _Properties:
        request = InferenceRequest(model=model, endpoint="/props", method="GET")
        try:
            async with self._inference.stream(request) as reply:
                body = b"".join([piece async for piece in reply])
            return msgspec.json.decode(body, type=_Properties)
        except (LlameroError, msgspec.MsgspecError, UnicodeDecodeError):
            return _Properties()  # an engine that does not say is measured all the same

    async def _hardware(self) -> BenchHardware:
        now = await self._read_hardware()
        cores, threads = processor_counts()
        gpus = [f"{gpu.name}, {gpu.memory_total / _GIB:.1f} GB" if gpu.memory_total else gpu.name for gpu in now.gpus]
        return BenchHardware(cpu=cpu_name(), cores=cores, threads=threads, memory=now.ram_total, gpus=tuple(gpus))


async def _build(engine: Engine) -> str:
    try:
        return (await engine_version(engine)).removeprefix("version:").strip()
    except LlameroError:
        return ""


class _Generation(msgspec.Struct, frozen=True):
    n_ctx: int = 0


class _Properties(msgspec.Struct, frozen=True):
    default_generation_settings: _Generation = _Generation()
    total_slots: int = 0
    build_info: str = ""
