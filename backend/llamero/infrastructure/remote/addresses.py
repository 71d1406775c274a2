"""The address of a remote server's endpoint, as its base URL and our path of the endpoint make it."""

from __future__ import annotations

from urllib.parse import urlsplit

from llamero.models.aliases import ApiModel
from llamero.models.errors import UpstreamFailed

_VERSION = "/v1"


def endpoint_url(api: ApiModel, endpoint: str) -> str:
    """Return the URL of an engine's path at a remote server.

    `/v1/chat/completions` is `/chat/completions` below the base URL, whatever that ends with. llama.cpp's own
    endpoints have no version; they are beside `/v1`, not below it.
    """
    base = api.base_url.rstrip("/")
    if endpoint.startswith(f"{_VERSION}/"):
        return base + endpoint.removeprefix(_VERSION)
    return base.removesuffix(_VERSION) + endpoint


def host_of(api: ApiModel) -> str:
    """Name the server for a person: host and port, and nothing that may be secret.

    Raises UpstreamFailed when the base URL is none, or one that would send a password along.
    """
    try:
        parts = urlsplit(api.base_url)
        usable = bool(parts.hostname) and "@" not in parts.netloc and parts.port != 0
    except ValueError:  # a port that is no number, brackets without an address
        usable = False
    if not usable or parts.query or parts.fragment:
        raise UpstreamFailed("remote_error-bad_address", name=api.name)
    return parts.netloc
