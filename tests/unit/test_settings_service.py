"""Settings while Llamero runs: what is said of each, what a change does, and what it may not do."""

from __future__ import annotations

from pathlib import Path

import pytest

from llamero.infrastructure.messages import default_messages
from llamero.infrastructure.settings_schema import schema
from llamero.models.errors import Conflict, InvalidRequest, NotFound
from llamero.models.settings import Settings, Source
from llamero.models.settings_report import Setting, SettingKind, SettingsReport
from tests.fakes.settings import settings_in


def find(report: SettingsReport, path: str) -> Setting:
    return next(one for one in report.settings if one.path == path)


async def test_report_has_every_setting_with_words_kind_and_bounds(tmp_path: Path) -> None:
    report = await settings_in(tmp_path).report()
    assert [one.path for one in report.settings] == [key.path for key in schema()]
    for one in report.settings:
        assert not one.label.startswith("setting-") and not one.help.startswith("setting-"), one.path
        assert (one.least is None) is (one.kind not in (SettingKind.INTEGER, SettingKind.NUMBER)), one.path
    port = find(report, "gateway.port")
    assert (port.kind, port.value, port.least, port.most) == (SettingKind.INTEGER, 5526, 0, 65_535)


async def test_report_says_where_each_value_comes_from_and_what_the_page_cannot_change(tmp_path: Path) -> None:
    settings = settings_in(
        tmp_path, "[servers]\nmax_loaded = 2\n", {"LLAMERO_GATEWAY_PORT": "7000"}, {"gateway.host": "127.0.0.1"}
    )
    report = await settings.report()
    assert [
        (one.source, one.place, one.fixed is None)
        for one in (
            find(report, "servers.max_loaded"),
            find(report, "gateway.port"),
            find(report, "gateway.host"),
            find(report, "servers.concurrency"),
        )
    ] == [
        (Source.FILE, str(tmp_path / "settings.toml"), True),
        (Source.ENVIRONMENT, "LLAMERO_GATEWAY_PORT", False),
        (Source.COMMAND_LINE, default_messages().text("settings-place-command-line"), False),
        (Source.DEFAULT, "", True),
    ]


async def test_change_counts_at_the_next_start_and_says_what_runs_until_then(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    report = await settings.change("gateway.port", 6001)
    assert (find(report, "gateway.port").value, find(report, "gateway.port").running) == (6001, 5526)
    report = await settings.change("gateway.port", None)
    assert (find(report, "gateway.port").value, find(report, "gateway.port").running) == (5526, None)


async def test_change_of_a_desktop_setting_is_told_and_counts_at_once(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    told: list[Settings] = []
    settings.watch(told.append)
    report = await settings.change("desktop.close_to_tray", True)
    assert find(report, "desktop.close_to_tray").running is None
    assert [one.desktop.close_to_tray for one in told] == [True]
    assert settings.now.desktop.close_to_tray


async def test_change_that_a_person_makes_in_the_file_is_seen_with_the_next_look(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    (tmp_path / "settings.toml").write_text("[desktop]\nnotify = false\n")
    assert find(await settings.report(), "desktop.notify").value is False


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("gateway.port", 65_536),
        ("gateway.port", 1.5),
        ("gateway.port", "many"),
        ("gateway.port", True),
        ("desktop.notify", 1),
        ("engine.variant", "../elsewhere"),
        ("gateway.allowed_origins", ("http://*",)),
        ("models.folders", ("a\nb",)),
    ],
)
async def test_change_to_what_does_not_fit_is_refused_and_writes_nothing(
    tmp_path: Path, path: str, value: int | float | str | tuple[str, ...]
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        await settings_in(tmp_path).change(path, value)
    assert refused.value.param == path
    assert not (tmp_path / "settings.toml").exists()


async def test_change_of_what_the_environment_decides_is_refused(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, environment={"LLAMERO_GATEWAY_PORT": "7000"})
    with pytest.raises(Conflict):
        await settings.change("gateway.port", 6001)
    assert not (tmp_path / "settings.toml").exists()


async def test_page_cannot_choose_the_program_that_models_run_on(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest) as refused:
        await settings_in(tmp_path).change("engine.path", "/tmp/downloaded")
    assert refused.value.code == "settings_error-only_by_hand"


async def test_change_of_a_setting_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        await settings_in(tmp_path).change("gateway.prot", 1)
