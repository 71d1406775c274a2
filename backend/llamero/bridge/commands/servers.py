"""Commands about servers: what each is and does, its output, and what a person may do to it."""

from __future__ import annotations

from llamero.bridge.commands.models import config_of
from llamero.bridge.context import Context, Services
from llamero.bridge.registry import command
from llamero.models.bridge.servers import ModelRef, ServerInfo, ServerLog, StopModel
from llamero.models.supervision import GetServerOutput, ServerDetails, ServerOutput


@command("start_model")
async def start_model(context: Context, arguments: ModelRef) -> ServerInfo:
    """Make a model ready, and return when it is. Raises what ended the start."""
    services = context.services
    config = await config_of(services, arguments.alias)
    with services.server_infos.expecting():
        await services.engines.start(config)
    return services.server_infos.find(arguments.alias)


@command("stop_model")
async def stop_model(context: Context, arguments: StopModel) -> None:
    """Stop one model or all, and return when the processes are gone. Raises ModelNotFound."""
    services = context.services
    if arguments.alias is not None:
        await _check_known(services, arguments.alias)
    with services.server_infos.expecting():
        await services.engines.stop(arguments.alias)


@command("restart_model")
async def restart_model(context: Context, arguments: ModelRef) -> ServerInfo:
    """Stop a model whatever it does, and make it ready again. Raises ModelNotFound and what ended the start."""
    services = context.services
    with services.server_infos.expecting():
        await services.control.restart(arguments.alias)
    return services.server_infos.find(arguments.alias)


@command("unload_model")
async def unload_model(context: Context, arguments: ModelRef) -> None:
    """Stop a model once no request needs it; returns at once where it is in use. Raises ModelNotFound."""
    services = context.services
    with services.server_infos.expecting():
        await services.control.unload(arguments.alias)


@command("get_server_details")
async def get_server_details(context: Context, arguments: ModelRef) -> ServerDetails:
    """All that is known about a model's server. Raises ModelNotFound."""
    await _check_known(context.services, arguments.alias)
    return context.services.server_infos.details(arguments.alias)


@command("get_server_output")
async def get_server_output(context: Context, arguments: GetServerOutput) -> ServerOutput:
    """What a model's engine has written since. Raises ModelNotFound."""
    await _check_known(context.services, arguments.alias)
    return context.services.server_infos.output(arguments.alias, arguments.generation, arguments.written)


@command("get_server_log")
async def get_server_log(context: Context, arguments: ModelRef) -> ServerLog:
    """The last lines of a model's engine. Raises ModelNotFound."""
    await _check_known(context.services, arguments.alias)
    return ServerLog(alias=arguments.alias, lines=context.services.server_infos.log(arguments.alias))


async def _check_known(services: Services, alias: str) -> None:
    """Raise ModelNotFound for a name of neither a server nor a model. A server may run under the name of an alias."""
    if all(info.alias != alias for info in services.server_infos.all()):
        await config_of(services, alias)
