"""The inspector of the real app: a program asks the gateway, and a person looks at what it asked, and asks it again."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from build.build_frontend import node_folder
from playwright.async_api import expect

from llamero.services.inspection.reading import answer_of
from tests.app.conftest import OpenWindow
from tests.app.test_looks import GONE, look
from tests.app.world import App, Window, running_app
from tests.fakes.launch import fake_engine
from tests.process.cli import Home

# The words are beyond ASCII and full of what shells and languages quote, and the numbers beyond what a double holds.
QUESTION = '¿Cuál llama\'s "first"? 🦙 $HOME `id` \\n'
BODY: dict[str, Any] = {
    "model": "demo",
    "messages": [{"role": "user", "content": QUESTION}],
    "stream": True,
    "temperature": 0,
    "max_tokens": 12,
    "seed": 7,
    "cache_prompt": None,
    "logit_bias": {},
}


def ask(app: App, **changes: Any) -> str:
    """Ask as a program would, and return what was answered."""
    request = urllib.request.Request(f"{app.gateway}/v1/chat/completions", json.dumps({**BODY, **changes}).encode())
    request.add_header("Content-Type", "application/json")
    request.add_header("User-Agent", "a-program/1.0")
    with urllib.request.urlopen(request, timeout=60) as reply:
        return answer_of(reply.read(), is_stream=True)[0]


async def open_newest(window: Window) -> None:
    await window.page.get_by_role("link", name="Requests").click()
    await window.page.locator(".request").first.click()
    await expect(window.page.locator(".detail-title")).to_contain_text("demo")


async def tab(window: Window, name: str) -> str:
    await window.page.get_by_role("tab", name=name, exact=True).click()
    return await window.page.get_by_role("tabpanel").inner_text()


async def test_request_of_a_program_is_explained_in_every_tab(app: App, windows: OpenWindow) -> None:
    answer = ask(app)
    window = await windows(app)
    await open_newest(window)
    overview = await tab(window, "Overview")
    assert "a-program/1.0" in overview
    assert "12 tokens" in overview
    for phase in ("Read prompt", "Generate"):
        await expect(window.page.locator(".phase", has_text=phase)).to_contain_text(re.compile(r"\d m?s"))
    await look(window, "request-overview")
    assert "cache_prompt" in await tab(window, "Request")
    sent = await tab(window, "Sent to engine")
    assert '"max_tokens": 12' in sent
    await look(window, "request-sent")
    await window.page.get_by_role("tab", name="Prompt").click()
    await window.page.get_by_role("button", name=re.compile("prompt", re.IGNORECASE)).click()
    await expect(window.page.locator(".requests-detail")).to_contain_text("<|im_start|>user")
    await look(window, "request-prompt")
    assert answer.split()[0] in await tab(window, "Response")
    assert "chat.completion.chunk" in await tab(window, "Events")
    await look(window, "request-events")


async def test_request_is_replayed_and_compared_with_its_original(app: App, windows: OpenWindow) -> None:
    ask(app)
    window = await windows(app)
    await open_newest(window)
    original = await tab(window, "Response")
    await window.button("Replay").click()
    await window.button("Show the original").wait_for()
    await expect(window.page.locator(".request").first).to_contain_text("12 tok")
    assert await tab(window, "Response") == original


@pytest.mark.parametrize("language", ["curl", "Python", "JavaScript"])
async def test_request_that_is_copied_as_a_program_asks_the_same(
    language: str, home: Home, windows: OpenWindow, tmp_path: Path
) -> None:
    home.use_engine(fake_engine(tmp_path / "engine", reply="Señora vicuña, 山 and 🦙."))
    with running_app(home) as app:
        answer = ask(app)
        assert answer == "Señora vicuña, 山 and 🦙."
        window = await windows(app, tolerated=GONE)
        await window.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        await open_newest(window)
        await window.button(language).click()
        await expect(window.button("Copied")).to_be_visible()
        program: str = await window.page.evaluate("() => navigator.clipboard.readText()")
        assert answer_of(run(language, program, tmp_path), is_stream=True)[0] == answer
        # That program asked what was asked before, to the letter.
        await expect(window.page.locator(".request")).to_have_count(2)
        await window.page.locator(".request").first.click()
        asked = await tab(window, "Request")
        assert json.loads(asked[asked.index("{") : asked.rindex("}") + 1]) == BODY
        await window.page.close()


def run(language: str, program: str, tmp_path: Path) -> bytes:
    """Run it as its reader would."""
    folder = node_folder()
    node = "node" if folder is None else str(folder / "node")
    commands = {
        "curl": (["sh"], "program.sh"),
        "Python": ([sys.executable], "program.py"),
        "JavaScript": ([node], "program.mjs"),
    }
    command, name = commands[language]
    (tmp_path / name).write_text(program, encoding="utf-8")
    environment = {**os.environ, "LLAMERO_API_KEY": "none", "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        [*command, str(tmp_path / name)], env=environment, cwd=tmp_path, capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


async def test_content_that_is_turned_off_is_gone_at_once_and_not_kept(app: App, windows: OpenWindow) -> None:
    ask(app)
    window = await windows(app)
    await window.page.get_by_role("link", name="Requests").click()
    await expect(window.page.locator(".requests-list")).to_contain_text("¿Cuál llama's")
    await window.page.get_by_label("Keep what is said").uncheck()
    await expect(window.page.locator(".requests-list")).not_to_contain_text("¿Cuál llama's")
    ask(app)
    await expect(window.page.locator(".requests-list")).not_to_contain_text("¿Cuál llama's")
    await look(window, "requests-without-content")
    await window.button("Keep it from now on").click()
    ask(app)
    await expect(window.page.locator(".requests-list")).to_contain_text("¿Cuál llama's")
