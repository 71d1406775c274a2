"""`llamero key`: made, listed and revoked beside a running Llamero, which minds it at once."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.process.cli import Home, get, serving


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path)
    yield home
    home.end_all()


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_cli_key_made_beside_a_running_llamero_counts_at_its_next_request(home: Home) -> None:
    with serving(home, "--port", "0", env={"LLAMERO_GATEWAY_REQUIRE_KEY": "true"}) as server:
        port = server.port()
        assert get(port, "/v1/models")[0] == 401
        created = home.run("key", "create", "editor", "--rate", "60", "--streams", "2", "--days", "7")
        assert (created.status, created.stdout.count("\n")) == (0, 1)
        secret = created.stdout.strip()
        assert re.fullmatch(r"llk_[\w-]{43}", secret)
        assert secret not in created.stderr
        assert get(port, "/v1/models", bearer(secret))[0] == 200
        listed = home.run("key", "list")
        assert re.search(rf"editor +{secret[:8]}… +inference +60 +2 +20\d\d-", listed.stdout)
        assert secret not in listed.stdout
        revoked = home.run("key", "revoke", "editor")
        assert (revoked.status, revoked.stdout) == (0, "")
        status, answer = get(port, "/v1/models", bearer(secret))
        assert (status, "was revoked" in answer["error"]["message"]) == (401, True)
        assert server.end().status == 0
    log = "".join(file.read_text() for file in (home.data / "logs").iterdir())
    assert secret not in log


def test_cli_key_without_one_says_how_to_make_one(home: Home) -> None:
    listed = home.run("key", "list")
    assert (listed.status, listed.stdout) == (0, "")
    assert "llamero key create NAME" in listed.stderr


def test_cli_key_on_an_open_gateway_says_that_it_stays_open(home: Home) -> None:
    assert "gateway.require_key" in home.run("key", "create", "editor").stderr
    home.write_settings("[gateway]\nrequire_key = true\n")
    assert "gateway.require_key" not in home.run("key", "create", "another").stderr


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("create", "-x"), 2, "NAME"),
        (("create", "a\tb"), 1, "cannot be the name of an API key"),
        (("create", "taken"), 1, "There is an API key of the name taken already"),
        (("create", "x", "--rate", "0"), 2, "--rate"),
        (("create", "x", "--scope", "everything"), 2, "--scope"),
        (("revoke", "nobody"), 1, "There is no API key of the name nobody"),
        ((), 2, "ACTION"),
    ],
)
def test_cli_key_that_cannot_be_is_one_sentence(arguments: tuple[str, ...], status: int, said: str, home: Home) -> None:
    assert home.run("key", "create", "taken").status == 0
    result = home.run("key", *arguments)
    assert result.status == status
    assert result.stdout == ""
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


def test_cli_key_of_the_database_is_enough_to_listen_beyond_loopback(home: Home) -> None:
    refused = home.run("serve", "--port", "0", "--host", "0.0.0.0")
    assert (refused.status, "llamero key create NAME" in refused.stderr) == (1, True)
    secret = home.run("key", "create", "other machine").stdout.strip()
    with serving(home, "--port", "0", "--host", "0.0.0.0") as server:
        port = server.port()
        assert get(port, "/v1/models")[0] == 401
        assert get(port, "/v1/models", bearer(secret))[0] == 200
        assert server.end().status == 0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def test_cli_serve_second_port_for_ollama_has_the_same_gateway(home: Home) -> None:
    second = free_port()
    with serving(home, "--port", "0", "--ollama-port", str(second)) as server:
        first = server.port()
        for port in (first, second):
            assert get(port, "/v1/models")[0] == 200
            assert get(port, "/v1/models", {"Host": f"evil.example:{port}"})[0] == 403
        assert get(second, "/v1/models", {"Host": f"127.0.0.1:{second + 1}"})[0] == 403
        assert server.end().status == 0


def test_cli_serve_second_port_that_is_taken_is_said_and_done_without(home: Home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        taken = holder.getsockname()[1]
        home.write_settings(f"[gateway]\nollama_port = {taken}\n")
        with serving(home, "--port", "0") as server:
            assert get(server.port(), "/health")[0] == 200
            result = server.end()
        assert f"Port {taken} is in use by python" in result.stderr
        refused = home.run("serve", "--port", "0", "--ollama-port", str(taken))
        assert (refused.status, f"Port {taken} is in use by python" in refused.stderr) == (1, True)
