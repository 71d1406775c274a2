"""Asks an engine something that it answers and exits: `--help`, `--version`, `--list-devices`.

Whatever the executable does, the call ends: its output is bounded, so is its time, and its process group is killed
when it takes longer or the caller is cancelled.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import signal
import sys

import msgspec

from llamero.infrastructure.processes.console import NO_CONSOLE_WINDOW
from llamero.models.errors import EngineFailed, EngineNotFound

OUTPUT_LIMIT = 1024 * 1024
TAIL_LINES = 20
_DRAIN_SECONDS = 1.0
# ELF, a script, and Mach-O for one processor or several (mach-o/loader.h, mach-o/fat.h).
_PROGRAM_HEADS = (b"\x7fELF", b"#!", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")


class ProbeResult(msgspec.Struct, frozen=True):
    """Exit status (negative: the signal's number) and everything written to stdout and stderr, in order."""

    status: int
    text: str


async def probe(command: tuple[str, ...], *arguments: str, timeout: float = 10.0) -> ProbeResult:
    """Run `command` with `arguments`, for at most `timeout` seconds and 1 MB of output.

    Raises EngineNotFound when it cannot be started at all, EngineFailed when it exceeds a bound or fails.
    """
    process = await _spawn((*command, *arguments))
    output = bytearray()
    status: int | None = None
    try:
        async with asyncio.timeout(timeout):
            await _read(process, output)
            status = await process.wait()
    except TimeoutError:
        raise _failed(arguments, f"no answer within {timeout:g} s", None, output) from None
    except _TooMuch:
        raise _failed(arguments, f"more than {OUTPUT_LIMIT} bytes of output", None, output) from None
    finally:
        if status is None:  # also where the process has ended and a descendant holds the pipe
            await _end(process)
    if status != 0:
        lines = _lines(output)
        raise _failed(arguments, lines[-1] if lines else f"exit status {status}", status, output)
    return ProbeResult(status, output.decode("utf-8", "replace"))


class _TooMuch(Exception):
    """More output than anything that we ask for can have."""


def _may_be_a_program(path: str) -> bool:
    """Is the file a binary, or a script that names its interpreter?

    exec refuses anything else, but some event loops then hand it to a shell, which would run whatever text it is.
    """
    if sys.platform == "win32" or not os.path.dirname(path):  # noqa: PTH120 - a bare name is looked for on PATH
        return True
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            return file.read(4).startswith(_PROGRAM_HEADS)
    except OSError:
        return True  # may be run, but not read; or exec says better what is wrong


async def _spawn(command: tuple[str, ...]) -> asyncio.subprocess.Process:
    if not await asyncio.to_thread(_may_be_a_program, command[0]):
        raise EngineNotFound("context_error-exec_not_executable", path=command[0])
    # LLAMA_ARG_* set flags of a llama-server; a bad value in one of them would spoil even `--help`.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LLAMA_ARG_")}
    try:
        return await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=environment,
            start_new_session=True,
            creationflags=NO_CONSOLE_WINDOW,
        )
    except FileNotFoundError:
        raise EngineNotFound(path=command[0]) from None
    except OSError as error:
        code = "context_error-exec_not_executable"
        if not isinstance(error, PermissionError) and error.errno != errno.ENOEXEC and sys.platform != "win32":
            raise EngineFailed(reason=error.strerror or str(error)) from error
        raise EngineNotFound(code, path=command[0]) from None


async def _read(process: asyncio.subprocess.Process, output: bytearray) -> None:
    assert process.stdout is not None  # noqa: S101 - it was asked for
    while piece := await process.stdout.read(65536):
        output += piece
        if len(output) > OUTPUT_LIMIT:
            raise _TooMuch


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kill the group, and let the pipe run dry so that the event loop can close it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_DRAIN_SECONDS):
            while process.stdout is not None and await process.stdout.read(65536):
                pass
            await process.wait()


def _failed(arguments: tuple[str, ...], reason: str, status: int | None, output: bytearray) -> EngineFailed:
    return EngineFailed(
        reason=f"{' '.join(arguments)}: {reason}", exit_status=status, log_tail=tuple(_lines(output)[-TAIL_LINES:])
    )


def _lines(output: bytearray) -> list[str]:
    text = output[-65536:].decode("utf-8", "replace")
    return [line.rstrip()[:8192] for line in text.splitlines() if line.strip()]
