"""What the commands do with the services, and the events that follow."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from llamero.bridge.capabilities import WindowKind
from llamero.bridge.hub import Hub
from llamero.bridge.metrics_push import MetricsPush
from llamero.models.bridge.window import UiState
from llamero.models.conversations import Conversation, Message
from llamero.models.llama import (
    Engine,
    EngineKind,
    Failure,
    LaunchFlag,
    ModelId,
    PassedOver,
    ServerExit,
    ServerPhase,
    ServerSnapshot,
)
from llamero.models.metrics import HardwareMetrics
from tests.bridge.harness import FakeActor, FakeMetrics, Page, eventually, exchange, request_bytes, running_bridge

SAMPLE = HardwareMetrics(at=2.0, monotonic=2.0)


class Dialogs:
    """A dialog in which the user chooses what a test says."""

    def __init__(self, choice: Path | None = None) -> None:
        self.choice = choice

    async def choose_model_file(self) -> Path | None:
        return self.choice

    async def choose_place(self, name: str) -> Path | None:
        return None if self.choice is None else self.choice / name


@pytest.fixture
def model(tmp_path: Path) -> Path:
    file = tmp_path / "Qwen 4B.gguf"
    file.write_bytes(b"x" * 100)
    return file


def server(phase: ServerPhase, generation: int = 1, **fields: Any) -> ServerSnapshot:
    return ServerSnapshot(model=ModelId(alias="m", path="/m.gguf"), phase=phase, generation=generation, **fields)


async def greeted(page: Page) -> dict[str, Any]:
    first: dict[str, Any] = (await page.frame())["snapshot"]
    return first


@pytest.mark.parametrize("spelling", ["{path}", "  {path}\n", '"{path}"', "'{path}'"])
async def test_model_file_is_known_by_its_path_as_people_paste_it(model: Path, tmp_path: Path, spelling: str) -> None:
    async with running_bridge(tmp_path) as bridge, bridge.page() as page:
        await greeted(page)
        response = await bridge.call("add_model_file", {"path": spelling.format(path=model)})
        info = response.json()
        assert (info["alias"], info["path"], info["size_bytes"]) == ("Qwen 4B", str(model), 100)
        assert (info["architecture"], info["trained_context"], info["layers"]) == ("llama", 4096, 12)
        assert info["sees"] is False
        event = await page.frame()
        assert (event["ev"], [known["alias"] for known in event["d"]]) == ("models", ["Qwen 4B"])
        assert [config.model.path for config in bridge.preferences.saved] == [str(model)]


async def test_model_file_in_the_home_directory_is_found(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    async with running_bridge(tmp_path) as bridge:
        assert (await bridge.call("add_model_file", {"path": f"~/{model.name}"})).json()["path"] == str(model)


@pytest.mark.parametrize("path", ["/no/such/file.gguf", "a\0b", " ", '""', "~nobody-of-that-name/x.gguf"])
async def test_model_file_that_is_not_there_is_told_and_not_kept(tmp_path: Path, path: str) -> None:
    async with running_bridge(tmp_path) as bridge:
        response = await bridge.call("add_model_file", {"path": path})
        assert (response.status, response.json()["data"]["reason"]) == (404, "server_error-model_not_found")
        assert (await bridge.call("get_snapshot")).json()["models"] == []
        assert bridge.preferences.saved == []


async def test_model_file_that_is_a_part_of_another_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mmproj.gguf").write_bytes(b"x")
    async with running_bridge(tmp_path) as bridge:
        response = await bridge.call("add_model_file", {"path": str(tmp_path / "mmproj.gguf")})
        assert (response.status, response.json()["data"]["reason"]) == (422, "bridge_error-projector")


async def test_model_file_is_chosen_in_the_dialog_of_the_window_only(model: Path, tmp_path: Path) -> None:
    dialogs = Dialogs(model)
    async with running_bridge(tmp_path, dialogs=dialogs) as bridge:
        assert (await bridge.call("choose_model_file")).json()["alias"] == "Qwen 4B"
        dialogs.choice = None
        assert (await bridge.call("choose_model_file")).body == b"null"
        refused = await bridge.call("choose_model_file", kind=WindowKind.TAB)
        assert (refused.status, refused.json()["code"]) == (403, "not_available")
        assert (await bridge.call("get_snapshot")).json()["native_dialogs"] is True
        assert (await bridge.call("get_snapshot", kind=WindowKind.TAB)).json()["native_dialogs"] is False


async def test_model_file_dialog_is_not_available_where_there_is_no_desktop(tmp_path: Path) -> None:
    async with running_bridge(tmp_path) as bridge:
        refused = await bridge.call("choose_model_file")
        assert (refused.status, refused.json()["code"]) == (403, "not_available")
        assert (await bridge.call("get_snapshot")).json()["native_dialogs"] is False


async def test_model_is_changed_as_a_whole_and_remembered(model: Path, tmp_path: Path) -> None:
    async with running_bridge(tmp_path) as bridge:
        await bridge.call("add_model_file", {"path": str(model)})
        first = await bridge.call("change_model", {"alias": "Qwen 4B", "context_length": 8192, "gpu_layers": -1})
        assert (first.json()["context_length"], first.json()["gpu_layers"]) == (8192, -1)
        second = await bridge.call("change_model", {"alias": "Qwen 4B", "threads": 4})
        assert (second.json()["context_length"], second.json()["threads"]) == (None, 4)
        assert bridge.preferences.saved[-1].threads == 4
        unknown = await bridge.call("change_model", {"alias": "other"})
        assert (unknown.status, unknown.json()["code"]) == (404, "model_not_found")


async def test_model_whose_file_has_gone_is_shown_as_missing(model: Path, tmp_path: Path) -> None:
    async with running_bridge(tmp_path) as bridge:
        await bridge.call("add_model_file", {"path": str(model)})
        await asyncio.to_thread(model.write_bytes, b"x" * 300)
        assert (await bridge.call("get_snapshot")).json()["models"][0]["size_bytes"] == 300
        await asyncio.to_thread(model.unlink)
        shown = (await bridge.call("get_snapshot")).json()["models"][0]
        assert (shown["missing"], shown["size_bytes"], shown["alias"]) == (True, None, "Qwen 4B")


async def test_model_is_started_and_stopped_by_its_alias(model: Path, tmp_path: Path) -> None:
    async with running_bridge(tmp_path) as bridge:
        await bridge.call("add_model_file", {"path": str(model)})
        started = await bridge.call("start_model", {"alias": "Qwen 4B"})
        assert started.json()["phase"] == "stopped"  # as the actor of this test knows no server
        assert [config.model.alias for config in bridge.engines.started] == ["Qwen 4B"]
        assert (await bridge.call("stop_model", {"alias": "Qwen 4B"})).body == b"null"
        assert (await bridge.call("stop_model", {})).body == b"null"
        assert bridge.engines.stopped == ["Qwen 4B", None]
        for name in ("start_model", "stop_model", "get_server_log", "get_server_details", "get_server_output"):
            assert (await bridge.call(name, {"alias": "other"})).json()["code"] == "model_not_found"


async def test_servers_are_told_when_something_changes_and_only_then(tmp_path: Path) -> None:
    async with running_bridge(tmp_path) as bridge, bridge.page() as page:
        await greeted(page)
        infos = bridge.services.server_infos
        infos.changed()
        bridge.actor.show(server(ServerPhase.READY, pid=5, since=asyncio.get_running_loop().time()))
        for _ in range(3):
            infos.changed()
        event = await page.frame()
        assert event["ev"] == "servers"
        assert (event["d"][0]["phase"], event["d"][0]["pid"]) == ("ready", 5)
        infos.changed()
        bridge.hub.event("ui", UiState())
        assert (await page.frame())["ev"] == "ui"  # and no second picture of the same


async def test_server_that_starts_is_looked_at_until_it_is_ready(tmp_path: Path) -> None:
    async with running_bridge(tmp_path) as bridge, bridge.page() as page:
        await greeted(page)
        bridge.actor.show(server(ServerPhase.STARTING, held=True))
        bridge.services.server_infos.changed()
        shown = (await page.frame())["d"][0]
        assert (shown["phase"], shown["held"]) == ("starting", True)
        bridge.actor.show(server(ServerPhase.READY, pid=1))  # nobody says so
        assert (await page.frame())["d"][0]["phase"] == "ready"


async def test_server_is_looked_at_while_a_start_is_under_way(model: Path, tmp_path: Path) -> None:
    async with running_bridge(tmp_path) as bridge, bridge.page() as page:
        await greeted(page)
        bridge.services.models.add_file(model)
        bridge.engines.starting = asyncio.Event()
        starting = asyncio.create_task(bridge.call("start_model", {"alias": model.stem}))
        await eventually(lambda: len(bridge.engines.started) == 1)
        bridge.actor.show(server(ServerPhase.STARTING))  # some time after it was asked for, and nobody says so
        assert (await page.frame())["d"][0]["phase"] == "starting"
        bridge.actor.show(server(ServerPhase.READY, pid=1))
        bridge.engines.starting.set()
        assert (await page.frame())["d"][0]["phase"] == "ready"
        assert (await starting).status == 200


async def test_server_that_failed_says_why_and_shows_its_last_lines(model: Path, tmp_path: Path) -> None:
    failure = Failure(code="server_error-startup_error", arguments={"reason": "no memory"}, log_tail=("one", "two"))
    async with running_bridge(tmp_path) as bridge:
        bridge.actor.show(server(ServerPhase.FAILED, failure=failure, restarts=3))
        info = (await bridge.call("get_snapshot")).json()["servers"][0]
        assert info["reason"] == "server_error-startup_error reason=no memory"
        assert (info["log_tail"], info["restarts"]) == (["one", "two"], 3)
        bridge.services.models.add_file(tmp_path / "m.gguf")
        log = await bridge.call("get_server_log", {"alias": "m"})
        assert log.json() == {"alias": "m", "lines": ["one", "two"]}
        bridge.actor.show(server(ServerPhase.READY, pid=1))
        assert (await bridge.call("get_server_log", {"alias": "m"})).json()["lines"] == ["first line", "last line"]


async def test_server_details_say_where_each_flag_came_from_and_why_it_ended_before(tmp_path: Path) -> None:
    crash = Failure(code="server_error-engine_crashed", arguments={"reason": "killed"}, exit_status=-9)
    at = time.monotonic()
    async with running_bridge(tmp_path) as bridge:
        bridge.actor.show(
            server(
                ServerPhase.READY,
                pid=7,
                port=8123,
                engine=Engine(kind=EngineKind.PATH, command=("/usr/bin/llama-server",), variant="cuda"),
                flags=(LaunchFlag("--threads 2", "settings"), LaunchFlag("--ctx-size 64", "config")),
                exits=(ServerExit(at=at - 90, failure=crash, ran_s=12.5),),
                expires_at=at + 60,
            )
        )
        details = (await bridge.call("get_server_details", {"alias": "m"})).json()
    assert (details["engine"], details["variant"], details["command"]) == ("path", "cuda", ["/usr/bin/llama-server"])
    assert [(flag["text"], flag["origin"]) for flag in details["flags"]] == [
        ("--threads 2", "settings"),
        ("--ctx-size 64", "config"),
    ]
    (ended,) = details["exits"]
    assert (ended["reason"], ended["exit_status"]) == ("server_error-engine_crashed reason=killed", -9)
    assert ended["ran_s"] == 12.5
    assert ended["at"] == pytest.approx(time.time() - 90, abs=5)
    assert details["unloads_at"] == pytest.approx(time.time() + 60, abs=5)
    assert (details["port"], details["server"]["pid"]) == (8123, 7)


async def test_server_details_say_for_which_engine_another_stands_in(tmp_path: Path) -> None:
    wanted = PassedOver(variant="vulkan", reason="no driver")
    async with running_bridge(tmp_path) as bridge:
        bridge.actor.show(server(ServerPhase.READY, engine=Engine(EngineKind.EMBEDDED, ("x",), instead_of=wanted)))
        details = (await bridge.call("get_server_details", {"alias": "m"})).json()
    assert details["engine_note"] == "engine_error-passed_over variant=vulkan reason=no driver"


async def test_server_output_gives_what_is_new_and_all_of_another_process(tmp_path: Path) -> None:
    failure = Failure(code="server_error-startup_error", log_tail=("one", "two"))
    async with running_bridge(tmp_path) as bridge:
        bridge.actor.show(server(ServerPhase.READY, pid=1, generation=4))

        async def output(**arguments: int) -> tuple[int, int, list[str]]:
            answer = (await bridge.call("get_server_output", {"alias": "m", **arguments})).json()
            return answer["generation"], answer["written"], answer["lines"]

        assert await output() == (4, 2, ["first line", "last line"])
        assert await output(generation=4, written=1) == (4, 2, ["last line"])
        assert await output(generation=3, written=2) == (4, 2, ["first line", "last line"])
        bridge.actor.show(server(ServerPhase.FAILED, generation=5, failure=failure))
        assert await output(generation=4, written=2) == (5, 2, ["one", "two"])
        assert await output(generation=5, written=2) == (5, 2, [])


async def test_model_that_is_waited_for_and_has_no_server_is_shown(tmp_path: Path) -> None:
    async with running_bridge(tmp_path) as bridge:
        bridge.actor.show(server(ServerPhase.READY, pid=1))
        bridge.actor.snapshot = replace(bridge.actor.snapshot, queue={"m": 1, "other": 2})
        shown = {info.alias: (info.phase, info.waiting) for info in bridge.services.server_infos.all()}
    assert shown == {"m": (ServerPhase.READY, 1), "other": (ServerPhase.STOPPED, 2)}


async def test_models_unload_gently_and_restart_by_their_names(tmp_path: Path) -> None:
    async with running_bridge(tmp_path) as bridge:
        assert (await bridge.call("unload_model", {"alias": "m"})).body == b"null"
        assert (await bridge.call("restart_model", {"alias": "m"})).json()["alias"] == "m"
        assert (bridge.control.unloaded, bridge.control.restarted) == (["m"], ["m"])


async def test_server_time_is_on_the_wall_clock_and_stays(tmp_path: Path) -> None:
    async with running_bridge(tmp_path) as bridge:
        bridge.actor.show(server(ServerPhase.READY, pid=1, since=time.monotonic() - 60))
        first = (await bridge.call("get_snapshot")).json()["servers"][0]["since"]
        assert first == pytest.approx(time.time() - 60, abs=5)
        assert (await bridge.call("get_snapshot")).json()["servers"][0]["since"] == first


async def test_metrics_come_while_a_connected_window_looks(tmp_path: Path) -> None:
    async with running_bridge(tmp_path) as bridge:
        async with bridge.page("w1") as first, bridge.page("w2") as second:
            await greeted(first)
            await greeted(second)
            assert bridge.metrics.watchers == 0
            await bridge.call("watch_metrics", {"watching": True}, window="w1")
            await eventually(lambda: bridge.metrics.watchers == 1)
            bridge.metrics.samples.put_nowait(SAMPLE)
            assert (await first.frame())["ev"] == "metrics"
            bridge.hub.event("ui", UiState())
            assert (await second.frame())["ev"] == "ui"  # who does not look is not told
            await bridge.call("watch_metrics", {"watching": False}, window="w1")
            await eventually(lambda: bridge.metrics.watchers == 0)
            await bridge.call("watch_metrics", {"watching": True}, window="w1")
            await eventually(lambda: bridge.metrics.watchers == 1)
        await eventually(lambda: bridge.metrics.watchers == 0)  # nobody is connected
        async with bridge.page("w1", resume=(first.epoch, first.seq)) as again:
            await again.frame()
            await eventually(lambda: bridge.metrics.watchers == 1)


async def test_metrics_come_now_and_then_to_a_window_that_is_merely_open(tmp_path: Path) -> None:
    def real(hub: Hub) -> dict[str, object]:
        return {"metrics_push": MetricsPush(FakeMetrics(), FakeActor(), hub, calm_s=0.02)}

    async with running_bridge(tmp_path, real=real) as bridge, bridge.page("w1") as page:
        await greeted(page)
        for _ in range(3):
            assert (await page.frame())["ev"] == "metrics"


async def test_page_that_begins_anew_does_not_look_any_more(tmp_path: Path) -> None:
    async with running_bridge(tmp_path) as bridge:
        async with bridge.page("w1") as page:
            await greeted(page)
            await bridge.call("watch_metrics", {"watching": True}, window="w1")
            await eventually(lambda: bridge.metrics.watchers == 1)
        await eventually(lambda: bridge.metrics.watchers == 0)
        async with bridge.page("w1") as reloaded:
            await greeted(reloaded)
            await eventually(lambda: bridge.metrics.watchers == 0)
            await bridge.call("watch_metrics", {"watching": True}, window="w1")
            await eventually(lambda: bridge.metrics.watchers == 1)


async def test_ui_state_is_remembered_and_part_of_the_first_picture(tmp_path: Path) -> None:
    file = {"id": "f0", "name": "a.md", "kind": "text", "media_type": "text/plain", "size": 5}
    state = {"theme": "dark", "list_folded": True, "conversation_id": "c1", "model": "m", "drafts": {"c1": "hal"}}
    state |= {"draft_attachments": {"c1": [file]}}
    async with running_bridge(tmp_path) as bridge:
        assert (await bridge.call("get_snapshot")).json()["ui"]["theme"] == "system"
        assert (await bridge.call("set_ui_state", {"ui": state})).body == b"null"
        assert (await bridge.call("get_snapshot")).json()["ui"] == state
        for theme in ("sepia", "dark\n", ""):
            assert (await bridge.call("set_ui_state", {"ui": {"theme": theme}})).status == 400


async def test_link_is_opened_by_python(tmp_path: Path) -> None:
    async with running_bridge(tmp_path) as bridge:
        assert (await bridge.call("open_link", {"url": "https://example.com"})).body == b"null"
        assert bridge.links.opened == ["https://example.com"]


@pytest.mark.parametrize(
    ("name", "arguments", "kind"),
    [
        ("get_conversation", {"conversation_id": "c1"}, None),
        ("edit_message", {"message_id": "m1", "text": "x", "model": "m", "on": "__CHANNEL__:1"}, None),
        ("retry_message", {"message_id": "m2", "model": "m", "on": "__CHANNEL__:1"}, None),
        ("watch_message", {"message_id": "m2", "on": "__CHANNEL__:1"}, Message),
        ("stop_message", {"message_id": "m2"}, Message),
        ("select_branch", {"conversation_id": "c1", "message_id": "m2"}, Conversation),
        ("edit_answer", {"message_id": "m2", "text": "x"}, None),
        ("fork_conversation", {"message_id": "m2"}, Conversation),
        ("change_conversation", {"conversation_id": "c1", "sampling": {"temperature": 0.5}}, Conversation),
        ("restore_conversation", {"conversation_id": "c1"}, Conversation),
        ("list_deleted_conversations", {}, None),
        ("delete_message", {"message_id": "m2"}, None),
        ("restore_message", {"message_id": "m2"}, Conversation),
        ("search_messages", {"query": "llama", "limit": 200}, None),
    ],
)
async def test_chat_command_reaches_its_service(
    tmp_path: Path, name: str, arguments: dict[str, Any], kind: type | None
) -> None:
    async with running_bridge(tmp_path) as bridge:
        response = await bridge.call(name, arguments)
        assert response.status == 200
        assert len(bridge.chats.calls) == 1
        assert kind is None or response.json()["id"] in ("c1", "m2")


async def test_key_is_made_in_the_window_only_and_revoked_anywhere(tmp_path: Path) -> None:
    async with running_bridge(tmp_path) as bridge:
        terms = {"name": "editor", "scopes": ["inference"], "requests_per_minute": 60}
        assert (await bridge.call("create_api_key", terms, kind=WindowKind.TAB)).status == 403
        made = (await bridge.call("create_api_key", terms)).json()
        assert (made["key"]["name"], made["secret"]) == ("editor", "llk_abcdefgh")
        assert (await bridge.call("create_api_key", terms)).json()["code"] == "key_error-name_taken"
        listed = await bridge.call("list_api_keys", kind=WindowKind.TAB)
        assert [key["name"] for key in listed.json()] == ["editor"]
        assert b"llk_abcdefgh" not in listed.body
        assert (await bridge.call("revoke_api_key", {"name": "editor"}, kind=WindowKind.TAB)).status == 200
        assert (await bridge.call("revoke_api_key", {"name": "editor"})).status == 404


@pytest.mark.parametrize(
    "terms",
    [
        {},
        {"name": ""},
        {"name": "a\nb"},
        {"name": "a", "scopes": []},
        {"name": "a", "scopes": ["all"]},
        {"name": "a", "requests_per_minute": 0},
        {"name": "a", "streams": -1},
        {"name": "a", "days": 0},
        {"name": "a", "x": 1},
    ],
)
async def test_key_of_impossible_terms_is_refused(tmp_path: Path, terms: dict[str, Any]) -> None:
    async with running_bridge(tmp_path) as bridge:
        assert (await bridge.call("create_api_key", terms)).status == 400


async def test_metrics_history_is_told_as_asked_and_other_ranges_are_refused(tmp_path: Path) -> None:
    async with running_bridge(tmp_path) as bridge:
        told = (await bridge.call("get_metrics_history", {"range": "24h", "after": 7.5, "cores": True})).json()
        assert (told["range"], told["times"], told["series"][0]["values"]) == ("24h", [1.0, 2.0], [12.5, None])
        assert bridge.services.history.asked == [("24h", 7.5, True)]  # type: ignore[attr-defined]
        exported = (await bridge.call("export_metrics", {"range": "1h"})).json()
        assert exported == {"file_name": "1h.csv", "content": "time\n"}
        for arguments in ({}, {"range": "1y"}, {"range": "1h", "after": "now"}):
            assert (await bridge.call("get_metrics_history", arguments)).status == 400


async def test_file_is_saved_where_the_user_chose_or_nowhere(tmp_path: Path) -> None:
    dialogs = Dialogs(tmp_path)
    async with running_bridge(tmp_path, dialogs=dialogs) as bridge:
        put = request_bytes("PUT", "/bridge/blob", bridge.headers() | {"Content-Type": "image/png"}, b"a picture")
        handle = (await exchange(bridge.port, put)).json()["handle"]
        saved = await bridge.call("save_file", {"handle": handle, "name": "metrics.png"})
        assert saved.json() == {"path": str(tmp_path / "metrics.png")}
        assert (tmp_path / "metrics.png").read_bytes() == b"a picture"
        dialogs.choice = tmp_path / "not there"
        assert (await bridge.call("save_file", {"handle": handle, "name": "metrics.png"})).json()[
            "code"
        ] == "server_error-io_error"
        dialogs.choice = None
        assert (await bridge.call("save_file", {"handle": handle, "name": "a.png"})).json() == {"path": None}
        for name in ("", "../a.png", "a/b", ".hidden", "a\n.png"):
            assert (await bridge.call("save_file", {"handle": handle, "name": name})).status == 400, name
        refused = await bridge.call("save_file", {"handle": handle, "name": "a.png"}, kind=WindowKind.TAB)
        assert refused.status == 403
