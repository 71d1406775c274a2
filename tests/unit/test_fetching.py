"""Addresses in a request that an engine would fetch: found wherever they stand, and nothing else is taken for one."""

from __future__ import annotations

from typing import Any

import pytest

from llamero.models.errors import InvalidRequest
from llamero.services.fetching import refuse_addresses


def asking(*parts: object) -> dict[str, object]:
    return {"messages": [{"role": "system", "content": "See."}, {"role": "user", "content": list(parts)}]}


TEXT = {"type": "text", "text": "What is at http://127.0.0.1/?"}


@pytest.mark.parametrize(
    "address", ["http://169.254.169.254/", "https://x/y.png", "HTTP://x", " http://x", "ftp://x/y"]
)
def test_address_of_a_picture_is_refused_by_its_place(address: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        refuse_addresses(asking(TEXT, {"type": "image_url", "image_url": {"url": address}}))
    assert caught.value.code == "request_error-not_fetched"
    assert caught.value.param == "messages[1].content[1].image_url.url"


@pytest.mark.parametrize(
    ("part", "name"),
    [
        ({"type": "image_url", "image_url": "http://x"}, "image_url"),
        ({"type": "input_video", "input_video": {"url": "http://x"}}, "input_video.url"),
        ({"type": "input_video", "input_video": {"url": "data:", "data": "http://x"}}, "input_video.data"),
        ({"type": "input_audio", "input_audio": {"data": "http://x", "format": "wav"}}, "input_audio.data"),
        ({"type": "audio_url", "audio_url": {"url": "http://x"}}, "audio_url.url"),
    ],
)
def test_address_in_a_part_of_any_kind_is_refused(part: dict[str, Any], name: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        refuse_addresses(asking(part))
    assert caught.value.param == f"messages[1].content[0].{name}"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"prompt": "http://x"},
        {"messages": "http://x"},
        {"messages": ["http://x", None, {"content": "http://x"}, {"content": ["http://x", 1, None]}]},
        asking(TEXT),
        asking({"type": "image_url", "image_url": {"url": "data:image/png;base64,aHR0cDovL3g="}}),
        asking({"type": "image_url", "image_url": {"url": 1}}),
        asking({"type": "text", "text": "http://x", "source_url": "http://x", "source": {"url": "http://x"}}),
        asking({"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "http://x"}}),
    ],
    ids=lambda body: str(body)[:60],
)
def test_what_is_not_fetched_passes(body: dict[str, object]) -> None:
    refuse_addresses(body)
