"""`llamero serve`: the gateway for other programs, until asked to end.

stdout gets the gateway's address when it is ready: with `--model`, when the model is. Until then the gateway listens
already and holds requests. With `--ui` a second line has the page's address, whose key lets in whoever has it. Asked to
end, in whatever state, it stops listening, ends streams with a word, stops every engine and leaves with 0.
"""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from llamero.application import Application, running
from llamero.commands.control import open_control
from llamero.commands.gateway import open_gateway
from llamero.commands.options import Ground, Options, prepare
from llamero.commands.signals import asked_to_end
from llamero.infrastructure.api_keys import read_api_key
from llamero.infrastructure.event_loop import have_threads_give_way, new_event_loop
from llamero.infrastructure.memory import look_for_garbage_rarely
from llamero.infrastructure.messages import default_messages
from llamero.models.errors import IoFailed
from llamero.models.settings import Source

if TYPE_CHECKING:
    from llamero.models.access import GatewayState
    from llamero.services.inspection.inspector import Inspector


def serve(options: Options) -> int:
    """Serve until asked to end. Raises LlameroError when it cannot begin."""
    look_for_garbage_rarely()
    have_threads_give_way()
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(_until_asked(options))


async def _until_asked(options: Options) -> int:
    serving = asyncio.ensure_future(_serve(options))
    with asked_to_end(serving.cancel):
        await asyncio.wait({serving})
        return 0 if serving.cancelled() else serving.result()


async def _serve(options: Options) -> int:
    given = {
        "gateway.host": options.host,
        "gateway.port": options.port,
        "gateway.ollama_port": options.ollama_port,
    }
    ground = prepare(options, given, console_level="warning")
    sources = ground.resolved.sources
    if options.host is not None and sources["gateway.host"] is not Source.COMMAND_LINE:
        raise IoFailed("port_error-not_local", host=options.host)
    key = read_api_key(options.api_key_file, os.environ)
    async with running(ground.paths, ground.resolved) as app, AsyncExitStack() as stack:
        inspector = _open_inspector(app, stack) if options.ui else None
        gateway = await open_gateway(app, ground, key, stack, inspector)
        page_url = "" if inspector is None else await _open_page(app, ground, gateway, inspector, stack)
        await open_control(app, stack)
        if options.model is not None:
            await _load(app, options.model)
        sys.stdout.write("".join(f"{address}\n" for address in (gateway.url, page_url) if address))
        sys.stdout.flush()
        await app.metrics.start()
        await asyncio.Event().wait()
    return 0


def _open_inspector(app: Application, stack: AsyncExitStack) -> Inspector:
    from llamero.commands.inspector import open_inspector  # nor this

    return open_inspector(app, stack)


async def _open_page(
    app: Application, ground: Ground, gateway: GatewayState, inspector: Inspector, stack: AsyncExitStack
) -> str:
    from llamero.bridge.origin import open_origin
    from llamero.commands.front import open_front  # not paid for without --ui
    from llamero.commands.page import open_page
    from llamero.services.settings import SettingsService

    settings = SettingsService(ground.store, ground.resolved, default_messages())
    front = await open_front(open_origin(), stack)
    page = await open_page(app, stack, front, inspector, settings, gateway=lambda: gateway)
    page.put_behind(front)
    return front.origin.url


async def _load(app: Application, file: Path) -> None:
    await app.llama.start(app.catalog.add_file(file))
