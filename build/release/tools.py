"""Fetches tools that are in no package registry: of one version each, known by its SHA-256.

    python build/release/tools.py --out DIR [--machine x86_64|aarch64] appimagetool appimage-runtime

A tool lies at DIR/<name> then, executable, and is what its digest says, or there is none.
"""

from __future__ import annotations

import argparse
import hashlib
import platform
import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

_TIMEOUT_S = 60.0
_LARGEST = 64 * 1024 * 1024


class Tool(NamedTuple):
    """Where one is, with `{machine}` for this machine's name, and what it is on each."""

    url: str
    sha256: Mapping[str, str]


TOOLS: Mapping[str, Tool] = {
    "appimagetool": Tool(
        "https://github.com/AppImage/appimagetool/releases/download/1.9.1/appimagetool-{machine}.AppImage",
        {
            "x86_64": "ed4ce84f0d9caff66f50bcca6ff6f35aae54ce8135408b3fa33abfc3cb384eb0",
            "aarch64": "f0837e7448a0c1e4e650a93bb3e85802546e60654ef287576f46c71c126a9158",
        },
    ),
    # Named to appimagetool, which otherwise takes whatever is the newest at the moment.
    "appimage-runtime": Tool(
        "https://github.com/AppImage/type2-runtime/releases/download/20251108/runtime-{machine}",
        {
            "x86_64": "2fca8b443c92510f1483a883f60061ad09b46b978b2631c807cd873a47ec260d",
            "aarch64": "00cbdfcf917cc6c0ff6d3347d59e0ca1f7f45a6df1a428a0d6d8a78664d87444",
        },
    ),
}


def fetch(name: str, tool: Tool, machine: str, out: Path) -> Path:
    """Fetch one and return where it lies. Raises SystemExit when it is another than it should be, OSError offline."""
    if machine not in tool.sha256:
        raise SystemExit(f"{name}: there is none for {machine}, only for {', '.join(tool.sha256)}.")
    url = tool.url.format(machine=machine)
    with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as response:
        content = response.read(_LARGEST + 1)
    digest = hashlib.sha256(content).hexdigest()
    if digest != tool.sha256[machine]:
        raise SystemExit(f"{url}: its SHA-256 is {digest}, not {tool.sha256[machine]}.")
    out.mkdir(parents=True, exist_ok=True)
    path = out / name
    path.write_bytes(content)
    path.chmod(0o755)
    return path


def main() -> int:
    """Fetch what the command line names."""
    parser = argparse.ArgumentParser(description="Fetch tools by their digests.")
    parser.add_argument("--out", type=Path, required=True, help="folder for them")
    parser.add_argument("--machine", default=platform.machine(), help="x86_64 or aarch64 (this one)")
    parser.add_argument("names", nargs="+", choices=sorted(TOOLS), metavar="NAME", help=", ".join(TOOLS))
    options = parser.parse_args()
    for name in options.names:
        print(fetch(name, TOOLS[name], options.machine, options.out))
    return 0


if __name__ == "__main__":
    sys.exit(main())
