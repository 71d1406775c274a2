"""`llamero`: the window, or the same page in a browser where there can be no window.

A second start hands its command line to the first, which comes forward. The gateway runs besides, so that other
programs find the models that the window shows. However it ends, everything ends with it.

What lives behind the window takes as long to import as the toolkit. So it is imported on the core's thread, while the
main thread imports the toolkit, starts its browser and opens the page's address, where nobody answers yet.
"""

from __future__ import annotations

import asyncio
import importlib
import os
from collections.abc import Coroutine
from contextlib import AsyncExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llamero.bridge.failed_core import failed_core
from llamero.bridge.origin import Origin, open_origin
from llamero.commands.desktop_life import DesktopLife, login_entry, tray_menu
from llamero.commands.options import Ground, Options, prepare
from llamero.commands.report import FAILED, say, sentence
from llamero.desktop.backends import choose_toolkit
from llamero.desktop.icon import window_icon
from llamero.desktop.options import WindowOptions, debugging_port
from llamero.desktop.single_instance import hand_over
from llamero.desktop.tray import TrayAction
from llamero.desktop.window import DesktopWindow
from llamero.infrastructure.api_keys import read_api_key
from llamero.infrastructure.event_loop import have_threads_give_way
from llamero.infrastructure.instance_record import Announcement
from llamero.infrastructure.links import LinkOpener
from llamero.infrastructure.memory import give_back_freed_memory, look_for_garbage_rarely
from llamero.infrastructure.messages import default_messages
from llamero.infrastructure.start_at_login import BACKGROUND
from llamero.models.desktop import Activate, Toolkit, WindowUnavailable
from llamero.models.errors import LlameroError
from llamero.models.notifications import Notification

if TYPE_CHECKING:
    from llamero.application import Application
    from llamero.bridge.front import Front
    from llamero.commands.page import Page
    from llamero.models.access import GatewayState

# The core may take this much longer to end than its engines may.
END_S = 2.0
GEOMETRY_FILE = "window.json"
NEW_CHAT = "--new-chat"


def open_app(options: Options) -> int:
    """Show the window until it is closed. Raises LlameroError when the app cannot begin."""
    look_for_garbage_rarely()
    have_threads_give_way()
    ground = prepare(options, {}, console_level="warning")
    if hand_over(ground.paths.run, _handed_over(options)):
        return 0
    toolkit = choose_toolkit()
    if isinstance(toolkit, Toolkit):
        with closing(open_origin()) as origin:
            outcome = _show(toolkit, origin, ground, options)
        if isinstance(outcome, int):
            return outcome
        toolkit = outcome
    if options.selftest:
        say(f"llamero: {_reason(toolkit)}")
        return 1
    say(f"llamero: {_reason(toolkit)} {default_messages().text('app-in_browser')}")
    options.ui = True
    from llamero.commands.serve import serve

    return serve(options)


def _show(toolkit: Toolkit, origin: Origin, ground: Ground, options: Options) -> int | WindowUnavailable:
    give_back_freed_memory()
    life = DesktopLife(ground.resolved.settings.desktop, login_entry(options.data_dir))
    core = Core(ground, origin, options, life)
    window = core.window = DesktopWindow(
        toolkit,
        WindowOptions(
            home=origin.window_url,
            geometry_file=ground.paths.data_dir / GEOMETRY_FILE,
            open_link=core.open_link,
            open_file=core.open_file,
            stop_timeout_s=ground.resolved.settings.engine.stop_grace_s + END_S,
            icon=window_icon(toolkit),
            debugging_port=debugging_port(),
            tray=None if options.selftest else tray_menu(default_messages()),
            act=core.act,
            stays=life.stays,
            start_hidden=options.background,
        ),
    )
    if options.selftest:
        from llamero.desktop.selftest import run_selftest

        return run_selftest(window, core.start, core.stop, core.page_report)
    outcome = window.run(core.start if options.background else core.start_or_say_why, core.stop)
    return FAILED if outcome == 0 and core.failed else outcome


def _handed_over(options: Options) -> list[str]:
    """What a second start tells the first: the file or the new chat that it opens, or that it only looks."""
    words = [] if options.model is None else ["--model", str(options.model.absolute())]
    words += [NEW_CHAT] if options.new_chat else []
    return [BACKGROUND] if options.background and not words else words


def _reason(unavailable: WindowUnavailable) -> str:
    return default_messages().text(unavailable.code, unavailable.arguments)


