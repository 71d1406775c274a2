"""Turn the checkout into what users download.

    python build/package.py bundle [--window qt|system] [--engines DIR]
    python build/package.py linux|deb|tar|appdir|appimage [--bundle DIR] [--window qt|system] [--machine NAME]

`bundle` builds the page and runs PyInstaller. It lays one folder down, `out/bundle-<window>/llamero`, and writes its
path on standard output. The program in it is `llamero` (on Windows `llamero.exe`, and `llamerow.exe` without a
console); everything else is in `_internal`. The folder can be moved and may be read-only, and needs no Python on the
machine. Other packages are made of it: `bundle(window)` returns its path. `--window` says whose browser shows the page
on Linux; README.md has the reasons. `--engines` takes along what `engines.py` has made. What is made of it on Linux is
in the package `linux`, and goes to `out`, too.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from llamero.infrastructure.llama.bundled import engines_of, read_manifest
from third_party import third_party_licenses, write_notices
from whole import whole

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "out"
WINDOWS = ("qt", "system")
NOTICES = "THIRD_PARTY_LICENSES.txt"


def bundle(window: str = "qt", engines: Path | None = None, out: Path = OUT) -> Path:
    """Build the page and the bundle, and return its folder. Raises CalledProcessError when a step fails.

    It gets its place once it is whole, so a build that was cut short leaves nothing that looks like one.
    Without `engines`, those that LLAMERO_BUNDLE_ENGINES names come along, so that one variable does for every package.
    """
    if engines is None and (named := os.environ.get("LLAMERO_BUNDLE_ENGINES")):
        engines = Path(named)
    if engines is not None and read_manifest(engines) is None:
        raise SystemExit(f"{engines} has no engines in it; build/engines.py makes them")
    subprocess.run([sys.executable, str(ROOT / "build" / "build_frontend.py")], check=True, stdout=sys.stderr)
    work, target = out / "work" / window, out / f"bundle-{window}"
    data = work / "data"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    (data / "build_info.json").write_text(json.dumps(build_info()), encoding="utf-8")
    if channel := release_channel():
        (data / "release_channel.json").write_text(json.dumps(channel), encoding="utf-8")
    licenses = third_party_licenses(window)
    (data / "third_party_licenses.json").write_text(json.dumps(licenses), encoding="utf-8")
    with whole(target) as unfinished:
        command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN"]
        command += ["--workpath", str(work), "--distpath", str(unfinished), str(ROOT / "build" / "llamero.spec")]
        variables = {"LLAMERO_BUNDLE_WINDOW": window, "LLAMERO_BUNDLE_DATA": str(data)}
        subprocess.run(command, check=True, stdout=sys.stderr, env={**os.environ, **variables})
        folder, app = unfinished / "llamero", unfinished / "Llamero.app"
        write_notices(licenses, folder / NOTICES)
        shutil.copy(ROOT / "LICENSE", folder / "LICENSE")
        if engines is not None:
            add_engines(engines, folder / "llamero")
            if app.is_dir():
                add_engines(engines, app / "Contents" / "MacOS" / "llamero")
    return target / "llamero"


def add_engines(engines: Path, program: Path) -> None:
    """Lay engines where this program looks for them."""
    place = engines_of(program)
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(engines, place, symlinks=True)


def build_info() -> dict[str, str | None]:
    """Commit and time of this build. SOURCE_DATE_EPOCH, as reproducible-builds.org has it, sets the time."""
    at = int(os.environ.get("SOURCE_DATE_EPOCH") or time.time())
    asked = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    return {"commit": asked.stdout.strip() or None, "built": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))}


def release_channel() -> dict[str, str]:
    """Where this package looks for newer releases, and whose signature counts; empty for one that shall not look."""
    names = {"feed": "LLAMERO_RELEASE_FEED", "key": "LLAMERO_RELEASE_KEY"}
    found = {name: os.environ.get(variable, "") for name, variable in names.items()}
    return found if all(found.values()) else {}


def main() -> int:
    """Make one kind of package, and say where it lies."""
    parser = argparse.ArgumentParser(description="Turn the checkout into what users download.")
    kinds = parser.add_subparsers(dest="kind", required=True)
    making = kinds.add_parser("bundle", help="the folder that every package is made of")
    making.add_argument("--window", choices=WINDOWS, default="qt", help="whose browser shows the page on Linux (qt)")
    making.add_argument("--engines", type=Path, metavar="DIR", help="engines to take along, see engines.py (none)")
    if sys.platform.startswith("linux"):
        from linux import commands as linux

        linux.add_commands(kinds, WINDOWS)
    options = parser.parse_args()
    if options.kind == "bundle":
        print(bundle(options.window, options.engines))
    else:
        print(*linux.make(options, bundle, OUT), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
