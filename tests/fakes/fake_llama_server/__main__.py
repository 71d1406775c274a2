"""The life of the fake: read the options, load, serve, end on SIGTERM or SIGINT with exit code 0."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

if __package__ in (None, ""):
    sys.path[0] = str(Path(__file__).resolve().parents[3])

from tests.fakes.fake_llama_server import startup, wire
from tests.fakes.fake_llama_server.help_text import DEVICES, HELP, VERSION
from tests.fakes.fake_llama_server.journal import Journal
from tests.fakes.fake_llama_server.options import BadArgument, BadSwitch, Options, read_options
from tests.fakes.fake_llama_server.routes import Routes


async def live(options: Options, journal: Journal) -> int:
    """Serve until asked to end; returns the exit code."""
    switches = options.switches
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()

    def asked() -> None:
        journal.write("asked-to-end")
        if not switches.ignore_sigterm:
            ended.set()

    loop.add_signal_handler(signal.SIGTERM, asked)
    loop.add_signal_handler(signal.SIGINT, asked)
    routes = Routes(options, journal)
    try:
        if switches.port_stolen:
            raise OSError
        server, port = await wire.serve(options.host, options.port, routes.handle)
    except OSError:
        where = f"hostname: {options.host}, port: {options.port}"
        startup.log(switches, f"srv         start: couldn't bind HTTP server socket, {where}")
        startup.log(switches, "srv  llama_server: exiting due to HTTP server error")
        return 1
    startup.log(switches, f"srv          load_model: loading model '{options.model}'")
    if switches.announces_early:
        startup.log(switches, f"main: HTTP server is listening, hostname: {options.host}, port: {port}")
    startup.start_output(switches)
    loading = asyncio.ensure_future(load(options, routes, journal, port))
    await ended.wait()
    loading.cancel()
    server.close()
    await asyncio.sleep(switches.exit_delay_s)
    journal.write("exits")
    return switches.exit_code


async def load(options: Options, routes: Routes, journal: Journal, port: int) -> None:
    """Pretend to load, then become ready, or whatever this life is meant to do instead."""
    switches = options.switches
    journal.write("loading", port=port)
    await asyncio.sleep(switches.load_seconds)
    try:
        startup.exit_while_loading(switches)
    except SystemExit as exit_now:
        os._exit(int(exit_now.code or 0))
    if switches.never_ready:
        return
    routes.ready = True
    startup.log(switches, "srv          init: model loaded")
    startup.log(switches, f"main: server is listening on http://{options.host}:{port} - starting the main loop")
    journal.write("ready", port=port)
    if switches.stop_itself:
        os.kill(os.getpid(), signal.SIGSTOP)
    if switches.die_after_s is not None:
        await asyncio.sleep(switches.die_after_s)
        os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    """Run the fake with the process's own argv. Ends with `os._exit`: nothing may delay the exit but the switches."""
    try:
        options = read_options(sys.argv[1:])
    except BadArgument as problem:
        os.write(2, f"error: invalid argument: {problem}\n".encode())
        os._exit(1)
    except BadSwitch as problem:
        os.write(2, f"fake llama-server: no such switch: {problem}\n".encode())
        os._exit(2)
    if options.help or options.version or options.list_devices:
        sys.stdout.write(HELP if options.help else VERSION if options.version else DEVICES)
        sys.stdout.flush()
        os._exit(0)
    signal.alarm(options.switches.lifetime_s)
    journal = Journal(options.control, options.life)
    journal.write(
        "started", argv=sys.argv[1:], has_key=bool(options.api_key), parent=os.environ.get("LLAMERO_PARENT_PID", "")
    )
    startup.fork_descendants(options.switches, journal)
    startup.wait_for_the_word(journal)
    os._exit(asyncio.run(live(options, journal)))


if __name__ == "__main__":
    main()
