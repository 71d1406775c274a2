"""What is known of a remote server's key, from the answers that went by."""

from __future__ import annotations

from llamero.infrastructure.remote.client import RemoteClient
from llamero.models.aliases import ApiModel
from llamero.models.errors import Unavailable
from llamero.models.remote import KeyState, RemoteRequest
from llamero.services.key_states import KeyStates
from tests.fakes.aliases import MemoryKeys
from tests.fakes.fake_llama_server.wire import Reply, Request
from tests.fakes.remote_server import answering, remote_server


class SilentKeys(MemoryKeys):
    """A keyring that waits for its password."""

    async def get(self, name: str) -> str | None:
        raise Unavailable("remote_error-keyring_silent", seconds=10)


async def takes_the_good_key(request: Request, reply: Reply) -> None:
    good = request.headers.get("authorization") == "Bearer a-key-it-takes"
    await answering(200 if good else 401)(request, reply)


async def test_key_counts_as_rejected_until_the_server_takes_it_or_another_is_given() -> None:
    keys, client = MemoryKeys(), RemoteClient()
    async with remote_server(takes_the_good_key) as server:
        api = ApiModel(name="far", base_url=server.base_url, models=("m",))
        states = KeyStates(client, keys)

        async def ask() -> None:
            request = RemoteRequest(api=api, endpoint="/v1/models", method="GET")
            async with states.request(request, await keys.get("far")):
                pass

        async def state() -> KeyState:
            return (await states.of([api]))["far"]

        assert await state() is KeyState.NONE
        await ask()
        assert await state() is KeyState.MISSING
        await keys.set("far", "a-key-it-rejects")
        assert await state() is KeyState.KEPT, "nobody has said anything of this one yet"
        await ask()
        assert await state() is KeyState.REJECTED
        elsewhere = ApiModel(name="far", base_url="https://elsewhere.example", models=("m",))
        assert await states.of([elsewhere]) == {"far": KeyState.KEPT}
        await keys.set("far", "a-key-it-takes")
        await ask()
        assert await state() is KeyState.KEPT
        await keys.set("far", "a-key-it-rejects")
        assert await state() is KeyState.KEPT, "the server has taken a key since it refused this one"
    await client.close()


async def test_key_stays_rejected_when_the_server_fails_otherwise() -> None:
    keys, client = MemoryKeys(), RemoteClient()
    await keys.set("far", "a-key-it-rejects")
    statuses = [401, 503, 404]

    async def in_turn(request: Request, reply: Reply) -> None:
        await answering(statuses.pop(0))(request, reply)

    async with remote_server(in_turn) as server:
        api = ApiModel(name="far", base_url=server.base_url, models=("m",))
        states = KeyStates(client, keys)
        while statuses:
            async with states.request(RemoteRequest(api=api, endpoint="/v1/models", method="GET"), "a-key-it-rejects"):
                pass
        assert await states.of([api]) == {"far": KeyState.REJECTED}
    await client.close()


async def test_key_that_the_keyring_does_not_give_out_is_unreadable() -> None:
    api = ApiModel(name="far", base_url="https://far.example", models=("m",))
    assert await KeyStates(RemoteClient(), SilentKeys()).of([api]) == {"far": KeyState.UNREADABLE}
