"""The command line: reads it and hands over to a command.

Imports next to nothing, so that `--version` and a slip of the pen are answered at once; commands import what they need.
The texts of `--help` stand here beside what they describe; all other sentences are in `locale/`.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NoReturn

from llamero.commands.alias_parser import add_alias_commands
from llamero.commands.options import Options
from llamero.commands.report import BROKEN_PIPE, FAILED, INTERRUPTED, USAGE, report_failure, report_surprise, say
from llamero.commands.supervise_parser import add_supervise_commands
from llamero.infrastructure.out_of_space import OUT_OF_SPACE
from llamero.models.errors import IoFailed, LlameroError

LOG_LEVELS = ("debug", "info", "warning", "error")
LARGEST_COUNT = 36_500


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return the exit status: 0, 1 when it failed, 2 for a command line that cannot be understood."""
    arguments = _open_by_name(list(sys.argv[1:] if argv is None else argv))
    _open_missing_streams()
    options = Options()
    try:
        status = _command(arguments, options)
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        _forget_stdout()
        return BROKEN_PIPE
    except KeyboardInterrupt:
        return INTERRUPTED
    except LlameroError as error:
        report_failure(error)
    except OSError as error:
        if error.errno in OUT_OF_SPACE and error.filename is None:
            _forget_stdout()
            report_failure(IoFailed(reason=error.strerror or str(error)))
        else:
            report_surprise(error, options)
    except Exception as error:
        report_surprise(error, options)
    return FAILED


def _command(arguments: Sequence[str], options: Options) -> int:
    try:
        build_parser().parse_args(arguments, namespace=options)
    except SystemExit as finished:  # --help, --version or a usage error, which have written what there is to say
        return finished.code if isinstance(finished.code, int) else USAGE
    match options.command:
        case "serve":
            from llamero.commands import signals

            signals.leave_at_once()  # whoever ends us while we are still being imported gets an orderly 0, too
            from llamero.commands.serve import serve

            return serve(options)
        case "run":
            from llamero.commands.run import run

            return run(options)
        case "key":
            from llamero.commands.key import key

            return key(options)
        case "alias":
            from llamero.commands.alias import alias

            return alias(options)
        case "ps" | "stop" | "logs":
            from llamero.commands import supervise

            return {"ps": supervise.ps, "stop": supervise.stop, "logs": supervise.logs}[str(options.command)](options)
        case "bench":
            from llamero.commands.bench import bench

            return bench(options)
        case "remove-data":
            from llamero.commands.remove_data import remove_data

            return remove_data(options)
        case "doctor":
            from llamero.commands.doctor import doctor

            return doctor(options)
    from llamero.commands.app import open_app

    return open_app(options)


