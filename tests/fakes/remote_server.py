"""A server elsewhere that does exactly what a test says, on a real socket, and remembers what it was sent.

Everything is on the wire as it is written: heads, redirects, bodies that break off, and TLS with a certificate that
nobody trusts.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from llamero.models.aliases import ApiModel, RemoteDestination
from tests.fakes.fake_llama_server.wire import ClientGone, Reply, Request, read_request

Does = Callable[[Request, Reply], Awaitable[None]]


@dataclass
class RemoteServer:
    """A running server. `gone` is set when a reader has left."""

    port: int
    scheme: str = "http"
    requests: list[Request] = field(default_factory=list)
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def base_url(self) -> str:
        return f"{self.scheme}://{self.host}/v1"

    def destination(self, **more: object) -> RemoteDestination:
        return destination(self.base_url, **more)


def destination(base_url: str, **more: object) -> RemoteDestination:
    api = ApiModel(name="api", base_url=base_url, models=("theirs",), **more)  # type: ignore[arg-type]
    return RemoteDestination(alias="mine", api=api, upstream="theirs")


def answering(status: int, body: bytes = b"{}", *headers: str, kind: str = "application/json") -> Does:
    """Answer every request so."""

    async def answer(request: Request, reply: Reply) -> None:
        lines = [f"HTTP/1.1 {status} X", f"Content-Type: {kind}", f"Content-Length: {len(body)}", *headers]
        reply.writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        await reply.writer.drain()

    return answer


def streaming(*pieces: bytes, then: str = "end") -> Does:
    """Stream the pieces, then `end`, `break` off, or `hang` until the reader leaves."""

    async def stream(request: Request, reply: Reply) -> None:
        await reply.start()
        for piece in pieces:
            await reply.send(piece)
        if then == "end":
            await reply.finish()
        elif then == "break":
            reply.break_off()
        else:
            await reply.reader.read()

    return stream


@asynccontextmanager
async def remote_server(does: Does, context: ssl.SSLContext | None = None) -> AsyncIterator[RemoteServer]:
    """Run a server."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (request := await read_request(reader)) is not None:
                remote.requests.append(request)
                reply = Reply(reader, writer)
                await does(request, reply)
                if reply.broken:
                    break
        except (ClientGone, ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            remote.gone.set()
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=context, limit=1 << 24)
    remote = RemoteServer(server.sockets[0].getsockname()[1], "https" if context else "http")
    try:
        yield remote
    finally:
        server.close()


def self_signed(directory: Path) -> ssl.SSLContext:
    """A server's TLS with a certificate for 127.0.0.1 that it has signed itself."""
    from ipaddress import ip_address

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = directory / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context
