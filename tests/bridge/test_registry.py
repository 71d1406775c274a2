"""Commands: what makes one, how arguments are decoded, what goes wrong and how it is told."""

from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path
from types import ModuleType
from typing import Any

import aiohttp
import msgspec
import pytest

from llamero.bridge.arguments import decode_arguments
from llamero.bridge.capabilities import CAPABILITIES, WindowKind, check_capability
from llamero.bridge.commands import all_commands, control_commands
from llamero.bridge.context import Context
from llamero.bridge.registry import Registry, command
from llamero.models.bridge.chats import RenameConversation, SendChatMessage
from llamero.models.bridge.fields import Empty
from llamero.models.bridge.servers import ChangeModel
from llamero.models.conversations import Conversation
from llamero.models.errors import EngineFailed, InvalidRequest, NotAvailable, Unavailable, UnknownCommand
from tests.bridge.harness import eventually, running_bridge

CONTRACT = {
    "get_snapshot", "get_conversation", "send_chat_message", "edit_message", "retry_message", "watch_message",
    "stop_message", "select_branch", "edit_answer", "fork_conversation", "rename_conversation", "change_conversation",
    "list_deleted_conversations",
    "delete_conversation", "restore_conversation", "delete_message", "restore_message", "search_messages",
    "add_model_file", "choose_model_file", "change_model", "start_model", "stop_model", "restart_model",
    "unload_model", "get_server_details", "get_server_output", "get_server_log", "watch_logs", "open_log_file",
    "open_link", "set_ui_state", "watch_metrics", "get_metrics_history", "export_metrics", "save_file",
    "add_attachment", "discard_attachment", "get_attachment",
    "get_settings", "change_setting", "get_about", "list_licenses", "get_license", "open_place",
    "get_update", "check_update", "download_update",
    "activate",
    "start_bench", "stop_bench", "list_bench_runs", "get_bench_run",
    "get_gateway", "create_api_key", "list_api_keys", "revoke_api_key", "list_aliases",
    "get_alias_conditions", "save_alias", "delete_alias",
    "list_requests", "get_request", "render_prompt", "replay_request", "clear_requests", "set_inspector",
    "watch_requests",
}  # fmt: skip


class Question(msgspec.Struct, forbid_unknown_fields=True):
    words: str


class Loose(msgspec.Struct):
    words: str


def modules(**functions: object) -> Registry:
    module = ModuleType("commands")
    vars(module).update(functions)
    return Registry([module])


def test_registry_has_every_command_of_the_contract() -> None:
    assert set(all_commands().commands()) == CONTRACT


def test_registry_knows_types_from_annotations_alone() -> None:
    types = all_commands().commands()
    assert types["rename_conversation"] == (RenameConversation, Conversation)
    assert types["get_snapshot"][0] is Empty
    assert types["delete_conversation"][1] is type(None)


def test_registry_function_that_is_no_command_is_refused() -> None:
    def plain(context: Context, arguments: Question) -> None: ...

    async def without_result(context: Context, arguments: Question): ...  # type: ignore[no-untyped-def]

    async def without_struct(context: Context, arguments: dict[str, str]) -> None: ...

    async def loose(context: Context, arguments: Loose) -> None: ...

    async def too_many(context: Context, arguments: Question, more: Question) -> None: ...

    for function in (plain, without_result, without_struct, loose, too_many):
        with pytest.raises(TypeError):
            command("x")(function)  # type: ignore[arg-type]


def test_registry_two_commands_of_one_name_are_refused() -> None:
    async def first(context: Context) -> None: ...

    async def second(context: Context) -> None: ...

    with pytest.raises(ValueError, match="two commands"):
        modules(first=command("x")(first), second=command("x")(second))


def test_registry_unknown_command_is_typed() -> None:
    with pytest.raises(UnknownCommand) as refusal:
        all_commands().find("no_such_command" * 100)
    assert refusal.value.status == 404
    assert len(str(refusal.value.arguments["command"])) <= 100


def test_capabilities_name_exactly_the_commands_that_exist() -> None:
    assert set(CAPABILITIES) == set(all_commands().commands()) | set(control_commands().commands())


def test_capabilities_deny_what_is_not_listed() -> None:
    for kind in WindowKind:
        with pytest.raises(NotAvailable):
            check_capability(kind, "format_disk")
    with pytest.raises(NotAvailable) as refusal:
        check_capability(WindowKind.TAB, "choose_model_file")
    assert refusal.value.public_code == "not_available"
    check_capability(WindowKind.WINDOW, "choose_model_file")


