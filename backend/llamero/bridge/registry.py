"""Commands: plain async functions with a name. Argument and result types come from their annotations.

    @command("rename_conversation")
    async def rename_conversation(context: Context, arguments: RenameConversation) -> Conversation: ...

The first parameter is who calls and what may be used; the second, a Struct, may be left out where nothing is asked.
Invariants: a command's Struct refuses fields that it does not know; nothing is registered by being imported, a
`Registry` is made of modules.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from types import ModuleType

import msgspec

from llamero.models.bridge.fields import Empty
from llamero.models.errors import UnknownCommand

NAME_LIMIT = 100

Function = Callable[..., Awaitable[object]]


class Command:
    """One command. Calling it calls its function."""

    def __init__(self, name: str, function: Function) -> None:
        """Read the types off the function. Raises TypeError where they do not make a command."""
        if not inspect.iscoroutinefunction(function):
            raise TypeError(f"the command {name} is not an async function")
        parameters = list(inspect.signature(function).parameters)
        hints = typing.get_type_hints(function)
        if not 1 <= len(parameters) <= 2 or "return" not in hints:
            raise TypeError(f"the command {name} needs a context, at most one Struct, and an annotated result")
        argument = hints.get(parameters[1]) if len(parameters) == 2 else Empty
        if not (isinstance(argument, type) and issubclass(argument, msgspec.Struct)):
            raise TypeError(f"the command {name} does not take a Struct")
        if not argument.__struct_config__.forbid_unknown_fields:
            raise TypeError(f"{argument.__name__} lets unknown fields pass")
        self.name = name
        self.function = function
        self.argument: type[msgspec.Struct] = argument
        self.result: object = hints["return"]
        self.takes_argument = len(parameters) == 2
        self.decoder: msgspec.json.Decoder[msgspec.Struct] = msgspec.json.Decoder(argument)

    def __call__(self, context: object, arguments: msgspec.Struct | None = None) -> Awaitable[object]:
        """Run the command with arguments that have been decoded."""
        return self.function(context, arguments) if self.takes_argument else self.function(context)


def command(name: str) -> Callable[[Function], Command]:
    """Make an async function a command of that name."""
    return lambda function: Command(name, function)


class Registry:
    """The commands of some modules, by name."""

    def __init__(self, modules: Iterable[ModuleType]) -> None:
        """Collect them. Raises ValueError where two have one name."""
        self._commands: dict[str, Command] = {}
        for found in (value for module in modules for value in vars(module).values()):
            if isinstance(found, Command) and self._commands.setdefault(found.name, found) is not found:
                raise ValueError(f"there are two commands {found.name}")

    def find(self, name: str) -> Command:
        """Return the command of that name. Raises UnknownCommand."""
        found = self._commands.get(name)
        if found is None:
            raise UnknownCommand(command=name[:NAME_LIMIT])
        return found

    def commands(self) -> Mapping[str, tuple[type[msgspec.Struct], object]]:
        """Every command's argument and result type, for those who generate from them."""
        return {found.name: (found.argument, found.result) for found in self}

    def __iter__(self) -> Iterator[Command]:
        return iter(self._commands.values())
