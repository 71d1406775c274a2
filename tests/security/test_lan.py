"""What another machine on the network gets from a Llamero, and what it does not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.process.cli import Home, Serving, everyone_gone, serving
from tests.security.lan import HOST_ADDRESS, REFUSED, Lan, lan

CHAT = json.dumps({"model": "demo", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 4})
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def network() -> Iterator[Lan]:
    with lan() as made:
        yield made


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path)
    yield home
    home.end_all()


def made_key(home: Home, *options: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {home.run('key', 'create', 'guest', *options).stdout.strip()}"}


def port_of(server: Serving) -> int:
    return int(server.url().rpartition(":")[2])


def test_lan_without_a_key_llamero_refuses_to_listen(home: Home, network: Lan) -> None:
    for host in (HOST_ADDRESS, "0.0.0.0"):
        refused = home.run("serve", "--port", "0", "--host", host, prefix=network.on_host)
        assert refused.status == 1
        assert "an API key is required" in refused.stderr
        assert refused.stderr.count("\n") == 1


def test_lan_with_a_key_the_guest_is_let_in_with_it_alone(home: Home, network: Lan) -> None:
    key = made_key(home)
    with serving(home, "--port", "0", "--host", HOST_ADDRESS, prefix=network.on_host) as server:
        port = port_of(server)
        for path in ("/v1/models", "/api/tags", "/metrics", "/nothing", "/v1/responses/resp_1"):
            assert network.ask(port, path).status == 401, path
            assert network.ask(port, path, {"Authorization": "Bearer not-needed"}).status == 401, path
        assert network.ask(port, "/v1/chat/completions", body=CHAT).status == 401
        assert network.ask(port, "/v1/models", key).status == 200
        assert network.ask(port, "/v1/chat/completions", key | JSON, CHAT).status == 200
        assert network.ask(port, "/metrics", key).status == 403
        assert home.run("key", "revoke", "guest").status == 0
        assert network.ask(port, "/v1/models", key).status == 401
        assert server.end().status == 0
    assert everyone_gone(home)


def test_lan_by_default_nothing_of_llamero_can_be_reached(home: Home, network: Lan) -> None:
    with serving(home, "--port", "0", "--ui", prefix=network.on_host) as server:
        port = port_of(server)
        assert network.ask(port, "/health").status == REFUSED
        assert server.end().status == 0


def test_lan_page_and_engine_stay_on_the_hosts_own_loopback(home: Home, network: Lan, demo_model: Path) -> None:
    """Only the gateway goes out: neither the page nor the engine's port, whatever the gateway listens on."""
    key = made_key(home)
    arguments = ("--port", "0", "--host", HOST_ADDRESS, "--ui", "--model", demo_model)
    with serving(home, *arguments, prefix=network.on_host) as server:
        port = port_of(server)
        assert network.ask(port, "/v1/models", key).status == 200
        listening = network.listening_on_host()
        beyond = {address for address, _ in listening if address not in ("127.0.0.1", "[::1]")}
        assert beyond == {HOST_ADDRESS}
        others = {other for _, other in listening if other != port}
        assert len(others) >= 2  # the page and the engine
        for other in others:
            assert network.ask(other, "/health").status == REFUSED
        assert server.end().status == 0


@pytest.mark.parametrize("name", ["rebound.evil.example", "10.213.77.1.evil.example", "10.213.77.2"])
def test_lan_dns_rebinding_ollama_cve_2024_28224_is_refused(name: str, home: Home, network: Lan) -> None:
    """A page of the guest's browser, whose own name now leads to the host. Not even the right key helps it."""
    key = made_key(home)
    with serving(home, "--port", "0", "--host", HOST_ADDRESS, prefix=network.on_host) as server:
        port = port_of(server)
        rebound = {"Host": f"{name}:{port}", "Origin": f"http://{name}:{port}", "Sec-Fetch-Site": "same-origin"}
        for path, body in (("/v1/models", None), ("/health", None), ("/docs", None), ("/v1/chat/completions", CHAT)):
            answer = network.ask(port, path, key | JSON | rebound, body)
            assert (answer.status, answer.code()) == (403, "forbidden"), path
        assert server.end().status == 0


def test_lan_jan_ghsa_x6p8_7cp8_c3p6_listening_everywhere_is_no_wildcard_for_hosts(home: Home, network: Lan) -> None:
    key = made_key(home)
    home.write_settings('[gateway]\nallowed_hosts = ["desk.lan"]\n')
    with serving(home, "--port", "0", "--host", "0.0.0.0", prefix=network.on_host) as server:
        port = port_of(server)
        assert network.ask(port, "/v1/models", key | {"Host": f"desk.lan:{port}"}).status == 200
        for name in (HOST_ADDRESS, "0.0.0.0", "other.lan", "desk.lan.evil.example"):
            assert network.ask(port, "/v1/models", key | {"Host": f"{name}:{port}"}).status == 403, name
        assert network.ask(port, "/v1/models", key | {"Host": "desk.lan"}).status == 403
        assert server.end().status == 0


def test_lan_jan_cve_2024_36858_page_of_the_guest_writes_nothing(home: Home, network: Lan) -> None:
    key = made_key(home)
    with serving(home, "--port", "0", "--host", HOST_ADDRESS, prefix=network.on_host) as server:
        port = port_of(server)
        for page in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
            for kind in ({"Content-Type": "text/plain"}, JSON):
                assert network.ask(port, "/v1/chat/completions", key | page | kind, CHAT).status == 403
        assert server.end().status == 0


def test_lan_second_port_for_ollama_asks_for_the_key_too(home: Home, network: Lan) -> None:
    key = made_key(home)
    arguments = ("--port", "0", "--host", HOST_ADDRESS, "--ollama-port", "11434")
    with serving(home, *arguments, prefix=network.on_host) as server:
        port_of(server)
        assert network.ask(11434, "/v1/models").status == 401
        assert network.ask(11434, "/v1/models", key).status == 200
        assert network.ask(11434, "/v1/models", key | {"Host": "evil.example:11434"}).status == 403
        assert server.end().status == 0
