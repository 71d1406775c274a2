"""The packaged application, as far as it can be played without a package; `tests/package` has the real one."""

from __future__ import annotations

import sys

import pytest

from llamero.infrastructure.packaged import own_program, restore_environment


@pytest.fixture
def packaged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)


@pytest.mark.usefixtures("packaged")
def test_packaged_app_gives_the_loader_back_what_the_user_had() -> None:
    variables = {"LD_LIBRARY_PATH": "/app/_internal", "LD_LIBRARY_PATH_ORIG": "/of/the/user", "PATH": "/bin"}
    restore_environment(variables)
    assert variables == {"LD_LIBRARY_PATH": "/of/the/user", "PATH": "/bin"}


@pytest.mark.usefixtures("packaged")
def test_packaged_app_leaves_nothing_where_the_user_had_nothing() -> None:
    variables = {"LD_LIBRARY_PATH": "/app/_internal", "_PYI_ARCHIVE_FILE": "/app/llamero", "PATH": "/bin"}
    restore_environment(variables)
    assert variables == {"PATH": "/bin"}


def test_app_with_sources_touches_no_variable() -> None:
    variables = {"LD_LIBRARY_PATH": "/of/the/user", "_PYI_ARCHIVE_FILE": "/another/app"}
    restore_environment(variables)
    assert variables == {"LD_LIBRARY_PATH": "/of/the/user", "_PYI_ARCHIVE_FILE": "/another/app"}


@pytest.mark.usefixtures("packaged")
def test_packaged_app_on_windows_starts_its_children_by_the_program_with_a_console(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(sys, "executable", "/Programs/Llamero/llamerow.exe")
    assert own_program().replace("\\", "/") == "/Programs/Llamero/llamero.exe"
