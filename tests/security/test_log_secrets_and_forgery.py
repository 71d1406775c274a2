"""Keys that reached a log file, and log lines that content forged: both have happened to programs of this kind.

LiteLLM wrote provider keys into its logs (CVE-2024-9606); a user name with a line break forges a log record (CWE-117).
"""

from __future__ import annotations

import io
import json
import logging
import os
import stat
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest

from llamero.infrastructure import logs
from llamero.infrastructure.logs import ENGINE_LOGGER, SafeFormatter, TerseFormatter, configure_logging, register_secret
from llamero.infrastructure.secret_masking import SecretMask
from tests.fakes.unprivileged import as_nobody, reachable_directory

KEY = "zq9-K3y.that+must/never=leak"


def log_file(directory: Path, level: str = "debug") -> Path:
    path = configure_logging(level, directory, "critical")
    assert path is not None
    return path


def records(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize(
    "line",
    [
        "Authorization: Bearer {}",
        "authorization: {}",
        "{{'Authorization': 'Bearer {}'}}",
        '{{"authorization": "Basic {}"}}',
        r"{{\"authorization\": \"Bearer {}\"}}",
        "sent bearer {} upstream",
        "llama-server --api-key {} --port 1",
        "llama-server --api-key={} --port 1",
        "['llama-server', '--api-key', '{}', '--port']",
        'argv: "--api-key", "{}"',
        "LLAMA_API_KEY={} llama-server",
        "env {{'LLAMA_API_KEY': '{}'}}",
        "LLAMERO_API_KEY={}",
        "OPENAI_API_KEY={}",
        "HF_TOKEN={}",
        "api_key={}&model=m",
        "api_key = {}",
        '{{"api_key": "{}"}}',
        r"{{\"apiKey\": \"{}\"}}",
        "x-api-key: {}",
        "GET /v1/models?key={} 200",
        "GET /?a=b&token={}",
        "http://127.0.0.1:5526/#token={}",
        "https://user:{}@example.com/v1",
        "password: {}",
        "client_secret='{}'",
    ],
)
def test_litellm_cve_2024_9606_key_in_a_known_place_is_masked(line: str) -> None:
    secret = "".join(character for character in KEY if character not in "/@") if "@" in line else KEY
    masked = SecretMask().apply(line.format(secret), 1000)
    assert secret not in masked
    assert "***" in masked
    for piece in ("K3y", "leak"):
        assert piece not in masked


@pytest.mark.parametrize(
    "secret", ["sk-abcdEFGH1234_x-y", "hf_abcdefgh12345678", "ghp_0123456789abcdef", "sk-proj-abc123456789"]
)
def test_litellm_cve_2024_9606_key_of_a_known_shape_is_masked(secret: str) -> None:
    assert secret[-8:] not in SecretMask().apply(f"using {secret}, now", 1000)


@pytest.mark.parametrize(
    "line",
    [
        "print_info: EOS token        = 2 '</s>'",
        "slot release: id 0 | task-manager 12345678 | n_tokens = 25, truncated = 0",
        "--api-key-file /etc/llamero/key",
        "the key of the map is a token",
        "GET /v1/models?limit=5 200",
        "http://127.0.0.1:8080/v1 is up",
    ],
)
def test_log_masking_leaves_what_is_no_secret(line: str) -> None:
    assert SecretMask().apply(line, 1000) == line


def test_registered_secret_is_masked_wherever_it_stands() -> None:
    mask = SecretMask()
    mask.register(f" {KEY}\n")
    mask.register("zq9-K3y.")
    mask.register("")
    mask.register("abc")
    assert mask.apply(f"a{KEY}b {KEY}", 1000) == "a***b ***"
    assert mask.apply("/?q=zq9-K3y.that%2Bmust%2Fnever%3Dleak", 1000) == "/?q=***"
    assert mask.apply("abc abcdef", 1000) == "*** abcdef"
    assert SecretMask().apply(KEY, 1000) == KEY


def test_secret_across_the_size_limit_is_not_left_in_part() -> None:
    mask = SecretMask()
    mask.register(KEY)
    for offset in range(len(KEY) + 2):
        for limit in (100, 200):
            text = mask.apply("x" * (limit - offset) + KEY + "y" * 500, limit)
            assert "zq" not in text and len(text) <= limit + 1


def test_log_masking_of_hostile_text_takes_bounded_time() -> None:
    mask = SecretMask()
    quoted = ('api_key="', 'api_key="\\', "api_key='\\'", "'")
    before = time.process_time()
    for piece in (*quoted, "a", " ", "api_key", "://a:", "://", "bearer ", "--api-key ", "sk-", "authorization:"):
        mask.apply((piece * 20_000)[:32_768], 16_384)
    assert time.process_time() - before < 2


def test_log_file_has_no_secret_in_message_arguments_or_traceback(tmp_path: Path) -> None:
    register_secret(KEY)
    path = log_file(tmp_path)
    log = logging.getLogger("llamero.test")
    log.info("key %s and %r", KEY, {"k": KEY})
    logging.getLogger(ENGINE_LOGGER).info("engine says %s", KEY)
    try:
        raise ValueError(f"bad {KEY}\nsecond line")
    except ValueError:
        log.exception("failed")
    text = path.read_text()
    assert KEY not in text
    assert text.count("***") >= 4
    assert "ValueError: bad ***" in text


@pytest.mark.parametrize(
    "content",
    [
        "a\n2026-01-01T00:00:00+00:00 error llamero: forged",
        "a\rb",
        "a\x1b[2Jb",
        "a\u2028b",
        "a\x85b",
        "a\0b",
        "\u202eb",
        "\udce9",
    ],
)
def test_cwe_117_record_is_one_line_whatever_it_contains(tmp_path: Path, content: str) -> None:
    path = log_file(tmp_path)
    logging.getLogger(ENGINE_LOGGER).info("%s", content)
    raw = path.read_bytes().decode("utf-8")
    assert len(raw.splitlines()) == 1
    assert raw.endswith("\n")
    assert not any(ord(character) < 32 or 0x7F <= ord(character) < 0xA0 for character in raw[:-1])


def test_cwe_117_traceback_cannot_forge_a_record(tmp_path: Path) -> None:
    path = log_file(tmp_path)
    try:
        raise ValueError("x\n2026-01-01T00:00:00.000+00:00 error llamero: forged\r\x1b[2J")
    except ValueError:
        logging.getLogger("llamero").exception("failed")
    first, *rest = records(path)
    assert first.endswith("error llamero: failed")
    assert rest and all(line.startswith("  | ") for line in rest)
    assert "\x1b" not in "".join(rest)


def test_log_record_that_cannot_be_formatted_is_kept_without_its_arguments() -> None:
    class Hostile:
        def __str__(self) -> str:
            raise RuntimeError(KEY)

    for text, arguments in (("two %s %s", (KEY,)), ("hostile %s", (Hostile(),))):
        record = logging.LogRecord("llamero", logging.INFO, __file__, 1, text, arguments, None)
        assert TerseFormatter().format(record) == f"info: {text} (its arguments do not fit)"
        assert KEY not in SafeFormatter().format(record)


def test_log_record_of_any_size_is_bounded(tmp_path: Path) -> None:
    path = log_file(tmp_path)
    logging.getLogger(ENGINE_LOGGER).info("x" * 10_000_000)
    assert path.stat().st_size < 17_000


def test_log_files_are_private_and_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert logs.FILE_BYTES * logs.FILE_COUNT == 25_000_000
    monkeypatch.setattr(logs, "FILE_BYTES", 20_000)
    before = os.umask(0)
    try:
        path = log_file(tmp_path)
        for number in range(300):
            logging.getLogger(ENGINE_LOGGER).info("%d %s", number, "x" * 1000)
    finally:
        os.umask(before)
    files = sorted(file.name for file in tmp_path.iterdir())
    assert files == ["llamero.log", *(f"llamero.log.{number}" for number in range(1, 5))]
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) <= 100_000
    assert {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()} == {0o600}
    assert " 299 x" in records(path)[-1]


