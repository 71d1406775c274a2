"""The command line of `llamero alias`: what may be said, and what it means. Imports next to nothing, as `cli` does."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

_Parser = TypeVar("_Parser", bound=argparse.ArgumentParser)


def add_alias_commands(
    commands: argparse._SubParsersAction[_Parser], parser_class: type[_Parser]
) -> Iterable[argparse.ArgumentParser]:
    """`llamero alias list|show|set|api|…`; returns the parsers that take the options of every command."""
    alias = commands.add_parser("alias", help="give models and remote servers names of your own")
    actions = alias.add_subparsers(dest="action", metavar="ACTION", parser_class=parser_class, required=True)

    listing = actions.add_parser("list", help="show the aliases")
    show = _named(actions.add_parser("show", help="show everything about one alias"))
    for parser in (listing, show):
        parser.add_argument("--json", action="store_true", help="as JSON")

    rename = _named(actions.add_parser("rename", help="give an alias another name"))
    rename.add_argument("new_name", metavar="NEW", help="its name from now on")
    remove = _named(actions.add_parser("remove", help="know an alias no longer; the model's file stays"))

    fallback = _named(actions.add_parser("fallback", help="name several models, of which the first that works answers"))
    fallback.add_argument("targets", metavar="TARGET", nargs="+", help="a model's name; tried in this order")
    fallback.add_argument("--cooldown", metavar="S", type=float, help="seconds to leave one alone that failed (30)")
    return listing, show, rename, remove, fallback, _add_set(actions), _add_api(actions)


def _add_set(actions: argparse._SubParsersAction[_Parser]) -> argparse.ArgumentParser:
    parser = _named(actions.add_parser("set", help="name a model and how it is run; replaces the alias of that name"))
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--file", metavar="FILE", type=Path, dest="model_file", help="GGUF file")
    source.add_argument("--hub", metavar="OWNER/REPO:QUANT", help="file that is in the cache of Hugging Face's hub")
    parser.add_argument(
        "--default", metavar="KEY=JSON", dest="defaults", action="append",
        help="request parameter that holds unless a request has its own, such as temperature=0.7",
    )  # fmt: skip
    parser.add_argument("--system", metavar="TEXT", help="system prompt, unless a request has its own")
    parser.add_argument(
        "--arguments", metavar="FLAGS", action="append", help='flags for llama-server, as --arguments="--top-k 5"'
    )
    parser.add_argument("--keep-alive", metavar="S", type=float, help="idle seconds until unload; -1 keeps it loaded")
    parser.add_argument("--embedding", action="store_true", help="it embeds")
    for name, meaning in (
        ("--context", "tokens of context"),
        ("--gpu-layers", "layers on the GPU; -1 is all"),
        ("--threads", "threads"),
        ("--parallel", "answers at once"),
    ):
        parser.add_argument(name, metavar="N", type=int, help=f"{meaning} (the engine's choice)")
    parser.add_argument(
        "--rpc",
        metavar="HOST:PORT",
        action="append",
        help="another machine that shares the model (rpc-server)",
    )
    return parser


def _add_api(actions: argparse._SubParsersAction[_Parser]) -> argparse.ArgumentParser:
    parser = _named(actions.add_parser("api", help="know a remote server that speaks OpenAI; replaces its namesake"))
    parser.add_argument("--url", metavar="URL", required=True, help="base URL, up to where /chat/completions follows")
    parser.add_argument("--prefix", metavar="P", help="what its models' names begin with here")
    parser.add_argument("--model", metavar="M", dest="models", action="append", help="a model that it has")
    parser.add_argument("--forward-all", action="store_true", help="send everything there that begins with the prefix")
    parser.add_argument("--header", metavar="K:V", dest="headers", action="append", help="header to send each time")
    parser.add_argument("--strip", metavar="P", action="append", help="request parameter that it does not take")
    parser.add_argument(
        "--key-file",
        metavar="FILE",
        type=Path,
        help="file with its key; or LLAMERO_REMOTE_KEY (the one it has)",
    )
    return parser


def _named(parser: _Parser) -> _Parser:
    parser.add_argument("name", metavar="NAME", help="the alias's name")
    return parser
