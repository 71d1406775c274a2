"""What this process itself has used."""

from __future__ import annotations


def own_process() -> tuple[float, int]:
    """Return seconds of processor time since the start, and resident bytes. Some 50 microseconds."""
    import psutil  # a good part of the start, and nobody asks before something runs

    process = psutil.Process()
    with process.oneshot():
        times = process.cpu_times()
        return times.user + times.system, process.memory_info().rss
