"""Versions as Windows wants them, and what a program says of itself in its properties."""

from __future__ import annotations

import re

from identity import NAME, PUBLISHER

# Strings are English (0409) in Unicode (04B0); VOS_NT_WINDOWS32 and VFT_APP of verrsrc.h.
_TEMPLATE = """\
VSVersionInfo(
    ffi=FixedFileInfo(
        filevers={four}, prodvers={four}, mask=0x3F, flags=0x0, OS=0x40004, fileType=0x1, subtype=0x0, date=(0, 0)
    ),
    kids=[
        StringFileInfo([StringTable("040904B0", [{strings}])]),
        VarFileInfo([VarStruct("Translation", [0x0409, 0x04B0])]),
    ],
)
"""


def four_numbers(version: str) -> str:
    """Return a version as Windows wants it: `0.2.0rc1` → `0.2.0.0`. Raises ValueError without a number to begin."""
    found = re.match(r"\d+(\.\d+){0,3}", version)
    if found is None:
        raise ValueError(f"not a version: {version!r}")
    return ".".join([*found[0].split("."), "0", "0", "0"][:4])


def version_resource(version: str, file_name: str) -> str:
    """Return PyInstaller's version file for a program, which becomes its resource VS_VERSION_INFO."""
    said = {
        "CompanyName": PUBLISHER,
        "FileDescription": NAME,  # what the task manager and the firewall call it
        "FileVersion": version,
        "InternalName": NAME.lower(),
        "LegalCopyright": f"{PUBLISHER}, MIT license",
        "OriginalFilename": file_name,
        "ProductName": NAME,
        "ProductVersion": version,
    }
    strings = ", ".join(f"StringStruct({name!r}, {value!r})" for name, value in said.items())
    four = tuple(int(number) for number in four_numbers(version).split("."))
    return _TEMPLATE.format(four=four, strings=strings)
