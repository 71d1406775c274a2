"""The real window stays with our origin whatever a script in it tries; what a person clicks goes to the opener."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.desktop.conftest import Launch
from tests.desktop.x11 import Display

# Where the page's links are, from the window's upper left corner.
LINKS = {"inside": (50, 172), "web": (50, 212), "mail": (50, 252), "settings": (50, 292), "data": (50, 332)}


class Foreign:
    """A server on another address that notes who comes."""

    def __init__(self) -> None:
        self.visits: list[str] = []
        visits = self.visits

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                visits.append(self.path)
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(b"<h1>stolen</h1>")

            do_POST = do_GET  # noqa: N815

            def log_message(self, format: str, *arguments: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.2", 0), Handler)
        self.address = f"http://127.0.0.2:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def foreign() -> Iterator[Foreign]:
    server = Foreign()
    yield server
    server.server.shutdown()
    server.server.server_close()


@pytest.mark.parametrize("open_page", [True, False], ids=["without_policy", "with_policy"])
def test_script_that_wants_to_leave_gets_nowhere(
    launch: Launch, toolkit: str, foreign: Foreign, open_page: bool, display: Display
) -> None:
    """With a page whose policy would allow everything, so that the window's own lock is what holds."""
    options = ["--attack", foreign.address, *(["--open-page"] if open_page else [])]
    app = launch(*options, toolkit=toolkit)
    attacked = app.event("attacked", 60)
    assert attacked["heading"] == "Llamero"
    assert attacked["address"].startswith("http://127.0.0.1:") and "stolen" not in attacked["address"]
    assert foreign.visits == []
    assert "link" not in app.names()  # no script opens the person's browser
    assert len(display.windows("Llamero")) == 1
    assert app.names().count("report") == 1  # and it was the same page all the time
    if open_page:
        assert "dropped a navigation" in Path(app.log.name).read_text()


@pytest.mark.parametrize(
    ("link", "opened"), [("web", "https://example.invalid/page?a=1"), ("mail", "mailto:somebody@example.invalid")]
)
def test_link_that_is_clicked_goes_to_the_opener_once(
    launch: Launch, toolkit: str, display: Display, link: str, opened: str
) -> None:
    app = launch(toolkit=toolkit)
    app.event("report")
    click(display, link)
    assert app.event("link")["url"] == opened
    click(display, "inside")
    assert app.event("inside")
    assert app.names().count("link") == 1


@pytest.mark.parametrize("link", ["settings", "data"])
def test_link_with_a_scheme_of_another_program_is_dropped(
    launch: Launch, toolkit: str, display: Display, link: str
) -> None:
    app = launch(toolkit=toolkit)
    app.event("report")
    click(display, link)
    click(display, "inside")  # what the first click did, it did before this one
    assert app.event("inside")
    assert "link" not in app.names()
    assert "dropped a navigation" in Path(app.log.name).read_text()


def click(display: Display, link: str) -> None:
    window = display.window()
    display.settle()
    shape = display.shape(window)
    x, y = LINKS[link]
    display.click(shape.x + x, shape.y + y)
