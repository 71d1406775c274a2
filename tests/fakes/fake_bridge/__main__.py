"""Serve until interrupted; prints the address with its key."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
from pathlib import Path

from tests.fakes.fake_bridge.scenarios import SCENARIOS
from tests.fakes.fake_bridge.server import FakeBridge


async def serve(options: argparse.Namespace) -> None:
    fake = FakeBridge(SCENARIOS[options.scenario](), rate=options.rate)
    if options.document:
        fake.world.answer = options.document.read_text(encoding="utf-8")
    await fake.start(options.port)
    print(fake.url, flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        await fake.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description="Serve the page with scripted data.")
    parser.add_argument("--scenario", choices=SCENARIOS, default="busy")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--document", type=Path, help="what every answer says")
    parser.add_argument("--rate", type=float, default=60, help="pieces of 4 characters per second")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(parser.parse_args()))


main()
