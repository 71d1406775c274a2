"""Which ends are worth a notification: those of long answers and of downloads, unless the person wants none.

What an answer says stays in the window: a notification may be seen by anyone who passes, and desktops keep them.
"""

from __future__ import annotations

from collections.abc import Callable

from llamero.infrastructure.messages import Messages
from llamero.infrastructure.plain_text import one_line
from llamero.models.conversations import Conversation, Message, MessageStatus
from llamero.models.notifications import Notification
from llamero.models.settings import DesktopSettings

_TITLE_LIMIT = 100
_TOLD = {MessageStatus.COMPLETE: "notification-answered", MessageStatus.FAILED: "notification-failed"}


class LongWork:
    """`settings` are those of now; `tell` says something to a person who does not see the window."""

    def __init__(
        self, settings: Callable[[], DesktopSettings], tell: Callable[[Notification], None], messages: Messages
    ) -> None:
        self._settings = settings
        self._tell = tell
        self._messages = messages

    def answer_ended(self, conversation: Conversation, message: Message, seconds: float) -> None:
        """An answer has ended after so many seconds. One that the person stopped is no news."""
        code = _TOLD.get(message.status)
        if code is not None and seconds >= self._settings().notify_after_s:
            self._say(conversation.title, code)

    def download_ended(self, name: str) -> None:
        """A download is whole and verified."""
        self._say(name, "notification-downloaded")

    def _say(self, title: str, code: str) -> None:
        if not self._settings().notify:
            return
        texts = self._messages
        title = one_line(title, _TITLE_LIMIT) or "Llamero"
        self._tell(Notification(title=title, body=texts.text(code), action=texts.text("tray-show")))
