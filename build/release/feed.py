"""The feed by which installed packages learn of a release: `latest.json`, and minisign's signature of it beside it.

    MINISIGN_KEY=... python build/release/feed.py PACKAGES --repository https://github.com/OWNER/REPOSITORY

`llamero.models.updates` is what it says. Packages believe only what the key signs that they were built with
(`LLAMERO_RELEASE_KEY`). So without the secret key, one of `minisign -G -W`, no feed is made, and that is said.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "backend"))

import msgspec

import llamero
from llamero.models.updates import Release, ReleaseFile

NAME = "latest.json"
KEY_VARIABLE = "MINISIGN_KEY"
# What `own_target` in llamero.infrastructure.updates.channel asks for, by what a package is called.
TARGETS: Mapping[str, str] = {
    r"_amd64\.deb": "linux-x86_64-deb",
    r"_arm64\.deb": "linux-arm64-deb",
    r"-linux-x86_64\.tar\.gz": "linux-x86_64-tar",
    r"-linux-aarch64\.tar\.gz": "linux-arm64-tar",
    r"-x86_64\.AppImage": "linux-x86_64-appimage",
    r"-aarch64\.AppImage": "linux-arm64-appimage",
    r"-windows-x64-setup\.exe": "windows-x86_64",
    r"-macos-arm64\.dmg": "macos-arm64",
    r"-macos-x86_64\.dmg": "macos-x86_64",
}


def release(packages: Path, version: str, repository: str) -> Release:
    """Describe the packages of a folder as they will lie in the release `v<version>` of a repository."""
    found = tuple(
        ReleaseFile(
            name=path.name,
            target=target,
            url=f"{repository}/releases/download/v{version}/{path.name}",
            size=path.stat().st_size,
            sha256=_digest(path),
        )
        for path, target in _packages(packages)
    )
    feed = Release(version=version, page=f"{repository}/releases/tag/v{version}", files=found)
    return msgspec.convert(msgspec.to_builtins(feed), Release)  # which checks what only decoding checks


def write_feed(packages: Path, version: str, repository: str, environment: Mapping[str, str]) -> bool:
    """Write and sign the feed; False, and none is there, without the key. Raises CalledProcessError."""
    key = environment.get(KEY_VARIABLE)
    if not key:
        print(f"No feed: {KEY_VARIABLE} is not set, and packages believe only what is signed.")
        return False
    feed = packages / NAME
    feed.write_bytes(msgspec.json.format(msgspec.json.encode(release(packages, version, repository))))
    with tempfile.TemporaryDirectory() as folder:
        secret = Path(folder, "minisign.key")
        secret.touch(mode=0o600)
        secret.write_text(key.strip() + "\n")
        comment = f"llamero {version}"
        subprocess.run(["minisign", "-S", "-s", secret, "-m", feed, "-t", comment], check=True)
    return True


def _packages(folder: Path) -> Iterator[tuple[Path, str]]:
    for path in sorted(folder.iterdir()):
        for pattern, target in TARGETS.items():
            if re.search(f"{pattern}$", path.name):
                yield path, target


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def main() -> int:
    """Write the feed of the packages that the command line names."""
    parser = argparse.ArgumentParser(description="Write and sign the feed of a release.")
    parser.add_argument("packages", type=Path, help="folder of the packages, to which the feed is added")
    parser.add_argument("--repository", required=True, help="where the release will be, such as on GitHub")
    options = parser.parse_args()
    write_feed(options.packages, llamero.__version__, options.repository, os.environ)
    return 0


if __name__ == "__main__":
    sys.exit(main())
