"""How others reach the Llamero that has this data directory: `run/instance.json` its window, `run/control.json` itself.

Such a file holds a token of the launch, so it is for its user alone. It may outlive its process: who reads it must know
from the directory's lock that somebody is there.
"""

from __future__ import annotations

import contextlib
import http.client
import os
from pathlib import Path

import msgspec

from llamero.infrastructure.private_file import read_private_file, write_private_file
from llamero.models.desktop import Activate, Activated, InstanceRecord
from llamero.models.errors import IoFailed

WINDOW_RECORD = "instance.json"
CONTROL_RECORD = "control.json"
ACTIVATE_PATH = "/bridge/activate"
ANSWER_LIMIT = 64 * 1024


def write_instance_record(run_dir: Path, record: InstanceRecord, name: str = WINDOW_RECORD) -> None:
    """Say where we are. Raises `OSError`."""
    write_private_file(run_dir / name, msgspec.json.encode(record))


def read_instance_record(run_dir: Path, name: str = WINDOW_RECORD) -> InstanceRecord | None:
    """Return what the last Llamero wrote; None when there is nothing that makes sense."""
    content = read_private_file(run_dir / name)
    if content is None:
        return None
    try:
        return msgspec.json.decode(content, type=InstanceRecord)
    except msgspec.MsgspecError:
        return None


def remove_instance_record(run_dir: Path, name: str = WINDOW_RECORD) -> None:
    """Forget where we are; without effect when there is no file."""
    with contextlib.suppress(OSError):
        (run_dir / name).unlink(missing_ok=True)


class Announcement:
    """While we are there, others find us. For the holder of the directory's lock."""

    def __init__(self, run_dir: Path, *, port: int, token: str, name: str = WINDOW_RECORD) -> None:
        self._run_dir = run_dir
        self._name = name
        self._record = InstanceRecord(port=port, token=token, pid=os.getpid())

    def publish(self) -> None:
        """Let others find us. Raises `IoFailed` when the file cannot be written."""
        try:
            write_instance_record(self._run_dir, self._record, self._name)
        except OSError as error:
            reason = error.strerror or str(error)
            raise IoFailed("data_error-directory_unwritable", path=str(self._run_dir), reason=reason) from error

    def withdraw(self) -> None:
        """Take our record away, and nobody else's."""
        if read_instance_record(self._run_dir, self._name) == self._record:
            remove_instance_record(self._run_dir, self._name)


def post_activation(record: InstanceRecord, request: Activate, timeout_s: float) -> bool:
    """Ask the process of the record to come forward; True when that very process said that it does."""
    connection = http.client.HTTPConnection("127.0.0.1", record.port, timeout=timeout_s)
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {record.token}"}
    try:
        connection.request("POST", ACTIVATE_PATH, msgspec.json.encode(request), headers)
        response = connection.getresponse()
        answer = response.read(ANSWER_LIMIT)
        return response.status == 200 and msgspec.json.decode(answer, type=Activated).pid == record.pid
    except (OSError, http.client.HTTPException, msgspec.MsgspecError):
        return False
    finally:
        connection.close()
