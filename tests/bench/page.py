"""A long answer in the page: main thread and worst frame in Chromium, beside llama.cpp's own page in the same run.

Both get the same markdown document at the same rate. Ours comes through the real backend, as users have it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from playwright.async_api import async_playwright

from tests.bench.measures import Figure, at_most
from tests.bench.rigs import DEMO, EMBEDDED, free_port, gateway, poll_health
from tests.ui.bench_stream import document, measure
from tests.ui.conftest import CHROMIUM, FLAGS

ENGINE = Path(__file__).with_name("document_engine.py")
RATE = 2000


@contextlib.contextmanager
def _llama_cpp_page() -> Iterator[str]:
    """llama.cpp's own page, from the engine that is part of the package, answering by the document."""
    real, peer = free_port(), free_port()
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    engine = subprocess.Popen([*EMBEDDED, "--model", str(DEMO), "--port", str(real)], **quiet)
    environment = {**os.environ, "UPSTREAM": f"http://127.0.0.1:{real}"}
    proxy = subprocess.Popen([sys.executable, str(ENGINE), "--port", str(peer)], env=environment, **quiet)
    try:
        poll_health(f"127.0.0.1:{real}", 0.05)
        poll_health(f"127.0.0.1:{peer}", 0.05)
        yield f"http://127.0.0.1:{peer}/"
    finally:
        for process in (proxy, engine):
            process.kill()
            process.wait()


async def _ask(url: str, field: str) -> dict[str, float]:
    """Ask once in a fresh browser."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, "--disable-gpu"])
        try:
            return await measure(browser, url, field, "timeTicks")
        finally:
            await browser.close()


def page(rounds: int = 3) -> Iterator[Figure]:
    """64 KB of markdown at 2,000 tokens per second, each time in a conversation of its own."""
    results: dict[str, list[dict[str, float]]] = {"llamero": [], "llama.cpp": []}
    with tempfile.TemporaryDirectory() as directory:
        text = Path(directory, "document.md")
        text.write_text(document(64))
        os.environ |= {"DOCUMENT": str(text), "RATE": str(RATE)}
        program = Path(directory, "llama-server")
        program.write_text(f'#!/bin/sh\nexec {sys.executable} {ENGINE} "$@"\n')
        program.chmod(0o755)
        with _llama_cpp_page() as peer:
            for _ in range(rounds):
                with gateway(f'[engine]\npath = "{program}"\n', "--ui") as llamero:
                    results["llamero"].append(asyncio.run(_ask(llamero.page_url, "#composer")))
                results["llama.cpp"].append(asyncio.run(_ask(peer, "textarea")))

    def median(name: str, value: str) -> float:
        return statistics.median(result[value] for result in results[name])

    yield at_most("page, 64 KB answer: main thread", median("llamero", "main_thread_s"), 2.5, "s")
    yield at_most("page, 64 KB answer: worst frame", median("llamero", "worst_frame_ms"), 60, "ms")
    yield Figure("llama.cpp's page: main thread", median("llama.cpp", "main_thread_s"), "s", "", True)
    yield Figure("llama.cpp's page: worst frame", median("llama.cpp", "worst_frame_ms"), "ms", "", True)
