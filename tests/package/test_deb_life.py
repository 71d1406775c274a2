"""The `.deb` on a Debian that has nothing else: install, use, kill, upgrade, remove, as a person would.

The machine has no network while Llamero runs. What is asked goes through the real window.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
from playwright.sync_api import Page, expect, sync_playwright

from llamero.desktop.options import DEBUGGING_VARIABLE
from tests.desktop.x11 import Display
from tests.package.debian_system import USER, DebianSystem
from tests.package.file_changes import changes, snapshot
from tests.package.machine import Machine, running
from tests.process.cli import until

ARTIFACTS = Path(__file__).resolve().parent.parent / "artifacts" / "package"
ANSWER_MS, WAIT_S = 60_000, 30.0
# Nobody else is on the machine's network.
DEVTOOLS_PORT, GATEWAY_PORT = 9333, 5526
# The text that is there, not the one that is drawn by now: what a page may skip has none of the latter.
SOME_TEXT = re.compile(r"\S[\s\S]{20,}")
# The user's own, which nobody takes away but the user.
PLACES = (".local/share", ".config", ".local/state", ".cache")
DATA = tuple(f"home/{USER}/{place}/llamero" for place in PLACES)
# Folders around them, and what the system's own graphics and fonts keep for every program that has a window.
AROUND = tuple(f"home/{USER}/{place}" for place in (".local", *PLACES))
OF_THE_SYSTEM = tuple(f"home/{USER}/.cache/{name}" for name in ("mesa_shader_cache", "fontconfig"))
# Where a system keeps its own records of what is installed.
RECORDS = ("var/lib/dpkg", "var/lib/apt", "var/cache/apt", "var/cache/debconf", "var/cache/ldconfig", "var/log")


@contextmanager
def opened(machine: Machine, display: Display) -> Iterator[tuple[psutil.Process, Page]]:
    """Llamero's window, from outside and from inside."""
    environment = {"DISPLAY": display.name, DEBUGGING_VARIABLE: str(DEVTOOLS_PORT)}
    command = machine.command("llamero", environment=environment)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            display.window("Llamero")
            program = psutil.Process(process.pid).children()[0]
            with machine.network(), sync_playwright() as playwright:
                browser = playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{DEVTOOLS_PORT}", no_defaults=True)
                yield program, browser.contexts[0].pages[0]
        finally:
            process.kill()
            for left in machine.processes():
                with suppress(psutil.NoSuchProcess):
                    left.kill()


def ask_gateway(machine: Machine, question: str) -> str:
    """Ask as another program of the machine does."""
    body = {"model": "demo", "messages": [{"role": "user", "content": question}]}
    request = urllib.request.Request(
        f"http://127.0.0.1:{GATEWAY_PORT}/v1/chat/completions",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    with machine.network():
        until(lambda: _listens(GATEWAY_PORT), WAIT_S, "the gateway listens, which the window does not wait for")
        with urllib.request.urlopen(request, timeout=60) as response:
            return str(json.load(response)["choices"][0]["message"]["content"])


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_deb_installed_asked_killed_upgraded_and_removed_leaves_the_users_data_only(
    prepared_system: DebianSystem, older_package: Path, package: Path, display: Display, tmp_path: Path
) -> None:
    system = prepared_system
    before = snapshot(system.root)

    system.install(older_package)
    assert "application/x-gguf" in (system.root / "usr/share/applications/mimeinfo.cache").read_text()
    assert "application/x-gguf" in (system.root / "usr/share/mime/globs2").read_text()
    with running(system, tmp_path) as machine, opened(machine, display) as (program, page):
        assert program.username() != "root"
        page.locator("#composer").fill("Tell me about llamas")
        page.locator("#composer").press("Enter")
        expect(page.locator(".stats").last).to_contain_text("tokens/s", timeout=ANSWER_MS)
        expect(page.locator("answer-text").first).to_have_text(SOME_TEXT)
        display.settle()
        display.screenshot(ARTIFACTS / "deb-answer.png")
        assert len(ask_gateway(machine, "Hello")) > 20
        assert len(machine.processes()) > 3  # the window's browser, the engine, the guardian
        os.kill(program.pid, signal.SIGKILL)
        until(lambda: not machine.processes(), 5.0, "nothing of a killed Llamero is left")

    system.install(package)
    assert system.run("dpkg-query", "--show", "--showformat=${Version}", "llamero") != "0.0.1"
    with running(system, tmp_path) as machine, opened(machine, display) as (_, page):
        expect(page.locator(".message.is-user")).to_contain_text("Tell me about llamas", timeout=ANSWER_MS)
        display.close(display.window("Llamero"))
        until(lambda: not machine.processes(), 15.0, "nothing of a closed Llamero is left")

    system.purge("llamero")
    left = changes(before, snapshot(system.root), apart_from=DATA + OF_THE_SYSTEM + RECORDS)
    assert [path for path in left if path not in AROUND] == []
    assert (system.home / ".local/share/llamero").is_dir()
