"""Tools and the choice among them. Only functions: what runs on OpenAI's own machines is refused by name.

That one function must be called is told to the engine as "there is only this one, and one must be called", which every
engine understands; llama-server knows no other way.
"""

from __future__ import annotations

from collections.abc import Collection

from llamero.gateway.openai.responses.nested_fields import Fields
from llamero.models.errors import InvalidRequest
from llamero.models.responses import Item

_FUNCTION = "function"


def chat_tools(fields: Fields) -> dict[str, object]:
    """The fields of a chat request for these tools. Raises InvalidRequest for a tool that is no function."""
    tools = {tool.required("name", str): _chat_tool(tool) for tool in _functions(fields, "tools")}
    chosen: Collection[str] = tools.keys()
    choice = fields.values.get("tool_choice")
    match choice:
        case None:
            mode = None
        case "none" | "auto" | "required":
            mode = str(choice)
        case {"type": "function"}:
            chosen, mode = [fields.object("tool_choice").required("name", str)], "required"
        case {"type": "allowed_tools"}:
            allowed = fields.object("tool_choice")
            chosen = [tool.required("name", str) for tool in _functions(allowed, "tools")]
            mode = allowed.one_of("mode", "auto", "required") or "auto"
        case {"type": str(kind)}:
            raise fields.object("tool_choice").unsupported("type", kind)
        case _:
            raise fields.wrong_type("tool_choice", '"none", "auto", "required" or object')
    for name in chosen:
        if name not in tools:
            raise InvalidRequest("response_error-no_such_tool", param="tool_choice", tool=name)
    if not tools:
        return {}
    translated: dict[str, object] = {"tools": [tools[name] for name in chosen]}
    return translated | ({"tool_choice": mode} if mode else {})


def _functions(fields: Fields, name: str) -> list[Fields]:
    tools = list(fields.objects(name))
    for tool in tools:
        if (kind := tool.required("type", str)) != _FUNCTION:
            raise tool.unsupported("type", kind)
    return tools


def _chat_tool(tool: Fields) -> Item:
    tool.optional("parameters", dict)
    described = ("name", "description", "parameters", "strict")
    function = {name: tool.values[name] for name in described if tool.values.get(name) is not None}
    return {"type": _FUNCTION, "function": function}
