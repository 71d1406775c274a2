"""Where the window may go: to our own origin. What a person clicked is handed to the filtered opener of links, once.

Every backend asks this one lock, for the page itself and for frames, before anything is loaded. What a script asks for
without a click, and every address that is not ours, is dropped and said in the log. Popups never open a window.
"""

from __future__ import annotations

import logging
import sys
import webbrowser
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from llamero.infrastructure.plain_text import one_line

logger = logging.getLogger(__name__)

# What an engine shows before the first page.
_BLANK = frozenset({"about:blank", "about:blank#"})
# What may be opened outside at all. The opener decides on the rest of the address.
_OUTSIDE = frozenset({"http", "https", "mailto"})
_LOG_LIMIT = 200


class NavigationLock:
    """Decides for one window. May be asked on any thread; `open_link` is called on the thread that asks."""

    def __init__(self, home: str, open_link: Callable[[str], object]) -> None:
        self._home = _origin(home)
        if self._home is None:
            raise ValueError("the window needs an http address of our own")
        self._open_link = open_link

    def lets_through(self, url: str, *, by_user: bool) -> bool:
        """May the window, or a frame in it, load this? If not, a click opens it outside."""
        if url in _BLANK or _origin(url) == self._home:
            return True
        self.send_out(url, by_user=by_user)
        return False

    def send_out(self, url: str, *, by_user: bool) -> None:
        """Open in the person's browser what they clicked; our own pages, whose address has the token, never."""
        if not by_user or _origin(url) == self._home or _scheme(url) not in _OUTSIDE:
            logger.warning("dropped a navigation to %s", one_line(url, _LOG_LIMIT))
            return
        try:
            self._open_link(url)
        except Exception:
            logger.exception("a link could not be opened")


def _scheme(url: str) -> str:
    try:
        return urlsplit(url).scheme
    except ValueError:
        return ""


def _origin(url: str) -> tuple[str, str, int] | None:
    """Scheme, host and port of an http address without user information; None for everything else."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme != "http" or parts.hostname is None or "@" in parts.netloc or "\\" in url:
        return None
    return parts.scheme, parts.hostname, 80 if port is None else port


def filter_webbrowser(lock: NavigationLock) -> Callable[[], None]:
    """Put the lock before `webbrowser.open` for calls of pywebview, which hands it any popup's address as it is.

    Calls of anybody else, of our own opener above all, go through. Returns what takes the filter away again.
    """
    original = webbrowser.open

    def filtered(url: str, *arguments: Any, **options: Any) -> bool:
        caller = sys._getframe(1).f_globals.get("__name__", "")
        if caller != "webview" and not caller.startswith("webview."):
            return original(url, *arguments, **options)
        lock.send_out(url, by_user=True)
        return True

    webbrowser.open = filtered

    def take_away() -> None:
        webbrowser.open = original

    return take_away
