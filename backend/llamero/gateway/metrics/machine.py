"""How the engines and the machine stand, as last published and last measured.

Engines are labeled with names of models of this machine, GPUs and cores with their numbers, so labels are few.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from llamero.gateway.metrics.families import ALONE, Samples, gauge
from llamero.models.llama import ActorSnapshot, ServerPhase, ServerSnapshot
from llamero.models.metrics import GpuMetrics, HardwareMetrics, ProcessMetrics, ServerMetrics
from llamero.services.server_metrics import WITHOUT_PROCESS, Readings, server_metrics, servers_with_process

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric


def server_families(snapshot: ActorSnapshot) -> Iterator[Metric]:
    """What the engines do."""
    phases = Counter(server.phase for server in snapshot.servers)
    by_phase = [((phase.value,), float(phases[phase])) for phase in ServerPhase]
    yield gauge("llamero_servers", "Engines by state.", ("state",), by_phase)
    running = sum(server.leases for server in snapshot.servers)
    yield gauge("llamero_requests_running", "Requests that engines answer now.", (), [(ALONE, running)])
    yield gauge("llamero_requests_waiting", "Requests that wait for an engine.", (), [(ALONE, snapshot.waiting)])
    servers = {server.model.alias: server for server in snapshot.servers}
    states = [((name, server.phase.value), 1.0) for name, server in servers.items()]
    yield gauge("llamero_server_state", "1 for the state that an engine is in.", ("model", "state"), states)
    leases = [((name,), float(server.leases)) for name, server in servers.items()]
    yield gauge("llamero_server_requests", "Requests that an engine answers now.", ("model",), leases)
    restarts = [((name,), float(server.restarts)) for name, server in servers.items()]
    yield gauge("llamero_server_restarts", "Crashes that were healed, lately.", ("model",), restarts)


def process_families(snapshot: ActorSnapshot, processes: Mapping[int, ProcessMetrics]) -> Iterator[Metric]:
    """What the engines cost, their own child processes included."""
    measured = [(server, process) for server in snapshot.servers if (process := _process(server, processes))]

    def of_each(read: str) -> Samples:
        return [((server.model.alias,), getattr(process, read)) for server, process in measured]

    load = [((server.model.alias,), _ratio(process.cpu)) for server, process in measured]
    yield gauge("llamero_server_cpu_cores", "Cores that an engine keeps busy.", ("model",), load)
    yield gauge("llamero_server_resident_bytes", "Memory of an engine.", ("model",), of_each("rss"))
    yield gauge("llamero_server_gpu_memory_bytes", "GPU memory of an engine.", ("model",), of_each("gpu_memory"))


def activity_families(snapshot: ActorSnapshot, readings: Readings) -> Iterator[Metric]:
    """What the engines did at the last sample, for the gateway, the window and everybody else."""
    servers = [
        server_metrics(server, snapshot.queue.get(server.model.alias, 0), readings, server.since)
        for server in servers_with_process(snapshot.servers)
    ]

    def of_each(read: Callable[[ServerMetrics], float | None]) -> Samples:
        return [((server.alias,), read(server)) for server in servers]

    speeds = of_each(lambda one: one.activity.generation_speed if one.alias in readings.activities else None)
    yield gauge("llamero_server_generation_speed", "Tokens per second that an engine writes.", ("model",), speeds)
    waiting = of_each(lambda one: one.waiting)
    yield gauge("llamero_server_requests_waiting", "Requests that wait for this engine.", ("model",), waiting)
    busy, slots = of_each(lambda one: one.slots_busy), of_each(lambda one: one.slots)
    yield gauge("llamero_server_slots_busy", "Slots of an engine that answer.", ("model",), busy)
    yield gauge("llamero_server_slots", "Slots that an engine has.", ("model",), slots)
    used, limit = of_each(lambda one: one.context_tokens), of_each(lambda one: one.context_limit)
    text = "Context that answers hold, or that the last one took, in tokens."
    yield gauge("llamero_server_context_tokens", text, ("model",), used)
    yield gauge("llamero_server_context_limit_tokens", "Context that there is for them.", ("model",), limit)


def hardware_families(sample: HardwareMetrics) -> Iterator[Metric]:
    """The last sample of the machine."""
    yield gauge("llamero_hardware_sample_timestamp_seconds", "When the hardware was read.", (), [(ALONE, sample.at)])
    yield gauge("llamero_cpu_ratio", "Load of the processor, 0 to 1.", (), [(ALONE, _ratio(sample.cpu))])
    cores = [((str(number),), _ratio(load)) for number, load in enumerate(sample.cpu_cores)]
    yield gauge("llamero_cpu_core_ratio", "Load of each core, 0 to 1.", ("core",), cores)
    yield gauge("llamero_memory_used_bytes", "Memory in use.", (), [(ALONE, sample.ram_used)])
    yield gauge("llamero_memory_size_bytes", "Memory of the machine.", (), [(ALONE, sample.ram_total)])
    gpus = sample.gpus
    yield _by_gpu("llamero_gpu_ratio", "Load of a GPU, 0 to 1.", {gpu: _ratio(gpu.utilization) for gpu in gpus})
    yield _by_gpu("llamero_gpu_memory_used_bytes", "GPU memory in use.", {gpu: gpu.memory_used for gpu in gpus})
    yield _by_gpu("llamero_gpu_memory_size_bytes", "Memory of a GPU.", {gpu: gpu.memory_total for gpu in gpus})
    yield _by_gpu("llamero_gpu_celsius", "Temperature of a GPU.", {gpu: gpu.temperature_c for gpu in gpus})
    yield _by_gpu("llamero_gpu_watts", "Power that a GPU draws.", {gpu: gpu.power_w for gpu in gpus})


def _by_gpu(name: str, text: str, readings: Mapping[GpuMetrics, float | None]) -> Metric:
    return gauge(name, text, ("gpu", "name"), [((str(gpu.index), gpu.name), value) for gpu, value in readings.items()])


def _process(server: ServerSnapshot, processes: Mapping[int, ProcessMetrics]) -> ProcessMetrics | None:
    if server.pid is None or server.phase in WITHOUT_PROCESS:
        return None
    return processes.get(server.pid)


def _ratio(percent: float | None) -> float | None:
    return None if percent is None else percent / 100
