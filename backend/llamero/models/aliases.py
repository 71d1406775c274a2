"""The names that clients may ask for, and where each of them leads.

A *user alias* gives a model file or hub file a name, request defaults and engine arguments. A *model alias* is a GGUF
file that Llamero knows by itself. An *API model* is a remote server that speaks OpenAI. A *fallback alias* is a list of
other names, tried in order. A name is looked for among user aliases and fallbacks, then model aliases, then API models.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from llamero.models.llama import LlamaCppConfig

# A name travels in JSON and in URLs: slashes and colons are fine, blanks around it and control characters are not.
AliasName = Annotated[str, Meta(pattern=r"\A[^\s\x00-\x1f\x7f]([^\x00-\x1f\x7f]{0,198}[^\s\x00-\x1f\x7f])?\Z")]
HeaderName = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}\Z")]
HeaderValue = Annotated[str, Meta(pattern=r"\A[\x20-\x7e]*\Z", max_length=4096)]
Line = Annotated[str, Meta(pattern=r"\A[^\x00-\x1f\x7f]*\Z", max_length=4096)]

COOLDOWN_S = 30.0


class AliasKind(StrEnum):
    """Which of the four a name is."""

    USER = "user"
    MODEL = "model"
    API = "api"
    FALLBACK = "fallback"


class UserAlias(msgspec.Struct, frozen=True, kw_only=True, tag="user"):
    """A model under a name of the user's choice.

    `file` is an absolute path, or `hub` is `owner/repository:QUANT`, a file in the hub's cache on this machine; exactly
    one of them is set. `defaults` are request parameters that hold unless a request has its own; `arguments` are
    llama-server flags; `rpc` are `host:port` of machines that share the model (llama.cpp's `--rpc`). Parameters that
    are None are the engine's choice; `keep_alive_s` is as in `LlamaCppConfig`.
    """

    name: AliasName
    file: Line = ""
    hub: Line = ""
    defaults: dict[str, object] = {}
    system_prompt: Annotated[str, Meta(max_length=1024 * 1024)] = ""
    context_length: Annotated[int, Meta(ge=16, le=16_777_216)] | None = None
    gpu_layers: Annotated[int, Meta(ge=-1, le=10_000)] | None = None
    threads: Annotated[int, Meta(ge=1, le=1024)] | None = None
    parallel: Annotated[int, Meta(ge=1, le=1024)] | None = None
    embedding: bool = False
    arguments: tuple[Annotated[str, Meta(max_length=65_536)], ...] = ()
    keep_alive_s: Annotated[float, Meta(ge=-1, le=31_536_000)] | None = None
    rpc: tuple[Line, ...] = ()


class ApiModel(msgspec.Struct, frozen=True, kw_only=True, tag="api"):
    """A remote server that speaks OpenAI: a hosted API, vLLM, SGLang, another Llamero.

    `base_url` ends where `/chat/completions` follows. Clients ask for `prefix` plus one of `models`, or with
    `forward_all` for `prefix` plus anything; the server sees the name without the prefix. `headers` go with every
    request, `strip` are request parameters that the server does not take. Its key is kept elsewhere, under `name`.
    """

    name: AliasName
    base_url: Annotated[str, Meta(pattern=r"\Ahttps?://[^\s\x00-\x1f\x7f]{1,2000}\Z")]
    prefix: Line = ""
    models: tuple[AliasName, ...] = ()
    forward_all: bool = False
    headers: dict[HeaderName, HeaderValue] = {}
    strip: tuple[Line, ...] = ()


class FallbackAlias(msgspec.Struct, frozen=True, kw_only=True, tag="fallback"):
    """Names that are tried in order. One that fails is left alone for `cooldown_s`, or longer where it asks for it."""

    name: AliasName
    targets: Annotated[tuple[AliasName, ...], Meta(min_length=1, max_length=32)]
    cooldown_s: Annotated[float, Meta(ge=0, le=86_400)] = COOLDOWN_S


Alias = UserAlias | ApiModel | FallbackAlias


class LocalDestination(msgspec.Struct, frozen=True, kw_only=True):
    """A model on this machine. `defaults` and `system_prompt` are those of its alias."""

    alias: str
    config: LlamaCppConfig
    defaults: dict[str, object] = {}
    system_prompt: str = ""


class RemoteDestination(msgspec.Struct, frozen=True, kw_only=True):
    """A model elsewhere, which knows itself as `upstream`."""

    alias: str
    api: ApiModel
    upstream: str


class FallbackDestination(msgspec.Struct, frozen=True, kw_only=True):
    """Other names in their order; each leads to a destination of its own."""

    alias: str
    targets: tuple[str, ...]
    cooldown_s: float = COOLDOWN_S


Destination = LocalDestination | RemoteDestination | FallbackDestination


class PausedTarget(msgspec.Struct, frozen=True, kw_only=True):
    """A target of fallbacks that failed, and comes last until then, in seconds since the epoch.

    `code` and `arguments` are the message that says why.
    """

    target: str
    until: float
    code: str
    arguments: dict[str, str | int | float] = {}


class ListedModel(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the list of models. `created` in seconds since the epoch, 0 where it is not known.

    `path` is empty where the model is not a file here; `size_bytes` is 0 where it is not known. `sees` is True where a
    projector is loaded beside the model.
    """

    id: str
    kind: AliasKind = AliasKind.MODEL
    owned_by: str = "llamero"
    created: int = 0
    embedding: bool = False
    path: str = ""
    size_bytes: int = 0
    sees: bool = False
