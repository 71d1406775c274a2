"""What a bench says about the model, its engine and the machine that it measured."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from msgspec.structs import replace

from llamero.infrastructure.machine import cpu_name, name_from_cpuinfo, processor_counts
from llamero.models.aliases import Destination, FallbackDestination, LocalDestination
from llamero.models.bench import BenchPlace
from llamero.models.errors import InvalidRequest, UpstreamFailed
from llamero.models.gguf import GgufHeader
from llamero.models.inference import InferenceRequest
from llamero.models.llama import Engine, EngineKind, LaunchSpec, LlamaCppConfig, ModelId
from llamero.models.metrics import GpuMetrics, HardwareMetrics
from llamero.services.bench.subject import Subjects
from llamero.services.llama.passing import Block
from llamero.services.llama.planning import Plan
from tests.fakes.replies import JSON, Script, ScriptedReply, remote

HEADER = GgufHeader(version=3, tensor_count=9, file_size=1000, architecture="llama", context_length=4096)
CONFIG = LlamaCppConfig(model=ModelId("m", "/home/somebody/models/m.gguf"))
SECRET = "hf_0123456789abcdef"
PROPERTIES = b'{"default_generation_settings":{"n_ctx":8192},"total_slots":4,"build_info":"b7-x"}'


class World:
    """A router, a planner and an engine that says what a test wants."""

    def __init__(
        self, destination: Destination, header: GgufHeader = HEADER, properties: bytes | None = PROPERTIES
    ) -> None:
        self.destination = destination
        self.header = header
        self.properties = properties
        self.subjects = Subjects(self, self, self, self.hardware)

    async def resolve(self, name: str) -> Destination:
        return self.destination

    async def plan(self, config: LlamaCppConfig) -> Plan:
        # An engine that is not there tells no version.
        engine = Engine(EngineKind.SETTINGS, ("/no/such/engine",), "vulkan")
        arguments = ("--ctx-size", "8192", "--hf-token", SECRET)
        spec = LaunchSpec(model=config.model, engine=engine, arguments=arguments)
        return Plan(spec, self.header, embeds=self.header.is_embedding or config.embedding)

    async def hardware(self) -> HardwareMetrics:
        gpus = (GpuMetrics(index=0, name="A", source="nvml", memory_total=12 * 1024**3),)
        return HardwareMetrics(at=1.0, monotonic=1.0, ram_total=5, gpus=gpus)

    @asynccontextmanager
    async def stream(self, request: InferenceRequest) -> AsyncIterator[ScriptedReply]:
        assert (request.method, request.endpoint) == ("GET", "/props")
        if self.properties is None:
            raise UpstreamFailed(reason="gone")
        yield ScriptedReply(Script((Block(self.properties),), headers=JSON))


LOCAL = LocalDestination(alias="m", config=CONFIG)


async def test_model_here_is_described_by_file_engine_and_machine_without_a_path() -> None:
    world = World(LOCAL)
    subject = await world.subjects.loaded(await world.subjects.find("m"))
    assert (subject.place, subject.file, subject.file_size, subject.context) == (BenchPlace.LOCAL, "m.gguf", 1000, 8192)
    assert subject.hardware.gpus == ("A, 12.0 GB",)
    assert subject.hardware.cpu == cpu_name()
    assert subject.engine is not None
    assert (subject.engine.kind, subject.engine.variant, subject.engine.build) == ("settings", "vulkan", "b7-x")
    assert (subject.engine.context, subject.engine.slots) == (8192, 4)


async def test_secret_among_the_arguments_is_not_kept_with_a_bench() -> None:
    subject = await World(LOCAL).subjects.find("m")
    assert subject.engine is not None
    assert "--ctx-size 8192" in subject.engine.arguments
    assert SECRET not in subject.engine.arguments


@pytest.mark.parametrize("properties", [None, b"not json", b"[]"])
async def test_engine_that_does_not_describe_itself_is_measured_all_the_same(properties: bytes | None) -> None:
    world = World(LOCAL, properties=properties)
    subject = await world.subjects.loaded(await world.subjects.find("m"))
    assert subject.context is None


@pytest.mark.parametrize(
    ("destination", "place"),
    [(remote("far"), BenchPlace.REMOTE), (FallbackDestination(alias="f", targets=("m",)), BenchPlace.FALLBACK)],
)
async def test_model_elsewhere_has_no_engine_here(destination: Destination, place: BenchPlace) -> None:
    world = World(destination)
    subject = await world.subjects.loaded(await world.subjects.find("far"))
    assert (subject.place, subject.engine, subject.context, subject.file) == (place, None, None, "")


async def test_model_that_embeds_is_refused_before_it_is_loaded() -> None:
    with pytest.raises(InvalidRequest, match="bench_error-embeds"):
        await World(LocalDestination(alias="m", config=replace(CONFIG, embedding=True))).subjects.find("m")


def test_processor_has_the_name_that_its_manufacturer_gave() -> None:
    assert name_from_cpuinfo("processor\t: 0\nmodel name\t: AMD  EPYC\nmodel name\t: other\n") == "AMD  EPYC"
    assert name_from_cpuinfo("processor\t: 0\nFeatures\t: fp asimd\n") == ""
    assert cpu_name()
    assert all(count is None or count > 0 for count in processor_counts())
