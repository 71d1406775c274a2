"""A client that stays: for each number on stdin it reads a stream of so many tokens, and then writes a line.

usage: python -m tests.bench.steady_client HOST:PORT
"""

from __future__ import annotations

import asyncio
import sys

from tests.bench.stream_client import stream


async def main(address: str) -> None:
    for line in sys.stdin:
        await stream(address, int(line), "demo", "bench-key", [])
        print("done", flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
