"""Writes what was counted, and how things stand now, in Prometheus's text format.

The library is imported with the first scrape, so that it costs no start. A scrape reads what is known already: it never
asks a sensor or an engine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from llamero import __version__
from llamero.gateway.metrics.counts import Counts, Histogram
from llamero.gateway.protocols import Hardware, Servers
from llamero.infrastructure.own_process import own_process
from llamero.models.llama import ActorSnapshot, ServerPhase
from llamero.models.metrics import HardwareMetrics

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from prometheus_client.metrics_core import Metric

Samples = Iterable[tuple[Sequence[str], float | None]]
ALONE: tuple[str, ...] = ()


class Exposition:
    """One gateway's metrics, in a registry of its own."""

    def __init__(self, counts: Counts, servers: Servers, hardware: Hardware, streams: Callable[[], int]) -> None:
        self._counts = counts
        self._servers = servers
        self._hardware = hardware
        self._streams = streams
        self._registry: CollectorRegistry | None = None

    def page(self) -> tuple[bytes, str]:
        """Return the page and its content type."""
        from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

        if self._registry is None:
            self._registry = CollectorRegistry(auto_describe=False)
            self._registry.register(self)
        return generate_latest(self._registry), CONTENT_TYPE_LATEST

    def collect(self) -> Iterator[Metric]:
        """Yield every metric; the registry calls this."""
        yield gauge("llamero_build_info", "The version that runs.", ("version",), [((__version__,), 1.0)])
        yield from self._counted()
        yield gauge(
            "llamero_streams", "Requests that occupy an engine or wait for one.", (), [(ALONE, self._streams())]
        )
        yield from _servers(self._servers.status())
        cpu_seconds, resident = own_process()
        yield counter("process_cpu_seconds", "Processor time of Llamero itself.", (), [(ALONE, cpu_seconds)])
        yield gauge("process_resident_memory_bytes", "Memory of Llamero itself.", (), [(ALONE, resident)])
        if self._hardware.latest is not None:
            yield from _hardware(self._hardware.latest)

    def _counted(self) -> Iterator[Metric]:
        counts = self._counts
        by_status = ("route", "dialect", "status")
        yield counter("llamero_requests", "Requests answered.", by_status, counts.requests.items())
        yield histogram("llamero_request_seconds", "Time to the end of an answer.", "route", counts.seconds)
        by_outcome = ("model", "outcome")
        yield counter("llamero_model_requests", "Requests to models.", by_outcome, counts.model_requests.items())
        yield histogram(
            "llamero_first_byte_seconds",
            "Time to the first byte of a model's answer, waiting and loading included.",
            "model",
            counts.first_byte,
        )
        yield counter("llamero_tokens", "Tokens, prompt or generated.", ("model", "kind"), counts.tokens.items())


def _servers(snapshot: ActorSnapshot) -> Iterator[Metric]:
    """How the engines stand. Their names are those of models of this machine."""
    phases = Counter(server.phase for server in snapshot.servers)
    by_phase = [((phase.value,), float(phases[phase])) for phase in ServerPhase]
    yield gauge("llamero_servers", "Engines by state.", ("state",), by_phase)
    yield gauge("llamero_queue_waiting", "Requests that wait for an engine.", (), [(ALONE, snapshot.waiting)])
    names = {server.model.alias: server for server in snapshot.servers}
    leases = [((name,), float(server.leases)) for name, server in names.items()]
    yield gauge("llamero_server_leases", "Requests that an engine answers now.", ("model",), leases)
    restarts = [((name,), float(server.restarts)) for name, server in names.items()]
    yield gauge("llamero_server_restarts", "Crashes that were healed, lately.", ("model",), restarts)
    loads = [((name,), float(server.generation)) for name, server in names.items()]
    yield counter("llamero_server_loads", "Processes started for a model.", ("model",), loads)


def _hardware(sample: HardwareMetrics) -> Iterator[Metric]:
    """The last sample. A sensor that is missing is left out."""
    yield gauge("llamero_hardware_sample_seconds", "When the hardware was read.", (), [(ALONE, sample.at)])
    yield gauge("llamero_cpu_percent", "Load of the processor.", (), [(ALONE, sample.cpu)])
    yield gauge("llamero_memory_used_bytes", "Memory in use.", (), [(ALONE, sample.ram_used)])
    yield gauge("llamero_memory_total_bytes", "Memory of the machine.", (), [(ALONE, sample.ram_total)])
    for name, text, readings in (
        ("llamero_gpu_percent", "Load of a GPU.", [gpu.utilization for gpu in sample.gpus]),
        ("llamero_gpu_memory_used_bytes", "GPU memory in use.", [gpu.memory_used for gpu in sample.gpus]),
        ("llamero_gpu_memory_total_bytes", "Memory of a GPU.", [gpu.memory_total for gpu in sample.gpus]),
        ("llamero_gpu_celsius", "Temperature of a GPU.", [gpu.temperature_c for gpu in sample.gpus]),
        ("llamero_gpu_watts", "Power that a GPU draws.", [gpu.power_w for gpu in sample.gpus]),
    ):
        named = [((str(gpu.index), gpu.name), value) for gpu, value in zip(sample.gpus, readings, strict=True)]
        yield gauge(name, text, ("gpu", "name"), named)


def counter(name: str, text: str, labels: Sequence[str], samples: Samples) -> Metric:
    """A number that only grows; its name gets the ending `_total`."""
    from prometheus_client.core import CounterMetricFamily

    family = CounterMetricFamily(name, text, labels=labels)
    for values, number in samples:
        if number is not None:
            family.add_metric(values, number)
    return family


def gauge(name: str, text: str, labels: Sequence[str], samples: Samples) -> Metric:
    """A number of this moment."""
    from prometheus_client.core import GaugeMetricFamily

    family = GaugeMetricFamily(name, text, labels=labels)
    for values, number in samples:
        if number is not None:
            family.add_metric(values, number)
    return family


def histogram(name: str, text: str, label: str, histograms: Mapping[str, Histogram]) -> Metric:
    """How long things took."""
    from prometheus_client.core import HistogramMetricFamily

    family = HistogramMetricFamily(name, text, labels=(label,))
    for value, counted in histograms.items():
        family.add_metric((value,), counted.buckets(), counted.sum)
    return family
