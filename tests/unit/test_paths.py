"""Where things are kept, who may see them, and what is said when they cannot be."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from llamero.infrastructure.messages import default_messages
from llamero.infrastructure.paths import Paths, find_paths
from llamero.models.errors import IoFailed
from tests.fakes.unprivileged import as_nobody, reachable_directory


def prepare(paths: Paths) -> tuple[str, dict[str, str | int | float]]:
    try:
        paths.prepare()
    except IoFailed as error:
        return error.code, error.arguments
    return "", {}


def test_paths_with_a_data_directory_are_all_inside_it(tmp_path: Path) -> None:
    root = tmp_path / "data"
    paths = find_paths(root)
    for name in paths.__struct_fields__:
        assert getattr(paths, name).is_relative_to(root), name
    assert paths.settings_file == root / "settings.toml"
    assert not root.exists()


def test_paths_are_absolute_although_the_working_directory_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    paths = find_paths(Path("data"))
    monkeypatch.chdir("/")
    assert paths.data_dir == tmp_path / "data"


def test_paths_without_a_data_directory_follow_the_system(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / variable))
    paths = find_paths()
    assert paths.data_dir == tmp_path / "XDG_DATA_HOME" / "llamero"
    assert paths.settings_file == tmp_path / "XDG_CONFIG_HOME" / "llamero" / "settings.toml"
    assert paths.logs.is_relative_to(tmp_path / "XDG_STATE_HOME")
    assert paths.cache.is_relative_to(tmp_path / "XDG_CACHE_HOME")
    assert paths.run == paths.data_dir / "run"


def test_paths_of_an_unknown_home_are_refused() -> None:
    with pytest.raises(IoFailed) as caught:
        find_paths(Path("~no-such-user-here/data"))
    assert caught.value.code == "data_error-no_home"


def test_paths_prepare_makes_private_directories_and_can_be_repeated(tmp_path: Path) -> None:
    paths = find_paths(tmp_path / "a" / "b" / "data")
    before = os.umask(0)
    try:
        paths.prepare()
        paths.prepare()
    finally:
        os.umask(before)
    for directory in (tmp_path / "a", tmp_path / "a" / "b", paths.data_dir, paths.run, paths.logs, paths.engines):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_paths_prepare_leaves_an_existing_directory_as_it_is(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    find_paths(tmp_path).prepare()
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


@pytest.mark.parametrize("place", ["file", "file/below", "link", "data/run-is-a-file"])
def test_paths_prepare_with_something_in_the_way_names_it(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("precious")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    if place == "data/run-is-a-file":
        (tmp_path / "data").mkdir()
        (tmp_path / "data" / "run").write_text("precious")
        place = "data"
    code, arguments = prepare(find_paths(tmp_path / place))
    assert code == "data_error-not_a_directory"
    assert str(tmp_path) in default_messages().text(code, arguments)
    assert (tmp_path / "file").read_text() == "precious"


def test_paths_prepare_with_a_name_that_no_directory_can_have_is_refused(tmp_path: Path) -> None:
    assert prepare(find_paths(tmp_path / "a\0b"))[0] == "data_error-directory_unwritable"
    assert prepare(find_paths(tmp_path / ("x" * 300)))[0] == "data_error-directory_unwritable"


@pytest.mark.parametrize(
    ("mode", "code"),
    [
        (0o000, "data_error-directory_unwritable"),
        (0o555, "data_error-directory_unwritable"),
        (0o333, "data_error-directory_unreadable"),
        (0o666, "data_error-directory_unwritable"),
    ],
)
def test_paths_prepare_without_permission_says_what_to_do(mode: int, code: str) -> None:
    with reachable_directory() as directory:
        root = directory / "data"
        find_paths(root).prepare()
        for inner in root.iterdir():
            inner.chmod(0o777)
        root.chmod(mode)
        found, arguments = as_nobody(lambda: prepare(find_paths(root)))
        root.chmod(0o700)
    assert found in (code, "data_error-directory_unreadable")
    assert arguments["path"] == str(root)
    assert "--data-dir" in default_messages().text(found, arguments)


def test_paths_prepare_below_a_closed_directory_is_refused() -> None:
    with reachable_directory() as directory:
        (directory / "closed").mkdir(mode=0o700)
        code, arguments = as_nobody(lambda: prepare(find_paths(directory / "closed" / "data")))
        assert code == "data_error-directory_unwritable"
        assert arguments["reason"] == "Permission denied"
        code, _ = as_nobody(lambda: prepare(find_paths(directory / "fresh")))
        assert code == "data_error-directory_unwritable"
        directory.chmod(0o777)
        assert as_nobody(lambda: prepare(find_paths(directory / "fresh"))) == ("", {})
