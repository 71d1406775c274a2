"""What a page can do about benches: begin one, stop it, look at those that were, and hear how one goes."""

from __future__ import annotations

from pathlib import Path

from llamero.models.bench import BenchFrame, BenchProgress
from tests.bridge.harness import running_bridge


async def test_bench_that_is_begun_is_told_with_those_that_were(tmp_path: Path) -> None:
    async with running_bridge(tmp_path) as bridge:
        assert (await bridge.call("start_bench", {"model": "m", "quick": True})).status == 200
        listed = (await bridge.call("list_bench_runs")).json()
        assert (listed["now"]["progress"]["model"], listed["runs"]) == ("m", [])
        assert (await bridge.call("stop_bench")).status == 200


async def test_bench_that_is_not_kept_is_not_found(tmp_path: Path) -> None:
    async with running_bridge(tmp_path) as bridge:
        response = await bridge.call("get_bench_run", {"id": 7, "against": 3})
        assert (response.status, response.json()["data"]["reason"]) == (404, "bench_error-not_found")


async def test_bench_tells_every_window_how_it_goes(tmp_path: Path) -> None:
    async with running_bridge(tmp_path) as bridge, bridge.page() as page:
        await page.frame()
        frame = BenchFrame(progress=BenchProgress(model="m", done=1, planned=7))
        bridge.hub.event("bench", frame)
        told = await page.frame()
        assert (told["ev"], told["d"]["progress"]["done"], told["d"]["run"]) == ("bench", 1, None)
