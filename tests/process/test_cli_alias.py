"""`llamero alias`: beside a running Llamero, which minds an edit with its next request, and without one."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.hub_cache import add_to_hub
from tests.fakes.launch import fake_engine, starts
from tests.process.cli import Chat, Home, get, serving

KEY = "sk-never-to-be-seen"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path)
    yield home
    home.end_all()


def listed(port: int) -> list[str]:
    return [model["id"] for model in get(port, "/v1/models")[1]["data"]]


def test_cli_alias_edit_counts_for_the_next_request_of_a_running_llamero(home: Home, demo_model: Path) -> None:
    with serving(home, "--port", "0") as server:
        port = server.port()
        assert Chat(port, "house").response.status == 404
        made = home.run("alias", "set", "house", "--file", demo_model, "--context", "256")
        assert (made.status, made.stdout) == (0, "")
        assert Chat(port, "house", temperature=0).text()
        assert listed(port)[0] == "house"
        home.run("alias", "rename", "house", "new/name")
        assert listed(port)[0] == "new/name"
        assert get(port, "/v1/models/new/name")[0] == 200
        assert Chat(port, "house").response.status == 404
        home.run("alias", "remove", "new/name")
        assert "new/name" not in listed(port)
        assert server.end().status == 0


def test_cli_alias_with_other_arguments_restarts_the_engine_for_the_next_request(home: Home, demo_model: Path) -> None:
    engine = fake_engine(home.data.parent / "engine")
    home.use_engine(engine)
    with serving(home, "--port", "0") as server:
        port = server.port()
        for context, count in ((256, 1), (256, 1), (512, 2)):
            home.run("alias", "set", "house", "--file", demo_model, "--context", str(context))
            assert Chat(port, "house").text()
            assert starts(engine) == count
        assert server.end().status == 0


def test_cli_alias_of_every_kind_is_listed_and_shown(home: Home, demo_model: Path) -> None:
    home.run(
        "alias", "set", "house", "--file", demo_model, "--default", "temperature=0.5", "--default", 'stop=["\\n"]',
        "--system", "Be brief.", "--arguments", "--top-k 5", "--keep-alive", "-1", "--embedding", "--gpu-layers", "-1",
        "--threads", "2", "--parallel", "1", "--rpc", "box:50052", "--rpc", "[::1]:50052",
    )  # fmt: skip
    home.run(
        "alias", "api", "far", "--url", "https://far.example/v1/", "--prefix", "f/", "--model", "m", "--forward-all",
        "--header", "X-Team: llamas", "--strip", "seed",
    )  # fmt: skip
    home.run("alias", "fallback", "any", "house", "f/m", "--cooldown", "5")
    house, far, fallback = json.loads(home.run("alias", "list", "--json").stdout)
    assert house == {
        "type": "user", "name": "house", "file": str(demo_model), "hub": "",
        "defaults": {"temperature": 0.5, "stop": ["\n"]}, "system_prompt": "Be brief.", "context_length": None,
        "gpu_layers": -1, "threads": 2, "parallel": 1, "embedding": True, "arguments": ["--top-k 5"],
        "keep_alive_s": -1.0, "rpc": ["box:50052", "[::1]:50052"],
    }  # fmt: skip
    assert far == {
        "type": "api", "name": "far", "base_url": "https://far.example/v1", "prefix": "f/", "models": ["m"],
        "forward_all": True, "headers": {"X-Team": "llamas"}, "strip": ["seed"],
    }  # fmt: skip
    assert fallback == {"type": "fallback", "name": "any", "targets": ["house", "f/m"], "cooldown_s": 5.0}
    assert json.loads(home.run("alias", "show", "any", "--json").stdout) == fallback
    assert home.run("alias", "show", "any").stdout.splitlines() == [
        "type: fallback", "name: any", 'targets: ["house","f/m"]', "cooldown_s: 5.0",
    ]  # fmt: skip
    assert [line.split()[:2] for line in home.run("alias", "list").stdout.splitlines()] == [
        ["NAME", "KIND"], ["house", "user"], ["far", "api"], ["any", "fallback"],
    ]  # fmt: skip


def test_cli_alias_of_a_hub_file_is_answered_by_it(home: Home, demo_model: Path, tmp_path: Path) -> None:
    path = add_to_hub(tmp_path / "hub", "owner/demo-GGUF", "demo-Q4_0.gguf")
    os.truncate(path.resolve(), 0)
    path.resolve().write_bytes(demo_model.read_bytes())
    env = {"HF_HUB_CACHE": str(tmp_path / "hub")}
    made = home.run("alias", "set", "house", "--hub", "owner/demo-GGUF", env=env)
    assert "So far there is no model" not in made.stderr
    with serving(home, "--port", "0", env=env) as server:
        port = server.port()
        assert listed(port) == ["house", "demo", "owner/demo-GGUF:Q4_0"]
        assert Chat(port, "house", temperature=0).text() == Chat(port, "owner/demo-GGUF:Q4_0", temperature=0).text()
        assert server.end().status == 0


def test_cli_alias_key_is_kept_for_its_user_alone_and_never_shown(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(f"{KEY}\n")
    file.chmod(0o600)
    server = ("alias", "api", "far", "--url", "https://far.example/v1", "--model", "m")
    without_keyring = {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
    by_file = home.run(*server, "--key-file", file, env=without_keyring)
    assert by_file.status == 0
    assert "a file that only you can read" in by_file.stderr
    kept = home.data / "remote-keys.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert json.loads(kept.read_text()) == {"far": KEY}
    by_variable = home.run(*server, env={**without_keyring, "LLAMERO_REMOTE_KEY": f"{KEY}-2"})
    assert json.loads(kept.read_text()) == {"far": f"{KEY}-2"}
    shown = home.run("alias", "show", "far", "--json")
    log = "".join(file.read_text() for file in (home.data / "logs").iterdir())
    database = b"".join(file.read_bytes() for file in home.data.glob("llamero.db*"))
    for text in (by_file.stdout, by_file.stderr, by_variable.stderr, shown.stdout, shown.stderr, log):
        assert KEY not in text
    assert KEY.encode() not in database
    home.run("alias", "remove", "far", env=without_keyring)
    assert not kept.exists()


@pytest.mark.parametrize("words", [("show", "far"), ("show", "far", "--json"), ("list", "--json"), ("list",)])
def test_cli_alias_secret_headers_are_kept_and_not_shown(words: tuple[str, ...], home: Home) -> None:
    secrets = {"X-Access-Token": "abcd1234", "X-Api-Key": "hunter2", "Cookie": "s=1", "X-Other": f"sk-{'q' * 20}"}
    headers = [part for name, value in secrets.items() for part in ("--header", f"{name}: {value}")]
    made = home.run(
        *("alias", "api", "far", "--url", "https://far.example/v1", "--model", "m"),
        *("--header", "X-Team: llamas", *headers),
    )
    assert made.status == 0, made
    shown = home.run("alias", *words)
    assert not [value for value in secrets.values() if value in shown.stdout + shown.stderr]
    if words != ("list",):
        assert all(name in shown.stdout for name in secrets), "that they are sent is no secret"
        assert "llamas" in shown.stdout
    database = b"".join(file.read_bytes() for file in home.data.glob("llamero.db*"))
    assert b"hunter2" in database, "they are kept whole, to be sent"


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("set", "house"), 2, "--file --hub"),
        (("set", "house", "--file", "m.gguf", "--hub", "a/b:Q4"), 2, "not allowed with argument"),
        (("set", " house", "--file", "m.gguf"), 1, "The name has characters that it cannot have"),
        (("set", "house", "--hub", "../../etc/passwd"), 1, "is no name of a hub file"),
        (("set", "house", "--file", "m.gguf", "--default", "temperature"), 1, "Write it as KEY=JSON"),
        (("set", "house", "--file", "m.gguf", "--default", "a={"), 1, "Write it as KEY=JSON"),
        (("set", "house", "--file", "m.gguf", "--default", "model=1"), 1, "cannot be a default"),
        (("set", "house", "--file", "m.gguf", "--context", "1"), 1, "context_length"),
        (("set", "house", "--file", "m.gguf", "--context", "many"), 2, "--context"),
        (("set", "house", "--file", "m.gguf", "--arguments", "--port 1"), 1, "--port"),
        (("set", "house", "--file", "m.gguf", "--rpc", "box"), 1, "host:port"),
        (("set", "taken", "--file", "m.gguf"), 1, "There is an alias taken of another kind already"),
        (("api", "far", "--url", "far.example", "--model", "m"), 1, "The base_url has characters"),
        (("api", "far", "--url", "https://a:b@far.example", "--model", "m"), 1, "must not hold a name or password"),
        (("api", "far", "--url", "https://far.example"), 1, "offers nothing"),
        (("api", "far", "--url", "https://far.example", "--forward-all"), 1, "begins with a prefix"),
        (("api", "far", "--url", "https://far.example", "--model", "m", "--header", "x"), 1, "NAME: VALUE"),
        (("api", "far", "--url", "https://far.example", "--model", "m", "--header", "Host: x"), 1, "set by Llamero"),
        (("api", "far", "--url", "https://far.example", "--model", "m", "--key-file", "/gone"), 1, "/gone"),
        (("fallback", "any", "any"), 1, "cannot be a target of itself"),
        (("fallback", "any"), 2, "TARGET"),
        (("remove", "nothing"), 1, "There is no alias nothing"),
        (("show", "a\nb"), 1, "There is no alias a\\nb"),
        ((), 2, "ACTION"),
    ],
)
def test_cli_alias_that_cannot_be_is_one_sentence(
    arguments: tuple[str, ...], status: int, said: str, home: Home
) -> None:
    if "taken" in arguments:
        home.run("alias", "fallback", "taken", "something")
    result = home.run("alias", *arguments)
    assert (result.status, result.stdout) == (status, "")
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
