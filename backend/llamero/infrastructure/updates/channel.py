"""Where releases are told of, and whose signature counts: both are part of the package, and nothing else sets them.

`build/package.py` writes `release_channel.json` beside the code, with `feed` (an https address) and `key` (a public key
of minisign). A program without it, such as one that runs from its sources, does not look for releases.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import msgspec

CHANNEL_FILE = "release_channel.json"
_PACKAGE = Path(__file__).resolve().parent.parent.parent
_OF_THE_DEB = PurePosixPath("/usr/lib/llamero")  # as build/linux/deb.py lays it
_MACHINES = {"amd64": "x86_64", "aarch64": "arm64"}


class UpdateChannel(msgspec.Struct, frozen=True, kw_only=True):
    """`loopback` lets a server of a test on this machine be asked without TLS; no file can set it."""

    feed: str
    key: str
    loopback: bool = False


class _ChannelFile(msgspec.Struct, frozen=True):
    feed: str
    key: str


def read_channel(package: Path = _PACKAGE) -> UpdateChannel | None:
    """The channel of the program in this package folder; None where it has none. Never raises."""
    try:
        found = msgspec.json.decode((package / CHANNEL_FILE).read_bytes(), type=_ChannelFile)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return UpdateChannel(feed=found.feed, key=found.key)


def own_target(
    machine: str, environment: Mapping[str, str], system: str = sys.platform, program: str = sys.executable
) -> str:
    """Which package this program came in: `linux-x86_64-deb`, `windows-x86_64`, `macos-arm64` and the like.

    On Linux that depends on where it lies: `deb`, `appimage` or `tar`.
    """
    machine = _MACHINES.get(machine.lower(), machine.lower())
    if system == "win32":
        return f"windows-{machine}"
    if system == "darwin":
        return f"macos-{machine}"
    if environment.get("APPIMAGE"):
        return f"linux-{machine}-appimage"
    return f"linux-{machine}-{'deb' if PurePosixPath(program).parent == _OF_THE_DEB else 'tar'}"
