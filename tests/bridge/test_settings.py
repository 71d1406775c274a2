"""The commands of the settings view, and which window may call them."""

from __future__ import annotations

from pathlib import Path

import pytest

from llamero.bridge.capabilities import WindowKind
from tests.bridge.harness import running_bridge


async def test_change_of_a_setting_is_written_and_told_to_the_other_windows(tmp_path: Path) -> None:
    async with running_bridge(tmp_path) as bridge, bridge.page("w2") as other:
        await other.frame()
        answer = await bridge.call("change_setting", {"path": "desktop.notify", "value": False})
        assert answer.status == 200
        told = await other.until(lambda frame: frame.get("ev") == "settings")
        values = {one["path"]: one["value"] for one in told["d"]["settings"]}
        assert values["desktop.notify"] is False
        assert (tmp_path / "settings.toml").read_text() == "[desktop]\nnotify = false\n"


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ({"path": "gateway.port", "value": 65_536}, 400),
        ({"path": "gateway.port", "value": {"a": 1}}, 400),
        ({"path": "gateway.port"}, 400),
        ({"path": "../x", "value": 1}, 400),
        ({"path": "gateway.prot", "value": 1}, 404),
        ({"path": "engine.path", "value": "/tmp/x"}, 400),
    ],
)
async def test_change_that_cannot_be_is_refused(tmp_path: Path, arguments: dict[str, object], status: int) -> None:
    async with running_bridge(tmp_path) as bridge:
        assert (await bridge.call("change_setting", arguments)).status == status
        assert not (tmp_path / "settings.toml").exists()


async def test_place_is_opened_for_the_window_and_not_for_a_tab(tmp_path: Path) -> None:
    async with running_bridge(tmp_path) as bridge:
        assert (await bridge.call("open_place", {"place": "logs"})).status == 200
        assert (await bridge.call("open_place", {"place": "logs"}, kind=WindowKind.TAB)).status == 403
        assert (await bridge.call("open_place", {"place": "/etc"})).status == 400


async def test_license_is_told_by_its_name(tmp_path: Path) -> None:
    async with running_bridge(tmp_path) as bridge:
        assert b"Redistribution" in (await bridge.call("get_license", {"name": "msgspec"})).body
        assert (await bridge.call("get_license", {"name": "../msgspec"})).status == 404
