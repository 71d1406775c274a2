"""Asks the Llamero that runs with a data directory, for the command line.

The directory's lock says whether somebody is there, `run/control.json` how to reach them; what a killed process leaves
in the file is never believed, so a token is sent to nobody else who may have the port by now.
"""

from __future__ import annotations

import http.client
import time
from pathlib import Path
from typing import TypeVar

import msgspec

from llamero.infrastructure.data_dir_lock import is_held
from llamero.infrastructure.instance_record import CONTROL_RECORD, read_instance_record
from llamero.models.control import RunningServers
from llamero.models.desktop import InstanceRecord

T = TypeVar("T")

# It may hold the directory for a moment before it listens, while it starts.
START_PATIENCE_S = 10.0
ANSWER_S = 30.0
_POLL_S = 0.05
_BODY_LIMIT = 64 << 20


class Refused(Exception):
    """It answered with an error; the text is a sentence for people."""


class Unreachable(Exception):
    """Somebody holds the directory and does not answer, or went away in the middle."""


class _Error(msgspec.Struct):
    message: str


class ControlClient:
    """One running Llamero."""

    def __init__(self, record: InstanceRecord) -> None:
        self._record = record

    def call(self, command: str, arguments: msgspec.Struct | None, result: type[T], timeout_s: float = ANSWER_S) -> T:
        """Call a command. Raises Refused or Unreachable."""
        connection = http.client.HTTPConnection("127.0.0.1", self._record.port, timeout=timeout_s)
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._record.token}"}
        try:
            connection.request("POST", f"/bridge/{command}", msgspec.json.encode(arguments or {}), headers)
            response = connection.getresponse()
            body = response.read(_BODY_LIMIT)
            if response.status == 200:
                return msgspec.json.decode(body, type=result)
            raise Refused(msgspec.json.decode(body, type=_Error).message)
        except (OSError, http.client.HTTPException, msgspec.MsgspecError) as error:
            raise Unreachable(str(error)) from error
        finally:
            connection.close()


def find_running(run_dir: Path, *, patience_s: float = START_PATIENCE_S) -> ControlClient | None:
    """The Llamero that holds this data directory; None when nobody does.

    Blocks for up to `patience_s` seconds for one that has just begun. Raises Unreachable when the holder does not
    answer then.
    """
    deadline = time.monotonic() + patience_s
    while is_held(run_dir):
        record = read_instance_record(run_dir, CONTROL_RECORD)
        if record is not None and _answers(record):
            return ControlClient(record)
        if time.monotonic() >= deadline:
            raise Unreachable("no answer")
        time.sleep(_POLL_S)
    return None


def _answers(record: InstanceRecord) -> bool:
    """Is it the very process of the record that answers?"""
    try:
        return ControlClient(record).call("list_servers", None, RunningServers, 5.0).pid == record.pid
    except (Refused, Unreachable):
        return False
