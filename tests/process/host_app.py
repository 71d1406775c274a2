"""A Llamero reduced to its spawner, run as a program of its own so that a test can kill it.

    python -m tests.process.host_app STATE DIRECTORY [COMMAND…]

Once it is in the state it prints one line of JSON (run, child, guardian) and stays there until it is killed.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from llamero.infrastructure.processes.spawner import ProcessSpawner


async def main(state: str, directory: Path, command: list[str]) -> None:
    spawner = ProcessSpawner(directory)
    spawner.start()
    listening = asyncio.Event()
    loop = asyncio.get_running_loop()

    def on_line(line: str) -> None:
        if "listening" in line:
            loop.call_soon_threadsafe(listening.set)

    def report(child: int | None = None) -> None:
        print(json.dumps({"run": spawner.run, "child": child, "guardian": spawner.guardian_pid}), flush=True)

    if state == "idle":
        report()
    elif state == "spawning":
        first = True
        while True:
            children = await asyncio.gather(*(spawner.spawn(command) for _ in range(4)))
            if first:
                report()
                first = False
            await asyncio.gather(*(child.stop(0) for child in children))
    else:
        child = await spawner.spawn(command, on_line=on_line)
        if state != "starting":
            await listening.wait()
        if state == "stopped":
            await child.stop(0)
        if state == "stopping":
            stopping = asyncio.ensure_future(child.stop(60))
            await asyncio.sleep(0)
            report(child.pid)
            await stopping
        else:
            report(child.pid)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:]))
