"""The system's own dialogs: for choosing a model file, and for choosing where a file is saved."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

logger = logging.getLogger(__name__)

MODEL_FILES = "GGUF models (*.gguf)"


class NativeFileDialogs:
    """Asks by native dialogs, one at a time. Lives on the core's loop.

    `choose` shows files of these kinds to choose from, `save` asks for a place for a file of that name. Both block
    until the person has answered, and may never return when the window goes meanwhile. So they run in a daemon thread,
    and `close` gives everybody who waits an answer.
    """

    def __init__(
        self,
        choose: Callable[[tuple[str, ...]], Sequence[str] | None],
        save: Callable[[str], Sequence[str] | str | None],
    ) -> None:
        self._choose = choose
        self._save = save
        self._open: asyncio.Future[Path | None] | None = None
        self._question: object = None
        self._closed = False

    async def choose_model_file(self) -> Path | None:
        """Ask for a model file; None when the person wants none of them, or when the window goes.

        While this dialog is open, whoever asks again gets the answer to the first.
        """
        return await self._asked(MODEL_FILES, lambda: self._choose((MODEL_FILES,)))

    async def choose_place(self, name: str) -> Path | None:
        """Ask where a file of that name should be saved; None when nowhere, or while another dialog is open."""
        return await self._asked(object(), lambda: self._save(name))

    def close(self) -> None:
        """No more dialogs. Loop's thread."""
        self._closed = True
        if self._open is not None:
            self._answer(self._open, None)

    async def _asked(self, question: object, show: Callable[[], Sequence[str] | str | None]) -> Path | None:
        if self._closed or (self._open is not None and self._question != question):
            return None
        if self._open is None:
            self._open, self._question = asyncio.get_running_loop().create_future(), question
            arguments = (asyncio.get_running_loop(), self._open, show)
            threading.Thread(target=self._ask, args=arguments, name="llamero-dialog", daemon=True).start()
        return await asyncio.shield(self._open)

    def _ask(
        self,
        loop: asyncio.AbstractEventLoop,
        answer: asyncio.Future[Path | None],
        show: Callable[[], Sequence[str] | str | None],
    ) -> None:
        chosen: Path | None = None
        try:
            names = show()  # a toolkit gives one name for a place, or a list of one
            if names:
                chosen = Path(names if isinstance(names, str) else names[0])
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
