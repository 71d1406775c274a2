"""How the doctor says what it found: findings, made of the messages of one language."""

from __future__ import annotations

from collections.abc import Mapping

from llamero.infrastructure.messages import Messages
from llamero.models.doctor import Finding, Level
from llamero.models.errors import LlameroError

GB = 1e9


class FindingMaker:
    """Makes findings. Names, codes and advice are those of `locale/`; an advice that is empty stays empty."""

    def __init__(self, messages: Messages) -> None:
        self._messages = messages

    def make(
        self,
        name: str,
        level: Level,
        code: str,
        arguments: Mapping[str, str | int] | None = None,
        advice: str = "",
    ) -> Finding:
        """One finding."""
        text = self._messages.text
        return Finding(
            name=text(name),
            level=level,
            text=text(code, arguments),
            advice=text(advice, arguments) if advice else "",
        )

    def from_error(self, name: str, level: Level, error: LlameroError, advice: str = "") -> Finding:
        """A finding in the words of an error, which say what to do themselves unless there is special advice."""
        text, general = self._messages.text, f"advice-{error.code}"
        chosen = advice or ("" if text(general) == general else general)  # a code without a text comes back as it is
        return Finding(
            name=text(name),
            level=level,
            text=self._messages.error(error),
            advice=text(chosen, error.arguments) if chosen else "",
        )


def gigabytes(size: int) -> str:
    """A number of bytes as a person reads it."""
    return f"{size / GB:.1f} GB"
