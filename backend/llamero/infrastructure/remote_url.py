"""The address of a remote server, checked before it is kept: nothing in it that would be sent, shown or logged by
mistake.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from llamero.models.errors import InvalidRequest

_PORTS = {"http": 80, "https": 443}


def check_base_url(url: str) -> str:
    """Return the address without a slash at its end.

    Raises InvalidRequest: `alias_error-url` (no host, another scheme, a port that is none, a query or fragment) or
    `alias_error-url_credentials` (a name or password, which belongs into the keyring).
    """
    try:
        parts = urlsplit(url)
        usable = parts.scheme in _PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port out of range, brackets that do not close
        usable = False
    if not usable or "\\" in url:
        raise InvalidRequest("alias_error-url", param="base_url")
    if "@" in parts.netloc:
        raise InvalidRequest("alias_error-url_credentials", param="base_url")
    if parts.query or parts.fragment or url.endswith(("?", "#")):
        raise InvalidRequest("alias_error-url", param="base_url")
    return url.rstrip("/")


def origin_of(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port: what a key is given for. A URL that is none has an origin of its own."""
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname or "", parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return url, "", None
