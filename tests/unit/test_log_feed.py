"""The last records in memory: numbered, bounded, masked, and what the file says."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from llamero.infrastructure.log_feed import KEPT_CHARACTERS, KEPT_LINES, LINE_CHARACTERS, LogFeed, process_feed
from llamero.infrastructure.logs import BodyFormatter, SafeFormatter, configure_logging
from llamero.models.logs import LogSource


@pytest.fixture
def feed() -> LogFeed:
    feed = LogFeed()
    feed.setFormatter(BodyFormatter())
    return feed


@pytest.fixture
def logged(tmp_path: Path) -> Iterator[Path]:
    """A log in a file; all is as it was afterwards."""
    root, own = logging.getLogger(), logging.getLogger("llamero")
    levels = root.level, own.level
    process_feed.clear()
    file = configure_logging("info", tmp_path, "critical")
    assert file is not None
    yield file
    configure_logging("info", None, "critical")
    root.setLevel(levels[0])
    own.setLevel(levels[1])


def record(text: str, name: str = "llamero.services", level: int = logging.INFO) -> logging.LogRecord:
    return logging.LogRecord(name, level, __file__, 1, text, None, None)


def test_feed_numbers_lines_and_gives_those_that_follow(feed: LogFeed) -> None:
    for number in range(5):
        feed.handle(record(f"line {number}"))
    found = feed.since(3)
    assert (found.first, [line.text for line in found.lines]) == (3, ["line 3", "line 4"])
    assert (feed.since(5).first, feed.since(5).lines) == (5, ())
    assert feed.since(0, limit=1).first == 4


def test_feed_tells_engines_from_the_app(feed: LogFeed) -> None:
    feed.handle(record("[qwen 4b] srv  update_slots: all slots are idle", "llamero.engine"))
    feed.handle(record("[qwen] is only a word here", level=logging.WARNING))
    engine, app = feed.since(0).lines
    assert (engine.source, engine.name, engine.text) == (
        LogSource.ENGINE,
        "qwen 4b",
        "srv  update_slots: all slots are idle",
    )
    assert (app.source, app.name, app.level) == (LogSource.APP, "llamero.services", "warning")


def test_feed_flood_keeps_the_last_lines_and_little_memory(feed: LogFeed) -> None:
    for number in range(KEPT_LINES + 500):
        feed.handle(record(f"{number}"))
    assert feed.since(0).first == 500
    for _ in range(600):
        feed.handle(record("a word " * 2_000))
    kept = feed.since(0).lines
    assert sum(len(line.text) for line in kept) <= KEPT_CHARACTERS
    assert len(kept[-1].text) == LINE_CHARACTERS + 1
    assert feed.since(0).first + len(kept) == feed.next


def test_feed_says_what_the_file_says_without_secrets(logged: Path) -> None:
    try:
        raise ValueError("api_key=hunter2hunter2")
    except ValueError:
        logging.getLogger("llamero.test").exception("went wrong with Authorization: Bearer abcdefgh1234")
    (line,) = process_feed.since(0).lines
    written = logged.read_text()
    assert written.endswith(f"{line.text}\n")
    assert "  | ValueError" in line.text
    for secret in ("hunter2", "abcdefgh1234"):
        assert secret not in line.text
        assert secret not in written


def test_record_is_made_into_text_once_for_the_file_and_who_watches() -> None:
    class Counting:
        made = 0

        def __str__(self) -> str:
            self.made += 1
            return "seen"

    counting = Counting()
    one = logging.LogRecord("llamero.test", logging.INFO, __file__, 1, "it was %s", (counting,), None)
    texts = [SafeFormatter().format(one), SafeFormatter().format(one), BodyFormatter().format(one)]
    assert counting.made == 1
    assert all(text.endswith("it was seen") for text in texts)
