"""What an archive may hold: names that stay in one folder on every system, plain files, and links beside them.

Pure: nothing is read or written. Everything that llama.cpp's archives have passes; whatever else an archive can hold is
refused, not repaired.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from engine_release.refusal import BuildRefused

MOST_DEPTH = 16
LONGEST_NAME = 255
_NOT_ON_WINDOWS = frozenset('<>:"|?*\\')
_DEVICES = frozenset(
    {"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(10))}
)

Parts = tuple[str, ...]


@dataclass(frozen=True)
class Bounds:
    """How much may come out of one archive: entries, and bytes altogether."""

    entries: int = 4096
    bytes: int = 6 * 1024**3


def parts_of(name: str) -> Parts:
    """The folders and the name of an entry; empty for the top folder itself. Raises BuildRefused."""
    if name.startswith("/"):
        raise _unsafe(name, "is absolute")
    parts = tuple(part for part in name.split("/") if part not in ("", "."))
    if len(parts) > MOST_DEPTH:
        raise _unsafe(name, "is too deep")
    for part in parts:
        _check(part, name)
    return parts


def link_target(name: str, target: str) -> str:
    """The name that a link leads to, in the link's own folder. Raises BuildRefused for every other link."""
    if "/" in target or target in ("", ".", ".."):
        raise _unsafe(name, f"is a link that leads to {_shown(target)}")
    _check(target, name)
    return target


def _check(part: str, name: str) -> None:
    if part == "..":
        raise _unsafe(name, "leads out of its folder")
    if any(character in _NOT_ON_WINDOWS or ord(character) < 32 or ord(character) == 127 for character in part):
        raise _unsafe(name, "has a character that file names cannot have everywhere")
    if part.endswith((" ", ".")) or part.split(".")[0].lower() in _DEVICES:
        raise _unsafe(name, "means something else on Windows")
    if len(part.encode("utf-8", "surrogatepass")) > LONGEST_NAME:
        raise _unsafe(name, "is too long")


@dataclass
class Ledger:
    """What one archive has given so far. Every entry is asked about before it is written."""

    bounds: Bounds
    _entries: int = 0
    _bytes: int = 0
    _files: dict[Parts, str] = field(default_factory=dict)
    _folders: set[Parts] = field(default_factory=set)

    def count(self) -> None:
        """One more entry, of whatever kind. Raises BuildRefused when there are too many."""
        self._entries += 1
        if self._entries > self.bounds.entries:
            raise BuildRefused(f"the archive has more than {self.bounds.entries} entries")

    def grow(self, size: int) -> None:
        """So many more bytes are unpacked. Raises BuildRefused when there are too many."""
        self._bytes += size
        if self._bytes > self.bounds.bytes:
            raise BuildRefused(f"the archive unpacks to more than {self.bounds.bytes} bytes")

    def add_folder(self, parts: Parts) -> None:
        """A folder, which may come again. Raises BuildRefused where a file has its name."""
        for depth in range(1, len(parts) + 1):
            folder = _folded(parts[:depth])
            if folder in self._files:
                raise _unsafe("/".join(parts), "is inside of something that is no folder")
            self._folders.add(folder)

    def add_file(self, parts: Parts) -> None:
        """A file or a link. Raises BuildRefused when its name is taken, on any system, or inside of one that is."""
        name = "/".join(parts)
        if not parts:
            raise _unsafe(name, "has no name")
        self.add_folder(parts[:-1])
        key = _folded(parts)
        if key in self._files or key in self._folders:
            raise _unsafe(name, "comes twice")
        self._files[key] = name


def _folded(parts: Parts) -> Parts:
    return tuple(part.casefold() for part in parts)


def _unsafe(name: str, why: str) -> BuildRefused:
    return BuildRefused(f"the archive's entry {_shown(name)} {why}")


def _shown(name: str) -> str:
    return ascii(name[:120])
