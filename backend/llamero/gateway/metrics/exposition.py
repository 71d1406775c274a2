"""Writes what was counted, and how things stand now, in Prometheus's text format.

The library is imported with the first scrape, so that it costs no start. A scrape reads what is known already: it never
asks a sensor or an engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from llamero import __version__
from llamero.gateway.metrics.counts import Counts
from llamero.gateway.metrics.families import ALONE, counter, gauge, histogram
from llamero.gateway.metrics.machine import activity_families, hardware_families, process_families, server_families
from llamero.gateway.protocols import Hardware, Servers
from llamero.infrastructure.own_process import own_process

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from prometheus_client.metrics_core import Metric


class Exposition:
    """One gateway's metrics, in a registry of its own."""

    def __init__(self, counts: Counts, servers: Servers, hardware: Hardware, streams: Callable[[], int]) -> None:
        self._counts = counts
        self._servers = servers
        self._hardware = hardware
        self._streams = streams
        self._loads = 0
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
        yield from self._requests()
        yield from self._models()
        servers = self._servers.status()
        yield from server_families(servers)
        # Generations grow with every process of whatever model, but an engine that is forgotten takes its own along.
        self._loads = max([self._loads, *(server.generation for server in servers.servers)])
        yield counter("llamero_server_loads", "Processes started for models.", (), [(ALONE, self._loads)])
        readings = self._hardware.latest_readings
        yield from process_families(servers, readings.processes)
        yield from activity_families(servers, readings)
        cpu_seconds, resident = own_process()
        yield counter("process_cpu_seconds", "Processor time of Llamero itself.", (), [(ALONE, cpu_seconds)])
        yield gauge("process_resident_memory_bytes", "Memory of Llamero itself.", (), [(ALONE, resident)])
        if self._hardware.latest is not None:
            yield from hardware_families(self._hardware.latest)

    def _requests(self) -> Iterator[Metric]:
        counts = self._counts
        by_status = ("route", "dialect", "status")
        yield counter("llamero_requests", "Requests answered.", by_status, counts.requests.items())
        yield histogram("llamero_request_seconds", "Time to the end of an answer.", "route", counts.seconds)
        errors = [((code,), number) for code, number in counts.errors.items()]
        yield counter("llamero_errors", "Requests refused or failed before their answer began.", ("code",), errors)
        streams = [(ALONE, self._streams())]
        yield gauge("llamero_streams", "Requests that occupy an engine or wait for one.", (), streams)

    def _models(self) -> Iterator[Metric]:
        counts, by_kind = self._counts, ("model", "kind")
        outcomes = counts.model_requests.items()
        yield counter("llamero_model_requests", "Requests to models.", ("model", "outcome"), outcomes)
        yield histogram(
            "llamero_first_token_seconds",
            "Time to the first token of a stream that has ended, waiting and loading included.",
            "model",
            counts.first_token,
        )
        yield counter("llamero_tokens", "Tokens, prompt or generated.", by_kind, counts.tokens.items())
        yield counter("llamero_engine_tokens", "Tokens that an engine timed.", by_kind, counts.engine_tokens.items())
        yield counter(
            "llamero_engine_seconds",
            "How long they took by the engine's own clock, which runs for each stream.",
            by_kind,
            counts.engine_seconds.items(),
        )
        recoveries = counts.recoveries.items()
        yield counter("llamero_recoveries", "Answers that another engine took over.", ("model", "way"), recoveries)