class Core:
    """All that lives behind the window, on the window's core loop."""

    def __init__(self, ground: Ground, origin: Origin, options: Options, life: DesktopLife) -> None:
        self.window: DesktopWindow | None = None
        self._ground = ground
        self._origin = origin
        self._model = options.model and options.model.absolute()
        self._new_chat = options.new_chat
        self._life = life
        self._app: Application | None = None
        self._stack = AsyncExitStack()
        self._page: Page | None = None
        self._page_there = asyncio.Event()
        self._gateway: GatewayState | None = None
        self._links = LinkOpener()
        self._doing: set[asyncio.Task[None]] = set()
        self._front: Front | None = None
        self.failed = False
        """Whether the window stayed only to say why there is nothing behind it."""

    async def start_or_say_why(self) -> None:
        """Start everything; what hinders that is said on the page, since whoever clicked an icon sees no terminal."""
        try:
            await self.start()
        except LlameroError as error:
            if self._front is None or self._page_there.is_set():
                raise
            self.failed = True
            say(f"llamero: {sentence(error)}")
            self._front.connect(failed_core(self._origin.tokens, sentence(error)))

    async def start(self) -> None:
        """Start everything: first what a page needs to load, then what it asks for. Raises LlameroError."""
        from llamero.commands.front import open_front

        ground, origin, stack = self._ground, self._origin, self._stack
        front = self._front = await open_front(origin, stack)
        await _import("llamero.commands.page")
        from llamero.application import running
        from llamero.commands.inspector import open_inspector
        from llamero.commands.page import open_page
        from llamero.services.long_work import LongWork
        from llamero.services.settings import SettingsService

        app = self._app = await stack.enter_async_context(running(ground.paths, ground.resolved))
        settings = SettingsService(ground.store, ground.resolved, default_messages())
        inspector = open_inspector(app, stack)
        page = self._page = await open_page(
            app,
            stack,
            front,
            inspector,
            settings,
            gateway=lambda: self._gateway,
            dialogs=self.window,
            activate=self._activate,
            long_work=LongWork(lambda: self._life.now, self._tell, default_messages()),
        )
        if self._model is not None:
            await self._choose(page, self._model)
        elif self._new_chat:
            await page.open_on_new_chat()
        page.put_behind(front)
        self._page_there.set()
        self._life.follow(settings)
        announcement = Announcement(ground.paths.run, port=origin.port, token=origin.second_start_token)
        announcement.publish()
        stack.callback(announcement.withdraw)
        await app.metrics.start()
        await _import("llamero.commands.gateway")
        from llamero.commands.control import open_control
        from llamero.commands.gateway import open_gateway

        await open_control(app, stack)
        try:
            self._gateway = await open_gateway(app, ground, read_api_key(None, os.environ), stack, inspector)
        except LlameroError as error:  # a port that is taken, say: no reason to keep a person from their chats
            self._tell_page(page, error)

    async def stop(self) -> None:
        """End everything in order."""
        await self._stack.aclose()

    def open_link(self, url: str) -> None:
        """Open a link that was clicked in the window, if it may be. On the core's loop."""
        self._begin(self._open(url))

    def open_file(self, file: Path) -> None:
        """Come forward with a model file that the system asks to be opened. On the core's loop."""
        if self._page is None:  # the start goes on with it
            self._model = file
        else:
            self._begin(self._activate(Activate(arguments=("--model", str(file)))))

    def act(self, action: TrayAction) -> None:
        """Do what was chosen in the tray. On the core's loop."""
        if action is TrayAction.NEW_CHAT and self._page is not None:
            self._page.new_chat()
        elif action is TrayAction.STOP_SERVERS and self._app is not None:
            self._begin(self._app.llama.stop())

    def _tell_page(self, page: Page, error: LlameroError) -> None:
        """Say what does not work, in the window as soon as its page is there; all else does."""
        say(f"llamero: {sentence(error)}")
        self._begin(page.tell(sentence(error)))

    def _tell(self, notification: Notification) -> None:
        if self.window is not None:
            self.window.tell_unseen(notification)

    async def page_report(self) -> dict[str, str]:
        """Wait until the page has connected, and say so. For the self-test."""
        await self._page_there.wait()
        if self._page is not None:
            await self._page.shown()
        return {"connected": "yes"}

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._doing.add(task)
        task.add_done_callback(self._doing.discard)

    async def _open(self, url: str) -> None:
        try:
            await self._links.open(url)
        except LlameroError as error:
            say(f"llamero: {sentence(error)}")

    async def _choose(self, page: Page, model: Path) -> None:
        """What is no model is nothing to end for: whoever opened it from a file manager reads in the window why."""
        try:
            await page.choose_model(model)
        except LlameroError as error:
            self._tell_page(page, error)

    async def _activate(self, request: Activate) -> None:
        """A second start: come forward, with the model that it names. One at login only looks whether we are there."""
        if BACKGROUND in request.arguments:
            return
        model = _model_named(request)
        if model is not None and self._page is not None:
            await self._choose(self._page, model)
        elif NEW_CHAT in request.arguments and self._page is not None:
            self._page.new_chat()
        if self.window is not None:
            self.window.bring_to_front()


async def _import(module: str) -> None:
    """Import in a thread, since the loop serves the page meanwhile."""
    await asyncio.to_thread(importlib.import_module, module)


def _model_named(request: Activate) -> Path | None:
    """The value of `--model` in the command line of a second start."""
    words = list(request.arguments)
    for index, word in enumerate(words):
        if word.startswith("--model="):
            return Path(request.working_directory, word.removeprefix("--model="))
        if word == "--model" and index + 1 < len(words):
            return Path(request.working_directory, words[index + 1])
    return None
