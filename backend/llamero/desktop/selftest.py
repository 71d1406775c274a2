"""Open the window, wait until its page reports over the bridge, close it again: a check without eyes.

For machines that only build, and for toolkits that tests cannot drive. Prints one JSON object.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from llamero.desktop.core_life import StartCore, StopCore
from llamero.desktop.window import DesktopWindow
from llamero.models.desktop import WindowUnavailable

TIMEOUT_S = 60.0

PageReport = Callable[[], Awaitable[Mapping[str, Any]]]


def run_selftest(window: DesktopWindow, start_core: StartCore, stop_core: StopCore, page_report: PageReport) -> int:
    """Run the window until `page_report` returns what the page said; 0 when it did within `TIMEOUT_S` seconds."""
    begun = time.monotonic()
    result: dict[str, Any] = {
        "event": "selftest",
        "ok": False,
        "reason": "the window was closed before its page reported",
    }
    tasks: set[asyncio.Task[None]] = set()

    async def wait_for_page() -> None:
        try:
            report = dict(await asyncio.wait_for(_awaited(page_report), TIMEOUT_S))
        except TimeoutError:
            result["reason"] = f"the page did not report within {TIMEOUT_S:.0f} s"
        else:
            reported_at = time.monotonic()
            reported_s = round(reported_at - begun, 3)
            result.update(ok=True, reason="", page=report, reported_s=reported_s, reported_at=reported_at)
        # The page may report before the toolkit knows that it has loaded.
        await asyncio.to_thread(window.loaded.wait, 5)
        result.update(renderer=window.renderer, loaded=window.loaded.is_set())
        window.close()

    async def start() -> None:
        tasks.add(asyncio.get_running_loop().create_task(wait_for_page()))
        await start_core()

    outcome = window.run(start, stop_core)
    if isinstance(outcome, WindowUnavailable):
        result.update(reason=outcome.code, **outcome.arguments)
    sys.stdout.write(json.dumps(result) + "\n")
    sys.stdout.flush()
    return 0 if outcome == 0 and result["ok"] else 1


async def _awaited(page_report: PageReport) -> Mapping[str, Any]:
    return await page_report()
