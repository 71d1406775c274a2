"""Sentences: exact where a vector gives them, complete for the code, never an exception."""

from __future__ import annotations

import ast
import json
import math
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fluent.syntax import FluentParser
from fluent.syntax import ast as ftl
from fluent.syntax.visitor import Visitor

import llamero
from llamero.infrastructure.messages import LOCALE_DIRECTORY, Messages, default_messages
from llamero.models import errors
from llamero.models.errors import EngineFailed, InvalidRequest, LlameroError, ModelNotFound

BACKEND = Path(llamero.__file__).parent
VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "errors.json").read_text(encoding="utf-8"))
PREFIXES = (
    "server_error-", "context_error-", "model_router_error-", "request_error-", "args_error-", "engine_error-",
    "model_file_error-", "access_error-", "data_error-", "port_error-", "key_error-", "settings_error-",
    "storage_error-", "chat_error-",
    "bridge_error-", "alias_error-", "rpc_error-", "response_error-",
)  # fmt: skip


CODE = re.compile(f"({'|'.join(PREFIXES)})[a-z0-9_]+")


class _Names(Visitor):
    """The arguments of a message, and those it can do without."""

    def __init__(self) -> None:
        self.used: set[str] = set()
        self.optional: set[str] = set()

    def visit_VariableReference(self, node: ftl.VariableReference) -> None:  # noqa: N802
        self.used.add(node.id.name)

    def visit_FunctionReference(self, node: ftl.FunctionReference) -> None:  # noqa: N802
        if node.id.name == "GIVEN":
            self.optional |= {a.id.name for a in node.arguments.positional if isinstance(a, ftl.VariableReference)}
        self.generic_visit(node)


def locale_messages() -> dict[str, ftl.Message]:
    found: dict[str, ftl.Message] = {}
    for file in sorted((LOCALE_DIRECTORY / "en-US").glob("*.ftl")):
        for entry in FluentParser().parse(file.read_text(encoding="utf-8")).body:
            assert not isinstance(entry, ftl.Junk), f"{file.name}: {entry.content}"
            if isinstance(entry, ftl.Message):
                assert entry.id.name not in found, f"{entry.id.name} is there twice"
                found[entry.id.name] = entry
    return found


def names_of(message: ftl.Message) -> _Names:
    names = _Names()
    names.visit(message)
    return names


def error_classes() -> dict[str, type[LlameroError]]:
    return {
        name: value
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, LlameroError)
    }


def sources() -> Iterator[tuple[Path, ast.Module]]:
    for file in sorted(BACKEND.rglob("*.py")):
        yield file, ast.parse(file.read_text(encoding="utf-8"))


def raised_errors() -> Iterator[tuple[str, str, set[str] | None]]:
    """Every construction of an error with a literal code: where, the code, and its arguments (None: not known)."""
    classes = error_classes()
    for file, tree in sources():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name | ast.Attribute):
                continue
            name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            if name not in classes or (node.args and not isinstance(node.args[0], ast.Constant)):
                continue
            code = (
                str(node.args[0].value) if node.args and isinstance(node.args[0], ast.Constant) else classes[name].code
            )
            known = all(keyword.arg for keyword in node.keywords)
            given = {keyword.arg for keyword in node.keywords if keyword.arg}
            yield f"{file.relative_to(BACKEND)}:{node.lineno}", code, given if known else None


def code_literals() -> Iterator[tuple[str, str]]:
    for file, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.fullmatch(node.value):
                yield f"{file.relative_to(BACKEND)}:{node.lineno}", node.value


@pytest.mark.parametrize("case", VECTORS["server_errors"], ids=lambda case: case["code"])
def test_messages_of_the_vectors_are_exact(case: dict[str, object]) -> None:
    arguments = {str(name): f"<{name}: a/b'c>" for name in case.get("args", [])}  # type: ignore[attr-defined]
    wanted = str(case["en-US"])
    for name, value in arguments.items():
        wanted = wanted.replace("{" + name + "}", value)
    assert default_messages().text(str(case["code"]), arguments) == wanted


def test_messages_exist_for_the_code_of_every_error_class() -> None:
    known = locale_messages()
    assert [name for name, kind in error_classes().items() if kind.code not in known] == []


def test_messages_exist_for_every_code_in_the_source() -> None:
    known = locale_messages()
    used = {*code_literals(), *((place, code) for place, code, _ in raised_errors())}
    assert sorted((place, code) for place, code in used if code not in known) == []


def test_messages_get_the_arguments_they_need_wherever_an_error_is_made() -> None:
    known = {code: names_of(message) for code, message in locale_messages().items()}
    missing = [
        (place, code, sorted(lacking))
        for place, code, given in raised_errors()
        if given is not None and code in known and (lacking := known[code].used - known[code].optional - given)
    ]
    assert missing == []


def test_messages_of_errors_are_all_used() -> None:
    used = {code for _, code in code_literals()} | {kind.code for kind in error_classes().values()}
    used |= {case["code"] for case in VECTORS["server_errors"]}
    # The reader of model headers may compose these from what it found.
    used |= {code for code in locale_messages() if code.startswith("model_file_error-")}
    assert sorted(code for code in locale_messages() if code.startswith(PREFIXES) and code not in used) == []


def test_messages_are_short_and_without_exclamation_marks() -> None:
    for code in locale_messages():
        text = default_messages().text(code)
        if code != "args-place":  # a part of others, which may be absent
            assert text.strip() == text and text, code
        assert "!" not in text and "  " not in text and "{" not in text and "???" not in text, (code, text)
        assert len(text) < 260, (code, text)


