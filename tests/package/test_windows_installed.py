"""The installer for Windows, run: installed, upgraded and removed in a Windows that Wine plays.

Wine (Debian's `wine64`) is a large download, so these tests are left out where it is not there.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.package.wine import WINE, Windows, make_program
from tests.process.cli import until
from windows.installer import make_installer

pytestmark = [
    pytest.mark.skipif(WINE is None, reason="needs Debian's wine64"),
    pytest.mark.timeout(300),
]
UNINSTALL_KEY = r"HKCU\Software\Microsoft\Windows\CurrentVersion\Uninstall\Llamero"
LOGIN_KEY = r"HKCU\Software\Microsoft\Windows\CurrentVersion\Run"
WEBVIEW2_KEY = r"HKCU\Software\Microsoft\EdgeUpdate\Clients\{F3017226-FE2A-4295-8BDF-00C3A9A7E4C5}"
REFUSED = 2


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Windows]:
    windows = Windows(tmp_path_factory.mktemp("wine"))
    windows.start()
    yield windows
    windows.end()


@pytest.fixture(scope="module")
def installers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two versions; the newer one has lost a file of the older, and brings a stand-in for Microsoft's bootstrapper."""
    folder = tmp_path_factory.mktemp("installers")
    bootstrapper = folder / "MicrosoftEdgeWebview2Setup.exe"
    make_program(bootstrapper, f'WriteRegStr HKCU "{WEBVIEW2_KEY.removeprefix("HKCU")[1:]}" "pv" "140.0.1.2"')
    made = {}
    for version, names, webview2 in (
        ("1.0.0", ("_internal/base.zip", "_internal/old/ü name.txt"), None),
        ("1.1.0", ("_internal/base.zip", "_internal/new.txt"), bootstrapper),
    ):
        bundle = folder / f"bundle {version}"
        for name in names:
            (bundle / name).parent.mkdir(parents=True, exist_ok=True)
            (bundle / name).write_text(version)
        for name in ("llamero.exe", "llamerow.exe"):
            make_program(bundle / name, "Sleep 30000")
        made[version] = make_installer(bundle, folder, version, webview2)
    return made


@pytest.fixture
def windows(prefix: Windows) -> Iterator[Windows]:
    """Nothing of Llamero's is installed before, and nothing after."""
    assert traces(prefix) == set()
    yield prefix
    prefix.be_version("win10")
    if uninstaller(prefix).exists():
        remove(prefix, "/PURGE")
    prefix.run("reg", "delete", r"HKCU\Software\Microsoft\EdgeUpdate", "/f", check=False)
    prefix.run("reg", "delete", r"HKCU\Software\Classes\.gguf", "/f", check=False)


def program_folder(windows: Windows) -> Path:
    return windows.local_data / "Programs" / "Llamero"


def uninstaller(windows: Windows) -> Path:
    return program_folder(windows) / "Uninstall Llamero.exe"


def installed(windows: Windows) -> set[str]:
    folder = program_folder(windows)
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def remove(windows: Windows, *arguments: str) -> None:
    """Uninstall. The uninstaller copies itself elsewhere and returns, so the end is waited for: its entry goes last."""
    windows.run(uninstaller(windows), "/S", *arguments)
    until(lambda: not windows.registry(UNINSTALL_KEY), 90.0, "it is removed")


def traces(windows: Windows) -> set[str]:
    """Whatever an installation leaves in the registry and on the disk."""
    found = {f"{key}\\{name}" for key in (r"HKCU\Software\Llamero", UNINSTALL_KEY) for name in windows.registry(key)}
    for key in (r"HKCU\Software\Classes", r"HKCU\Software\RegisteredApplications"):
        found |= {name for name in windows.registry(key) if "llamero" in name.lower() or "gguf" in name.lower()}
    found |= {str(path) for path in windows.start_menu.glob("Llamero*")}
    return found | ({str(program_folder(windows))} if program_folder(windows).exists() else set())


def test_installer_run_silently_installs_for_one_person_and_uninstaller_leaves_no_trace(
    windows: Windows, installers: dict[str, Path]
) -> None:
    windows.run(installers["1.0.0"], "/S")
    assert installed(windows) == {
        "llamero.exe", "llamerow.exe", "Uninstall Llamero.exe", "_internal/base.zip", "_internal/old/ü name.txt",
    }  # fmt: skip
    entry = windows.registry(UNINSTALL_KEY)
    assert (entry["DisplayName"], entry["DisplayVersion"], entry["Publisher"]) == (
        "Llamero", "1.0.0", "The Llamero developers",
    )  # fmt: skip
    size = sum((program_folder(windows) / name).stat().st_size for name in installed(windows) if "Unin" not in name)
    assert int(entry["EstimatedSize"], 16) == pytest.approx(size / 1024, abs=1)
    assert entry["QuietUninstallString"].endswith('\\Programs\\Llamero\\Uninstall Llamero.exe" /S')
    assert (windows.start_menu / "Llamero.lnk").is_file()
    remove(windows)
    assert traces(windows) == set()


