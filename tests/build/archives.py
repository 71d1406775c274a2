"""Archives as llama.cpp packs them, and entries that no honest one has."""

from __future__ import annotations

import io
import stat
import tarfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass

SERVER = b"#!/bin/sh\necho version: 11459\n"


@dataclass(frozen=True)
class Entry:
    """One entry, written as it is. `kind` is a type of `tarfile`, of which a zip has the mode."""

    name: str
    content: bytes = b""
    mode: int = 0o644
    kind: bytes = tarfile.REGTYPE
    link: str = ""


_MODES = {
    tarfile.REGTYPE: stat.S_IFREG,
    tarfile.SYMTYPE: stat.S_IFLNK,
    tarfile.DIRTYPE: stat.S_IFDIR,
    tarfile.CHRTYPE: stat.S_IFCHR,
    tarfile.BLKTYPE: stat.S_IFBLK,
    tarfile.FIFOTYPE: stat.S_IFIFO,
}


def tar_of(entries: Sequence[Entry]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz", compresslevel=1) as archive:
        for entry in entries:
            info = tarfile.TarInfo(entry.name)
            info.type, info.mode, info.linkname = entry.kind, entry.mode, entry.link
            info.size = len(entry.content)
            info.uid = info.gid = 12345
            archive.addfile(info, io.BytesIO(entry.content))
    return made.getvalue()


def zip_of(entries: Sequence[Entry]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry in entries:
            info = zipfile.ZipInfo("placeholder")
            info.filename = entry.name  # the constructor would mend it
            info.external_attr = (_MODES[entry.kind] | entry.mode) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, entry.link.encode() or entry.content)
    return made.getvalue()


def linux_archive(tag: str = "b11459", server: bytes = SERVER) -> bytes:
    """A tar as for Ubuntu: one folder, programs, libraries with their links, the license."""
    top = f"./llama-{tag}".removeprefix("./")
    return tar_of(
        [
            Entry(f"{top}/", kind=tarfile.DIRTYPE, mode=0o755),
            Entry(f"{top}/llama-server", server, 0o755),
            Entry(f"{top}/llama-cli", b"not needed", 0o755),
            Entry(f"{top}/libllama.so.0.0.11459", b"\x7fELF library", 0o755),
            Entry(f"{top}/libllama.so.0", kind=tarfile.SYMTYPE, link="libllama.so.0.0.11459"),
            Entry(f"{top}/libllama.so", kind=tarfile.SYMTYPE, link="libllama.so.0"),
            Entry(f"{top}/LICENSE", b"MIT License, theirs"),
        ]
    )


def windows_archive() -> bytes:
    """A zip as for Windows: flat, without modes and without a license."""
    return zip_of(
        [
            Entry("llama-server.exe", b"MZ server"),
            Entry("llama-cli.exe", b"MZ other"),
            Entry("ggml-cuda.dll", b"MZ cuda"),
        ]
    )
