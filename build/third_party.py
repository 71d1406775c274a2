"""Collects the licenses of what others made and the bundle contains.

Python packages bring theirs in their metadata, the page's packages beside their code. What brings none, or is part of
something else (llama.cpp in the engine's wheel, Qt in PySide6, the libraries of the interpreter), has its terms in the
table here, with texts in `license_texts/`. A work without terms is an error: what nobody may ship is not shipped.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import re
import ssl
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict

from bundle_contents import ROOT, runtime_distributions

FRONTEND = ROOT / "frontend"
TEXTS = Path(__file__).resolve().parent / "license_texts"
# Installed to build the page, and its pictures end up in it.
_PICTURES = "node_modules/lucide-static"
_LICENSE_NAME = re.compile(r"(un)?licen[cs]e|copying|notice|authors", re.IGNORECASE)


class Work(TypedDict):
    """As `ThirdPartyLicense` of the package's models, which reads it."""

    name: str
    version: str
    license: str
    text: str


# What brings no text of its own: the short name, who has the rights, and which texts.
_WITHOUT_TEXT: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "fluent-runtime": ("Apache-2.0", "Copyright Mozilla Foundation and others", ("Apache-2.0",)),
    "fluent-syntax": ("Apache-2.0", "Copyright Mozilla Foundation and others", ("Apache-2.0",)),
    "nvidia-ml-py": ("BSD-3-Clause", "Copyright (c) 2011-2025, NVIDIA Corporation", ("BSD-3-Clause",)),
    "proxy-tools": (
        "BSD-3-Clause",
        "Copyright (c) 2013 by Armin Ronacher (adapted by Jonathan Tushman 2014)",
        ("BSD-3-Clause",),
    ),
}
_QT = """\
Qt and Qt for Python are used under the GNU Lesser General Public License, version 3.
Copyright (C) The Qt Company Ltd. and other contributors.
Their libraries are files of their own in `_internal/PySide6` and `_internal/shiboken6`, and may be replaced by others.
Their source code is at https://download.qt.io/official_releases/.
Qt WebEngine contains Chromium: https://doc.qt.io/qt-6/qtwebengine-licensing.html names its authors and terms.
"""
_QT_PACKAGES = ("pyside6-addons", "pyside6-essentials", "shiboken6")


def third_party_licenses(window: str) -> list[Work]:
    """Every work of others in the bundle, by name. Raises ValueError for one without terms."""
    works = [*_python_packages(window), *_page_packages(), *_native_parts(window)]
    for work in works:
        if not work["text"].strip() or not work["license"]:
            message = f"{work['name']} comes without its license: add it to {Path(__file__).name}"
            raise ValueError(message)
    return sorted(works, key=lambda work: work["name"].lower())


def write_notices(works: list[Work], path: Path) -> None:
    """Write one text for people."""
    head = "Llamero contains works of others. Their names, their versions and their terms:\n"
    parts = [f"{'=' * 100}\n{work['name']} {work['version']}\n{work['license']}\n\n{work['text']}\n" for work in works]
    path.write_text("\n".join([head, *parts]), encoding="utf-8")


def _python_packages(window: str) -> Iterator[Work]:
    left_out = {"llamero", *(() if window == "qt" else (*_QT_PACKAGES, "qtpy"))}
    for name in runtime_distributions():
        distribution = importlib.metadata.distribution(name)
        if name in left_out:
            continue
        if name in _QT_PACKAGES:
            text = _text(_QT, "LGPL-3.0", "GPL-3.0")
            yield {"name": name, "version": distribution.version, "license": "LGPL-3.0-only", "text": text}
        elif text := _text_in_metadata(distribution):
            yield {"name": name, "version": distribution.version, "license": _short_name(distribution), "text": text}
        else:
            yield _from_table(name, distribution.version)


def _text_in_metadata(distribution: importlib.metadata.Distribution) -> str:
    files = [file for file in distribution.files or () if ".dist-info" in str(file) and _LICENSE_NAME.match(file.name)]
    return "\n\n".join(Path(str(file.locate())).read_text(encoding="utf-8", errors="replace") for file in files)


def _from_table(name: str, version: str) -> Work:
    if name not in _WITHOUT_TEXT:
        message = f"{name} comes without its license: add it to {Path(__file__).name}"
        raise ValueError(message)
    license_name, copyright_line, texts = _WITHOUT_TEXT[name]
    return {"name": name, "version": version, "license": license_name, "text": _text(copyright_line, *texts)}


def _short_name(distribution: importlib.metadata.Distribution) -> str:
    """The name of the terms: the expression of the metadata, a short `License`, or a classifier."""
    metadata = distribution.metadata
    if expression := metadata.get("License-Expression"):
        return expression
    written = (metadata.get("License") or "").strip()
    if written:
        return written.splitlines()[0]
    classifiers = [line.rpartition(" :: ")[2] for line in metadata.get_all("Classifier") or () if "License" in line]
    return ", ".join(classifiers) or "see below"


def _page_packages() -> Iterator[Work]:
    """What the page's lock needs to run, and the package whose pictures are drawn into it."""
    lock = json.loads((FRONTEND / "package-lock.json").read_text(encoding="utf-8"))
    for place, package in lock["packages"].items():
        if not place or (place != _PICTURES and (package.get("dev") or package.get("optional"))):
            continue
        folder = FRONTEND / place
        files = sorted(path for path in folder.iterdir() if path.is_file() and _LICENSE_NAME.match(path.name))
        text = "\n\n".join(path.read_text(encoding="utf-8", errors="replace") for path in files)
        name = place.rpartition("node_modules/")[2]
        yield {"name": name, "version": package["version"], "license": package.get("license", ""), "text": text}


def _native_parts(window: str) -> Iterator[Work]:
    """What is compiled into other parts, or comes with the interpreter."""
    build = importlib.metadata.version("xllamacpp").rpartition(".")[2]
    text = _text("Copyright (c) 2023-2026 The ggml authors", "MIT")
    yield {"name": "llama.cpp", "version": f"b{build}", "license": "MIT", "text": text}
    version = platform.python_version()
    yield {"name": "Python", "version": version, "license": "PSF-2.0", "text": _python_license()}
    openssl = ssl.OPENSSL_VERSION.split()[1]
    yield {"name": "OpenSSL", "version": openssl, "license": "Apache-2.0", "text": _text("", "Apache-2.0")}
    text = _text("Copyright (c) 1996-2025 Anthony Green, Red Hat, Inc and others", "MIT")
    yield {"name": "libffi", "version": "3", "license": "MIT", "text": text}
    if window == "qt" and sys.platform.startswith("linux"):
        text = _text("Copyright (c) 1988-2025 The X.Org Foundation and contributors, Ran Benita, Daniel Stone", "MIT")
        yield {"name": "libxcb-util and libxkbcommon", "version": "1", "license": "MIT", "text": text}


def _python_license() -> str:
    for folder in (Path(os.__file__).parent, Path(sys.base_prefix)):
        for name in ("LICENSE.txt", "LICENSE"):
            if (folder / name).is_file():
                return (folder / name).read_text(encoding="utf-8", errors="replace")
    return "Python Software Foundation License Version 2: https://docs.python.org/3/license.html"


def _text(first: str, *names: str) -> str:
    texts = [(TEXTS / f"{name}.txt").read_text(encoding="utf-8") for name in names]
    return "\n\n".join(filter(None, [first, *texts]))
