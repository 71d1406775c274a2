"""Bundle llama-server for a package, as llama.cpp's own releases have it.

    CI_RELEASE=b11459 CI_BUILD_VARIANTS=vulkan,cpu python build/engines.py [--out DIR]

What is bundled is said by the environment: CI_BUILD_TARGET, CI_BUILD_VARIANTS, CI_DEFAULT_VARIANT, CI_RELEASE and
GH_PAT, see `engine_release/wish.py`. `build/package.py bundle --engines out/engines` takes the result along, and the
package prefers the default variant to the embedded engine. Nothing is changed unless all of it has succeeded.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from engine_release.bundling import bundle
from engine_release.refusal import BuildRefused
from engine_release.releases import API
from engine_release.web import Web
from engine_release.wish import read_wish

OUT = Path(__file__).resolve().parent.parent / "out"


def main() -> int:
    """Bundle what the environment asks for; 1 and a sentence when that is not possible."""
    parser = argparse.ArgumentParser(description="Bundle llama-server for a package.")
    parser.add_argument("--out", type=Path, default=OUT / "engines", help="folder to write (default: out/engines)")
    parser.add_argument(
        "--work",
        type=Path,
        default=OUT / "engine-downloads",
        help="folder for downloads and half-done work, same disk",
    )
    parser.add_argument("--api", default=API, help="the repository in GitHub's API, for a fork or a mirror")
    options = parser.parse_args()
    try:
        wish = read_wish(os.environ)
        web = Web(options.api, wish.token)
        bundle(wish, options.out.absolute(), options.work.absolute(), web, options.api, _say)
    except BuildRefused as refusal:
        print(f"engines: {refusal}", file=sys.stderr)
        return 1
    print(f"{options.out}: {', '.join(wish.variants)} of llama.cpp {wish.release} for {wish.target}")
    return 0


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
