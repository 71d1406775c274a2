"""The hardware's past: what is measured by which name and unit, and its rows as they are kept, asked for and drawn.

A value is named by its quantity and, where there are several of a kind, by whom it belongs to: `cpu.load`,
`cpu.core/3`, `gpu.power/0`, `server.memory/Qwen3-4B`. A value that is missing is NaN in a table and null in an answer.
"""

from __future__ import annotations

from array import array
from enum import StrEnum

import msgspec


class Quantity(msgspec.Struct, frozen=True):
    """One kind of value. `digits`: how exact it is worth telling; `peaks`: the highest is kept beside means."""

    unit: str
    digits: int = 1
    peaks: bool = False


QUANTITIES: dict[str, Quantity] = {
    "cpu.load": Quantity("percent", peaks=True),
    "cpu.core": Quantity("percent"),
    "ram.used": Quantity("bytes", 0),
    "gpu.load": Quantity("percent", peaks=True),
    "gpu.memory": Quantity("bytes", 0, peaks=True),
    "gpu.temperature": Quantity("celsius", peaks=True),
    "gpu.power": Quantity("watts", peaks=True),
    "server.cpu": Quantity("percent"),
    "server.memory": Quantity("bytes", 0),
    "server.gpu_memory": Quantity("bytes", 0),
    "server.generation_speed": Quantity("tokens_per_second", peaks=True),
    "server.prompt_speed": Quantity("tokens_per_second"),
    "server.first_token": Quantity("seconds", 3, peaks=True),
    "server.context": Quantity("tokens", 0, peaks=True),
    "server.context_limit": Quantity("tokens", 0),
    "server.slots": Quantity("count", peaks=True),
    "server.slot_limit": Quantity("count", 0),
    "server.requests": Quantity("count"),
    "server.waiting": Quantity("count"),
    "requests.running": Quantity("count", peaks=True),
    "requests.waiting": Quantity("count", peaks=True),
}

# Behind the name of a column that holds the highest value of each row rather than the mean.
PEAK = "^"


class HistoryRange(StrEnum):
    """How far back a view looks."""

    FIVE_MINUTES = "5m"
    HOUR = "1h"
    DAY = "24h"


class Generation(msgspec.Struct, frozen=True, kw_only=True):
    """One request to a model of this machine, from when it was asked to its end; seconds since the epoch."""

    alias: str
    start: float
    end: float


class HistoryTable(msgspec.Struct, frozen=True):
    """Rows in the order in which they were lived: when, and a column for each value. All columns are equally long."""

    times: array[float]
    columns: dict[str, array[float]]


class MetricsSeries(msgspec.Struct, frozen=True, kw_only=True):
    """One value over time, null where it is not known. `peaks` are the highest of each row, where rows are means."""

    quantity: str
    unit: str
    subject: str | None = None
    values: tuple[float | None, ...]
    peaks: tuple[float | None, ...] | None = None


class MetricsHistory(msgspec.Struct, frozen=True, kw_only=True):
    """The past of a range: rows of about `resolution_s` seconds, a row of nulls where nothing was measured for long.

    `times` only grow. `start` and `end` are the range itself, seconds since the epoch like the times.
    """

    range: HistoryRange
    resolution_s: float
    start: float
    end: float
    times: tuple[float, ...]
    series: tuple[MetricsSeries, ...]
    generations: tuple[Generation, ...]


class MetricsExport(msgspec.Struct, frozen=True, kw_only=True):
    """The past of a range as comma-separated values, with a name for the file."""

    file_name: str
    content: str
