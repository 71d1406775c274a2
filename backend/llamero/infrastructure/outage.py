"""One log line when something begins to fail and one when it works again, however often it is tried in between."""

from __future__ import annotations

import logging


class Outage:
    """The state of one thing that may fail, and its two log lines."""

    def __init__(self, logger: logging.Logger, what: str) -> None:
        self._logger = logger
        self._what = what
        self._lasting = False

    def failed(self, reason: str) -> None:
        """It does not work now; only the first time in a row is worth a warning."""
        if self._lasting:
            self._logger.debug("%s: still failing: %s", self._what, reason)
            return
        self._lasting = True
        self._logger.warning("%s: %s", self._what, reason)

    def recovered(self) -> None:
        """It works now."""
        if self._lasting:
            self._lasting = False
            self._logger.info("%s: working again", self._what)
