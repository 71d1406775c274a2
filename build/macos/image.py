"""The disk image for macOS: the app signed, laid out by dmgbuild, signed and notarized as far as that is possible.

    python build/macos/image.py out/bundle-qt/Llamero.app [--out DIR]

The secrets that signing and notarization take are described in `signing.py`.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from macos.info_plist import NAME
from macos.signing import notarize, sign_app, sign_image, signing_identity

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
DMGBUILD = (sys.executable, "-m", "dmgbuild")


def make_image(
    app: Path,
    out: Path,
    version: str,
    machine: str,
    environment: Mapping[str, str],
    dmgbuild: Sequence[str] = DMGBUILD,
) -> Path:
    """Return the image's path, `<out>/llamero-<version>-macos-<machine>.dmg`. Signs the app where it lies.

    Raises CalledProcessError or SystemExit when a step fails; one that cannot be taken for want of a secret is no
    failure, and is said on standard output.
    """
    out.mkdir(parents=True, exist_ok=True)
    image = out / f"llamero-{version}-macos-{machine}.dmg"
    image.unlink(missing_ok=True)
    with signing_identity(environment) as identity:
        sign_app(app, identity)
        defines = ("-D", f"app={app}", "-D", f"icon={ROOT / 'icons' / 'llamero.icns'}")
        subprocess.run([*dmgbuild, "-s", HERE / "dmg_settings.py", *defines, NAME, image], check=True)
        sign_image(image, identity)
        notarize(image, identity, environment)
    return image


def main() -> int:
    """Make the image that the command line describes."""
    sys.path.insert(0, str(ROOT / "backend"))
    import llamero

    parser = argparse.ArgumentParser(description="Make the disk image for macOS.")
    parser.add_argument("app", type=Path, help="Llamero.app, as PyInstaller made it on macOS")
    parser.add_argument("--out", type=Path, default=ROOT / "out", help="folder for the image (out)")
    options = parser.parse_args()
    print(make_image(options.app, options.out, llamero.__version__, platform.machine(), os.environ))
    return 0


if __name__ == "__main__":
    sys.exit(main())
