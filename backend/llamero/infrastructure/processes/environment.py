"""What a child inherits: the app's environment without what is ours, and the mark of its family."""

from __future__ import annotations

import os
from collections.abc import Mapping

from llamero.infrastructure.processes.table import MARK_VARIABLE

PARENT_VARIABLE = "LLAMERO_PARENT_PID"
OWN_PREFIX = "LLAMERO_"


def inherited() -> dict[str, str]:
    """The app's environment without Llamero's own variables, some of which are secrets.

    The mark goes, too: a Llamero that is itself someone's child must not hand that family's mark to its own guardian.
    """
    return {name: value for name, value in os.environ.items() if not name.startswith(OWN_PREFIX)}


def for_child(mark: str, changes: Mapping[str, str | None]) -> dict[str, str]:
    """The environment of a child that carries `mark`; in `changes`, None removes a variable."""
    variables = inherited()
    for name, value in changes.items():
        if value is None:
            variables.pop(name, None)
        else:
            variables[name] = value
    variables[PARENT_VARIABLE] = str(os.getpid())
    variables[MARK_VARIABLE] = mark
    return variables