@pytest.mark.parametrize(
    ("kind", "body", "code", "param"),
    [
        (SendChatMessage, {"text": 5, "model": "m", "on": "__CHANNEL__:1"}, "bridge_error-wrong_argument", "text"),
        (SendChatMessage, {"text": "a", "on": "__CHANNEL__:1"}, "request_error-missing_param", "model"),
        (
            SendChatMessage,
            {"text": "a", "model": "m", "on": "__CHANNEL__:1", "x": 1},
            "bridge_error-unknown_field",
            "x",
        ),
        (SendChatMessage, {"text": "a", "model": "m", "on": "7"}, "bridge_error-wrong_argument", "on"),
        (SendChatMessage, {"text": "a", "model": "m", "on": "__CHANNEL__:7\n"}, "bridge_error-wrong_argument", "on"),
        (
            SendChatMessage,
            {"text": "a", "model": "m", "on": "__CHANNEL__:1", "sampling": {"top_k": -(2**31)}},
            "bridge_error-wrong_argument",
            "sampling.top_k",
        ),
        (
            SendChatMessage,
            {"text": "a", "model": "m", "on": "__CHANNEL__:1", "sampling": {"seed": 2**63}},
            "bridge_error-wrong_argument",
            "sampling.seed",
        ),
        (ChangeModel, {"alias": "m", "context_length": 1}, "bridge_error-wrong_argument", "context_length"),
        (ChangeModel, {"alias": "m", "threads": 10**30}, "bridge_error-wrong_argument", "threads"),
        (ChangeModel, {"alias": "m", "threads": True}, "bridge_error-wrong_argument", "threads"),
        (ChangeModel, {"alias": ""}, "bridge_error-wrong_argument", "alias"),
        (ChangeModel, [], "bridge_error-wrong_argument", "arguments"),
        (ChangeModel, None, "bridge_error-wrong_argument", "arguments"),
        (Empty, {"a": 1}, "bridge_error-unknown_field", "a"),
    ],
)
def test_arguments_that_are_wrong_are_told_with_the_name_of_the_parameter(
    kind: type[msgspec.Struct], body: object, code: str, param: str
) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        decode_arguments(msgspec.json.Decoder(kind), json.dumps(body).encode())
    assert (refusal.value.code, refusal.value.param) == (code, param)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"{}x", b"\xff", b'{"a":NaN}', b"[" * 100_000, b'{"a":' * 100_000, b'{"\xff":1}']
)
def test_arguments_that_are_no_json_are_typed(body: bytes) -> None:
    with pytest.raises(InvalidRequest):
        decode_arguments(msgspec.json.Decoder(Question), body)


async def test_command_answers_with_its_result(tmp_path: Path) -> None:
    async with running_bridge(tmp_path) as bridge:
        response = await bridge.call("rename_conversation", {"conversation_id": "c1", "title": "Llamas"})
        assert (response.status, response.json()["title"]) == (200, "Llamas")
        assert response.headers["cache-control"] == "no-store"
        nothing = await bridge.call("delete_conversation", {"conversation_id": "c1"})
        assert (nothing.status, nothing.body) == (200, b"null")


async def test_command_errors_have_one_form(tmp_path: Path) -> None:
    async with running_bridge(tmp_path) as bridge:
        unknown = await bridge.call("os.system", {"command": "true"})
        assert (unknown.status, unknown.json()["code"]) == (404, "unknown_command")
        wrong = await bridge.call("rename_conversation", {"conversation_id": "c1", "title": 5})
        assert wrong.status == 400
        assert wrong.json() == {
            "code": "invalid_request",
            "message": "bridge_error-wrong_argument reason=Expected str, got int param=title",
            "data": {"reason": "bridge_error-wrong_argument", "param": "title", "retry_after": None},
        }
        missing = await bridge.call("get_conversation", {"conversation_id": "/etc/passwd"})
        assert (missing.status, missing.json()["code"]) == (404, "not_found")
        assert bridge.chats.calls[-1][0] == "get"


async def test_command_engine_failure_brings_its_last_lines(tmp_path: Path) -> None:
    async with running_bridge(tmp_path) as bridge:
        (tmp_path / "m.gguf").write_bytes(b"x")
        added = await bridge.call("add_model_file", {"path": str(tmp_path / "m.gguf")})
        assert added.status == 200
        bridge.engines.fail = EngineFailed(reason="no memory at /home/me/m.gguf", exit_status=1, log_tail=("a", "b"))
        failed = await bridge.call("start_model", {"alias": "m"})
        assert failed.status == 500
        assert failed.json()["data"]["log_tail"] == ["a", "b"]
        assert "/home/me" not in failed.json()["message"]
        bridge.engines.fail = Unavailable("server_error-queue_full", retry_after=2.5)
        full = await bridge.call("start_model", {"alias": "m"})
        assert (full.status, full.json()["data"]["retry_after"], full.headers["retry-after"]) == (503, 2.5, "3")


