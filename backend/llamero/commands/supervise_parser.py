"""How `llamero ps`, `stop` and `logs` are written."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from typing import TypeVar

Parser = TypeVar("Parser", bound=argparse.ArgumentParser)

MOST_LINES = 2000


def add_supervise_commands(commands: argparse._SubParsersAction[Parser]) -> Iterable[Parser]:
    """Add the commands; returns the parsers that take the options of every command."""
    ps = commands.add_parser("ps", help="show the models that run")
    ps.add_argument("--json", action="store_true", help="write JSON")
    stop = commands.add_parser("stop", help="stop a model, whatever it does")
    stop.add_argument("name", metavar="MODEL", nargs="?", default="", help="its name (the only one that runs)")
    stop.add_argument("--all", action="store_true", help="stop every model")
    logs = commands.add_parser("logs", help="show what an engine, or Llamero, wrote")
    logs.add_argument("name", metavar="MODEL", nargs="?", default="", help="the model's name (the log of everything)")
    logs.add_argument("-f", "--follow", action="store_true", help="go on until Ctrl+C")
    logs.add_argument("-n", "--lines", metavar="N", type=_lines, help=f"the last N lines, up to {MOST_LINES} (all)")
    return ps, stop, logs


def _lines(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text[:9]) <= MOST_LINES):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to {MOST_LINES}")
    return int(text)
