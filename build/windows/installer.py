"""The installer for Windows: `llamero.nsi`, compiled around a bundle by NSIS on any system.

    python build/windows/installer.py BUNDLE --out DIR [--webview2 MicrosoftEdgeWebview2Setup.exe]

The script is told file by file what to install and, in the uninstaller, what to remove. So removing takes away what was
put there and nothing else, whatever folder a person has chosen.
"""

from __future__ import annotations

import argparse
import math
import re
import subprocess
import sys
import tempfile
from pathlib import Path, PureWindowsPath

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from identity import NAME, PUBLISHER
from windows.version import four_numbers

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SCRIPT = HERE / "llamero.nsi"
ICON = ROOT / "icons" / "llamero.ico"
PROGRAMS = ("llamero.exe", "llamerow.exe")


def contents_script(bundle: Path) -> str:
    """Return NSIS macros `InstallFiles` and `RemoveFiles` for every file of the bundle.

    Raises SystemExit for a bundle without the programs, and for what cannot be installed: a link, or a name that NSIS
    would read as something else.
    """
    entries = sorted(bundle.rglob("*"))
    files = [path.relative_to(bundle) for path in entries if not path.is_dir()]
    _check(bundle, files)
    folders = sorted({parent for file in files for parent in file.parents if parent != Path()})
    install: list[str] = []
    remove: list[str] = []
    for folder in (Path(), *folders):
        own = [file for file in files if file.parent == folder]
        if own:
            install.append(f'SetOutPath "{_below_instdir(folder)}"')
            install += [f'File "{bundle / file}"' for file in own]
        leave = [f'RMDir "{_below_instdir(folder)}"'] if folder != Path() else []
        remove = [*(f'Delete "{_below_instdir(file)}"' for file in own), *leave, *remove]  # what is deepest first
    # Who stands in a folder keeps it from being removed.
    return _macro("InstallFiles", install) + _macro("RemoveFiles", ['SetOutPath "$TEMP"', *remove])


def make_installer(bundle: Path, out: Path, version: str, webview2: Path | None = None) -> Path:
    """Compile the installer and return its path: `<out>/llamero-<version>-windows-x64-setup.exe`.

    `webview2` is Microsoft's bootstrapper for machines without a WebView2 Runtime; without it the installer says where
    to get that. Raises CalledProcessError when NSIS refuses.
    """
    bundle = bundle.resolve()
    size = sum(path.stat().st_size for path in bundle.rglob("*") if path.is_file())
    out.mkdir(parents=True, exist_ok=True)
    installer = out.resolve() / f"llamero-{version}-windows-x64-setup.exe"
    with tempfile.TemporaryDirectory() as folder:
        contents = Path(folder, "contents.nsh")
        contents.write_text(contents_script(bundle), encoding="utf-8")
        values = {
            "NAME": NAME,
            "PUBLISHER": PUBLISHER,
            "VERSION": version,
            "VERSION_FOUR": four_numbers(version),
            "CONTENTS": contents,
            "SIZE_KB": math.ceil(size / 1024),
            "ICON": ICON,
            "OUTPUT": installer,
        }
        if webview2 is not None:
            values["WEBVIEW2_SETUP"] = webview2.resolve()
        defines = [f"-D{name}={value}" for name, value in values.items()]
        # -WX: a warning of NSIS is nearly always a path that will not be there.
        subprocess.run(["makensis", "-V2", "-WX", "-INPUTCHARSET", "UTF8", *defines, SCRIPT], check=True)
    return installer


def _check(bundle: Path, files: list[Path]) -> None:
    for program in PROGRAMS:
        if Path(program) not in files:
            raise SystemExit(f"{bundle}: no {program} in it; is it a bundle for Windows?")
    for file in files:
        if (bundle / file).is_symlink():
            raise SystemExit(f"{bundle / file}: a link, which Windows would not have made")
        if re.search(r'["$`]', str(file)):
            raise SystemExit(f"{bundle / file}: a name that the installer's script cannot say")


def _below_instdir(path: Path) -> str:
    return str(PureWindowsPath("$INSTDIR", *path.parts))


def _macro(name: str, lines: list[str]) -> str:
    return f"!macro {name}\n" + "".join(f"  {line}\n" for line in lines) + "!macroend\n"


def main() -> int:
    """Compile the installer that the command line describes."""
    sys.path.insert(0, str(ROOT / "backend"))
    import llamero

    parser = argparse.ArgumentParser(description="Make the installer for Windows.")
    parser.add_argument("bundle", type=Path, help="folder that PyInstaller made on Windows")
    parser.add_argument("--out", type=Path, default=ROOT / "out", help="folder for the installer (out)")
    parser.add_argument("--webview2", type=Path, metavar="FILE", help="Microsoft's MicrosoftEdgeWebview2Setup.exe")
    options = parser.parse_args()
    print(make_installer(options.bundle, options.out, llamero.__version__, options.webview2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
