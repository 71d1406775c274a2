"""What no model of ours can do, and what real engines are too quick for: `llamero serve` with the fake engine."""

from __future__ import annotations

import http.client
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llamero.models.llama import Engine
from tests.fakes.launch import fake_engine, journal
from tests.process.cli import Chat, Home, serving, until

BOUNDARY = "----boundary"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path)
    yield home
    home.end_all()


def post(
    port: int, path: str, body: bytes, content_type: str = "application/json", timeout_s: float = 20.0
) -> tuple[int, Any, str | None]:
    """Status, decoded JSON and Retry-After."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    try:
        connection.request("POST", path, body, {"Content-Type": content_type})
        response = connection.getresponse()
        return response.status, json.loads(response.read()), response.headers["Retry-After"]
    finally:
        connection.close()


def asked(engine: Engine) -> list[dict[str, Any]]:
    """The bodies that reached the engine."""
    return [entry["body"] for entry in journal(engine, "asked")]


def test_request_that_finds_the_queue_full_is_told_when_to_come_again(home: Home, tmp_path: Path) -> None:
    engine = fake_engine(tmp_path / "engine", words=100_000, tokens_per_second=50)
    home.use_engine(engine, "[servers]\nconcurrency = 1\nqueue_limit = 1\n")
    with serving(home, "--port", "0") as server:
        port = server.port()
        running = Chat(port, "demo")
        next(iter(running))
        body = json.dumps({"model": "demo", "messages": [], "stream": True}).encode()
        waiting = http.client.HTTPConnection("127.0.0.1", port)
        waiting.request("POST", "/v1/chat/completions", body)

        def refused() -> Any:
            try:
                status, answer, retry_after = post(port, "/v1/chat/completions", body, timeout_s=1.0)
            except TimeoutError:
                return False  # the other one was not there yet, so this one waited in its place
            return status == 503 and (answer["error"], retry_after)

        error, retry_after = until(refused)
        assert error["code"] == "server_error-queue_full"
        assert retry_after is not None
        assert int(retry_after) >= 1
        waiting.close()


def test_audio_passes_through_to_the_engine(home: Home, tmp_path: Path) -> None:
    home.use_engine(fake_engine(tmp_path / "engine"))
    audio = bytes(range(256)) * 5000
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'.encode()
    fields = "".join(
        f'\r\n--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}'
        for name, value in (("model", "demo"), ("language", "en"))
    )
    form = head + audio + f"{fields}\r\n--{BOUNDARY}--\r\n".encode()
    with serving(home, "--port", "0") as server:
        status, answer, _ = post(server.port(), "/v1/audio/transcriptions", form, MULTIPART)
    assert (status, answer["text"]) == (200, f"{len(audio)} bytes, {zlib.crc32(audio)}")
    assert answer["fields"] == {"model": "demo", "language": "en"}


@pytest.mark.parametrize("path", ["/v1/rerank", "/rerank"])
def test_documents_are_ranked_by_the_engine(home: Home, tmp_path: Path, path: str) -> None:
    home.use_engine(fake_engine(tmp_path / "engine"))
    body = {"model": "demo", "query": "wool llama", "documents": ["salt", "llama wool", "a llama"], "top_n": 2}
    with serving(home, "--port", "0") as server:
        status, answer, _ = post(server.port(), path, json.dumps(body).encode())
    assert status == 200
    assert [result["index"] for result in answer["results"]] == [1, 2]


def test_picture_in_a_chat_reaches_the_engine_as_it_came(home: Home, tmp_path: Path) -> None:
    engine = fake_engine(tmp_path / "engine")
    home.use_engine(engine)
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 100_000, "detail": "low"}}
    messages = [{"role": "user", "content": [{"type": "text", "text": "What is this?"}, picture]}]
    with serving(home, "--port", "0") as server:
        body = json.dumps({"model": "demo", "messages": messages}).encode()
        assert post(server.port(), "/v1/chat/completions", body)[0] == 200
    assert [request["messages"] for request in asked(engine)] == [messages]
