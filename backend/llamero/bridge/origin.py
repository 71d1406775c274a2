"""Where the window's page is served, and who may ask there: sockets that already listen, and the tokens of this launch.

Both are known before anything can be served, so a window may be opened on its address while the core still starts: the
system keeps its connections until somebody accepts them.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence

from llamero.bridge.capabilities import WindowKind
from llamero.bridge.tokens import Tokens
from llamero.infrastructure.listening import bind_listeners


class Origin:
    """Listening sockets on one port of 127.0.0.1 and ::1, for whoever serves them to close; and fresh tokens."""

    def __init__(self, sockets: Sequence[socket.socket]) -> None:
        self.sockets = tuple(sockets)
        self.tokens = Tokens()
        self.port: int = sockets[0].getsockname()[1]
        """The port of the page."""

    @property
    def url(self) -> str:
        """The address for a browser tab. It lets in whoever has it: for the user's eyes, never for a log."""
        return self._url(WindowKind.TAB)

    @property
    def window_url(self) -> str:
        """The address for the app's own window, which may do more than a tab."""
        return self._url(WindowKind.WINDOW)

    @property
    def second_start_token(self) -> str:
        """What a second start of Llamero must send; it lets in for `activate` and nothing else."""
        return self.tokens.token(WindowKind.SECOND_START)

    @property
    def command_line_token(self) -> str:
        """What `llamero ps` and its like must send; it lets in for their commands and nothing else."""
        return self.tokens.token(WindowKind.COMMAND_LINE)

    def close(self) -> None:
        """Listen no more. For an origin that is not served; idempotent."""
        for listening in self.sockets:
            listening.close()

    def _url(self, kind: WindowKind) -> str:
        # A fragment is sent to no server and is in no log; the page moves it out of the address bar.
        return f"http://127.0.0.1:{self.port}/#t={self.tokens.token(kind)}"


def open_origin() -> Origin:
    """Listen on any free port. Raises IoFailed."""
    return Origin(bind_listeners("127.0.0.1", 0, True))
