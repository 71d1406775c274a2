"""The real app for a test: `llamero serve --ui` with a real engine, its database, and a browser's windows on it."""

from __future__ import annotations

import json
import re
import sqlite3
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import psutil
from playwright.async_api import Browser, ConsoleMessage, Locator, Page, Request, expect

from tests.process.cli import Home, Serving, serving, until
from tests.ui.conftest import WATCH_POLICY

DATABASE = "llamero.db"
EMBEDDED = "llamero.infrastructure.llama.embedded"
WAIT_MS = 15_000
UNREACHABLE = ("WebSocket connection to", "net::ERR_", "status of 503")

# The demo model ends by itself after some sixty tokens. As the first answer of a conversation with this it never does,
# since what it has said becomes likelier; and it says the same every time, whatever it was asked.
ENDLESS = {"Temperature": 0, "Repeat_penalty": 0.8}
# The engine's rate is some thousand tokens/s, so this lasts for a second or so.
LONG_TOKENS = 3000
LONG = {**ENDLESS, "Longest_answer": LONG_TOKENS}


def words(text: str) -> str:
    """A text without its lines, for comparing what is shown with what was said."""
    return " ".join(text.split())


def agree(one: str, other: str) -> bool:
    """Is one of them what the other begins with?"""
    return one.startswith(other) or other.startswith(one)


class App:
    """A running Llamero with its page. `gateway` is the address for programs, `url` the one for a browser."""

    def __init__(self, home: Home, server: Serving) -> None:
        self.home = home
        self.server = server
        self.ending = False  # from now on a page that is still open may find nobody
        self.gateway = server.url()
        self.url = server.url()

    @property
    def origin(self) -> str:
        """The page's address without its key."""
        return self.url.partition("/#")[0]

    @property
    def database(self) -> Path:
        return self.home.data / DATABASE

    def answers(self, title: str) -> list[dict[str, Any]]:
        """The answers of a conversation as they are on the disk, oldest first."""
        return stored_answers(self.database, title)

    def engine(self) -> psutil.Process:
        """The one embedded engine that runs, once it does."""

        def find() -> psutil.Process | None:
            for process in psutil.Process(self.server.process.pid).children(recursive=True):
                with suppress(psutil.Error):
                    if EMBEDDED in process.cmdline() and process.status() != psutil.STATUS_ZOMBIE:
                        return process
            return None

        found: psutil.Process = until(find, what="an engine runs")
        return found

    def ask_engine(self, path: str) -> Any:
        """GET something of the engine itself, such as `/props` or `/slots`."""
        process = self.engine()
        ports = [c.laddr.port for c in process.net_connections("tcp") if c.status == psutil.CONN_LISTEN]
        request = urllib.request.Request(f"http://127.0.0.1:{ports[0]}{path}")
        request.add_header("Authorization", f"Bearer {process.environ()['LLAMA_API_KEY']}")
        with urllib.request.urlopen(request, timeout=10) as response:
            return json.load(response)

    def context_length(self) -> int:
        """How many tokens the engine says that it sees."""
        length: int = self.ask_engine("/props")["default_generation_settings"]["n_ctx"]
        return length

    def is_generating(self) -> bool:
        """Is the engine at work?"""
        return any(slot["is_processing"] for slot in self.ask_engine("/slots"))

    @cached_property
    def long_answer(self) -> str:
        """What the demo model says with `LONG` when nothing disturbs it, asked by the way of programs."""
        sampling = {"temperature": 0, "repeat_penalty": 0.8, "max_tokens": LONG_TOKENS}
        body = {"model": "demo", "messages": [{"role": "user", "content": "Whatever"}], **sampling}
        request = urllib.request.Request(f"{self.gateway}/v1/chat/completions", json.dumps(body).encode())
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=60) as response:
            text: str = json.load(response)["choices"][0]["message"]["content"]
        return text


@contextmanager
def running_app(home: Home, env: Mapping[str, str] | None = None) -> Iterator[App]:
    """Start it on any free ports; in the end nothing of it is left running."""
    with serving(home, "--port", "0", "--ui", env=env) as server:
        app = App(home, server)
        try:
            yield app
        finally:
            app.ending = True


