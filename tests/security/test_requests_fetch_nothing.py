"""Server-side request forgery: an address in a request must not make this machine ask for what is there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.launch import fake_engine
from tests.process.cli import Home, serving
from tests.process.test_gateway_fake_engine import asked, post

METADATA = "http://169.254.169.254/latest/meta-data/"
PICTURE = {"type": "image_url", "image_url": {"url": METADATA}}
SOUND = {"type": "input_audio", "input_audio": {"data": METADATA, "format": "wav"}}
URL = {"type": "url", "url": METADATA}


def chat(*parts: object, **more: object) -> dict[str, object]:
    return {"messages": [{"role": "user", "content": list(parts)}], **more}


def response(*parts: object) -> dict[str, object]:
    return {"input": [{"role": "user", "content": list(parts)}]}


ASKED: list[tuple[str, dict[str, object], str | None]] = [
    ("/v1/chat/completions", chat(PICTURE), "messages[0].content[0].image_url.url"),
    ("/v1/chat/completions", chat(PICTURE, stream=True), "messages[0].content[0].image_url.url"),
    ("/v1/chat/completions", chat(SOUND), "messages[0].content[0].input_audio.data"),
    ("/apply-template", chat(SOUND), "messages[0].content[0].input_audio.data"),
    ("/v1/responses", response({"type": "input_image", "image_url": METADATA}), "input"),
    ("/v1/responses", response(SOUND), "input"),
    ("/v1/messages", chat({"type": "image", "source": URL}, max_tokens=1), None),
    ("/api/chat", {"messages": [{"role": "user", "content": "What is this?", "images": [METADATA]}]}, None),
]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path)
    yield home
    home.end_all()


def test_ssrf_what_is_asked_by_its_address_reaches_no_engine_in_any_dialect(home: Home, tmp_path: Path) -> None:
    engine = fake_engine(tmp_path / "engine")
    home.use_engine(engine)
    with serving(home, "--port", "0") as server:
        port = server.port()
        for path, body, param in ASKED:
            status, answer, _ = post(port, path, json.dumps(body | {"model": "demo"}).encode())
            assert status == 400, (path, answer)
            if param is not None:
                assert answer["error"]["param"] == param
                assert "fetches nothing" in answer["error"]["message"]
    assert asked(engine) == []
