"""The system's own dialog for choosing a model file."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

logger = logging.getLogger(__name__)

MODEL_FILES = "GGUF models (*.gguf)"


class ModelFileChooser(Protocol):
    """Whoever can ask a person for a model file."""

    async def choose_model_file(self) -> Path | None:
        """Ask; None when the person wants none of them, or when the window goes."""


class NativeModelFileChooser:
    """Asks by a native dialog. Lives on the core's loop.

    `show` blocks until the person has answered, and may never return when the window goes meanwhile. So it runs in a
    daemon thread, and `close` gives everybody who waits an answer.
    """

    def __init__(self, show: Callable[[tuple[str, ...]], Sequence[str] | None]) -> None:
        self._show = show
        self._open: asyncio.Future[Path | None] | None = None
        self._closed = False

    async def choose_model_file(self) -> Path | None:
        """Ask. While a dialog is open, whoever asks again gets the answer to the first."""
        if self._closed:
            return None
        if self._open is None:
            self._open = asyncio.get_running_loop().create_future()
            arguments = (asyncio.get_running_loop(), self._open)
            threading.Thread(target=self._ask, args=arguments, name="llamero-dialog", daemon=True).start()
        return await asyncio.shield(self._open)

    def close(self) -> None:
        """No more dialogs. Loop's thread."""
        self._closed = True
        if self._open is not None:
            self._answer(self._open, None)

    def _ask(self, loop: asyncio.AbstractEventLoop, answer: asyncio.Future[Path | None]) -> None:
        chosen: Path | None = None
        try:
            names = self._show((MODEL_FILES,))
            chosen = Path(names[0]) if names else None
        except Exception:
            logger.exception("the file dialog failed")
        try:
            loop.call_soon_threadsafe(self._answer, answer, chosen)
        except RuntimeError:
            logger.debug("the file dialog was answered after the end")

    def _answer(self, answer: asyncio.Future[Path | None], chosen: Path | None) -> None:
        if self._open is answer:
            self._open = None
        if not answer.done():
            answer.set_result(chosen)
