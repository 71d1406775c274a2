"""Run a function as a user without privileges, since permission bits do not hold root back."""

from __future__ import annotations

import os
import pickle
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

Result = TypeVar("Result")
NOBODY = 65534


def as_nobody(function: Callable[[], Result]) -> Result:
    """Call `function` in a forked child that has dropped root, and return what it returned; it must not raise.

    When the tests do not run as root, permissions already hold, and the child keeps its user.
    """
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(read_end)
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(NOBODY)
                os.setuid(NOBODY)
            with os.fdopen(write_end, "wb") as pipe:
                pickle.dump(function(), pipe)
            status = 0
        finally:
            os._exit(status)
    os.close(write_end)
    with os.fdopen(read_end, "rb") as pipe:
        content = pipe.read()
    _, outcome = os.waitpid(child, 0)
    assert outcome == 0, "the function raised in the unprivileged child"
    result: Result = pickle.loads(content)
    return result


@contextmanager
def reachable_directory() -> Iterator[Path]:
    """A fresh directory that every user can enter (pytest's are for their owner alone)."""
    directory = Path(tempfile.mkdtemp(prefix="llamero-test-"))
    directory.chmod(0o755)
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)
