"""Who may talk to a loopback server: the decisions, as pure functions over a request's head.

A web page in the user's browser can reach every port of this machine, so being local proves nothing. The checks below
stand in for that, each against one way in:

* `Host` must be exactly one of ours, port included: a page whose name was re-pointed to 127.0.0.1 (DNS rebinding)
  still sends its own name.
* `Origin`, when sent, must be ours or on the user's list, and `Sec-Fetch-Site` must not say that another site asks.
  Browsers set both, and pages cannot forge either. A listed origin vouches for itself, whatever its site.
* A browser's write must be `application/json`, which no form and no request without preflight can send.
* With a key, every path that is not open wants it, in a header. Never in a query string, which lands in logs, and
  never in a cookie, which does not know ports.

The gateway and the window's own origin differ in their switches only.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
from collections.abc import Iterable, Mapping

import msgspec
from multidict import MultiMapping

from llamero.models.errors import AuthenticationFailed, Forbidden, InvalidRequest, UnsupportedMediaType

LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")
METHODS_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
SINGLE_HEADERS = ("Host", "Authorization", "X-Api-Key", "Origin", "Sec-Fetch-Site", "Content-Type", "Content-Encoding")
# Names that a preflight asks for are echoed, if they are names.
HEADER_NAMES = re.compile(r"[A-Za-z0-9-]+(?:\s*,\s*[A-Za-z0-9-]+)*")
HEADER_NAMES_LIMIT = 1024
# Our text never asks a browser to load or run anything.
INERT_CONTENT = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


class AccessPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """What a server lets in.

    `hosts` are whole `Host` values in lower case. `own_origins` are ours; `listed_origins` are the user's, and the only
    ones that get CORS headers. `key_digest` None accepts anybody. `open_paths` need no key. `json_writes_only` asks
    every client, not only browsers, to name its JSON; `upload_paths` are exempt from that.
    """

    hosts: frozenset[str]
    own_origins: frozenset[str]
    listed_origins: frozenset[str] = frozenset()
    key_digest: bytes | None = None
    open_paths: frozenset[str] = frozenset()
    json_writes_only: bool = False
    upload_paths: frozenset[str] = frozenset()
    content_security_policy: str = INERT_CONTENT

    def __repr__(self) -> str:
        return f"AccessPolicy(hosts={sorted(self.hosts)}, key={'set' if self.key_digest else 'none'})"


def is_loopback(address: str) -> bool:
    """Tell whether only this machine can reach a socket bound to `address`."""
    if address.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return False


def host_values(name: str, port: int) -> Iterable[str]:
    """Spell `name` as a client sends it; a port written by the user (a proxy's) is kept."""
    if name.count(":") > 1 and not name.startswith("["):
        name = f"[{name}]"
    if re.search(r":\d+$", name) and not name.endswith("]"):
        yield name
    elif name:
        yield f"{name}:{port}"
        if port == 80:  # clients leave the default port out
            yield name


def check_sender(policy: AccessPolicy, target: str, headers: MultiMapping[str]) -> str | None:
    """Raise `Forbidden` or `InvalidRequest` unless the request is meant for us and comes from where it may.

    `target` is the request target as sent. Returns the listed origin that asks, if one does: it may read the answer,
    whatever that will be.
    """
    for name in SINGLE_HEADERS:
        if len(headers.getall(name, ())) > 1:
            raise InvalidRequest("request_error-repeated_header", header=name)
    check_host(policy, target, headers)
    return check_browser(policy, headers)


def check_request(policy: AccessPolicy, method: str, path: str, headers: MultiMapping[str]) -> None:
    """Raise what `check_key` and `check_content_type` do. `path` is the raw path without the query."""
    check_key(policy, path, headers)
    check_content_type(policy, method, path, headers)


def check_host(policy: AccessPolicy, target: str, headers: MultiMapping[str]) -> None:
    """Raise `Forbidden` unless the request is addressed to us, by a name of ours."""
    if headers.get("Host", "").lower() not in policy.hosts:
        raise Forbidden("access_error-forbidden_host", host=headers.get("Host", "")[:200])
    # A target with a host of its own would override the header that was just checked.
    if not target.startswith("/") and target != "*":
        raise InvalidRequest()


def check_browser(policy: AccessPolicy, headers: MultiMapping[str]) -> str | None:
    """Raise `Forbidden` for pages of other origins. Returns the origin if it is one of the user's list."""
    origin = headers.get("Origin")
    if origin is not None:
        if origin.lower() in policy.listed_origins:
            return origin
        if origin.lower() not in policy.own_origins:
            raise Forbidden("access_error-forbidden_origin", origin=origin[:200])
    site = headers.get("Sec-Fetch-Site")
    if site is not None and site.lower() not in ("same-origin", "none"):
        raise Forbidden("access_error-forbidden_site", site=site[:200])
    return None


def check_key(policy: AccessPolicy, path: str, headers: MultiMapping[str]) -> None:
    """Raise `AuthenticationFailed` unless one of the two headers has the key, or none is needed."""
    if policy.key_digest is None or path in policy.open_paths:
        return
    scheme, _, bearer = headers.get("Authorization", "").partition(" ")
    presented = [headers.get("X-Api-Key", "")]
    if scheme.lower() == "bearer":
        presented.append(bearer.strip())
    # Digests, so that neither the length nor a character outside ASCII makes a difference; no early exit.
    matches = [hmac.compare_digest(digest(key), policy.key_digest) for key in presented]
    if not any(matches):
        raise AuthenticationFailed() if any(presented) else AuthenticationFailed("access_error-missing_api_key")


def check_content_type(policy: AccessPolicy, method: str, path: str, headers: MultiMapping[str]) -> None:
    """Raise `UnsupportedMediaType` for a write that a page could have sent without asking first."""
    if method not in METHODS_WITH_BODY or path in policy.upload_paths:
        return
    if not (policy.json_writes_only or is_browser(headers)):
        return
    declared = headers.get("Content-Type", "")
    if declared.partition(";")[0].strip().lower() != "application/json":
        raise UnsupportedMediaType(content_type=declared[:200] or "none")


def is_browser(headers: MultiMapping[str]) -> bool:
    """Tell whether a request carries what browsers add. Some tools do, too (Node sends `Sec-Fetch-Mode`)."""
    return "Origin" in headers or any(name.lower().startswith("sec-fetch-") for name in headers)


def is_preflight(method: str, headers: MultiMapping[str]) -> bool:
    """Tell whether a browser asks on behalf of a page what it may send. Only listed origins get an answer."""
    return method == "OPTIONS" and "Access-Control-Request-Method" in headers


def preflight_headers(headers: MultiMapping[str]) -> Mapping[str, str]:
    """Say to a listed origin what it may send."""
    asked = headers.get("Access-Control-Request-Headers", "").strip()
    usable = len(asked) <= HEADER_NAMES_LIMIT and HEADER_NAMES.fullmatch(asked)
    return {
        "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE",
        "Access-Control-Allow-Headers": asked if usable else "Authorization, Content-Type, X-Api-Key",
        "Access-Control-Max-Age": "600",
    }


def response_headers(policy: AccessPolicy, listed: str | None) -> Mapping[str, str]:
    """Return the headers of every response, errors included. `listed` is what `check_access` returned."""
    headers = {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Content-Security-Policy": policy.content_security_policy,
        "Server": "Llamero",
    }
    if policy.listed_origins:
        headers["Vary"] = "Origin"
    if listed is not None:
        headers["Access-Control-Allow-Origin"] = listed
    return headers


def digest(key: str) -> bytes:
    """Hash a key as it came in a header, undecodable bytes included."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
