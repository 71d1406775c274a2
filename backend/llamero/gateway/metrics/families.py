"""Families of samples in the form of Prometheus's library, which is imported with the first scrape.

A sample that is None is left out: a sensor that is missing is not 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from llamero.gateway.metrics.counts import Histogram

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

Samples = Iterable[tuple[Sequence[str], float | None]]
ALONE: tuple[str, ...] = ()


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
