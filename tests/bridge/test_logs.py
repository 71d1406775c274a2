"""The log for those who watch it: history, then batches; nothing for who does not; no path of the page's is opened."""

from __future__ import annotations

import itertools
import logging
import threading
from pathlib import Path
from typing import Any

import pytest

from llamero.bridge.capabilities import WindowKind
from llamero.infrastructure.log_file import LogFile
from llamero.infrastructure.logs import BodyFormatter
from llamero.models.bridge.window import UiState
from llamero.models.errors import IoFailed
from tests.bridge.harness import Bridge, Page, eventually, running_bridge


def say(bridge: Bridge, text: str, name: str = "llamero.test") -> None:
    bridge.feed.setFormatter(BodyFormatter())
    bridge.feed.handle(logging.LogRecord(name, logging.INFO, __file__, 1, text, None, None))


async def greeted(page: Page) -> None:
    await page.until(lambda frame: "snapshot" in frame)


async def watch(bridge: Bridge, watching: bool = True, window: str = "w1") -> dict[str, Any]:
    answer: dict[str, Any] = (await bridge.call("watch_logs", {"watching": watching}, window=window)).json()
    return answer


async def test_logs_watcher_gets_what_was_and_then_what_comes(tmp_path: Path) -> None:
    async with running_bridge(tmp_path) as bridge, bridge.page() as page:
        await greeted(page)
        say(bridge, "before")
        history = (await watch(bridge))["history"]
        assert (history["first"], [line["text"] for line in history["lines"]]) == (0, ["before"])
        say(bridge, "[m] from the engine", "llamero.engine")
        event = await page.frame()
        assert (event["ev"], event["d"]["first"]) == ("logs", 1)
        assert [(line["source"], line["name"], line["text"]) for line in event["d"]["lines"]] == [
            ("engine", "m", "from the engine")
        ]


async def test_logs_go_to_nobody_who_does_not_watch(tmp_path: Path) -> None:
    async with running_bridge(tmp_path) as bridge, bridge.page("w1") as first, bridge.page("w2") as second:
        await greeted(first)
        await greeted(second)
        await watch(bridge, window="w1")
        say(bridge, "one")
        assert (await first.frame())["ev"] == "logs"
        await watch(bridge, False, window="w1")
        say(bridge, "two")
        await eventually(lambda: bridge.services.log_push._task is None or bridge.services.log_push._task.done())
        bridge.hub.event("ui", UiState())
        assert (await first.frame())["ev"] == "ui"
        assert (await second.frame())["ev"] == "ui"


async def test_logs_flood_comes_in_few_bounded_batches_with_every_gap_visible(tmp_path: Path) -> None:
    async with running_bridge(tmp_path) as bridge, bridge.page() as page:
        await greeted(page)
        await watch(bridge)

        def flood() -> None:
            for number in range(20_000):
                say(bridge, f"line {number}")

        thread = threading.Thread(target=flood)
        thread.start()
        batches = []
        while not batches or batches[-1]["lines"][-1]["text"] != "line 19999":
            batches.append((await page.until(lambda frame: frame.get("ev") == "logs"))["d"])
        thread.join()
    assert all(len(batch["lines"]) <= 500 for batch in batches)
    for earlier, later in itertools.pairwise(batches):
        assert later["first"] >= earlier["first"] + len(earlier["lines"])
        assert later["lines"][0]["text"] == f"line {later['first']}"


async def test_log_file_is_opened_for_the_window_alone_and_never_by_a_path_of_the_page(tmp_path: Path) -> None:
    shown: list[Path] = []
    log = tmp_path / "llamero.log"
    log.write_text("a line")
    log_file = LogFile(log, lambda path: bool(shown.append(path)) or True)
    async with running_bridge(tmp_path, real=lambda hub: {"log_file": log_file}) as bridge:
        assert (await watch(bridge))["path"] == str(log)
        assert (await bridge.call("open_log_file", kind=WindowKind.TAB)).status == 403
        assert (await bridge.call("open_log_file", {"path": "/etc/passwd"})).status == 400
        assert shown == []
        assert (await bridge.call("open_log_file")).body == b"null"
        assert shown == [log]


@pytest.mark.parametrize("what", ["nothing", "link", "folder"])
async def test_log_file_that_is_no_plain_file_is_not_opened(tmp_path: Path, what: str) -> None:
    path = tmp_path / "llamero.log"
    if what == "link":
        (tmp_path / "other").write_text("")
        path.symlink_to(tmp_path / "other")
    elif what == "folder":
        path.mkdir()
    with pytest.raises(IoFailed) as refusal:
        await LogFile(path, lambda path: True).open()
    assert refusal.value.code == "bridge_error-no_log_file"


async def test_log_file_without_a_program_for_text_says_where_it_is(tmp_path: Path) -> None:
    path = tmp_path / "llamero.log"
    path.write_text("")
    with pytest.raises(IoFailed) as refusal:
        await LogFile(path, lambda path: False).open()
    assert refusal.value.arguments == {"path": str(path)}