@pytest.mark.parametrize(
    ("code", "arguments", "wanted"),
    [
        ("port_error-no_permission", {"port": 5526}, "Port 5526 "),
        ("exit-status", {"status": 3221225477, "line": ""}, "exit status 3221225477, without"),
        ("data_error-in_use", {"path": "/d", "pid": 1234567}, "(process 1234567)"),
        ("data_error-in_use", {"path": "/d"}, "another Llamero. Stop"),
        ("server_error-timeout_error", {"seconds": 1000}, "after 1000 seconds"),
        ("server_error-timeout_error", {"seconds": 300.0}, "after 300 seconds"),
        ("server_error-timeout_error", {"seconds": 0.5}, "after 0.5 seconds"),
        ("request_error-too_large", {"limit": 67108864}, "67,108,864 bytes"),
        ("args_error-unknown_flag", {"argument": "--treads", "suggestion": "--threads"}, "Did you mean --threads?"),
        ("args_error-unknown_flag", {"argument": "--treads", "tier": ""}, "--treads. Remove it"),
        ("args_error-orphan", {"argument": "4", "tier": "settings"}, '"4" in engine.arguments belongs'),
        ("args_error-unknown_flag", {"argument": "--treads", "suggestion": ""}, "--treads. Remove it"),
        ("args_error-unknown_flag", {"argument": "--treads"}, "--treads. Remove it"),
    ],
)
def test_messages_fill_in_arguments_as_a_person_writes_them(
    code: str, arguments: dict[str, str | int | float], wanted: str
) -> None:
    assert wanted in default_messages().text(code, arguments)


def test_messages_have_no_isolation_marks() -> None:
    text = default_messages().error(ModelNotFound(model="m"))
    assert text == "model 'm' not found"
    assert text.isascii()


def test_messages_of_an_error_know_the_field_at_fault() -> None:
    error = InvalidRequest("request_error-out_of_range", param="top_p", minimum=0, maximum=1)
    assert default_messages().error(error) == "'top_p' must be from 0 to 1."


def test_messages_missing_code_comes_back_with_its_arguments() -> None:
    assert default_messages().text("no-such_code") == "no-such_code"
    assert default_messages().text("no such code", {"a": "x\n", "b": 5}) == "no such code (a='x\\\\n', b=5)"
    assert default_messages().text("", {}) == ""


def test_messages_missing_argument_reads_as_unknown() -> None:
    assert default_messages().text("server_error-io_error") == "input/output error: unknown"
    assert default_messages().error(EngineFailed(reason="x")) == "failed to start server: x"


def test_messages_superfluous_argument_is_ignored() -> None:
    assert default_messages().text("server_error-io_error", {"reason": "r", "other": 1}) == "input/output error: r"


@pytest.mark.parametrize(
    "value",
    [math.nan, math.inf, -math.inf, 1e300, -1e300, 10**400, 10**9999, 1e-300, True, 0.1 + 0.2],
    ids=lambda value: type(value).__name__,  # pytest cannot name a number of ten thousand digits
)
def test_messages_take_any_number(value: float) -> None:
    text = default_messages().text("server_error-timeout_error", {"seconds": value})
    assert text.startswith("server health check timed out after ")
    assert "unknown" not in text and "???" not in text


def test_messages_argument_cannot_start_a_line_of_its_own() -> None:
    text = default_messages().text("server_error-model_not_found", {"path": "a\nerror: b\x1b[2J\u202ec\udce9"})
    assert text == "model file does not exist: a\\nerror: b\\x1b[2J\\u202ec\\udce9"


@pytest.mark.parametrize("character", ["x", "\x1b", "\u202e"], ids=ascii)
def test_messages_long_argument_is_cut_short(character: str) -> None:
    for code, name in (("model_router_error-model_not_found", "model"), ("request_error-invalid", "reason")):
        text = default_messages().text(code, {name: character * 100_000})
        assert "…" in text
        assert "?" not in text
        assert len(text) < 1100


def test_messages_argument_with_braces_is_text() -> None:
    text = default_messages().text("server_error-io_error", {"reason": "{ $path } {GIVEN($x)}"})
    assert text == "input/output error: { $path } {GIVEN($x)}"


@pytest.mark.parametrize("locale", ["xx", "de-DE", "../en-US", "", "en-US/../../x", "a\0b"])
def test_messages_of_an_absent_language_come_from_the_fallback(locale: str) -> None:
    assert Messages(locale).text("server_error-io_error", {"reason": "r"}) == "input/output error: r"


def test_messages_of_an_incomplete_language_are_filled_up_from_the_fallback(tmp_path: Path) -> None:
    for locale, content in (
        ("en-US", "a = A { $n }\nb = B\nc = C"),
        ("eo", "a = Alfa { $n }\nb = { BAD() }\nc = { c }"),
    ):
        (tmp_path / locale).mkdir()
        (tmp_path / locale / "x.ftl").write_text(content, encoding="utf-8")
    messages = Messages("eo", directory=tmp_path)
    assert messages.text("a", {"n": 5000}) == "Alfa 5000"
    assert messages.text("b")
    assert messages.text("c")


def test_messages_without_any_file_give_the_code(tmp_path: Path) -> None:
    assert Messages(directory=tmp_path).text("a", {"n": 5}) == "a (n=5)"
