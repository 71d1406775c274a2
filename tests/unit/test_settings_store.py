"""Writing a setting into the file that a person keeps: the rest of it stays as it was, or nothing is written."""

from __future__ import annotations

import stat
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from llamero.infrastructure.settings_schema import Key, schema
from llamero.infrastructure.settings_store import SettingsStore
from llamero.infrastructure.settings_template import settings_template
from llamero.models.errors import Conflict, IoFailed
from llamero.models.settings import Source
from llamero.models.settings_report import SettingValue
from tests.fakes.unprivileged import as_nobody, reachable_directory

MINE = """\
# My settings.

[gateway]
port = 6001  # the printer has 5526

# Two are enough.
[servers]
max_loaded = 2
"""


def key(path: str) -> Key:
    return next(one for one in schema() if one.path == path)


def written(file: Path, path: str, value: SettingValue | None) -> str:
    SettingsStore(file, {}, {}).write(key(path), value)
    return file.read_text(encoding="utf-8")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "settings.toml"
    file.write_text(MINE, encoding="utf-8")
    return file


def test_setting_that_is_changed_leaves_comments_and_order_as_they_were(file: Path) -> None:
    assert written(file, "gateway.port", 7000) == MINE.replace("6001", "7000")


def test_setting_of_a_new_table_comes_behind_what_is_there(file: Path) -> None:
    text = written(file, "desktop.close_to_tray", True)
    assert text.startswith(MINE)
    assert tomllib.loads(text)["desktop"] == {"close_to_tray": True}


def test_setting_that_is_taken_out_leaves_the_others(file: Path) -> None:
    written(file, "gateway.port", None)
    resolved = SettingsStore(file, {}, {}).load()
    assert resolved.sources["gateway.port"] is Source.DEFAULT
    assert resolved.settings.servers.max_loaded == 2
    assert "# Two are enough." in file.read_text()


def test_settings_file_that_is_missing_is_made_with_its_folder_for_its_user_alone(tmp_path: Path) -> None:
    file = tmp_path / "config" / "llamero" / "settings.toml"
    assert tomllib.loads(written(file, "models.folders", ("/srv/my models",)))["models"]["folders"] == [
        "/srv/my models"
    ]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_settings_file_that_others_may_read_stays_so(file: Path) -> None:
    file.chmod(0o644)
    written(file, "gateway.port", 7000)
    assert stat.S_IMODE(file.stat().st_mode) == 0o644


def test_settings_file_that_is_a_link_is_written_where_it_leads(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "linked.toml"
    link.symlink_to(file)
    written(link, "gateway.port", 7000)
    assert link.is_symlink()
    assert "7000" in file.read_text()


def test_settings_file_that_is_no_toml_is_not_touched(file: Path) -> None:
    file.write_text("port = = 1\n")
    with pytest.raises(Conflict) as refused:
        written(file, "gateway.port", 7000)
    assert refused.value.code == "settings_error-mend_first"
    assert file.read_text() == "port = = 1\n"


def test_settings_file_with_a_table_that_is_a_number_is_not_touched(file: Path) -> None:
    file.write_text("gateway = 3\n")
    with pytest.raises(IoFailed):
        written(file, "gateway.port", 7000)
    assert file.read_text() == "gateway = 3\n"


def test_settings_file_with_dotted_keys_and_inline_tables_is_edited_in_its_own_style(file: Path) -> None:
    file.write_text('gateway = { port = 6001, host = "127.0.0.1" }\nservers.max_loaded = 2\n')
    text = written(file, "gateway.port", 7000)
    assert text == 'gateway = { port = 7000, host = "127.0.0.1" }\nservers.max_loaded = 2\n'
    assert tomllib.loads(written(file, "servers.max_loaded", 3))["servers"] == {"max_loaded": 3}


def refusal(file: Path) -> str:
    try:
        written(file, "gateway.port", 7000)
    except IoFailed as error:
        return error.code
    return ""


def test_settings_file_in_a_folder_that_is_read_only_says_so_and_stays() -> None:
    with reachable_directory() as folder:
        file = folder / "settings.toml"
        file.write_text(MINE)
        file.chmod(0o644)
        folder.chmod(0o555)
        assert as_nobody(lambda: refusal(file)) == "settings_error-not_written"
        folder.chmod(0o755)
        assert file.read_text() == MINE
        assert [path.name for path in folder.iterdir()] == ["settings.toml"]


VALUES: dict[str, st.SearchStrategy[SettingValue]] = {
    "gateway.port": st.integers(0, 65_535),
    "gateway.require_key": st.booleans(),
    "engine.start_timeout_s": st.floats(0.1, 86_400),
    "models.folders": st.lists(st.text(st.characters(codec="utf-8"), max_size=20), max_size=3).map(tuple),
    "engine.variant": st.text("abc-.", max_size=5),
}


@hypothesis_settings(max_examples=80, deadline=None)
@given(
    st.sampled_from(sorted(VALUES)).flatmap(lambda path: st.tuples(st.just(path), VALUES[path] | st.none())),
    st.sampled_from([MINE, "", settings_template(), MINE.replace("\n", "\r\n"), "\ufeff" + MINE, "gateway.port = 1\n"]),
)
def test_setting_of_any_value_is_read_back_and_nothing_else_changes(
    tmp_path_factory: pytest.TempPathFactory, change: tuple[str, SettingValue | None], text: str
) -> None:
    file = tmp_path_factory.mktemp("any") / "settings.toml"
    file.write_bytes(text.encode("utf-8"))
    path, value = change
    table, _, name = path.partition(".")
    before = tomllib.loads(text.removeprefix("\ufeff"))
    after = tomllib.loads(written(file, path, value))
    assert {**after.get(table, {}), name: None} == {**before.get(table, {}), name: None}
    assert {**after, table: None} == {**before, table: None}
    found = after.get(table, {}).get(name)
    assert found == (list(value) if isinstance(value, tuple) else value)
