"""`llamero remove-data` as a process: what is ours goes, after a question, and nothing else does."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.launch import REPOSITORY
from tests.process.cli import Home, serving

MINE = "holiday.jpg"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path)
    yield home
    home.end_all()


@pytest.fixture
def used(home: Home) -> Home:
    """A data directory that has been used, with a file of the user's own and a model behind a link."""
    with serving(home, "--port", "0") as server:
        server.url()
        server.end(signal.SIGINT)
    home.write_settings("[desktop]\nclose_to_tray = true\n")
    (home.data / MINE).write_text("mine")
    (home.data / "models" / "own.gguf").write_bytes(b"x" * 1000)
    return home


def everything(home: Home) -> set[str]:
    return {str(path.relative_to(home.data)) for path in home.data.rglob("*")}


def test_data_is_removed_after_a_yes_and_what_is_not_ours_stays(used: Home) -> None:
    done = used.run("remove-data", stdin="yes\n")
    assert done.status == 0, done.stderr
    assert str(used.data / "llamero.db") in done.stdout
    assert everything(used) == {MINE}


@pytest.mark.parametrize("answer", ["", "no\n", "\n", "yes please\n"])
def test_data_is_kept_by_anything_but_a_yes(used: Home, answer: str) -> None:
    before = everything(used)
    done = used.run("remove-data", stdin=answer)
    assert (done.status, "Nothing was removed." in done.stderr) == (1, True)
    assert everything(used) == before


def test_models_are_kept_where_that_is_asked(used: Home) -> None:
    assert used.run("remove-data", "--yes", "--keep-models").status == 0
    assert everything(used) == {MINE, "models", "models/own.gguf"}


def test_models_folder_that_is_a_link_is_removed_and_what_it_leads_to_stays(used: Home, tmp_path: Path) -> None:
    elsewhere = tmp_path / "big disk"
    (used.data / "models").rename(elsewhere)
    (used.data / "models").symlink_to(elsewhere)
    assert used.run("remove-data", "--yes").status == 0
    assert not (used.data / "models").is_symlink()
    assert (elsewhere / "own.gguf").is_file()


def keyring_in(file: Path) -> dict[str, str]:
    return {
        "PYTHON_KEYRING_BACKEND": "tests.fakes.file_keyring.FileKeyring",
        "FILE_KEYRING": str(file),
        "PYTHONPATH": str(REPOSITORY),
    }


@pytest.fixture
def keyring(home: Home, tmp_path: Path) -> Path:
    """A keyring with the key of a remote server, which is known by the name of `far`."""
    file = tmp_path / "keyring.json"
    variables = {**keyring_in(file), "LLAMERO_REMOTE_KEY": "remote-0123456789abcdef"}
    made = home.run("alias", "api", "far", "--url", "https://far.example/v1", "--model", "m", env=variables)
    assert made.status == 0, made.stderr
    assert "remote-0123456789abcdef" in file.read_text()
    return file


def test_keys_in_the_keyring_are_forgotten_also_where_the_database_is_broken(home: Home, keyring: Path) -> None:
    (home.data / "llamero.db").write_bytes(b"no database at all" * 100)
    done = home.run("remove-data", "--yes", env=keyring_in(keyring))
    assert done.status == 0, done.stderr
    assert "remote-0123456789abcdef" not in keyring.read_text()
    assert not home.data.exists()


def test_keys_that_are_out_of_reach_are_named_with_their_place(home: Home, keyring: Path) -> None:
    without = {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
    done = home.run("remove-data", "--yes", env=without)
    assert done.status == 1
    assert f"under Llamero ({home.data}): far." in done.stderr
    assert not home.data.exists()


def test_data_in_use_is_not_removed(home: Home) -> None:
    with serving(home, "--port", "0") as server:
        server.url()
        done = home.run("remove-data", "--yes")
        assert (done.status, "Quit it first" in done.stderr) == (1, True)
        assert (home.data / "llamero.db").is_file()


def test_directory_that_was_never_used_stays_as_it_is(home: Home) -> None:
    home.data.mkdir(exist_ok=True)
    (home.data / MINE).write_text("mine")
    done = home.run("remove-data", "--yes")
    assert (done.status, "nothing of Llamero's" in done.stderr) == (0, True)
    assert everything(home) == {MINE}


def test_folder_that_is_empty_afterwards_is_removed_itself(used: Home) -> None:
    (used.data / MINE).unlink()
    assert used.run("remove-data", "--yes").status == 0
    assert not used.data.exists()
