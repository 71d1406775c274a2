"""Fixtures of the security tests."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _restored_logging() -> Iterator[None]:
    root, own = logging.getLogger(), logging.getLogger("llamero")
    before = (root.level, own.level, list(root.handlers))
    yield
    for handler in [handler for handler in root.handlers if handler not in before[2]]:
        root.removeHandler(handler)
        handler.close()
    root.setLevel(before[0])
    own.setLevel(before[1])
    logging.captureWarnings(False)
