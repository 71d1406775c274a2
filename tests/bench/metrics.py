"""What looking at the hardware costs: a sample, the share of a core, the disk that a day takes, the time to draw it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from msgspec.structs import replace
from playwright.async_api import Page, async_playwright, expect

from llamero.infrastructure.clock import SystemClock
from llamero.infrastructure.late_sampler import LateSampler
from llamero.infrastructure.storage.database import Database
from llamero.infrastructure.storage.metrics_history import MetricsHistoryStore
from llamero.models.metrics import GpuMetrics
from llamero.models.metrics_history import HistoryRange
from llamero.models.settings import MetricsSettings
from llamero.services.history.service import HistoryService
from llamero.services.llama.activity import Activity
from llamero.services.metrics import MetricsService
from tests.bench.measures import Figure, at_most
from tests.bench.rigs import REPOSITORY, gateway
from tests.fakes.clock import FakeClock
from tests.fakes.fake_bridge.measurements import GB, measured
from tests.fakes.fake_bridge.scenarios import SCENARIOS
from tests.fakes.fake_bridge.server import FakeBridge
from tests.fakes.nvml_library import build_fake_nvml
from tests.ui.conftest import CHROMIUM, FLAGS

IDLE_S = 30.0
DAY_S = 86_400
# Prints the CPU milliseconds of each of a hundred samples, the process itself measured as a server would be.
SAMPLES = """
import os, time
from llamero.infrastructure.clock import SystemClock
from llamero.infrastructure.metrics import HardwareSampler
sampler = HardwareSampler(SystemClock())
for number in range(110):
    time.sleep(0.06)
    begin = time.process_time()
    sampler.sample()
    sampler.processes([os.getpid()])
    if number >= 10:
        print((time.process_time() - begin) * 1000)
"""


def sample_costs(variables: dict[str, str]) -> list[float]:
    """CPU milliseconds of a hundred samples in a process of its own with these variables, in order of size."""
    environment = {**os.environ, **variables}
    done = subprocess.run(
        [sys.executable, "-c", SAMPLES], env=environment, cwd=REPOSITORY, check=True, capture_output=True, text=True
    )
    return sorted(map(float, done.stdout.split()))


async def idle_sample_s(samples: int = 60) -> float:
    """CPU seconds of one sample with all that follows it: the cadence, its thread, the history and its writing."""
    with tempfile.TemporaryDirectory() as directory:
        clock = SystemClock()
        database = await Database.open(Path(directory, "llamero.db"))
        activity = Activity(clock)
        history = HistoryService(MetricsHistoryStore(database), clock, activity)
        service = MetricsService(
            LateSampler(clock),
            settings=MetricsSettings(idle_interval_s=0.25, active_interval_s=0.25),
            clock=clock,
            activity=activity,
            record=history.record,
        )
        await service.start()
        await asyncio.sleep(2)
        begin = time.process_time()
        await asyncio.sleep(samples * 0.25)
        used = time.process_time() - begin
        await service.stop()
        await history.close()
        await database.close()
    return used / samples


def day_on_disk(gpus: int, servers: int) -> tuple[int, float]:
    """Bytes that a day of samples every 30 s takes in a database that had nothing, and the seconds to read it back."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "llamero.db")
        asyncio.run(_close(path))
        before = path.stat().st_size
        read_s = asyncio.run(_live_a_day(path, gpus, servers))
        return path.stat().st_size - before, read_s


async def _close(path: Path) -> None:
    await (await Database.open(path)).close()


