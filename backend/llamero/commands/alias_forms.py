"""Aliases as the command line says them, and as a line shows them."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from llamero.commands.options import Options
from llamero.infrastructure.plain_text import one_line
from llamero.models.aliases import COOLDOWN_S, Alias, ApiModel, FallbackAlias, UserAlias
from llamero.models.errors import InvalidRequest
from llamero.services.alias_rules import misfit

_Kind = TypeVar("_Kind", UserAlias, ApiModel, FallbackAlias)


def user_alias(options: Options) -> UserAlias:
    """What `set` describes. Raises InvalidRequest."""
    file = options.model_file
    return _converted(
        UserAlias,
        {
            "name": options.name,
            "file": "" if file is None else str(file.expanduser().absolute()),
            "hub": options.hub or "",
            "defaults": dict(map(_default, options.defaults or ())),
            "system_prompt": options.system or "",
            "context_length": options.context,
            "gpu_layers": options.gpu_layers,
            "threads": options.threads,
            "parallel": options.parallel,
            "embedding": options.embedding,
            "arguments": options.arguments or [],
            "keep_alive_s": options.keep_alive,
            "rpc": options.rpc or [],
        },
    )


def api_model(options: Options) -> ApiModel:
    """What `api` describes. Raises InvalidRequest."""
    return _converted(
        ApiModel,
        {
            "name": options.name,
            "base_url": options.url,
            "prefix": options.prefix or "",
            "models": options.models or [],
            "forward_all": options.forward_all,
            "headers": dict(map(_header, options.headers or ())),
            "strip": options.strip or [],
        },
    )


def fallback_alias(options: Options) -> FallbackAlias:
    """What `fallback` describes. Raises InvalidRequest."""
    cooldown = COOLDOWN_S if options.cooldown is None else options.cooldown
    return _converted(FallbackAlias, {"name": options.name, "targets": options.targets or [], "cooldown_s": cooldown})


def leads_to(alias: Alias) -> str:
    """Where an alias leads, in a few words."""
    match alias:
        case UserAlias():
            return alias.file or alias.hub
        case FallbackAlias():
            return ", ".join(alias.targets)
        case ApiModel():
            offered = [*alias.models, *(["…"] if alias.forward_all else [])]
            return f"{alias.base_url} ({', '.join(f'{alias.prefix}{model}' for model in offered)})"


def _converted(kind: type[_Kind], fields: dict[str, object]) -> _Kind:
    try:
        return msgspec.convert(fields | {"type": kind.__struct_config__.tag}, kind)
    except msgspec.ValidationError as error:
        raise misfit(error) from None


def _default(text: str) -> tuple[str, object]:
    key, equals, value = text.partition("=")
    try:
        if not key or not equals:
            raise ValueError
        return key, msgspec.json.decode(value.encode("utf-8"))
    except (ValueError, RecursionError):  # no JSON, or bytes that are no text
        raise InvalidRequest("alias_error-default_form", text=one_line(text, 60)) from None


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not name or not colon:
        raise InvalidRequest("alias_error-header_form", text=one_line(name, 60))
    return name, value.strip()
