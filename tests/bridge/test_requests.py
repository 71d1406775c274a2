"""Requests as pages see them: listed, pushed to those who look, sent again, and kept or not as a person chose."""

from __future__ import annotations

from pathlib import Path

from llamero.bridge.commands.requests import INSPECTOR_STATE
from llamero.models.inspector import InspectorState
from llamero.services.inspection.trace import Origin
from tests.bridge.harness import Bridge, running_bridge

ORIGIN = Origin(dialect="openai", route="/v1/chat/completions", path="/v1/chat/completions", client="curl/8")


def record(bridge: Bridge) -> str:
    """One request that has ended."""
    trace = bridge.inspector.begin(ORIGIN)
    assert trace is not None
    with trace.followed():
        trace.receive(b'{"model":"m"}', "application/json")
        trace.respond(200)
    return trace.id


async def test_requests_are_listed_and_shown_by_their_id(tmp_path: Path) -> None:
    async with running_bridge(tmp_path) as bridge:
        id = record(bridge)
        listed = (await bridge.call("list_requests", {})).json()
        assert [one["id"] for one in listed["requests"]] == [id]
        assert (listed["content"], listed["gateway_url"]) == (True, "http://127.0.0.1:5526")
        details = (await bridge.call("get_request", {"id": id})).json()
        assert details["body"]["text"] == '{"model":"m"}'
        gone = await bridge.call("get_request", {"id": "nobody"})
        assert (gone.status, gone.json()["code"]) == (404, "not_found")


async def test_requests_are_pushed_only_to_the_windows_that_look(tmp_path: Path) -> None:
    async with (
        running_bridge(tmp_path) as bridge,
        bridge.page(window="w1") as looking,
        bridge.page(window="w2") as other,
    ):
        await looking.frame()
        await other.frame()
        await bridge.call("watch_requests", {"watching": True})
        id = record(bridge)
        told = await looking.until(lambda frame: frame.get("ev") == "requests")
        assert [one["id"] for one in told["d"]["requests"]] == [id]
        await bridge.call("clear_requests", {})
        assert (await looking.until(lambda frame: frame.get("ev") == "requests"))["d"]["is_reset"]
        await bridge.call("watch_requests", {"watching": False})
        record(bridge)
        bridge.hub.event("models", ())
        await looking.until(lambda frame: frame.get("ev") == "models")
        await other.until(lambda frame: frame.get("ev") == "models")
        assert [frame.get("ev") for frame in other.frames].count("requests") == 0
        assert [frame.get("ev") for frame in looking.frames].count("requests") == 2


async def test_choice_about_content_holds_and_is_remembered(tmp_path: Path) -> None:
    async with running_bridge(tmp_path) as bridge:
        id = record(bridge)
        assert (await bridge.call("set_inspector", {"content": False})).json() == {"content": False}
        assert await bridge.preferences.value(INSPECTOR_STATE, InspectorState) == InspectorState(content=False)
        assert not (await bridge.call("list_requests", {})).json()["content"]
        assert (await bridge.call("get_request", {"id": id})).json()["body"]["text"] is None
        again = await bridge.call("replay_request", {"id": id})
        assert (again.status, again.json()["code"]) == (409, "inspector_error-not_kept")


async def test_replay_where_nobody_listens_says_so(tmp_path: Path) -> None:
    async with running_bridge(tmp_path) as bridge:
        refused = await bridge.call("replay_request", {"id": record(bridge)})
        assert (refused.status, refused.json()["code"]) == (503, "inspector_error-no_gateway")
