"""The bundle's programs and libraries, as the loader of Linux sees them."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

_ELF = b"\x7fELF"
_SECTION = re.compile(r"^(.+):     file format \S+$", re.MULTILINE)
_SEARCH_PATH = re.compile(r"^  (?:RPATH|RUNPATH) +(\S+)$", re.MULTILINE)


def dynamic_sections(paths: Iterable[Path]) -> str:
    """What objdump says of the programs and libraries among these: what each is linked to, and where it looks."""
    programs = [str(path) for path in paths if _is_elf(path)]
    if not programs:
        return ""
    command = ["objdump", "--private-headers", *programs]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def forget_foreign_places(root: Path) -> None:
    """Have no program below `root` look for libraries in folders of the machine that built it.

    Such a place says nothing where the program runs, and whoever could write there would have it load what they like.
    Places beside the program itself (`$ORIGIN`) are kept.
    """
    for program in _with_foreign_places(root):
        subprocess.run(["patchelf", "--remove-rpath", str(program)], check=True)


def _with_foreign_places(root: Path) -> Iterator[Path]:
    parts = _SECTION.split(dynamic_sections(sorted(root.rglob("*"))))
    for name, text in zip(parts[1::2], parts[2::2], strict=True):
        places = [place for found in _SEARCH_PATH.findall(text) for place in found.split(":")]
        if any(not place.startswith("$ORIGIN") for place in places):
            yield Path(name)


def _is_elf(path: Path) -> bool:
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(_ELF)) == _ELF