async def test_command_that_crashes_is_told_by_an_incident_number_only(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def explode(context: Context) -> None:
        raise RuntimeError("secret at /home/somebody")

    async with running_bridge(tmp_path, registry=modules(explode=command("get_snapshot")(explode))) as bridge:
        response = await bridge.call("get_snapshot")
    assert (response.status, response.json()["code"]) == (500, "internal_error")
    assert b"secret" not in response.body
    assert b"Traceback" not in response.body
    incident = response.json()["message"].rpartition("=")[2]
    logged = [record for record in caplog.records if record.exc_info and incident in record.getMessage()]
    assert len(logged) == 1
    assert logged[0].levelno == logging.ERROR


async def test_command_goes_on_when_its_page_has_gone(tmp_path: Path) -> None:
    begun, go_on, done = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def slowly() -> None:
        begun.set()
        await go_on.wait()
        done.set()

    async with running_bridge(tmp_path) as bridge:
        bridge.chats.before_returning = slowly
        calling = asyncio.create_task(bridge.call("delete_conversation", {"conversation_id": "c1"}))
        await begun.wait()
        calling.cancel()
        await asyncio.gather(calling, return_exceptions=True)
        go_on.set()
        async with asyncio.timeout(5):
            await done.wait()


async def test_command_under_way_is_ended_when_the_app_stops(tmp_path: Path) -> None:
    begun = asyncio.Event()

    async def forever() -> None:
        begun.set()
        await asyncio.Event().wait()

    async with running_bridge(tmp_path) as bridge:
        bridge.chats.before_returning = forever
        calling = asyncio.create_task(bridge.call("delete_conversation", {"conversation_id": "c1"}))
        await begun.wait()
        before = asyncio.get_running_loop().time()
        await bridge.front.stop()
        response = await calling
        assert (response.status, response.json()["data"]["reason"]) == (503, "server_error-shutting_down")
        assert asyncio.get_running_loop().time() - before < 3


async def test_command_that_needs_its_window_says_so_when_it_is_not_named(tmp_path: Path) -> None:
    question = {"text": "hi", "model": "m", "on": "__CHANNEL__:7"}
    async with running_bridge(tmp_path) as bridge:
        response = await bridge.call("send_chat_message", question, window=None)
        assert (response.status, response.json()["data"]["param"]) == (400, "X-Llamero-Window")
        strange = await bridge.call("send_chat_message", question, window="../x")
        assert strange.status == 400
        assert bridge.chats.calls == []


@pytest.mark.parametrize("kind", list(WindowKind))
async def test_command_is_let_in_by_kind_of_window_as_the_table_says(tmp_path: Path, kind: WindowKind) -> None:
    class Nothing:
        async def choose_place(self, name: str) -> Path | None:
            return None

        async def choose_model_file(self) -> Path | None:
            return None

    examples: dict[str, Any] = {"choose_model_file": {}, "get_snapshot": {}, "search_messages": {"query": "a"}}
    async with running_bridge(tmp_path, dialogs=Nothing()) as bridge:
        for name, arguments in examples.items():
            response = await bridge.call(name, arguments, kind=kind)
            allowed = kind in CAPABILITIES[name]
            assert response.status == (200 if allowed else 403)
            assert allowed or response.json()["code"] == "not_available"


async def test_commands_too_many_at_once_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llamero.bridge.dispatch.MAX_RUNNING", 2)
    go_on = asyncio.Event()
    async with running_bridge(tmp_path) as bridge:
        bridge.chats.before_returning = go_on.wait
        reference = {"conversation_id": "c1"}
        first = [asyncio.create_task(bridge.call("delete_conversation", reference)) for _ in range(2)]
        await eventually(lambda: len(bridge.chats.calls) == 2)
        assert (await bridge.call("get_snapshot")).status == 429
        go_on.set()
        assert [response.status for response in await asyncio.gather(*first)] == [200, 200]
        assert (await bridge.call("get_snapshot")).status == 200


@pytest.mark.parametrize("kind", [WindowKind.SECOND_START, WindowKind.COMMAND_LINE])
async def test_socket_is_not_opened_for_who_shows_no_page(tmp_path: Path, kind: WindowKind) -> None:
    async with running_bridge(tmp_path) as bridge:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
            async with bridge.page(kind=kind):
                pass
        assert refusal.value.status == 401
