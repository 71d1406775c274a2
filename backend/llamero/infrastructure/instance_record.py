"""`run/instance.json`: how a second start reaches the Llamero that already has this data directory.

The file holds the launch's token, so it is for its user alone. It may outlive its process: who reads it must know from
the directory's lock that somebody is there.
"""

from __future__ import annotations

import contextlib
import http.client
from pathlib import Path

import msgspec

from llamero.infrastructure.private_file import read_private_file, write_private_file
from llamero.models.desktop import Activate, Activated, InstanceRecord

FILE_NAME = "instance.json"
ACTIVATE_PATH = "/bridge/activate"
ANSWER_LIMIT = 64 * 1024


def write_instance_record(run_dir: Path, record: InstanceRecord) -> None:
    """Say where we are. Raises `OSError`."""
    write_private_file(run_dir / FILE_NAME, msgspec.json.encode(record))


def read_instance_record(run_dir: Path) -> InstanceRecord | None:
    """Return what the last Llamero wrote; None when there is nothing that makes sense."""
    content = read_private_file(run_dir / FILE_NAME)
    if content is None:
        return None
    try:
        return msgspec.json.decode(content, type=InstanceRecord)
    except msgspec.MsgspecError:
        return None


def remove_instance_record(run_dir: Path) -> None:
    """Forget where we are; without effect when there is no file."""
    with contextlib.suppress(OSError):
        (run_dir / FILE_NAME).unlink(missing_ok=True)


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
