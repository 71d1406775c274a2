"""Reads which build this is, and the licenses of what it is made of.

A package brings two files that `build/package.py` has written: `build_info.json` with `commit` and `built`, and
`third_party_licenses.json`. Where they are missing, Llamero runs from its sources, and the commit is read from git's
own files: starting git would take longer than all the rest of `--version`. For the same reason nothing here imports
msgspec before a Struct is asked for. The version stands in one place, `llamero.__version__`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from llamero import __version__

if TYPE_CHECKING:
    from llamero.models.build import BuildInfo, ThirdPartyLicense

BUILD_FILE = "build_info.json"
LICENSES_FILE = "third_party_licenses.json"
_PACKAGE = Path(__file__).resolve().parent.parent
_HASH = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_REFERENCE = re.compile(r"ref: (refs/[^\s]+)")
_SHORT = 12


def read_build_info(package: Path = _PACKAGE) -> BuildInfo:
    """Which build the program of this package folder is. Reads one small file, and never raises."""
    from llamero.models.build import BuildInfo

    commit, built = _read(package)
    return BuildInfo(version=__version__, commit=commit, built=built)


def version_text(package: Path = _PACKAGE) -> str:
    """The build in one line for `--version`: `0.1.0 (commit 0123456789ab, built 2026-01-31)`, or `0.1.0 (source)`."""
    commit, built = _read(package)
    facts = [f"commit {commit[:_SHORT]}"] if commit else []
    facts += [f"built {built.partition('T')[0]}"] if built else ["source"]
    return f"{__version__} ({', '.join(facts)})"


def read_third_party_licenses(package: Path = _PACKAGE) -> tuple[ThirdPartyLicense, ...]:
    """The works of others in this package, by name; empty when Llamero runs from its sources. Some 500 KB."""
    import msgspec

    from llamero.models.build import ThirdPartyLicense

    try:
        content = (package / LICENSES_FILE).read_bytes()
        return msgspec.json.decode(content, type=tuple[ThirdPartyLicense, ...])
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return ()


def _read(package: Path) -> tuple[str | None, str | None]:
    """Return the commit and the time of packaging, each None where it is not known."""
    try:
        text = (package / BUILD_FILE).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return _checked_out_commit(package), None
    import json

    try:
        facts = json.loads(text)
        commit, built = facts.get("commit"), facts.get("built")
    except (ValueError, AttributeError):
        return None, None
    return (commit if isinstance(commit, str) else None), (built if isinstance(built, str) else None)


def _checked_out_commit(package: Path) -> str | None:
    """The commit that is checked out where this package lies in `backend/` of a repository."""
    try:
        git = package.parent.parent / ".git"
        if package.parent.name != "backend":
            return None
        if git.is_file():  # one of several working trees: `gitdir: <its own folder>`
            git = git.parent / git.read_text(encoding="utf-8").removeprefix("gitdir:").strip()
        return _resolve(git)
    except (OSError, UnicodeDecodeError):
        return None


def _resolve(git: Path) -> str | None:
    """Follow HEAD to a hash, as gitrepository-layout(5) describes the files."""
    head = (git / "HEAD").read_text(encoding="utf-8").strip()
    if (reference := _REFERENCE.fullmatch(head)) is None:
        return head if _HASH.fullmatch(head) else None
    shared = git / "commondir"  # branches belong to all working trees together
    common = git / shared.read_text(encoding="utf-8").strip() if shared.is_file() else git
    loose = common / reference[1]
    if loose.is_file():
        commit = loose.read_text(encoding="utf-8").strip()
        return commit if _HASH.fullmatch(commit) else None
    for line in (common / "packed-refs").read_text(encoding="utf-8").splitlines():
        commit, _, name = line.partition(" ")
        if name == reference[1] and _HASH.fullmatch(commit):
            return commit
    return None
