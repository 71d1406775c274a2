"""Which kind of window may call which command. What is not in the table, nobody may call.

The kind is proved by the token: the app's own window and browser tabs are given different ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from llamero.models.errors import NotAvailable


class WindowKind(StrEnum):
    """Who calls: the page in the app's own window, in a tab of the user's browser, a second start, the command line.

    The last two show no page.
    """

    WINDOW = "window"
    TAB = "tab"
    SECOND_START = "second_start"
    COMMAND_LINE = "command_line"


_BOTH = frozenset({WindowKind.WINDOW, WindowKind.TAB})
_COMMAND_LINE = frozenset({WindowKind.COMMAND_LINE})
_WINDOW_ONLY = frozenset({WindowKind.WINDOW})

CAPABILITIES: Mapping[str, frozenset[WindowKind]] = {
    "get_snapshot": _BOTH,
    "get_conversation": _BOTH,
    "send_chat_message": _BOTH,
    "edit_message": _BOTH,
    "retry_message": _BOTH,
    "watch_message": _BOTH,
    "stop_message": _BOTH,
    "select_branch": _BOTH,
    "edit_answer": _BOTH,
    "fork_conversation": _BOTH,
    "rename_conversation": _BOTH,
    "change_conversation": _BOTH,
    "delete_conversation": _BOTH,
    "list_deleted_conversations": _BOTH,
    "restore_conversation": _BOTH,
    "delete_message": _BOTH,
    "restore_message": _BOTH,
    "search_messages": _BOTH,
    "add_attachment": _BOTH,
    "discard_attachment": _BOTH,
    "get_attachment": _BOTH,
    "add_model_file": _BOTH,
    "choose_model_file": _WINDOW_ONLY,  # a dialog of the desktop, which a tab's user may not even see
    "change_model": _BOTH,
    "start_model": _BOTH,
    "stop_model": _BOTH,
    "restart_model": _BOTH,
    "unload_model": _BOTH,
    "get_server_details": _BOTH,
    "get_server_output": _BOTH,
    "get_server_log": _BOTH,
    "create_api_key": _WINDOW_ONLY,  # a key outlives this launch, and with it the token that a tab has
    "get_gateway": _BOTH,
    "list_api_keys": _BOTH,
    "revoke_api_key": _BOTH,
    "list_aliases": _BOTH,
    "get_alias_conditions": _BOTH,
    "save_alias": _BOTH,
    "delete_alias": _BOTH,
    "open_link": _BOTH,
    "get_settings": _BOTH,
    "change_setting": _BOTH,
    "get_about": _BOTH,
    "list_licenses": _BOTH,
    "get_license": _BOTH,
    "get_update": _BOTH,
    "check_update": _BOTH,
    "download_update": _WINDOW_ONLY,  # it ends with a folder of the desktop
    "open_place": _WINDOW_ONLY,  # it starts a program on the desktop
    "set_ui_state": _BOTH,
    "watch_metrics": _BOTH,
    "watch_logs": _BOTH,
    "open_log_file": _WINDOW_ONLY,  # it starts a program on the desktop
    "get_metrics_history": _BOTH,
    "export_metrics": _BOTH,
    "save_file": _WINDOW_ONLY,  # a dialog of the desktop; a tab's browser saves files itself
    "list_requests": _BOTH,
    "get_request": _BOTH,
    "render_prompt": _BOTH,
    "replay_request": _BOTH,
    "clear_requests": _BOTH,
    "set_inspector": _BOTH,
    "watch_requests": _BOTH,
    "start_bench": _BOTH,
    "stop_bench": _BOTH,
    "list_bench_runs": _BOTH,
    "get_bench_run": _BOTH,
    "activate": frozenset({WindowKind.SECOND_START}),  # and nothing else: it shows no page
    "list_servers": _COMMAND_LINE,
    "stop_servers": _COMMAND_LINE,
    "read_output": _COMMAND_LINE,
    "read_log": _COMMAND_LINE,
}


def check_capability(kind: WindowKind, command: str) -> None:
    """Raise NotAvailable unless this kind of window may call the command."""
    if kind not in CAPABILITIES.get(command, frozenset()):
        raise NotAvailable(command=command)