def test_gguf_without_a_program_is_opened_by_llamero(windows: Windows, installers: dict[str, Path]) -> None:
    windows.run(installers["1.0.0"], "/S")
    classes = windows.registry(r"HKCU\Software\Classes")
    assert classes[".gguf\\(Default)"] == "Llamero.gguf"
    assert classes["Llamero.gguf\\shell\\open\\command\\(Default)"].endswith('\\llamerow.exe" --model "%1"')


def test_gguf_with_another_program_keeps_it_and_offers_llamero_beside_it(
    windows: Windows, installers: dict[str, Path]
) -> None:
    windows.run("reg", "add", r"HKCU\Software\Classes\.gguf", "/ve", "/d", "Other.Viewer", "/f")
    windows.run(installers["1.0.0"], "/S")
    classes = windows.registry(r"HKCU\Software\Classes")
    assert classes[".gguf\\(Default)"] == "Other.Viewer"
    assert ".gguf\\OpenWithProgids\\Llamero.gguf" in classes
    remove(windows)
    assert windows.registry(r"HKCU\Software\Classes\.gguf") == {"(Default)": "Other.Viewer"}


def test_upgrade_over_an_older_version_takes_its_files_away_and_keeps_what_is_the_persons(
    windows: Windows, installers: dict[str, Path]
) -> None:
    windows.run(installers["1.0.0"], "/S")
    chats = windows.local_data / "Llamero" / "llamero.db"
    chats.parent.mkdir()
    chats.write_bytes(b"chats")
    (program_folder(windows) / "my notes.txt").write_text("mine")
    windows.run("reg", "add", LOGIN_KEY, "/v", "llamero", "/d", "llamerow.exe", "/f")
    windows.run(installers["1.1.0"], "/S")
    assert "llamero" in windows.registry(LOGIN_KEY), "it still starts at login"
    assert "_internal/new.txt" in installed(windows)
    assert "_internal/old/ü name.txt" not in installed(windows)
    assert windows.registry(UNINSTALL_KEY)["DisplayVersion"] == "1.1.0"
    assert (program_folder(windows) / "my notes.txt").read_text() == "mine"
    remove(windows)
    assert "llamero" not in windows.registry(LOGIN_KEY)
    assert chats.read_bytes() == b"chats"
    assert installed(windows) == {"my notes.txt"}
    (program_folder(windows) / "my notes.txt").unlink()
    program_folder(windows).rmdir()
    windows.run(installers["1.1.0"], "/S")
    # Many, so that who takes the entry away first is found out.
    for number in range(3000):
        (chats.parent / f"{number}.jsonl").touch()
    remove(windows, "/PURGE")
    assert not chats.parent.exists()


def test_installer_told_to_install_for_everybody_does(windows: Windows, installers: dict[str, Path]) -> None:
    windows.run(installers["1.0.0"], "/S", "/ALLUSERS")
    folder = windows.drive / "Program Files" / "Llamero"
    assert (folder / "llamerow.exe").is_file()
    everybody = UNINSTALL_KEY.replace("HKCU", "HKLM")
    assert windows.registry(everybody)["InstallLocation"] == "C:\\Program Files\\Llamero"
    assert traces(windows) == set(), "nothing of it is this person's"
    windows.run(folder / "Uninstall Llamero.exe", "/S")
    until(lambda: not windows.registry(everybody) and not folder.exists(), 90.0, "it is removed")


def test_older_version_over_a_newer_one_is_refused_when_nobody_can_be_asked(
    windows: Windows, installers: dict[str, Path]
) -> None:
    windows.run(installers["1.1.0"], "/S")
    assert windows.run(installers["1.0.0"], "/S", check=False) == REFUSED
    assert windows.registry(UNINSTALL_KEY)["DisplayVersion"] == "1.1.0"


def test_upgrade_while_llamero_runs_is_refused_and_changes_nothing(
    windows: Windows, installers: dict[str, Path]
) -> None:
    windows.run(installers["1.0.0"], "/S")
    before = installed(windows)
    with windows.running(program_folder(windows) / "llamerow.exe"):
        assert windows.run(installers["1.1.0"], "/S", check=False) == REFUSED
        assert installed(windows) == before
        assert windows.registry(UNINSTALL_KEY)["DisplayVersion"] == "1.0.0"


def test_machine_without_webview2_gets_it_from_the_installer_that_brings_it(
    windows: Windows, installers: dict[str, Path]
) -> None:
    windows.run(installers["1.0.0"], "/S")
    assert windows.registry(WEBVIEW2_KEY) == {}, "this one brings none, which is no failure"
    windows.run(installers["1.1.0"], "/S")
    assert windows.registry(WEBVIEW2_KEY) == {"pv": "140.0.1.2"}


def test_machine_with_webview2_is_not_given_another(windows: Windows, installers: dict[str, Path]) -> None:
    windows.run("reg", "add", WEBVIEW2_KEY, "/v", "pv", "/d", "150.0.0.1", "/f")
    windows.run(installers["1.1.0"], "/S")
    assert windows.registry(WEBVIEW2_KEY) == {"pv": "150.0.0.1"}


def test_installer_on_a_windows_that_is_too_old_refuses(windows: Windows, installers: dict[str, Path]) -> None:
    windows.be_version("win7")
    assert windows.run(installers["1.0.0"], "/S", check=False) == REFUSED
    assert traces(windows) == set()
