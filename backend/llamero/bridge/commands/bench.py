"""Commands about how fast models are. What each raises is said at `BenchService`."""

from __future__ import annotations

from llamero.bridge.context import Context
from llamero.bridge.registry import command
from llamero.models.bench import BenchReport
from llamero.models.bridge.bench import BenchRef, BenchRuns, StartBench


@command("start_bench")
async def start_bench(context: Context, arguments: StartBench) -> None:
    """Begin to measure a model; how it goes comes as events. Raises Conflict while one is measured."""
    context.services.bench.begin(arguments.model, quick=arguments.quick)


@command("stop_bench")
async def stop_bench(context: Context) -> None:
    """End the run under way, if there is one; what was measured is kept."""
    await context.services.bench.stop()


@command("list_bench_runs")
async def list_bench_runs(context: Context) -> BenchRuns:
    """What is measured now, and what was measured."""
    bench = context.services.bench
    return BenchRuns(now=bench.now, runs=await bench.listed())


@command("get_bench_run")
async def get_bench_run(context: Context, arguments: BenchRef) -> BenchReport:
    """One run, compared with another. Raises NotFound."""
    return await context.services.bench.report(arguments.id, arguments.against)
