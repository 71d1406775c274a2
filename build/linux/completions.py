"""Completions for bash, zsh and fish, made from the parser of the command line by shtab.

The parser says what an option takes by its type and its name for it; shtab is told here which of those are files.
"""

from __future__ import annotations

import argparse
from pathlib import Path, PurePosixPath

import shtab

# Where each shell of Debian looks, below /usr.
PLACES = {
    "bash": PurePosixPath("share/bash-completion/completions/llamero"),
    "zsh": PurePosixPath("share/zsh/vendor-completions/_llamero"),
    "fish": PurePosixPath("share/fish/vendor_completions.d/llamero.fish"),
}


def completions(parser: argparse.ArgumentParser) -> dict[str, str]:
    """Return the script of each shell in `PLACES`. Marks the parser's actions, which nothing else reads."""
    _mark_files(parser)
    return {shell: shtab.complete(parser, shell) for shell in PLACES}


def _mark_files(parser: argparse.ArgumentParser) -> None:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                _mark_files(command)
        elif action.type is Path:
            kind = shtab.DIRECTORY if action.metavar == "DIR" else shtab.FILE
            action.complete = kind  # type: ignore[attr-defined]
