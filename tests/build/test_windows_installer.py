"""The installer for Windows: compiled around a stand-in bundle, its contents listed."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

from windows.installer import contents_script, make_installer
from windows.version import four_numbers, version_resource

ROOT = Path(__file__).resolve().parent.parent.parent
FILES = ("llamero.exe", "llamerow.exe", "LICENSE", "_internal/base.zip", "_internal/llamero/locale/ä b.ftl")


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    folder = tmp_path / "a bundle" / "llamero"
    for name in FILES:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode() * 100)
    return folder


def listing(installer: Path) -> dict[str, str]:
    """Name → size of what is in an installer, by 7-Zip."""
    done = subprocess.run(["7z", "l", "-slt", installer], capture_output=True, check=True)
    text = done.stdout.decode("utf-8")
    return dict(re.findall(r"^Path = (.+)\nSize = (\d*)$", text, re.MULTILINE))


def test_installer_of_a_bundle_holds_every_file_and_an_uninstaller(bundle: Path, tmp_path: Path) -> None:
    installer = make_installer(bundle, tmp_path / "out", "1.2.3")
    assert installer.name == "llamero-1.2.3-windows-x64-setup.exe"
    found = listing(installer)
    assert {name: found[name] for name in FILES} == {name: str(len(name.encode()) * 100) for name in FILES}
    assert "Uninstall Llamero.exe" in found
    assert not any("Webview2" in name for name in found)


def test_installer_with_microsofts_bootstrapper_carries_it_for_its_own_use(bundle: Path, tmp_path: Path) -> None:
    setup = tmp_path / "MicrosoftEdgeWebview2Setup.exe"
    setup.write_bytes(b"MZ stand-in")
    found = listing(make_installer(bundle, tmp_path / "out", "1.2.3", setup))
    assert found["$PLUGINSDIR/MicrosoftEdgeWebview2Setup.exe"] == "11"


def test_installer_of_a_version_says_it_in_its_own_properties(bundle: Path, tmp_path: Path) -> None:
    installer = make_installer(bundle, tmp_path / "out", "1.2.3rc4")
    content = installer.read_bytes()
    for text in ("Llamero installer", "1.2.3rc4", "The Llamero developers"):
        assert text.encode("utf-16-le") in content, text
    assert b'level="asInvoker"' in content, "an installation for one person asks for no administrator"


@pytest.mark.parametrize(("version", "four"), [("1", "1.0.0.0"), ("0.2.0rc1", "0.2.0.0"), ("1.2.3.4.5", "1.2.3.4")])
def test_version_as_windows_wants_it_has_four_numbers(version: str, four: str) -> None:
    assert four_numbers(version) == four


def test_version_without_a_number_is_refused() -> None:
    with pytest.raises(ValueError, match="not a version"):
        four_numbers("next")


def test_uninstaller_removes_what_was_installed_deepest_first_and_no_folder_that_is_not_empty(bundle: Path) -> None:
    install, remove = contents_script(bundle).split("!macroend\n")[:2]
    installed = re.findall(r'File "(.+)"', install)
    assert sorted(installed) == sorted(str(bundle / name) for name in FILES)
    removed = re.findall(r'(?:Delete|RMDir) "\$INSTDIR\\(.+)"', remove)
    assert sorted(removed) == sorted(
        [*(name.replace("/", "\\") for name in FILES), "_internal", "_internal\\llamero", "_internal\\llamero\\locale"]
    )
    assert (
        removed.index("_internal\\llamero\\locale") < removed.index("_internal\\llamero") < removed.index("_internal")
    )
    script = (ROOT / "build" / "windows" / "llamero.nsi").read_text(encoding="utf-8")
    assert "RMDir /r" not in remove
    assert re.findall(r"RMDir /r (.+)", script) == ['"$DataFolder"'], "and that only when it was asked for"


def test_bundle_of_another_system_is_refused(bundle: Path) -> None:
    (bundle / "llamerow.exe").unlink()
    with pytest.raises(SystemExit, match=r"no llamerow\.exe"):
        contents_script(bundle)


def test_bundle_with_a_link_or_a_name_that_means_something_to_nsis_is_refused(bundle: Path) -> None:
    (bundle / "$SYSDIR").write_bytes(b"")
    with pytest.raises(SystemExit, match="cannot say"):
        contents_script(bundle)
    (bundle / "$SYSDIR").unlink()
    (bundle / "link").symlink_to("LICENSE")
    with pytest.raises(SystemExit, match="a link"):
        contents_script(bundle)


def test_program_of_a_version_says_in_its_properties_what_it_is() -> None:
    tree = ast.parse(version_resource("1.2.3rc4", "llamerow.exe"), mode="eval")
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    said = dict(ast.literal_eval(ast.List(call.args)) for call in calls if call.func.id == "StringStruct")
    assert said["ProductName"] == "Llamero"
    assert said["ProductVersion"] == said["FileVersion"] == "1.2.3rc4"
    assert said["OriginalFilename"] == "llamerow.exe"
    fixed = next(call for call in calls if call.func.id == "FixedFileInfo")
    assert {keyword.arg: ast.literal_eval(keyword.value) for keyword in fixed.keywords}["filevers"] == (1, 2, 3, 0)
