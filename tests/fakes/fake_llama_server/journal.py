"""What the fake did, one JSON object per line, appended to `<control file>.journal` for the test to read."""

from __future__ import annotations

import json
import os
import time


class Journal:
    """Appends events; without a control file there is nowhere to write and nothing is written."""

    def __init__(self, control: str, life: int) -> None:
        self.path = f"{control}.journal" if control else ""
        self.life = life

    def write(self, event: str, **details: object) -> None:
        """Append one event. A single `write` with O_APPEND: processes do not garble each other's lines."""
        if not self.path:
            return
        entry = {"event": event, "life": self.life, "pid": os.getpid(), "at": time.monotonic(), **details}
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, json.dumps(entry).encode() + b"\n")
        finally:
            os.close(descriptor)
