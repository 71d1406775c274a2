"""Accidents with the keys of remote servers, each by its name."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from llamero.infrastructure.clock import SystemClock
from llamero.infrastructure.logs import configure_logging
from llamero.infrastructure.remote.client import RemoteClient
from llamero.infrastructure.remote_keys import RemoteKeys
from llamero.models.aliases import ApiModel
from llamero.models.errors import UpstreamFailed
from llamero.models.remote import RemoteRequest
from llamero.services.remote_names import RemoteNames
from tests.fakes.fake_llama_server.wire import Reply, Request
from tests.fakes.remote_server import Does, RemoteServer, answering, remote_server
from tests.process.test_remotes import KEY, OneKey, ask, failed


def redirecting(target: str, status: int = 307) -> Does:
    return answering(status, b"", f"Location: {target}")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirect_to_another_origin_key_is_not_sent(status: int) -> None:
    async with remote_server(answering(200)) as thief:
        async with remote_server(redirecting(f"http://{thief.host}/v1/chat/completions", status)) as server:
            error = await failed(server.destination())
            names = RemoteNames(client := RemoteClient(), OneKey(), SystemClock())
            assert await names.names(server.destination().api) == ()
            await client.close()
        assert len(server.requests) == 2
        assert thief.requests == []
    assert (error.code, error.status) == ("remote_error-redirect", 502)
    assert error.arguments["target"] == f"http://{thief.host}"
    assert KEY not in str(error.arguments)


async def get_models(server: RemoteServer) -> list[str]:
    """Ask for the list of models, and return the paths that were asked for."""
    client = RemoteClient()
    try:
        request = RemoteRequest(api=server.destination().api, endpoint="/v1/models", method="GET")
        async with client.request(request, KEY) as reply:
            [piece async for piece in reply]
    finally:
        await client.close()
    return [request.path for request in server.requests]


async def test_redirect_within_the_origin_is_followed_by_a_get() -> None:
    async def slash(request: Request, reply: Reply) -> None:
        does = answering(200) if request.path.endswith("/") else redirecting("/v1/models/")
        await does(request, reply)

    async with remote_server(slash) as server:
        assert await get_models(server) == ["/v1/models", "/v1/models/"]
        assert {request.headers["authorization"] for request in server.requests} == {f"Bearer {KEY}"}


async def test_redirect_in_a_circle_ends() -> None:
    async with remote_server(redirecting("/v1/models")) as server:
        with pytest.raises(UpstreamFailed) as caught:
            await get_models(server)
        assert caught.value.code == "remote_error-redirects"
        assert len(server.requests) == 4


@pytest.mark.parametrize("location", ["", "file:///etc/passwd", "http://", "//evil.test/v1", "https://127.0.0.1/"])
async def test_redirect_to_no_address_or_another_scheme_is_refused(location: str) -> None:
    async with remote_server(redirecting(location)) as server:
        assert (await failed(server.destination())).code == "remote_error-redirect"


async def test_remote_key_that_the_server_quotes_is_masked() -> None:
    quoted = f'{{"error":{{"message":"Incorrect API key provided: {KEY}"}}}}'.encode()
    async with remote_server(answering(401, quoted)) as server:
        status, body = await ask(server.destination())
    assert (status, KEY.encode() in body, b"***" in body) == (401, False, True)


async def test_remote_key_is_never_in_the_log(tmp_path: Path) -> None:
    keys = RemoteKeys(tmp_path, find_keyring=lambda: None)
    secret, header = "logged-by-nobody-1", "logged-by-nobody-2"
    await keys.set("api", secret)
    log = configure_logging("debug", tmp_path, "critical")
    assert log is not None
    api = ApiModel(name="api", base_url="http://127.0.0.1:1/v1", headers={"api-key": header})
    client = RemoteClient()
    try:
        with pytest.raises(UpstreamFailed):
            async with client.request(
                RemoteRequest(api=api, endpoint="/v1/models", method="GET"), await keys.get("api")
            ):
                pass
        logging.getLogger("llamero").warning("careless: %s %s", secret, header)
        logging.getLogger("llamero").warning("careless: %r", {"Authorization": f"Bearer {secret}", "api-key": header})
    finally:
        await client.close()
    written = log.read_text()
    assert written.count("careless") == 2
    assert secret not in written
    assert header not in written
