"""The embedded engine: llama.cpp's own server from the `xllamacpp` wheel, as a child that looks like `llama-server`.

    python -m llamero.infrastructure.llama.embedded --model FILE --port 0

Same flags, variables, log lines, routes and exit codes: 1 for a bad flag, a model that does not load and a port that
cannot be bound, 0 after SIGTERM or SIGINT. Logs go to stderr; stdout stays empty but for `--help` and `--list-devices`.

Stopping never waits. llama.cpp's destructor joins the connections, so a client that goes on reading would hold it for
as long as it likes, and nothing in the server needs saving: the process just leaves. While a model loads the compiled
code holds the interpreter, so Python's handlers cannot run; there the C library itself takes the signal.

An owner may start us before there is room for the model (`holding.py`): what takes time and no room is done then.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from llamero.infrastructure.llama import embedded_flags
from llamero.infrastructure.llama.embedded_arguments import (
    BadArgument,
    Setting,
    apply_settings,
    help_text,
    read_arguments,
    read_environment,
)
from llamero.infrastructure.llama.holding import may_load

if TYPE_CHECKING:
    from llamero.infrastructure.llama.embedded_arguments import Parameters

PARENT_VARIABLE = "LLAMERO_PARENT_PID"
_PR_SET_PDEATHSIG = 1
_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_MIB = 1024 * 1024


def main(argv: Sequence[str] | None = None) -> int:
    """Run the engine until it is stopped. Returns the exit status."""
    _leave_on_signals()
    if not _die_with_parent():
        return 1
    try:
        settings = read_arguments(embedded_flags.TABLE, sys.argv[1:] if argv is None else argv)
        if (status := _answer_at_once(settings)) is not None:
            return status
        settings = [*read_environment(embedded_flags.TABLE, os.environ), *settings]
        parameters = embedded_flags.default_parameters()
        apply_settings(settings, parameters)
        if not parameters.model.path:
            message = "error: --model is required"
            raise BadArgument(message)
    except BadArgument as error:
        _log(str(error))
        return 1
    return _serve(parameters) if may_load() else 0


def _answer_at_once(settings: list[Setting]) -> int | None:
    asked = {setting.flag for setting in settings if setting.flag in embedded_flags.IMMEDIATE}
    if embedded_flags.HELP in asked:
        sys.stdout.write(help_text(embedded_flags.SECTIONS))
    elif embedded_flags.VERSION in asked:
        _log_version()
    elif embedded_flags.LIST_DEVICES in asked:
        _list_devices()
    else:
        return None
    sys.stdout.flush()
    return 0


def _log_version() -> None:
    import xllamacpp

    release = str(xllamacpp.__version__)
    build = release.rsplit(".", 1)[-1]  # the wheel's last number is the llama.cpp build that it is made from
    target = xllamacpp.BUILD_INFO
    _log(f"version: {build} (xllamacpp {release})")
    _log(f"built with {target['compiler']} for {target['build_target']}")


def _list_devices() -> None:
    import xllamacpp

    cpu = xllamacpp.ggml_backend_dev_type.GGML_BACKEND_DEVICE_TYPE_CPU
    lines = ["Available devices:"]
    for device in xllamacpp.get_device_info():
        if device["type"] != cpu:
            total, free = device["memory_total"] // _MIB, device["memory_free"] // _MIB
            lines.append(f"  {device['name']}: {device['description']} ({total} MiB, {free} MiB free)")
    sys.stdout.write("\n".join(lines) + "\n")


def _serve(parameters: Parameters) -> int:
    import xllamacpp

    try:
        server = xllamacpp.Server(parameters)
    except RuntimeError:
        return 1  # the log has said why, and its last line is what owners look for
    except Exception as error:
        _log(f"error: {error}")
        return 1
    wait_for_signal = _leave_when_woken()
    _log(f"main: server is listening on {server.listening_address}")
    return wait_for_signal()


def _leave_on_signals() -> None:
    """Let SIGTERM and SIGINT end the process with status 0, without Python's help.

    glibc's `quick_exit` as the handler gets the signal's number as its status; the function registered with
    `__cxa_at_quick_exit` is called with a null pointer before that counts, and `_exit` takes it for a zero. Other
    systems end at once, too, but with the signal as the reason.
    """
    with contextlib.suppress(OSError, AttributeError, TypeError):  # no C library of that kind
        library = ctypes.CDLL(None)
        leave, handler = library._exit, library.quick_exit
        library.__getattr__("__cxa_at_quick_exit")(leave, None)
        library.signal.argtypes = (ctypes.c_int, ctypes.c_void_p)
        library.signal.restype = ctypes.c_void_p
        for number in _STOP_SIGNALS:
            library.signal(number, ctypes.cast(handler, ctypes.c_void_p))
        return
    for number in _STOP_SIGNALS:
        signal.signal(number, signal.SIG_DFL)


def _leave_when_woken() -> Callable[[], int]:
    """Leave with 0 at the next stop signal; the returned function waits for it.

    What it waits on is a pipe that the interpreter writes to at every signal, whichever thread gets it and whenever. A
    plain sleep would miss one that comes just before it, or on a thread of the server's.
    """
    woken, waker = os.pipe()
    if sys.platform != "win32":  # where nothing demands it, and Python before 3.12 could not
        os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    for number in _STOP_SIGNALS:
        signal.signal(number, lambda _number, _frame: os._exit(0))

    def wait() -> int:
        os.read(woken, 1)
        os._exit(0)

    return wait


def _die_with_parent() -> bool:
    """On Linux, ask to be killed when the app that started us is gone. Returns False when it is gone already.

    The kernel watches the parent's *thread*, so this is only for a parent that has said, by naming itself, that it
    starts us from one that lives as long as the app.
    """
    parent = os.environ.get(PARENT_VARIABLE, "")
    if sys.platform != "linux" or not parent.isdigit():
        return True
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    return os.getppid() == int(parent)


def _log(line: str) -> None:
    """One whole line in one write, so that the server's own threads cannot cut it."""
    with contextlib.suppress(OSError, ValueError, AttributeError):  # nobody reads it, or there is no console
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
