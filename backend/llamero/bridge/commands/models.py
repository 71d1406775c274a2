"""Commands about models: made known, and how they are run."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from llamero.bridge.context import Context, Services
from llamero.bridge.registry import command
from llamero.models.aliases import AliasKind, UserAlias
from llamero.models.bridge.servers import AddModelFile, ChangeModel, ModelInfo
from llamero.models.errors import BadModelFile, ModelFileNotFound, NotAvailable
from llamero.models.llama import LlamaCppConfig

_QUOTES = ('"', "'")


@command("add_model_file")
async def add_model_file(context: Context, arguments: AddModelFile) -> ModelInfo:
    """Know a model file from now on. Raises ModelFileNotFound or BadModelFile."""
    return await know_model_file(context.services, _as_path(arguments.path))


@command("choose_model_file")
async def choose_model_file(context: Context) -> ModelInfo | None:
    """Let the user choose a model file in the desktop's dialog. Raises NotAvailable where there is none."""
    dialogs = context.services.dialogs
    if dialogs is None:
        raise NotAvailable(command="choose_model_file")
    chosen = await dialogs.choose_model_file()
    return None if chosen is None else await know_model_file(context.services, chosen)


@command("change_model")
async def change_model(context: Context, arguments: ChangeModel) -> ModelInfo:
    """Run a model with other parameters from the next request on. Raises ModelNotFound."""
    services = context.services
    parameters = {
        "context_length": arguments.context_length,
        "gpu_layers": arguments.gpu_layers,
        "threads": arguments.threads,
        "keep_alive_s": arguments.keep_alive_s,
    }
    named = next((alias for alias in await services.aliases.listed() if alias.name == arguments.alias), None)
    if not isinstance(named, UserAlias):
        return await _keep(services, services.models.change(arguments.alias, **parameters))
    await services.aliases.save(replace(named, **parameters))
    config = await config_of(services, arguments.alias)
    return replace(await services.model_infos.of(config), kind=AliasKind.USER)


async def know_model_file(services: Services, path: Path) -> ModelInfo:
    """Know a model file from now on, and tell every window. Raises ModelFileNotFound or BadModelFile."""
    header = await services.model_infos.check(path)
    if header.is_mmproj:
        raise BadModelFile("bridge_error-projector", path=str(path), param="path")
    return await _keep(services, services.models.add_file(path))


async def config_of(services: Services, alias: str) -> LlamaCppConfig:
    """How the model of that name is run on this machine. Raises ModelNotFound."""
    config = (await services.names.configurations()).get(alias)
    return services.models.config(alias) if config is None else config


async def _keep(services: Services, config: LlamaCppConfig) -> ModelInfo:
    """Remember a model and tell every window."""
    await services.preferences.save_model(config)
    await services.model_list.tell(wait=False)
    return await services.model_infos.of(config)


def _as_path(typed: str) -> Path:
    """Read a path as people paste it: with quotes, with spaces around it, with `~`. Raises ModelFileNotFound."""
    text = typed.strip()
    if len(text) >= 2 and text[0] in _QUOTES and text[-1] == text[0]:
        text = text[1:-1]
    if not text or "\0" in text:
        raise ModelFileNotFound(path=typed.replace("\0", ""), param="path")
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError:  # a user who does not exist
        raise ModelFileNotFound(path=text, param="path") from None
