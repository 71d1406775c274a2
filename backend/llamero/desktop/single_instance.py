"""One window for one data directory: a second start hands its command line to the first and ends.

The directory's lock says whether somebody is there, `run/instance.json` how to reach them. The lock ends with its
process however that ends, so what a killed process leaves in the file is never believed.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

from llamero.infrastructure.data_dir_lock import is_held
from llamero.infrastructure.instance_record import post_activation, read_instance_record
from llamero.models.desktop import Activate

# The first may hold the lock for a moment before it listens, while it starts.
START_PATIENCE_S = 10.0
_ANSWER_S = 5.0
_POLL_S = 0.05


def hand_over(run_dir: Path, arguments: Sequence[str], *, patience_s: float = START_PATIENCE_S) -> bool:
    """Give our command line to the Llamero that holds this data directory; True when it has come forward.

    False when nobody holds the directory: then it is ours to open. Also False, after `patience_s` seconds, when the
    holder does not answer: it has no window, or it hangs; opening the directory then says who holds it. Blocks.
    """
    request = Activate(arguments=tuple(arguments), working_directory=_working_directory())
    deadline = time.monotonic() + patience_s
    while is_held(run_dir):
        record = read_instance_record(run_dir)
        if record is not None and post_activation(record, request, _ANSWER_S):
            return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL_S)
    return False


def _working_directory() -> str:
    """Where the paths on our command line begin. In a folder that has been deleted there is nothing to name."""
    try:
        return str(Path.cwd())
    except FileNotFoundError:
        return os.sep