def _open_by_name(arguments: list[str]) -> list[str]:
    """`llamero FILE.gguf`, as file managers start programs, is `llamero --model FILE.gguf`."""
    is_model = len(arguments) > 0 and arguments[-1].lower().endswith(".gguf") and not arguments[-1].startswith("-")
    before = arguments[:-1]
    takes_value = {"--data-dir", "--log-level"}
    while before[:1] and before[0] in takes_value and len(before) > 1:
        before = before[2:]
    return [*arguments[:-1], "--model", arguments[-1]] if is_model and not before else arguments


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line instead of repeating the usage."""

    def error(self, message: str) -> NoReturn:
        say(f"llamero: {message}; see {self.prog} --help")
        raise SystemExit(USAGE)


class _Version(argparse.Action):
    """Reads which build this is only when it is asked."""

    def __call__(self, parser: argparse.ArgumentParser, *_arguments: object) -> NoReturn:
        from llamero.infrastructure.build_info import version_text

        print(f"llamero {version_text()}")
        parser.exit()


def build_parser() -> argparse.ArgumentParser:
    """Every command and option: to read a command line, and to write manuals of it."""
    parser = _Parser(
        prog="llamero",
        description="Run language models on your own machine. Without a command, the window opens.",
        epilog="Llamero's data is where --data-dir says, else where this system keeps such things.",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show which build this is, and leave")
    _add_global_options(parser, top=True)
    # A menu's entry is one command line for both: with the file that was clicked, and with none.
    parser.add_argument("--model", metavar="FILE", nargs="?", type=Path, help="GGUF file to open in the window")
    parser.add_argument(
        "--new-chat", action="store_true", help="begin a new chat, in the window that is open if one is"
    )
    parser.add_argument("--background", action="store_true", help="begin as an icon in the tray, where there is one")
    parser.add_argument("--selftest", action="store_true", help=argparse.SUPPRESS)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)

    serve = commands.add_parser("serve", help="let other programs use your models, until you end it")
    serve.add_argument("--host", metavar="HOST", help="address to listen on (127.0.0.1)")
    serve.add_argument(
        "--port", metavar="N", type=_port, help="port to listen on; 0 takes any (5526, or the next free)"
    )
    serve.add_argument(
        "--model", metavar="FILE", type=Path, default=argparse.SUPPRESS, help="GGUF file to load before saying ready"
    )
    serve.add_argument(
        "--api-key-file", metavar="FILE", type=Path, help="file with the key that clients must send; or LLAMERO_API_KEY"
    )
    serve.add_argument(
        "--ollama-port",
        metavar="N",
        type=_port,
        help="second port, for programs that expect Ollama there (11434); 0 opens none (none)",
    )
    serve.add_argument("--ui", action="store_true", help="serve the page, too, and print its address on a second line")

    run = commands.add_parser("run", help="talk to a model here")
    run.add_argument("file", metavar="FILE", type=Path, help="GGUF file; or demo, the small model that comes along")
    run.add_argument(
        "prompt", metavar="PROMPT", nargs="?", help="answer this and leave; without it, have a conversation"
    )

    bench = commands.add_parser("bench", help="measure how fast models are, and compare with earlier")
    bench.add_argument("aliases", metavar="ALIAS", nargs="*", help="models to measure; the only one may go unnamed")
    bench.add_argument("--quick", action="store_true", help="fewer lengths and streams; about a tenth of the time")
    bench.add_argument("--list", action="store_true", help="show what was measured instead")
    bench.add_argument("--json", action="store_true", help="as JSON")

    doctor = commands.add_parser("doctor", help="check what Llamero needs, and say what to do")
    doctor.add_argument(
        "--bundle",
        metavar="FILE",
        nargs="?",
        const="",
        help="also write a file for a bug report, without keys and conversations (llamero-report-….zip here)",
    )
    removing = commands.add_parser("remove-data", help="remove everything that Llamero keeps on this machine")
    removing.add_argument("--yes", action="store_true", help="do not ask")
    removing.add_argument("--keep-models", action="store_true", help="leave the folder of models")
    supervising = add_supervise_commands(commands)
    keys, aliases = _add_key_commands(commands), add_alias_commands(commands, _Parser)
    for command in (serve, run, bench, *supervising, doctor, removing, *keys, *aliases):
        _add_global_options(command, top=False)
    return parser


def _add_key_commands(commands: argparse._SubParsersAction[_Parser]) -> Iterable[argparse.ArgumentParser]:
    """`llamero key create|list|revoke`; returns the parsers that take the options of every command."""
    key = commands.add_parser("key", help="make, list and revoke the keys that programs use")
    actions = key.add_subparsers(dest="action", metavar="ACTION", parser_class=_Parser, required=True)
    create = actions.add_parser("create", help="make a key and show it, once")
    create.add_argument("name", metavar="NAME", help="what to call it, such as the program that gets it")
    create.add_argument(
        "--scope",
        metavar="SCOPE",
        choices=("inference", "management"),
        action="append",
        help="inference: ask models (the default); management: unload models, metrics; give it twice for both",
    )
    create.add_argument("--rate", metavar="N", type=_count, help="requests per minute (no limit)")
    create.add_argument("--streams", metavar="N", type=_count, help="answers at once (no limit)")
    create.add_argument("--days", metavar="N", type=_count, help="days until it expires (never)")
    listing = actions.add_parser("list", help="show the keys and when they were last used")
    revoke = actions.add_parser("revoke", help="let nobody in with a key any more")
    revoke.add_argument("name", metavar="NAME", help="the key's name")
    return create, listing, revoke


def _add_global_options(parser: argparse.ArgumentParser, *, top: bool) -> None:
    """The options of every command may stand before or behind its name; what was not given leaves no trace."""
    options = parser if top else parser.add_argument_group("options of every command")
    options.add_argument(
        "--data-dir", metavar="DIR", type=Path, default=argparse.SUPPRESS, help="keep everything in this directory"
    )
    options.add_argument(
        "--log-level",
        metavar="LEVEL",
        choices=LOG_LEVELS,
        default=argparse.SUPPRESS,
        help=f"what the log file gets: {', '.join(LOG_LEVELS)}; debug also writes to the terminal",
    )


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text[:9]) <= 65_535):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port from 0 to 65535")
    return int(text)


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= LARGEST_COUNT):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to {LARGEST_COUNT}")
    return int(text)


def _open_missing_streams() -> None:
    """Standard streams that were closed, or that a windowed Python does not have, lead nowhere from now on."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115


def _forget_stdout() -> None:
    """Nobody reads any more: let the interpreter's own flush at exit go nowhere instead of complaining."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
