"""Opens a link outside, in the user's own browser or mail program: the only way out of the page.

A link comes from a model's answer, so it is hostile. Only http, https and mailto pass; the link is taken apart and
written anew from its parts, so that what is opened is what was checked (CVE-2026-4519: a link that a program takes
for one of its options). A link with a user name shows another host than it leads to, and is refused.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import threading
import webbrowser
from collections.abc import Callable
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from llamero.models.errors import InvalidRequest, IoFailed

LINK_LIMIT = 8192
OPEN_TIMEOUT_S = 15.0
# Of a mail only what a person reads before sending: `attach` has had mail programs attach files of the machine.
MAIL_FIELDS = frozenset({"subject", "body", "cc", "bcc"})

_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\xa0\\\u2028\u2029\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_IPV6 = re.compile(r"[0-9a-f:.]{2,45}")
_ADDRESS = re.compile(r"[A-Za-z0-9][A-Za-z0-9.!#$&'*+/=?^_`{|}~-]{0,63}@[A-Za-z0-9][A-Za-z0-9.-]{0,250}")
_PATH = "/:@!$&'()*+,;=~%-._"
_QUERY = _PATH + "?[]"

Opener = Callable[[str], bool]


class LinkOpener:
    """Opens links. `opener` starts a program for one and says whether there was one to start."""

    def __init__(self, opener: Opener | None = None) -> None:
        self._opener = opener or _open_by_system

    async def open(self, link: str) -> None:
        """Open a link. Raises InvalidRequest for one that may not be, IoFailed where nothing could be started."""
        safe = safe_link(link)
        if not await _in_daemon_thread(lambda: self._opener(safe)):
            raise IoFailed("bridge_error-no_browser")


def safe_link(link: str) -> str:
    """Return the link written anew from its parts. Raises InvalidRequest (`bridge_error-link_not_allowed`)."""
    if len(link) > LINK_LIMIT or _FORBIDDEN.search(link):
        raise _refused()
    try:
        parts = urlsplit(link)
        scheme = parts.scheme.lower()
        if scheme == "mailto" and not parts.netloc and not parts.fragment:
            safe = _mail(parts.path, parts.query)
        elif scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc:
            port = f":{parts.port}" if parts.port is not None else ""
            location = f"{_host(parts.hostname)}{port}"
            path, query = quote(parts.path, safe=_PATH), quote(parts.query, safe=_QUERY)
            safe = urlunsplit((scheme, location, path, query, quote(parts.fragment, safe=_QUERY)))
        else:
            raise _refused()
    except (ValueError, UnicodeError):  # a port that is none, brackets that do not match, a name that no host has
        raise _refused() from None
    if len(safe) > LINK_LIMIT:
        raise _refused()
    return safe


def _host(name: str) -> str:
    """Spell a host in ASCII. Raises ValueError or UnicodeError for what is none."""
    if ":" in name:
        if not _IPV6.fullmatch(name):
            raise ValueError(name)
        return f"[{name}]"
    ascii_name = name.encode("idna").decode("ascii").lower()
    if not all(_LABEL.fullmatch(label) for label in ascii_name.removesuffix(".").split(".")):
        raise ValueError(name)
    return ascii_name


def _mail(path: str, query: str) -> str:
    addresses = unquote(path).split(",")
    fields = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    if not all(_ADDRESS.fullmatch(address) for address in addresses):
        raise _refused()
    if not all(name.lower() in MAIL_FIELDS for name, _ in fields):
        raise _refused()
    text = urlencode(fields, quote_via=quote)
    return f"mailto:{quote(','.join(addresses), safe='@,')}{'?' if text else ''}{text}"


def _refused() -> InvalidRequest:
    return InvalidRequest("bridge_error-link_not_allowed", param="url")


def _open_by_system(link: str) -> bool:
    """Start the user's program. Without a display Python would start a browser for the terminal instead."""
    displays = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if sys.platform.startswith("linux") and not displays:
        return False
    return webbrowser.open(link)


async def _in_daemon_thread(call: Callable[[], bool]) -> bool:
    """Run what may never return without holding up the end of the process. After a while it counts as started."""
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[bool] = loop.create_future()

    def settle(done: bool) -> None:
        if not outcome.done():
            outcome.set_result(done)

    def run() -> None:
        try:
            done = call()
        except Exception:  # whatever a browser's starter comes up with: it did not start
            done = False
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, done)

    threading.Thread(target=run, name="open-link", daemon=True).start()
    try:
        async with asyncio.timeout(OPEN_TIMEOUT_S):
            return await outcome
    except TimeoutError:
        return True
