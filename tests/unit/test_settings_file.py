"""Every value with its source; every fault a sentence; the file never changed."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from msgspec import inspect

from llamero.infrastructure.messages import default_messages
from llamero.infrastructure.settings_file import load_settings
from llamero.infrastructure.settings_schema import expected, schema
from llamero.infrastructure.settings_template import settings_template
from llamero.models.settings import ResolvedSettings, Settings, Source
from tests.fakes.unprivileged import as_nobody, reachable_directory


def load(
    directory: Path,
    content: str | bytes | None = None,
    environment: Mapping[str, str] | None = None,
    overrides: Mapping[str, object] | None = None,
) -> ResolvedSettings:
    path = directory / "settings.toml"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    resolved = load_settings(path, environment or {}, overrides or {})
    if content is not None:
        after = path.read_bytes()
        assert after == (content if isinstance(content, bytes) else content.encode()), "the file was changed"
    for problem in resolved.problems:
        assert problem.code.startswith("settings_error-") and "\n" not in problem.reason
        assert problem.reason.endswith(".") or problem.reason.endswith("?")
        assert "{" not in problem.reason and "unknown (" not in problem.reason
    return resolved


def codes(resolved: ResolvedSettings) -> list[tuple[str, str]]:
    return [(problem.key, problem.code.removeprefix("settings_error-")) for problem in resolved.problems]


def test_settings_without_a_file_are_the_defaults(tmp_path: Path) -> None:
    resolved = load(tmp_path)
    assert resolved.settings == Settings()
    assert resolved.problems == ()
    assert set(resolved.sources.values()) == {Source.DEFAULT}
    assert set(resolved.sources) == {key.path for key in schema()}


def test_settings_every_place_overrides_the_weaker_one(tmp_path: Path) -> None:
    content = "[gateway]\nport = 1\nmax_streams = 1\nmax_body_mb = 1\n"
    environment = {"LLAMERO_GATEWAY_PORT": "2", "LLAMERO_GATEWAY_MAX_STREAMS": "2"}
    resolved = load(tmp_path, content, environment, {"gateway.port": 3, "gateway.host": None})
    assert (resolved.settings.gateway.port, resolved.sources["gateway.port"]) == (3, Source.COMMAND_LINE)
    assert (resolved.settings.gateway.max_streams, resolved.sources["gateway.max_streams"]) == (2, Source.ENVIRONMENT)
    assert (resolved.settings.gateway.max_body_mb, resolved.sources["gateway.max_body_mb"]) == (1, Source.FILE)
    assert (resolved.settings.gateway.host, resolved.sources["gateway.host"]) == ("127.0.0.1", Source.DEFAULT)
    assert resolved.problems == ()


@pytest.mark.parametrize("content", [b"", b"\n", b"\xef\xbb\xbf", b"# only a comment", b"[gateway]"])
def test_settings_file_without_values_is_no_problem(tmp_path: Path, content: bytes) -> None:
    resolved = load(tmp_path, content)
    assert resolved.settings == Settings()
    assert resolved.problems == ()


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_settings_file_with_byte_order_mark_is_read(tmp_path: Path, newline: bytes) -> None:
    resolved = load(tmp_path, b"\xef\xbb\xbf[gateway]" + newline + b"port = 81" + newline)
    assert resolved.settings.gateway.port == 81
    assert resolved.problems == ()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("gateway.port", "-1"),
        ("gateway.port", "65536"),
        ("gateway.port", '"5526"'),
        ("gateway.port", "5526.0"),
        ("gateway.port", "true"),
        ("gateway.port", "[]"),
        ("gateway.port", "{}"),
        ("gateway.port", "1979-05-27"),
        ("gateway.port", "0x" + "f" * 9000),
        ("gateway.host", '""'),
        ("gateway.host", '"a b"'),
        ("gateway.host", '"evil\\n"'),
        ("gateway.host", "5"),
        ("gateway.allowed_hosts", '"desk.lan"'),
        ("gateway.allowed_hosts", '["desk.lan", 5]'),
        ("gateway.allowed_hosts", '["*/x"]'),
        ("gateway.allowed_origins", '["*"]'),
        ("gateway.allowed_origins", '["https://*.example"]'),
        ("gateway.max_body_mb", "0"),
        ("servers.max_loaded", "-1"),
        ("servers.queue_limit", "-1"),
        ("servers.memory_budget_gb", "-0.1"),
        ("servers.memory_budget_gb", "inf"),
        ("servers.memory_budget_gb", "nan"),
        ("servers.keep_alive_s", "-inf"),
        ("servers.keep_alive_s", "nan"),
        ("engine.start_timeout_s", "0"),
        ("engine.start_timeout_s", "nan"),
        ("engine.path", '"/bin/\\u0000sh"'),
        ("engine.variant", '"../../bin"'),
        ("engine.variant", '".hidden"'),
        ("engine.arguments", '"--ctx-size 4096"'),
        ("engine.arguments", "[1]"),
        ("metrics.active_interval_s", "0.0"),
    ],
)
def test_settings_file_with_unusable_value_keeps_the_default_and_names_it(tmp_path: Path, key: str, value: str) -> None:
    table, name = key.split(".")
    good = "[servers]\ncrash_limit = 7" if table == "metrics" else "[metrics]\nidle_interval_s = 7"
    resolved = load(tmp_path, f"{good}\n[{table}]\n{name} = {value}\n")
    assert codes(resolved) == [(key, "invalid_value")]
    assert key in resolved.problems[0].reason
    assert "settings.toml" in resolved.problems[0].reason
    assert len(resolved.problems[0].reason) < 400
    assert resolved.sources[key] is Source.DEFAULT
    good_key = "servers.crash_limit" if table == "metrics" else "metrics.idle_interval_s"
    assert {path for path, source in resolved.sources.items() if source is not Source.DEFAULT} == {good_key}
    defaults = msgspec.to_builtins(Settings())
    assert msgspec.to_builtins(resolved.settings)[table][name] == defaults[table][name]


def test_settings_whole_number_fits_where_a_number_is_expected(tmp_path: Path) -> None:
    resolved = load(tmp_path, "[servers]\nkeep_alive_s = -1\n")
    assert resolved.settings.servers.keep_alive_s == -1.0
    assert resolved.problems == ()


@pytest.mark.parametrize(
    ("content", "key", "code", "suggestion"),
    [
        ("[gateway]\nprot = 1", "gateway.prot", "unknown_key", "did you mean gateway.port?"),
        ("[gateway]\nPort = 1", "gateway.Port", "unknown_key", "did you mean gateway.port?"),
        ("[engine]\nport = 1", "engine.port", "unknown_key", "did you mean gateway.port?"),
        ("port = 1", "port", "unknown_key", "did you mean gateway.port?"),
        ("zzzz = 1", "zzzz", "unknown_key", ""),
        ("[gatway]\nport = 1", "gatway", "unknown_table", "did you mean [gateway]?"),
        ("[something]\nelse = 1", "something", "unknown_table", ""),
        ("gateway = 5", "gateway", "not_a_table", "[gateway]"),
        ("[[gateway]]\nport = 1", "gateway", "not_a_table", "[gateway]"),
        ("[gateway.port]\nx = 1", "gateway.port", "invalid_value", "a table"),
        ('["evil\\nname"]\nx = 1', "evil\\nname", "unknown_table", ""),
    ],
)
def test_settings_file_with_unknown_name_says_what_was_meant(
    tmp_path: Path, content: str, key: str, code: str, suggestion: str
) -> None:
    resolved = load(tmp_path, content)
    assert codes(resolved) == [(key, code)]
    assert suggestion in resolved.problems[0].reason
    assert ("did you mean" in resolved.problems[0].reason) == ("did you mean" in suggestion)
    assert resolved.settings == Settings()


def test_settings_file_of_another_program_gives_a_bounded_number_of_problems(tmp_path: Path) -> None:
    resolved = load(tmp_path, "\n".join(f"[table{number}]\nkey = 1" for number in range(3000)))
    assert len(resolved.problems) == 21
    assert resolved.problems[-1].code == "settings_error-more_unknown"
    assert "2980" in resolved.problems[-1].reason


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ("[gateway]\nport 5", "line 2, column 6"),
        ("[gateway", "line 1, column 9"),
        ("a = 1\n\nb = ", "line 3, column 5"),
        ("[gateway]\nport = 1\nport = 2\n", "line 3, column 9"),
        ('[gateway]\r\nhost = "x\r\n', "line 2, column 10"),
        ("a.b" * 100_000, "larger than 128 KB"),
        ("a" + ".a" * 30_000 + " = 1", "line 1, column 1"),
        ("a = " + "[" * 5000, "nest too deeply"),
        ("a = " + "9" * 5000, "not valid TOML"),
    ],
)
def test_settings_file_that_is_no_toml_names_the_place(tmp_path: Path, content: str, place: str) -> None:
    resolved = load(tmp_path, content)
    assert [problem.key for problem in resolved.problems] == [""]
    assert place in resolved.problems[0].reason
    assert resolved.settings == Settings()


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b"[gateway]\nhost = '\xff'\n", "at line 2"),
        ("[gateway]\nport = 1\n".encode("utf-16"), "is not UTF-8 text, so"),
        (b"\x00\x01\x02", "line 1, column 1"),
    ],
)
def test_settings_file_that_is_no_text_is_named(tmp_path: Path, content: bytes, place: str) -> None:
    resolved = load(tmp_path, content)
    assert len(resolved.problems) == 1
    assert place in resolved.problems[0].reason


def test_settings_file_of_ten_megabytes_is_not_read(tmp_path: Path) -> None:
    before = time.monotonic()
    resolved = load(tmp_path, b"# x\n" * 2_500_000)
    assert codes(resolved) == [("", "too_large")]
    assert time.monotonic() - before < 2


def test_settings_path_that_is_no_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").mkdir()
    assert codes(load(tmp_path)) == [("", "not_a_file")]


def test_settings_path_that_is_a_pipe_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "settings.toml")
    assert codes(load(tmp_path)) == [("", "not_a_file")]


def test_settings_path_that_is_a_socket_is_not_opened(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "settings.toml"))
        assert codes(load(tmp_path)) == [("", "not_a_file")]


def test_settings_path_below_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert codes(load_settings(tmp_path / "file" / "settings.toml", {}, {})) == [("", "unreadable")]
    assert codes(load_settings(Path("a\0b"), {}, {})) == [("", "unreadable")]


def test_settings_file_that_may_not_be_read_is_named() -> None:
    default_messages().text("settings_error-unreadable")  # read before the privileges are gone
    with reachable_directory() as directory:
        path = directory / "settings.toml"
        path.write_text("[gateway]\nport = 1\n")
        path.chmod(0o000)
        resolved = as_nobody(lambda: load_settings(path, {}, {}))
        assert path.stat().st_mode & 0o777 == 0
    assert codes(resolved) == [("", "unreadable")]
    assert "Permission denied" in resolved.problems[0].reason


def test_settings_environment_gives_every_type(tmp_path: Path) -> None:
    environment = {
        "LLAMERO_ENGINE_ARGUMENTS": r"--ctx-size 4096 --chat-template-file 'C:\my templates\a.jinja'",
        "LLAMERO_ENGINE_START_TIMEOUT_S": " 12.5 ",
        "LLAMERO_GATEWAY_ALLOWED_HOSTS": "desk.lan, 10.0.0.5 ,tower.lan",
        "LLAMERO_GATEWAY_ALLOWED_ORIGINS": "http://desk.lan:8080 https://tower.lan",
        "LLAMERO_GATEWAY_PORT": "0",
        "LLAMERO_GATEWAY_HOST": "",
        "LLAMERO_API_KEY": "not a setting",
    }
    resolved = load(tmp_path, None, environment)
    assert resolved.problems == ()
    assert resolved.settings.engine.arguments == (environment["LLAMERO_ENGINE_ARGUMENTS"],)
    assert resolved.settings.engine.start_timeout_s == 12.5
    assert resolved.settings.gateway.allowed_hosts == ("desk.lan", "10.0.0.5", "tower.lan")
    assert resolved.settings.gateway.allowed_origins == ("http://desk.lan:8080", "https://tower.lan")
    assert resolved.settings.gateway.port == 0
    assert resolved.sources["gateway.host"] is Source.DEFAULT


@pytest.mark.parametrize("text", ["abc", "-1", "70000", "1.5", "nan", "9" * 400, "0x10", "1_000"])
def test_settings_environment_with_unusable_value_falls_back_to_the_file(tmp_path: Path, text: str) -> None:
    resolved = load(tmp_path, "[gateway]\nport = 81\n", {"LLAMERO_GATEWAY_PORT": text})
    assert codes(resolved) == [("gateway.port", "invalid_value")]
    assert resolved.problems[0].source is Source.ENVIRONMENT
    assert resolved.problems[0].reason.startswith("LLAMERO_GATEWAY_PORT sets")
    assert (resolved.settings.gateway.port, resolved.sources["gateway.port"]) == (81, Source.FILE)


def test_settings_environment_with_unknown_variable_says_what_was_meant(tmp_path: Path) -> None:
    resolved = load(tmp_path, None, {"LLAMERO_GATEWAY_PROT": "1", "LLAMERO_OTHER": "1", "PATH": "x"})
    assert codes(resolved) == [("LLAMERO_GATEWAY_PROT", "unknown_variable")]
    assert "did you mean LLAMERO_GATEWAY_PORT?" in resolved.problems[0].reason


def test_settings_command_line_takes_values_and_their_text(tmp_path: Path) -> None:
    overrides = {"gateway.port": "82", "engine.path": Path("/opt/llama-server"), "engine.arguments": ["--a", "--b"]}
    resolved = load(tmp_path, None, {}, overrides)
    assert resolved.problems == ()
    assert resolved.settings.gateway.port == 82
    assert resolved.settings.engine.path == str(Path("/opt/llama-server"))
    assert resolved.settings.engine.arguments == ("--a", "--b")


def test_settings_command_line_with_unusable_value_says_so(tmp_path: Path) -> None:
    resolved = load(tmp_path, None, {}, {"gateway.port": 99999, "gateway.prot": 1, "engine.path": object()})
    assert {problem.source for problem in resolved.problems} == {Source.COMMAND_LINE}
    assert sorted(codes(resolved)) == [
        ("engine.path", "invalid_value"),
        ("gateway.port", "invalid_value"),
        ("gateway.prot", "unknown_key"),
    ]


def test_settings_every_number_has_both_bounds_so_infinity_and_nan_are_out() -> None:
    for key in schema():
        kind = inspect.type_info(key.type)
        if isinstance(kind, inspect.IntType | inspect.FloatType):
            assert kind.ge is not None and kind.le is not None, key.path
            assert msgspec.convert(key.default, key.type) == key.default


def test_settings_every_key_has_words_for_what_it_is_and_takes() -> None:
    messages = default_messages()
    for key in schema():
        for code in (f"setting-{key.table}-{key.name}", f"settings-table-{key.table}"):
            assert messages.text(code) != code
        assert not expected(key, messages).startswith("settings-expected"), key.path


def test_settings_template_sets_nothing_and_uncommented_gives_the_defaults(tmp_path: Path) -> None:
    template = settings_template()
    assert load(tmp_path, template).settings == Settings()
    assert set(load(tmp_path, template).sources.values()) == {Source.DEFAULT}
    assignments = {f"# {key.name} = " for key in schema()}
    lines = [line.removeprefix("# ") if line.startswith(tuple(assignments)) else line for line in template.split("\n")]
    assert set(tomllib.loads("\n".join(lines))["gateway"]) == set(msgspec.structs.asdict(Settings().gateway))
    resolved = load(tmp_path, "\n".join(lines))
    assert (resolved.settings, resolved.problems) == (Settings(), ())
    assert set(resolved.sources.values()) == {Source.FILE}
    assert max(map(len, template.split("\n"))) <= 110


def test_settings_without_a_problem_do_not_import_the_message_formatter(tmp_path: Path) -> None:
    script = (
        "import sys, pathlib; from llamero.infrastructure.settings_file import load_settings;"
        f"load_settings(pathlib.Path({str(tmp_path / 'none.toml')!r}), {{}}, {{}});"
        "print(sorted({'fluent', 'babel', 'tomllib', 'difflib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@hypothesis_settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: ("[gateway]\nport=" + text).encode("utf-8")))
def test_settings_file_with_any_content_never_raises(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    directory = tmp_path_factory.mktemp("any")
    assert set(load(directory, content).sources) == {key.path for key in schema()}


@hypothesis_settings(max_examples=150, deadline=None)
@given(st.sampled_from([key.variable for key in schema()]), st.text(alphabet=st.characters(codec="utf-8"), max_size=80))
def test_settings_environment_with_any_text_never_raises(variable: str, text: str) -> None:
    resolved = load_settings(Path("/nonexistent/settings.toml"), {variable: text}, {})
    assert all(problem.source is Source.ENVIRONMENT for problem in resolved.problems)
