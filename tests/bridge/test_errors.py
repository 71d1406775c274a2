"""What the bridge writes to the log about the errors that it tells."""

from __future__ import annotations

import logging

import pytest

from llamero.bridge.errors import BridgeErrors
from llamero.infrastructure.messages import default_messages
from llamero.models.errors import IoFailed, LlameroError, NotFound, Unavailable


@pytest.mark.parametrize(
    ("error", "level"),
    [
        (IoFailed("storage_error-failed", path="/x/llamero.db"), logging.WARNING),
        (Unavailable("server_error-shutting_down"), logging.INFO),
        (NotFound(path="/nowhere"), None),
    ],
)
def test_error_is_logged_as_loud_as_it_is_serious(
    error: LlameroError, level: int | None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    BridgeErrors(default_messages().error).response(error)
    assert [record.levelno for record in caplog.records] == ([] if level is None else [level])
