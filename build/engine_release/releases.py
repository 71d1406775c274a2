"""Asks GitHub's API what a release of llama.cpp consists of.

https://docs.github.com/en/rest/releases/releases#get-a-release-by-tag-name; `digest` of an asset is `sha256:` and hex,
and missing for files uploaded before June 2025.
"""

from __future__ import annotations

import re

import msgspec

from engine_release.refusal import BuildRefused
from engine_release.table import Asset
from engine_release.web import Web

API = "https://api.github.com/repos/ggml-org/llama.cpp"
_LIMIT = 8 * 1024 * 1024
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,199}")
_LARGEST = 4 * 1024**3


class _AssetReply(msgspec.Struct, frozen=True):
    name: str
    size: int
    browser_download_url: str
    state: str = "uploaded"
    digest: str | None = None


class _ReleaseReply(msgspec.Struct, frozen=True):
    tag_name: str
    assets: tuple[_AssetReply, ...] = ()


def find_assets(web: Web, tag: str, api: str = API) -> tuple[Asset, ...]:
    """The files of the release. Raises BuildRefused when there is no such release or it cannot be asked."""
    body = web.get(f"{api}/releases/tags/{tag}", "application/vnd.github+json", _LIMIT)
    if body is None:
        raise BuildRefused(f"llama.cpp has no release {tag}; CI_RELEASE has to be the tag of one")
    try:
        release = msgspec.json.decode(body, type=_ReleaseReply)
    except msgspec.MsgspecError as error:
        raise BuildRefused(f"the answer about release {tag} cannot be read: {error}") from error
    if release.tag_name != tag:
        raise BuildRefused(f"asked about release {tag}, the answer is about {release.tag_name!r}")
    return tuple(_asset(one) for one in release.assets if one.state == "uploaded" and _NAME.fullmatch(one.name))


def _asset(reply: _AssetReply) -> Asset:
    if not 0 < reply.size <= _LARGEST:
        raise BuildRefused(f"{reply.name} is said to have {reply.size} bytes")
    digest = _DIGEST.fullmatch(reply.digest or "")
    return Asset(reply.name, reply.size, digest[1] if digest else "", reply.browser_download_url)