async def _live_a_day(path: Path, gpus: int, servers: int) -> float:
    clock = FakeClock()
    database = await Database.open(path)
    history = HistoryService(MetricsHistoryStore(database), clock, Activity(clock))
    devices = tuple(
        GpuMetrics(
            index=index, name="GPU", source="nvml", utilization=1, memory_used=GB, memory_total=24 * GB,
            temperature_c=50, power_w=100,
        )
        for index in range(gpus)
    )  # fmt: skip
    aliases = tuple([f"A-model-with-a-name-{number}" for number in range(servers)])
    for number in range(DAY_S // 30):
        clock.advance(30)
        sample = measured(clock.wall, devices, aliases)
        history.record(replace(sample, hardware=replace(sample.hardware, monotonic=clock.now)))
        if number % 10 == 0:
            await history.history(HistoryRange.FIVE_MINUTES)
    begin = time.monotonic()
    await history.history(HistoryRange.DAY)
    read_s = time.monotonic() - begin
    await history.close()
    await database.close()
    return read_s


async def open_charts(page: Page, url: str) -> None:
    """Open the view and wait for its charts."""
    await page.goto(url)
    await page.get_by_title("Open the metrics").click()
    await expect(page.locator("[data-plot=cpu] canvas")).to_be_visible()


async def draw_ms(height: int, rounds: int = 15) -> tuple[float, float]:
    """Milliseconds to draw a day in all charts that the screen has room for, and of the main thread to show it.

    The latter is all that it takes from the click on: to ask, to read, to lay out, to draw, to hand the picture on.
    """
    fake = FakeBridge(SCENARIOS["measuring"]())
    await fake.start()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, "--disable-gpu"])
        page = await browser.new_page(viewport={"width": 1280, "height": height})
        devtools = await page.context.new_cdp_session(page)
        await devtools.send("Performance.enable")
        await open_charts(page, fake.url)

        async def busy_s() -> float:
            metrics = (await devtools.send("Performance.getMetrics"))["metrics"]
            return float(next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration"))

        await page.wait_for_timeout(1500)
        # Playwright's own click looks through the whole page, which is no work of ours.
        choice = await page.get_by_text("24 h", exact=True).element_handle()
        begin = await busy_s()
        await page.evaluate("(choice) => choice.click()", choice)
        await page.wait_for_timeout(700)
        opened = await busy_s() - begin
        if await page.evaluate("document.querySelector('[data-plot=cpu]').chart.data[0].length") < 1200:
            raise SystemExit("the day was not opened")
        times: list[float] = await page.evaluate(
            """async (rounds) => {
              const charts = [...document.querySelectorAll('.metrics-plot')].flatMap(({ chart }) => chart ?? []);
              const times = [];
              for (let round = 0; round < rounds; round++) {
                await new Promise((next) => setTimeout(next, 50));
                const begin = performance.now();
                for (const chart of charts) chart.setData(chart.data);
                await null;  // uPlot draws in a microtask
                times.push(performance.now() - begin);
              }
              return times.sort((a, b) => a - b);
            }""",
            rounds,
        )
        await browser.close()
    await fake.stop()
    return times[len(times) // 2], opened * 1000


async def view_share(page_url: str, cpu_s: Callable[[], float], seconds: float = 20.0) -> float:
    """Percent of a core that Llamero takes while a browser shows the view."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = await browser.new_page()
        await open_charts(page, page_url)
        await page.wait_for_timeout(3000)
        begin = cpu_s()
        await page.wait_for_timeout(seconds * 1000)
        used = cpu_s() - begin
        await browser.close()
    return used / seconds * 100


def metrics() -> Iterator[Figure]:
    """Sensors through the fake NVML, a day of eight GPUs and three servers, the page in Chromium."""
    with tempfile.TemporaryDirectory() as directory:
        library = build_fake_nvml(Path(directory))
        for gpus in (0, 1, 8):
            costs = sample_costs({"LD_LIBRARY_PATH": str(library), "FAKE_NVML_GPUS": str(gpus)})
            yield at_most(f"metrics: one sample with {gpus} GPUs, CPU p95", costs[94], 3, "ms")
    share = asyncio.run(idle_sample_s()) / IDLE_S * 100
    yield at_most("metrics: nobody looks, of a core", share, 0.02, "%")
    size, read_s = day_on_disk(gpus=8, servers=3)
    yield at_most("metrics: a day on disk, 8 GPUs and 3 servers", size / 1e6, 5, "MB")
    yield Figure("metrics: a day read back", read_s * 1000, "ms", "", True)
    drawn, _ = asyncio.run(draw_ms(height=3000))
    yield at_most("metrics: a day drawn in every chart", drawn, 50, "ms")
    _, opened = asyncio.run(draw_ms(height=800))
    yield at_most("metrics: a day opened at 1280 × 800, main thread", opened, 50, "ms")
    with gateway("", "--ui") as llamero:
        share = asyncio.run(view_share(llamero.page_url, llamero.cpu_s))
    yield at_most("metrics: view open, of a core", share, 0.5, "%")
