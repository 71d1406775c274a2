"""Sends a recorded request to our own gateway once more. Who listens to the answer is the gateway's inspector."""

from __future__ import annotations

import aiohttp

from llamero.models.errors import UpstreamFailed

TICKET_HEADER = "X-Llamero-Replay"
CLIENT_NAME = "Llamero replay"


class HttpReplayer:
    """Sends one request at a time on a connection of its own."""

    async def send(self, url: str, body: bytes, content_type: str, ticket: str) -> None:
        """Send it and read the answer to its end. Raises UpstreamFailed when the gateway cannot be reached."""
        headers = {"User-Agent": CLIENT_NAME, TICKET_HEADER: ticket}
        if content_type:
            headers["Content-Type"] = content_type
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=5)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, trust_env=False) as session,
                session.post(
                    url, data=body, headers=headers, skip_auto_headers=("Content-Type",), allow_redirects=False
                ) as reply,
            ):
                async for _ in reply.content.iter_any():
                    pass
        except aiohttp.ClientError as error:
            raise UpstreamFailed(reason=str(error)) from error
