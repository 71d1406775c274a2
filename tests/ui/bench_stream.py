"""What a long answer costs the page: main thread, worst frame, bytes fetched; and what llama.cpp's own page costs.

    python -m tests.ui.bench_stream [--kb 64] [--rate 2000] [--url URL ...]

Ours is measured on the fake bridge, which streams a deterministic markdown document in pieces of four characters.
`--url` names further pages with a text area that answer by the same document (see `paced_engine.py` in tests/bench).
Times in seconds and milliseconds of Chromium's own counters; the last line is JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import time

from playwright.async_api import Browser, CDPSession, async_playwright

from tests.fakes.fake_bridge.scenarios import busy
from tests.fakes.fake_bridge.server import FakeBridge
from tests.ui.conftest import CHROMIUM, FLAGS

MARKER = "THE-END-MARK"
TEXT = """the model server window token stream cache layer attention memory process actor gateway metrics chart llama
mountain path carries water stone bridge evening market wool careful quiet steady"""
WORDS = TEXT.split()
FRAMES = """() => {
  window.frames_ms = [];
  let last = performance.now();
  const tick = (now) => { window.frames_ms.push(now - last); last = now; requestAnimationFrame(tick); };
  requestAnimationFrame(tick);
}"""


def document(kilobytes: int, seed: int = 7) -> str:
    """Write prose, lists, code, tables, quotes and math until it is long enough; it ends with the marker."""
    rng = random.Random(seed)

    def sentence(words: int) -> str:
        return " ".join(rng.choice(WORDS) for _ in range(words)).capitalize() + "."

    parts: list[str] = []
    while sum(map(len, parts)) < kilobytes * 1024:
        parts.append(f"## {sentence(4)}\n\n" + " ".join(sentence(rng.randint(8, 18)) for _ in range(4)) + "\n\n")
        parts.append("\n".join(f"- **{rng.choice(WORDS)}** {sentence(9)} `{rng.choice(WORDS)}()`" for _ in range(5)))
        code = (
            f"def {rng.choice(WORDS)}_{i}(x: int) -> str:\n    return f'{{x}} {i}'  # {sentence(5)}" for i in range(6)
        )
        parts.append("\n\n```python\n" + "\n".join(code) + "\n```\n\n")
        rows = (f"| {rng.choice(WORDS)} | {rng.randint(1, 999)} | {sentence(6)} |" for _ in range(6))
        parts.append("| name | value | note |\n|---|---:|---|\n" + "\n".join(rows) + "\n\n")
        parts.append(
            f"1. {sentence(8)}\n2. {sentence(8)}\n\n> {sentence(14)}\n\nInline math $a^2+b^2=c^2$ and text.\n\n"
        )
    return "".join(parts) + f"\n{MARKER}"


async def counters(session: CDPSession) -> dict[str, float]:
    metrics = await session.send("Performance.getMetrics")
    return {metric["name"]: metric["value"] for metric in metrics["metrics"]}


async def measure(browser: Browser, url: str, field: str, clock: str) -> dict[str, float]:
    """Ask one question on the page and measure until the marker is there and a second has passed."""
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    page = await context.new_page()
    await page.goto(url)
    await page.wait_for_selector(field, timeout=30_000)
    await asyncio.sleep(1)
    session = await context.new_cdp_session(page)
    await session.send("Performance.enable", {"timeDomain": clock})
    await page.evaluate(FRAMES)
    before = await counters(session)
    await page.fill(field, "Write")
    await page.press(field, "Enter")
    started = time.perf_counter()
    # Looked for rarely and by text alone: a locator's own polling asks for layout in every frame.
    while not await page.evaluate("(marker) => document.body.textContent.includes(marker)", MARKER):
        if time.perf_counter() - started > 180:
            raise TimeoutError(f"{url} never showed the end of the answer")
        await asyncio.sleep(0.2)
    wall = time.perf_counter() - started
    await asyncio.sleep(1)
    after = await counters(session)
    frames = sorted(await page.evaluate("() => window.frames_ms"))
    await context.close()
    return {
        "wall_s": round(wall, 2),
        "main_thread_s": round(after["TaskDuration"] - before["TaskDuration"], 2),
        "script_s": round(after["ScriptDuration"] - before["ScriptDuration"], 2),
        "layout_s": round(after["LayoutDuration"] - before["LayoutDuration"], 2),
        "style_s": round(after["RecalcStyleDuration"] - before["RecalcStyleDuration"], 2),
        "worst_frame_ms": round(frames[-1]),
        "p99_frame_ms": round(frames[int(len(frames) * 0.99) - 1]),
        "heap_mb": round(after["JSHeapUsedSize"] / 1e6, 1),
    }


async def run(kilobytes: int, rate: float, chars: int, urls: list[str], clock: str) -> dict[str, dict[str, float]]:
    fake = FakeBridge(busy(), rate=rate * 4 / chars)
    fake.world.piece = chars
    fake.world.answer = document(kilobytes)
    await fake.start()
    results = {}
    try:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, "--disable-gpu"])
            for name, url in [("llamero", fake.url), *((url, url) for url in urls)]:
                field = "#composer" if name == "llamero" else "textarea"
                results[name] = await measure(browser, url, field, clock)
                print(f"{name}: {results[name]}", flush=True)
            await browser.close()
    finally:
        await fake.stop()
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what a streamed answer costs the page.")
    parser.add_argument("--kb", type=int, default=64)
    parser.add_argument("--rate", type=float, default=2000, help="tokens of 4 characters per second")
    parser.add_argument("--chars", type=int, default=4, help="characters per frame of the bridge: more where it merges")
    parser.add_argument("--url", action="append", default=[])
    parser.add_argument("--cpu", action="store_true", help="count processor time: steadier on a machine that is shared")
    options = parser.parse_args()
    print(
        json.dumps(
            asyncio.run(
                run(options.kb, options.rate, options.chars, options.url, "threadTicks" if options.cpu else "timeTicks")
            )
        )
    )


if __name__ == "__main__":
    main()
