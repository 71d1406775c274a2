"""`llamero doctor --bundle`: useful to whoever reads the report, and nothing in it that is nobody's business."""

from __future__ import annotations

import json
import sqlite3
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from llamero.infrastructure.report_bundle import LEFT_OUT, Scrubber, last_log
from llamero.infrastructure.secret_masking import SecretMask
from tests.fakes.launch import fake_engine
from tests.process.cli import Chat, Home, serving

SAID = "the confession about the missing alpaca"
KEY = "an-arbitrary-key-8d1f"
TOKEN = "eyJhbGciOiJIUzI1NiJ9.secret"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path)
    yield home
    home.end_all()


def contents(path: Path) -> dict[str, str]:
    with zipfile.ZipFile(path) as bundle:
        assert bundle.testzip() is None
        return {name: bundle.read(name).decode() for name in bundle.namelist()}


def test_bundle_has_what_a_report_needs_and_no_key_token_or_conversation(home: Home, tmp_path: Path) -> None:
    engine = fake_engine(tmp_path / "engine", reply=SAID, last_lines=[])
    home.use_engine(engine)
    with serving(home, "--port", "0", env={"LLAMERO_API_KEY": KEY}) as server:
        port = server.port()
        created = home.run("key", "create", "editor").stdout.strip()
        assert created.startswith("llk_")
        chat = Chat(port, "demo")  # refused without the key, which is enough to be logged
        chat.close()
        assert server.end().status == 0
    with sqlite3.connect(home.data / "llamero.db") as database:
        database.execute(
            "INSERT INTO conversations (id, title, title_is_automatic, created_at, updated_at, system_prompt, sampling)"
            " VALUES ('c', ?, 0, 1, 1, ?, '{}')",
            (SAID, SAID),
        )
        database.execute(
            "INSERT INTO messages (id, conversation_id, role, content, reasoning, status, created_at)"
            " VALUES ('m', 'c', 'user', ?, ?, 'complete', 1)",
            (SAID, SAID),
        )
    database.close()
    log = home.data / "logs" / "llamero.log"
    with log.open("a") as file:
        file.write(f"2026-01-01T00:00:00 debug llamero.x: Authorization: Bearer {TOKEN}\n")
        file.write(f"2026-01-01T00:00:00 debug llamero.x: it sent {KEY} and {created}\n")
        file.write(f'2026-01-01T00:00:00 info llamero.engine: [m] request: {{"messages":[{{"content":"{SAID}"}}]}}\n')
        file.write(f"2026-01-01T00:00:00 info llamero.engine: [m] slot: prompt: '{SAID}'\n")
        file.write(f"2026-01-01T00:00:00 info llamero.x: read {home.data}/models/a.gguf\n")
    out = tmp_path / "report.zip"
    done = home.run("doctor", "--bundle", out, env={"LLAMERO_API_KEY": KEY, "HOME": str(tmp_path)})
    assert (done.status, done.stderr) == (0, ""), done
    assert str(out) in done.stdout
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    files = contents(out)
    assert list(files) == [
        "README.txt", "doctor.txt", "versions.json", "settings.json", "engine.json", "database.json", "llamero.log",
    ]  # fmt: skip
    whole = "\n".join(files.values())
    for secret in (SAID, KEY, TOKEN, created, str(tmp_path)):
        assert secret not in whole, secret
    assert out.read_bytes().find(SAID.encode()) < 0
    assert "read ~/data/models/a.gguf" in files["llamero.log"]
    assert files["llamero.log"].count(LEFT_OUT) == 2
    facts = json.loads(files["database.json"])
    assert (facts["rows"]["conversations"], facts["rows"]["messages"]) == (1, 1)
    assert facts["schema_version"] >= 4
    assert json.loads(files["settings.json"])["sources"]["engine.path"] == "file"
    assert json.loads(files["engine.json"])["command"] == ["~/engine/llama-server"]
    assert json.loads(files["versions.json"])["packages"]["msgspec"]


def test_bundle_where_nothing_was_ever_run_is_written_all_the_same(home: Home, tmp_path: Path) -> None:
    out = tmp_path / "report.zip"
    assert home.run("doctor", "--bundle", out).status == 0
    assert contents(out)["database.json"] == "null\n"
    assert contents(out)["llamero.log"] == ""
    assert not home.data.exists()


def test_bundle_beside_a_running_llamero_reads_its_database(home: Home, tmp_path: Path) -> None:
    with serving(home, "--port", "0") as server:
        server.url()
        assert home.run("doctor", "--bundle", tmp_path / "report.zip").status in (0, 1)
        assert json.loads(contents(tmp_path / "report.zip")["database.json"])["rows"]["conversations"] == 0
        assert server.end().status == 0


def test_bundle_overwrites_nothing(home: Home, tmp_path: Path) -> None:
    out = tmp_path / "thesis.doc"
    out.write_text("years of work")
    done = home.run("doctor", "--bundle", out)
    assert (done.status, "is there already" in done.stderr) == (1, True)
    assert out.read_text() == "years of work"


def test_scrubber_shortens_the_home_and_nothing_that_begins_like_it() -> None:
    scrubber = Scrubber(Path("/home/ann"), SecretMask())
    assert scrubber.clean("/home/ann/x /home/anna/y (/home/ann)") == "~/x /home/anna/y (~)"
    assert Scrubber(Path("/"), SecretMask()).clean("/etc/passwd") == "/etc/passwd"


def test_scrubber_masks_documents_by_name_by_flag_and_by_shape_and_leaves_json() -> None:
    document = {
        "LLAMERO_API_KEY": "plain words",
        "sources": {"gateway.require_key": "default"},
        "arguments": ["--api-key", "one", "--threads", "2", "--hf-token=hf_abcdefghijk", "--api-key three"],
        "count": 3,
    }
    assert Scrubber(None, SecretMask()).clean_document(document) == {
        "LLAMERO_API_KEY": "***",
        "sources": {"gateway.require_key": "default"},
        "arguments": ["--api-key", "***", "--threads", "2", "--hf-token=***", "--api-key ***"],
        "count": 3,
    }


def test_last_log_goes_across_files_and_begins_with_a_whole_line(tmp_path: Path) -> None:
    (tmp_path / "llamero.log.1").write_text("".join(f"old {number}\n" for number in range(100)))
    (tmp_path / "llamero.log").write_text("".join(f"new {number}\n" for number in range(100)))
    text = last_log(tmp_path, 1000)
    assert text.endswith("new 99\n")
    assert text.startswith("old ")
    assert len(text) <= 1000
    assert last_log(tmp_path / "nowhere") == ""
