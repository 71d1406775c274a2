"""Unpacks a zip or a tar into a folder of its own, believing nothing that it says.

Invariants: nothing is written outside of the folder, through a link, over something else, or beyond the bounds, which
count what really comes out and not what the archive announces; files get one of two modes, and no owner.
"""

from __future__ import annotations

import gzip
import io
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO

from engine_release.members import Bounds, Ledger, Parts, link_target, parts_of
from engine_release.refusal import BuildRefused

_PIECE = 256 * 1024
_LONGEST_LINK = 255
_BROKEN = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    gzip.BadGzipFile,
    EOFError,
    NotImplementedError,  # a kind of compression that zipfile does not know
    UnicodeError,
    ValueError,
)


def unpack(archive: Path, folder: Path, bounds: Bounds | None = None) -> None:
    """Unpack into `folder`, which is made. Raises BuildRefused for what is unsafe or broken, OSError of the disk."""
    folder.mkdir(parents=True)
    limits = bounds or Bounds()
    ledger = Ledger(limits)
    try:
        if archive.name.endswith(".zip"):
            _unpack_zip(archive, folder, ledger)
        elif archive.name.endswith(".tar.gz"):
            _unpack_tar(archive, folder, ledger, limits)
        else:
            raise BuildRefused(f"{archive.name} is neither a zip nor a tar.gz")
    except _BROKEN as error:
        raise BuildRefused(f"{archive.name} cannot be unpacked: {error}") from error
    except BuildRefused as refusal:
        raise BuildRefused(f"{archive.name}: {refusal}") from refusal


def _unpack_zip(archive: Path, folder: Path, ledger: Ledger) -> None:
    with zipfile.ZipFile(archive) as opened:
        for entry in opened.infolist():
            ledger.count()
            # `filename` has been mended by zipfile; what the archive really says is in `orig_filename`.
            parts = parts_of(entry.orig_filename)
            kind = stat.S_IFMT(entry.external_attr >> 16)
            if entry.flag_bits & 1:
                raise BuildRefused(f"the archive's entry {entry.orig_filename!a} is encrypted")
            if entry.orig_filename.endswith("/"):
                _add_folder(folder, parts, ledger)
            elif kind == stat.S_IFLNK:
                with opened.open(entry) as source:
                    target = source.read(_LONGEST_LINK + 1).decode("utf-8")
                _add_link(folder, parts, target, ledger)
            elif kind in (0, stat.S_IFREG):
                with opened.open(entry) as source:
                    _add_file(folder, parts, source, bool(entry.external_attr >> 16 & stat.S_IXUSR), ledger)
            else:
                raise BuildRefused(f"the archive's entry {entry.orig_filename!a} is neither file, folder nor link")


def _unpack_tar(archive: Path, folder: Path, ledger: Ledger, bounds: Bounds) -> None:
    # Headers may be as large as files, so the whole stream is bounded, too: each entry has at most a few blocks more.
    room = bounds.bytes + bounds.entries * 4096
    with gzip.open(archive) as unzipped:
        stream = _Bounded(unzipped, room)
        with tarfile.open(fileobj=stream, mode="r|") as opened:
            for entry in opened:
                ledger.count()
                parts = parts_of(entry.name)
                if entry.isdir():
                    _add_folder(folder, parts, ledger)
                elif entry.issym():
                    _add_link(folder, parts, entry.linkname, ledger)
                elif entry.isreg() and not entry.issparse():
                    source = opened.extractfile(entry)
                    assert source is not None
                    _add_file(folder, parts, source, bool(entry.mode & stat.S_IXUSR), ledger)
                else:
                    raise BuildRefused(f"the archive's entry {entry.name!a} is neither file, folder nor soft link")


class _Bounded(io.RawIOBase):
    """A stream that refuses to give more than so many bytes."""

    def __init__(self, source: gzip.GzipFile, room: int) -> None:
        self._source = source
        self._room = room

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        piece = self._source.read(min(size, self._room + 1) if size >= 0 else self._room + 1)
        self._room -= len(piece)
        if self._room < 0:
            raise BuildRefused("the archive unpacks to more bytes than it may")
        return piece


def _add_folder(folder: Path, parts: Parts, ledger: Ledger) -> None:
    ledger.add_folder(parts)
    folder.joinpath(*parts).mkdir(parents=True, exist_ok=True)


def _add_link(folder: Path, parts: Parts, target: str, ledger: Ledger) -> None:
    ledger.add_file(parts)
    name = link_target("/".join(parts), target)
    _write(folder, parts, lambda path: path.symlink_to(name))


def _add_file(folder: Path, parts: Parts, source: IO[bytes], executable: bool, ledger: Ledger) -> None:
    ledger.add_file(parts)

    def copy(path: Path) -> None:
        with path.open("xb") as file:
            while piece := source.read(_PIECE):
                ledger.grow(len(piece))
                file.write(piece)
        path.chmod(0o755 if executable else 0o644)

    _write(folder, parts, copy)


def _write(folder: Path, parts: Parts, write: Callable[[Path], None]) -> None:
    path = folder.joinpath(*parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path)
