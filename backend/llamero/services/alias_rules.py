"""What an alias must be like to be kept. Pure but for the one look at a URL; knows nothing of engines and files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath, PureWindowsPath

import msgspec
from msgspec.structs import replace

from llamero.infrastructure.llama.args import Tier, parse, validate
from llamero.infrastructure.remote_url import check_base_url
from llamero.models.aliases import Alias, ApiModel, FallbackAlias, UserAlias
from llamero.models.errors import InvalidArgument, InvalidRequest

# As the hub names things: one owner, one repository, and what tells its files apart.
_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}(:[A-Za-z0-9][\w.-]{0,199})?", re.ASCII)
_WORKER = re.compile(r"(?:\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?):([0-9]{1,5})")
# What each request says for itself.
_OF_THE_REQUEST = frozenset({"model", "messages", "prompt", "input", "stream"})
# What the connection needs, and the key, which is kept where keys are kept.
_MANAGED_HEADERS = frozenset(
    {"accept-encoding", "authorization", "connection", "content-encoding", "content-length", "content-type", "expect"}
    | {"host", "keep-alive", "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
)


def checked(alias: Alias, others: Iterable[Alias]) -> Alias:
    """Return the alias as it is kept. `others` are all other ones.

    Raises InvalidRequest (`alias_error-…`), with the field at fault as `param`, and InvalidArgument for a flag.
    """
    try:
        alias = msgspec.convert(msgspec.to_builtins(alias), Alias)
    except msgspec.ValidationError as error:
        raise misfit(error) from None
    known = {other.name: other for other in others}
    if alias.name in known:
        raise InvalidRequest("alias_error-name_taken", param="name", name=alias.name)
    match alias:
        case UserAlias():
            return _user(alias)
        case ApiModel():
            return _api(alias)
        case FallbackAlias():
            return _fallback(alias, known)


def misfit(error: msgspec.ValidationError) -> InvalidRequest:
    """The refusal for what is no alias by its types and ranges; msgspec says which field it is."""
    text, _, place = str(error).partition(" - at `$")
    field = re.match(r"\.(\w+)", place)
    param = field[1] if field else None
    if "matching regex" in text:
        return InvalidRequest("alias_error-characters", param=param, field=param or "alias")
    return InvalidRequest("alias_error-invalid", param=param, reason=f"{param}: {text}" if param else text)


def _user(alias: UserAlias) -> UserAlias:
    if bool(alias.file) == bool(alias.hub):
        raise InvalidRequest("alias_error-one_model", param="file", name=alias.name)
    if alias.file and not (PurePosixPath(alias.file).is_absolute() or PureWindowsPath(alias.file).is_absolute()):
        raise InvalidRequest("alias_error-relative_file", param="file", path=alias.file)
    if alias.hub and not _HUB_NAME.fullmatch(alias.hub):
        raise InvalidRequest("alias_error-hub_name", param="hub", hub=alias.hub)
    for worker in alias.rpc:
        port = _WORKER.fullmatch(worker)
        if port is None or not 1 <= int(port[1]) <= 65_535:
            raise InvalidRequest("alias_error-rpc_worker", param="rpc", worker=worker)
    for parameter in alias.defaults:
        if parameter in _OF_THE_REQUEST:
            raise InvalidRequest("alias_error-default_of_request", param="defaults", parameter=parameter)
    try:
        validate(parse(alias.arguments), tier=Tier.ALIAS)
    except InvalidArgument as error:
        error.param = "arguments"
        raise
    return alias


def _api(alias: ApiModel) -> ApiModel:
    if not alias.models and not alias.forward_all:
        raise InvalidRequest("alias_error-no_models", param="models", name=alias.name)
    if alias.forward_all and not alias.prefix:
        # Otherwise every slip of the pen would be sent to a stranger, with the prompt.
        raise InvalidRequest("alias_error-prefix_needed", param="prefix", name=alias.name)
    if alias.prefix != alias.prefix.lstrip():
        raise InvalidRequest("alias_error-prefix", param="prefix")
    for header in alias.headers:
        if header.lower() in _MANAGED_HEADERS:
            raise InvalidRequest("alias_error-managed_header", param="headers", header=header)
    return replace(alias, base_url=check_base_url(alias.base_url))


def _fallback(alias: FallbackAlias, known: Mapping[str, Alias]) -> FallbackAlias:
    if alias.name in alias.targets:
        raise InvalidRequest("alias_error-target_itself", param="targets", name=alias.name)
    if len(set(alias.targets)) < len(alias.targets):
        raise InvalidRequest("alias_error-target_twice", param="targets", name=alias.name)
    reached, ahead = set[str](), list(alias.targets)
    while ahead:
        name = ahead.pop()
        if name == alias.name:
            raise InvalidRequest("alias_error-target_cycle", param="targets", name=alias.name)
        target = known.get(name)
        if name not in reached and isinstance(target, FallbackAlias):
            ahead.extend(target.targets)
        reached.add(name)
    return alias
