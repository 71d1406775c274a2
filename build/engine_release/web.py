"""HTTP for the build: the token goes to the API's own origin and nowhere else, and failures that pass are waited out.

Certificates are verified and proxies of the environment honored, both by urllib. Invariants: a redirect never carries
the token, whatever its target, and never leads from https to http; a body is never read beyond its bound.
"""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from email.message import Message
from typing import IO

from engine_release.refusal import BuildRefused

TRIES = 5
LONGEST_WAIT_S = 60.0
_SILENCE_S = 30.0
_USER_AGENT = "llamero-build"
# What happens on the way: refused, reset, cut short, silent for too long.
FAILURES = (OSError, http.client.HTTPException)

Reply = http.client.HTTPResponse


class Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects, but never from https to http."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> urllib.request.Request | None:
        """The request that follows the redirect. Raises BuildRefused."""
        allowed = ("https",) if req.type == "https" else ("https", "http")
        if urllib.parse.urlsplit(newurl).scheme not in allowed:
            raise BuildRefused(f"{_place(req.full_url)} sends on to a place without https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type]


class Web:
    """Where releases come from. `token` is for requests to `api`; `pause` waits for so many seconds."""

    def __init__(self, api: str, token: str = "", pause: Callable[[float], None] = time.sleep) -> None:
        self._origin = _origin(api)
        self._token = token
        self._pause = pause
        self._opener = urllib.request.build_opener(Redirects)

    def get(self, url: str, accept: str, limit: int) -> bytes | None:
        """The body, of at most `limit` bytes; None where there is nothing. Raises BuildRefused."""
        for attempt in range(1, TRIES + 1):
            try:
                with self.open(url, {"Accept": accept}) as reply:
                    body = reply.read(limit + 1)
            except urllib.error.HTTPError as error:
                if error.code == 404:
                    return None
                self.wait_out(url, error, attempt)
            except FAILURES as error:
                self.wait_out(url, error, attempt)
            else:
                if len(body) > limit:
                    raise BuildRefused(f"{_place(url)} answers with more than {limit} bytes")
                return body
        raise AssertionError  # the last attempt returned or raised

    def open(self, url: str, headers: dict[str, str]) -> Reply:
        """Ask once. Raises HTTPError for an answer that is not one of success, and what else `FAILURES` lists."""
        if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
            raise BuildRefused(f"this is no address of the web: {url}")
        request = urllib.request.Request(url, headers={"User-Agent": _USER_AGENT, **headers})
        if self._token and _origin(url) == self._origin:
            request.add_unredirected_header("Authorization", f"Bearer {self._token}")
        reply: Reply = self._opener.open(request, timeout=_SILENCE_S)
        return reply

    def wait_out(self, url: str, failure: Exception, attempt: int) -> None:
        """Wait before the next attempt. Raises BuildRefused when there is no point in it, or no attempt left."""
        wait_s = 2.0 ** (attempt - 1)
        reason = str(failure) or type(failure).__name__
        if isinstance(failure, urllib.error.HTTPError):
            failure.close()
            reason = f"HTTP {failure.code}"
            if _is_rate_limit(failure):
                wait_s = _asked_wait(failure.headers)
                reason += ", too many requests"
            elif failure.code < 500:
                raise BuildRefused(f"{_place(url)} refuses: {reason}")
            if wait_s > LONGEST_WAIT_S:
                hint = "" if self._token else " A token in GH_PAT allows more of them."
                raise BuildRefused(f"{_place(url)}: {reason}; it may be asked again in {wait_s:.0f} s.{hint}")
        if attempt >= TRIES:
            raise BuildRefused(f"{_place(url)} cannot be read: {reason}")
        self._pause(wait_s)


def _is_rate_limit(answer: urllib.error.HTTPError) -> bool:
    if answer.code == 429:
        return True
    headers = answer.headers
    return answer.code == 403 and ("retry-after" in headers or headers.get("x-ratelimit-remaining") == "0")


def _asked_wait(headers: Message) -> float:
    """How long GitHub wants us to wait: https://docs.github.com/en/rest/using-the-rest-api/rate-limits."""
    after, reset = headers.get("retry-after", ""), headers.get("x-ratelimit-reset", "")
    if after.isdecimal():
        return float(after)
    if reset.isdecimal():
        return max(1.0, float(reset) - time.time())
    return LONGEST_WAIT_S


def _origin(url: str) -> tuple[str, str, int]:
    parts = urllib.parse.urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)


def _place(url: str) -> str:
    """The address without what may be secret in it: what follows a redirect is signed in its query."""
    parts = urllib.parse.urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
