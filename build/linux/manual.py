"""The manual page llamero(1), made from the parser of the command line, so that it says what `--help` says.

Written in man(7)'s macros. What the parser does not know (files, environment, exit statuses) stands here.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable, Iterator

# Options that every command takes are described once, at the top.
_EVERYWHERE = frozenset({"--help", "--version", "--data-dir", "--log-level"})

_EXAMPLES = (
    ("llamero", "Open the window."),
    ('llamero run model.gguf "Hello"', "Ask a model once, in the terminal."),
    ("llamero serve --model model.gguf", "Let other programs use a model at http://127.0.0.1:5526."),
    ("llamero doctor", "See what is wrong, and what to do about it."),
)
_ENVIRONMENT = (
    ("LLAMERO_API_KEY", "The key that clients of the gateway must send."),
    ("LLAMERO_REMOTE_KEY", "The key that 'llamero alias api' keeps for a remote server."),
    ("LLAMERO_GUI", "Draw the window by 'qt' or 'gtk' only."),
    ("XDG_DATA_HOME, XDG_CONFIG_HOME, XDG_STATE_HOME, XDG_CACHE_HOME", "Where the directories below are."),
)
_FILES = (
    ("~/.local/share/llamero", "Conversations, models, engines."),
    ("~/.config/llamero/settings.toml", "Settings. The file need not exist."),
    ("~/.local/state/llamero/log", "The log."),
    ("~/.cache/llamero", "What can be made again."),
)
_STATUSES = (
    ("0", "All went well."),
    ("1", "It failed; one sentence on standard error says why."),
    ("2", "The command line could not be understood."),
    ("130", "It was interrupted."),
)


def manual_page(parser: argparse.ArgumentParser, version: str, moment: int) -> str:
    """Return the page as troff. `moment` is its date, in seconds since 1970."""
    date = time.strftime("%Y-%m-%d", time.gmtime(moment))
    lines = [
        f'.TH LLAMERO 1 "{date}" "Llamero {version}" "User Commands"',
        ".SH NAME",
        r"llamero \- run language models on your own machine",
        ".SH SYNOPSIS",
        *_synopsis(parser),
        ".SH DESCRIPTION",
        _text(parser.description or ""),
        ".SH OPTIONS",
        *_described(_visible(parser)),
        ".SH COMMANDS",
    ]
    for command in _commands(parser):
        lines += [f".SS {_text(_usage(command))}", _text(_sentence(_help_of(parser, command)))]
        lines += _described(action for action in _visible(command) if not _EVERYWHERE & {*action.option_strings})
    for title, entries in (("ENVIRONMENT", _ENVIRONMENT), ("FILES", _FILES), ("EXIT STATUS", _STATUSES)):
        lines += [f".SH {title}"]
        lines += [line for term, meaning in entries for line in (".TP", rf"\fB{_text(term)}\fR", _text(meaning))]
    lines += [".SH EXAMPLES"]
    lines += [line for term, meaning in _EXAMPLES for line in (".TP", rf"\fB{_text(term)}\fR", _text(meaning))]
    return "\n".join(lines) + "\n"


def _synopsis(parser: argparse.ArgumentParser) -> Iterator[str]:
    yield rf"\fBllamero\fR {_text(_usage(parser).removeprefix('llamero '))}"
    for command in _commands(parser):
        yield ".br"
        name, _, rest = _usage(command).removeprefix("llamero ").partition(" ")
        yield rf"\fBllamero {_text(name)}\fR {_text(rest)}"


def _commands(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """Every command that does something: of a command with actions, its actions."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from list(_commands(command)) or [command]


def _help_of(parser: argparse.ArgumentParser, wanted: argparse.ArgumentParser) -> str:
    """What the parser says a command is for. That stands with the parent, not with the command."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for choice in action._choices_actions:
                command = action.choices[str(choice.dest)]
                found = str(choice.help) if command is wanted else _help_of(command, wanted)
                if found:
                    return found
    return ""


def _visible(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    for action in parser._actions:
        if action.help != argparse.SUPPRESS and not isinstance(action, argparse._SubParsersAction):
            yield action


def _usage(parser: argparse.ArgumentParser) -> str:
    """The usage on one line, without the options of every command."""
    words = " ".join(parser.format_usage().removeprefix("usage: ").split())
    for action in _visible(parser):
        if _EVERYWHERE & {*action.option_strings}:
            value = f" {action.metavar}" if action.metavar else ""
            words = words.replace(f" [{action.option_strings[0]}{value}]", "", 1)
    return words.replace(" COMMAND ...", " [COMMAND]")


def _described(actions: Iterable[argparse.Action]) -> Iterator[str]:
    for action in actions:
        value = rf" \fI{_text(str(action.metavar))}\fR" if action.metavar and action.option_strings else ""
        names = ", ".join(rf"\fB{_text(name)}\fR{value}" for name in action.option_strings)
        yield ".TP"
        yield names or rf"\fI{_text(str(action.metavar))}\fR"
        yield _text(_sentence(action.help or ""))


def _sentence(text: str) -> str:
    """argparse wants no capital and no full stop; a page of prose does."""
    return f"{text[:1].upper()}{text[1:].rstrip('.')}." if text else ""


def _text(text: str) -> str:
    """Text as troff takes it literally: a hyphen that can be copied, and no line that begins as a request does."""
    escaped = text.replace("\\", r"\e").replace("-", r"\-").replace("…", "...")
    return rf"\&{escaped}" if escaped.startswith((".", "'")) else escaped