def stored_answers(database: Path, title: str) -> list[dict[str, Any]]:
    """The answers of a conversation in this file, oldest first."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        rows = connection.execute(
            "SELECT messages.* FROM messages JOIN conversations ON conversations.id = conversation_id"
            " WHERE title = ? AND role = 'assistant' ORDER BY messages.seq",
            (title,),
        ).fetchall()
    return [dict(row) for row in rows]


@contextmanager
def held(process: psutil.Process) -> Iterator[None]:
    """Hold a process in the middle of what it does, so that a test has time."""
    process.suspend()
    try:
        yield
    finally:
        process.resume()


@dataclass
class Window:
    """A page of the app as a person uses it, with all that it did against the rules.

    The rules: no breach of the content policy, no error in a script or on the console, no request to anywhere else.
    """

    app: App
    page: Page
    wrongs: list[str] = field(default_factory=list)

    @property
    def box(self) -> Locator:
        """Where questions are written."""
        return self.page.get_by_role("textbox", name="Message", exact=True)

    @property
    def answers(self) -> Locator:
        return self.page.locator(".message.is-assistant")

    @property
    def text(self) -> Locator:
        """The words of the last answer."""
        return self.answers.last.locator("> answer-text")

    @property
    def stats(self) -> Locator:
        """The line under the last answer; it is there once the answer has ended."""
        return self.answers.last.locator(".stats")

    @property
    def picker(self) -> Locator:
        return self.page.get_by_title("Choose a model")

    async def said(self) -> str:
        """The words of the last answer, those that are out of sight included."""
        blocks = "(answer) => [...answer.querySelectorAll('.run > *')].map((block) => block.textContent).join(' ')"
        return words(await self.text.evaluate(blocks))

    def button(self, name: str, *, exact: bool = True) -> Locator:
        return self.page.get_by_role("button", name=name, exact=exact)

    def row(self, title: str) -> Locator:
        """A conversation in the list."""
        return self.page.locator(".conversation-row", has_text=title)

    async def new_chat(self) -> None:
        await self.page.keyboard.press("Control+n")
        await expect(self.page.get_by_role("heading", name="New chat")).to_be_visible()

    async def ask(self, question: str) -> None:
        await self.box.fill(question)
        await expect(self.button("Send")).to_be_enabled()  # a page that has just been opened knows no model yet
        await self.box.press("Enter")

    async def begun(self) -> None:
        """Wait until the last answer has some sentences; as quick as the page itself, since it may be over soon."""
        shown = "() => document.querySelector('.message.is-streaming > answer-text')?.textContent.length > 150"
        await self.page.wait_for_function(shown)

    async def ask_and_kill(self, question: str) -> None:
        """Ask for `LONG` and kill the engine in mid-answer; again, where it had said everything by then."""
        await self.ask(question)
        for _ in range(6):
            await self.begun()
            self.app.engine().kill()
            await self.answered()
            if "recovered once" in await self.stats.inner_text():
                return
            await self.button("Answer once more").click()
        raise AssertionError("the engine is too fast to be killed in mid-answer")

    async def draft(self, text: str) -> None:
        """Write something without sending it, and wait until the app remembers it."""
        async with self.page.expect_response("**/bridge/set_ui_state"):
            await self.box.fill(text)

    async def answered(self) -> None:
        """Wait until the last answer has ended by itself."""
        await expect(self.stats).to_contain_text(re.compile(r"\d tokens? ·"), timeout=2 * WAIT_MS)

    async def set_fields(self, **values: object) -> None:
        """Fill fields of the side panel by their labels, with `_` for a space, and close it."""
        await self.button("Answers and model").click()
        panel = self.page.get_by_role("dialog", name="Answers and model")
        for name, value in values.items():
            await panel.get_by_label(name.replace("_", " "), exact=True).fill(str(value))
        await self.page.keyboard.press("Tab")
        await self.page.keyboard.press("Escape")
        await expect(panel).to_have_count(0)

    async def open_model_file(self, path: Path) -> None:
        """By typing where it is."""
        await self.picker.click()
        await self.page.get_by_role("textbox", name="Path of a GGUF file").fill(str(path))
        await self.page.keyboard.press("Enter")
        await expect(self.page.get_by_role("dialog", name="Models")).to_be_hidden()

    async def choose_model(self, alias: str) -> None:
        """In the list of models."""
        await self.picker.click()
        menu = self.page.get_by_role("dialog", name="Models")
        await menu.locator(".menu-item", has=self.page.locator(".model-name", has_text=alias)).click()
        await expect(menu).to_be_hidden()
        await expect(self.picker).to_have_text(alias)


async def open_window(
    browser: Browser,
    app: App,
    *,
    width: int = 1280,
    height: int = 800,
    theme: str = "light",
    url: str | None = None,
    tolerated: Sequence[str] = (),
) -> Window:
    """Open the page of an app as in another browser. `tolerated`: patterns of what may be on the console."""
    context = await browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if theme == "dark" else "light",
        reduced_motion="reduce",
    )
    page = await context.new_page()
    page.set_default_timeout(WAIT_MS)
    window = Window(app, page)

    def note_console(message: ConsoleMessage) -> None:
        allowed = (*tolerated, *(UNREACHABLE if app.ending else ()))
        if message.type in ("error", "warning") and not any(re.search(one, message.text) for one in allowed):
            window.wrongs.append(f"console: {message.text}")

    def note_request(request: Request) -> None:
        if not request.url.startswith((app.origin, app.origin.replace("http", "ws", 1), "data:", "blob:")):
            window.wrongs.append(f"request: {request.url}")

    # What the page itself remembers of breaches is lost with a reload; this is not.
    await context.expose_function("reportBreach", lambda breach: window.wrongs.append(f"policy: {breach}"))
    await context.add_init_script(
        WATCH_POLICY + "addEventListener('securitypolicyviolation', () => reportBreach(window.breaches.at(-1)));"
    )
    page.on("console", note_console)
    page.on("pageerror", lambda error: window.wrongs.append(f"script: {error}"))
    context.on("request", note_request)
    await page.goto(url or app.url)
    return window
