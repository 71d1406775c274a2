"""The packaged application: how it starts itself again, and what its children must not see of its packager.

PyInstaller's program points Linux' loader at its own libraries before Python starts, and keeps what the user had under
a second name. The loader reads the variable once, at the start. So it is put back at once, and whatever is started
later (a `llama-server`, a browser, `nvidia-smi`, the processes of WebKit) finds the system's libraries as if we were
not here. Light, since every child starts with it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import MutableMapping

EMBEDDED_ENGINE_ROLE = "--embedded-engine"
GUARDIAN_ROLE = "--guardian"
# On Windows the window's own program has no standard streams, which an engine writes to.
_CONSOLE_PROGRAM = "llamero.exe"
_LOADER_VARIABLES = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LIBPATH")
# What the program tells itself over a restart; a child that saw it would take itself for that restart.
_PACKAGER_PREFIX = "_PYI_"


def is_packaged() -> bool:
    """Is this the packaged application, and not a Python with sources?"""
    return bool(getattr(sys, "frozen", False))


def own_program() -> str:
    """The program to start for another role of the packaged application."""
    if sys.platform == "win32":
        from pathlib import Path  # the guardian does without it

        return str(Path(sys.executable).with_name(_CONSOLE_PROGRAM))
    return sys.executable


def restore_environment(environment: MutableMapping[str, str] = os.environ) -> None:
    """Give back what the packager's program has changed. Without effect on a Python with sources."""
    if not is_packaged():
        return
    for name in _LOADER_VARIABLES:
        original = environment.pop(f"{name}_ORIG", None)
        environment.pop(name, None)
        if original is not None:
            environment[name] = original
    for name in [name for name in environment if name.startswith(_PACKAGER_PREFIX)]:
        del environment[name]