def test_stderr_gets_warnings_in_one_terse_line_and_no_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stderr = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stderr)
    path = configure_logging("info", tmp_path)
    log = logging.getLogger("llamero.part")
    log.debug("d")
    log.info("i")
    log.warning("w %s", "a\nb")
    try:
        raise ValueError("inner")
    except ValueError:
        log.exception("e")
    logging.getLogger("aiohttp.server").info("third party chatter")
    logging.getLogger("llamero.engine").error("[qwen] what only the file is told")
    assert stderr.getvalue() == "warning: w a\\nb\nerror: e\n"
    assert path is not None
    messages = [line.split(": ", 1)[1] for line in records(path) if not line.startswith("  | ")]
    assert messages == ["i", "w a\\nb", "e", "[qwen] what only the file is told"]


def test_logging_set_up_twice_writes_every_record_once(tmp_path: Path) -> None:
    log_file(tmp_path / ".")
    path = log_file(tmp_path)
    logging.getLogger("llamero").info("once")
    assert len(records(path)) == 1


def test_logging_takes_python_warnings_in(tmp_path: Path) -> None:
    path = log_file(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(False)
        logging.captureWarnings(True)
        warnings.warn("old\nthing", UserWarning, stacklevel=1)
    assert "old\\nthing" in path.read_text()
    assert len(records(path)) == 1


def test_logging_with_an_unknown_level_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown log level"):
        configure_logging("loud")


def test_log_that_cannot_be_opened_leaves_stderr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert configure_logging("info", tmp_path / "missing") is None
    assert "the log cannot be written" in capsys.readouterr().err
    with reachable_directory() as directory:
        assert as_nobody(lambda: configure_logging("info", directory)) is None


def test_log_on_a_full_disk_is_said_once_and_costs_nothing_else() -> None:
    script = (
        "import logging, pathlib, sys\n"
        "from llamero.infrastructure import logs\n"
        "logs.LOG_NAME = 'full'\n"
        "logs.configure_logging('info', pathlib.Path('/dev'))\n"
        "for number in range(3): logging.getLogger('llamero').info('record %d', number)\n"
        "print('alive')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=20, check=False)
    assert done.stdout == "alive\n"
    assert done.stderr.count("the log cannot be written") == 1
    assert "record" not in done.stderr
    assert "Traceback" not in done.stderr


def test_log_of_json_bodies_keeps_what_is_around_a_secret() -> None:
    body = json.dumps({"model": "m", "api_key": KEY, "stream": True})
    assert SecretMask().apply(body, 1000) == '{"model": "m", "api_key": ***, "stream": true}'
