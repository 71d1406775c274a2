"""Who may talk to a loopback server: the decisions, as pure functions over a request's head.

A web page in the user's browser can reach every port of this machine, so being local proves nothing. The checks below
stand in for that, each against one way in:

* `Host` must be exactly one of ours, port included: a page whose name was re-pointed to 127.0.0.1 (DNS rebinding)
  still sends its own name.
* `Origin`, when sent, must be ours or on the user's list, and `Sec-Fetch-Site` must not say that another site asks.
  Browsers set both, and pages cannot forge either. A listed origin vouches for itself, whatever its site.
* A browser's write must be `application/json`, which no form and no request without preflight can send.

Who has which key is another question, asked behind these; a key is looked for in two headers (`presented_keys`).

The gateway and the window's own origin differ in their switches only.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping

import msgspec
from multidict import MultiMapping

from llamero.models.errors import Forbidden, InvalidRequest, UnsupportedMediaType

LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")
METHODS_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
SINGLE_HEADERS = ("Host", "Authorization", "X-Api-Key", "Origin", "Sec-Fetch-Site", "Content-Type", "Content-Encoding")
# Names that a preflight asks for are echoed, if they are names.
HEADER_NAMES = re.compile(r"[A-Za-z0-9-]+(?:\s*,\s*[A-Za-z0-9-]+)*")
HEADER_NAMES_LIMIT = 1024
# What a page may read of an answer besides its body: when to come back, where its key stands, what to call a request.
EXPOSED_HEADERS = ", ".join(
    (
        *("Retry-After", "Request-Id"),
        *("X-RateLimit-Limit-Requests", "X-RateLimit-Remaining-Requests", "X-RateLimit-Reset-Requests"),
        *("X-RateLimit-Limit-Streams", "X-RateLimit-Remaining-Streams", "X-RateLimit-Reset-Streams"),
    )
)
# Our text never asks a browser to load or run anything.
INERT_CONTENT = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


class AccessPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """What a server lets in.

    `hosts` are whole `Host` values in lower case. `own_origins` are ours; `listed_origins` are the user's, and the only
    ones that get CORS headers. `json_writes_only` asks every client, not only browsers, to name its JSON;
    `upload_paths` are exempt from that.
    """

    hosts: frozenset[str]
    own_origins: frozenset[str]
    listed_origins: frozenset[str] = frozenset()
    json_writes_only: bool = False
    upload_paths: frozenset[str] = frozenset()
    content_security_policy: str = INERT_CONTENT


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


def check_content_type(policy: AccessPolicy, method: str, path: str, headers: MultiMapping[str]) -> None:
    """Raise `UnsupportedMediaType` for a write that a page could have sent without asking first.

    `path` is the raw path without the query.
    """
    if method not in METHODS_WITH_BODY or path in policy.upload_paths:
        return
    if not (policy.json_writes_only or is_browser(headers)):
        return
    declared = headers.get("Content-Type", "")
    if declared.partition(";")[0].strip().lower() != "application/json":
        raise UnsupportedMediaType(content_type=declared[:200] or "none")


def presented_keys(headers: MultiMapping[str]) -> tuple[str, ...]:
    """Return the keys that a request carries: the bearer, and `X-Api-Key`, which clients of the Anthropic API send.

    Never one of a query string, which lands in logs, nor of a cookie, which does not know ports.
    """
    scheme, _, bearer = headers.get("Authorization", "").partition(" ")
    keys = (bearer.strip() if scheme.lower() == "bearer" else "", headers.get("X-Api-Key", ""))
    return tuple([key for key in keys if key])


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
        headers["Access-Control-Expose-Headers"] = EXPOSED_HEADERS
    return headers
