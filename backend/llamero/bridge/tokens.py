"""The tokens of one launch: 256 random bits for the app's own window, others for each other kind of caller.

A page sends its token with every command as `Authorization: Bearer`, and as a subprotocol when it opens its WebSocket,
where a page can set no header. It is never looked for in a query string, which lands in logs, or in a cookie, which
does not know ports.
"""

from __future__ import annotations

import hmac
import secrets

from multidict import MultiMapping

from llamero.bridge.capabilities import WindowKind
from llamero.infrastructure.key_digest import digest
from llamero.models.errors import InvalidRequest, TokenExpired

TOKEN_BYTES = 32
SUBPROTOCOL = "llamero.v1"
_BEARER_SUBPROTOCOL = "bearer."


class Tokens:
    """Makes the tokens, and tells by them who asks."""

    def __init__(self) -> None:
        self._tokens = {kind: secrets.token_urlsafe(TOKEN_BYTES) for kind in WindowKind}
        self._digests = {kind: digest(token) for kind, token in self._tokens.items()}

    def token(self, kind: WindowKind) -> str:
        """The token to hand to a page of that kind."""
        return self._tokens[kind]

    def of_request(self, headers: MultiMapping[str]) -> WindowKind:
        """Tell who sends a request. Raises TokenExpired."""
        scheme, _, bearer = headers.get("Authorization", "").partition(" ")
        return self._kind(bearer.strip() if scheme.lower() == "bearer" else "")

    def of_socket(self, headers: MultiMapping[str]) -> WindowKind:
        """Tell who opens a WebSocket. Raises TokenExpired, or InvalidRequest where our protocol is not offered."""
        sent = headers.getall("Sec-WebSocket-Protocol", ())
        offered = [name.strip() for header in sent for name in header.split(",")]
        tokens = [name.removeprefix(_BEARER_SUBPROTOCOL) for name in offered if name.startswith(_BEARER_SUBPROTOCOL)]
        kind = self._kind(tokens[0] if len(tokens) == 1 else "")
        if kind not in (WindowKind.WINDOW, WindowKind.TAB):
            raise TokenExpired()
        if SUBPROTOCOL not in offered:
            raise InvalidRequest(reason=f"the subprotocol {SUBPROTOCOL} is not offered")
        return kind

    def __repr__(self) -> str:
        return "Tokens()"

    def _kind(self, presented: str) -> WindowKind:
        found = digest(presented)
        matches = [kind for kind, known in self._digests.items() if hmac.compare_digest(found, known)]
        if not matches:
            raise TokenExpired()
        return matches[0]
