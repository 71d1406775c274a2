"""The licenses of what Llamero is made of: from the package, or, in a checkout, from what is installed beside it.

A checkout has no file of them, but every installed distribution brings its own metadata (core metadata 2.4:
`License-Expression`, `License-File`). Looked up are those that Llamero needs here, and those that they need in turn.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution

from llamero.infrastructure.build_info import read_third_party_licenses
from llamero.models.build import ThirdPartyLicense

_ROOT = "llamero"
_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
_TEXT_FILE = re.compile(r"(^|/)(licen[cs]e|copying|notice)[^/]*$", re.IGNORECASE)
_CLASSIFIER = "License :: "
_TEXT_LIMIT = 200_000
_SHORT = 60


def third_party_licenses() -> tuple[ThirdPartyLicense, ...]:
    """Every work of others, by name. Blocks for some tenths of a second in a checkout."""
    return read_third_party_licenses() or installed_licenses(_ROOT)


def installed_licenses(root: str) -> tuple[ThirdPartyLicense, ...]:
    """The licenses of what a distribution needs, as far as it is installed here; its own is not among them."""
    found: dict[str, Distribution] = {}
    waiting = [root]
    while waiting:
        name = waiting.pop()
        if (key := _normalized(name)) in found:
            continue
        try:
            found[key] = distribution(name)
        except PackageNotFoundError:  # needed on another system, or for an extra
            continue
        waiting += _requirements(found[key])
    found.pop(_normalized(root), None)
    return tuple(_license(found[key]) for key in sorted(found))


def _requirements(one: Distribution) -> Iterator[str]:
    for line in one.requires or ():
        name = _REQUIREMENT.match(line)
        if name is not None and "extra ==" not in line:
            yield name[1]


def _license(one: Distribution) -> ThirdPartyLicense:
    text = "\n\n".join(_texts(one))[:_TEXT_LIMIT]
    return ThirdPartyLicense(name=one.name, version=one.version, license=_short_name(one), text=text)


def _short_name(one: Distribution) -> str:
    """The expression, else the classifiers, else the first words of the free text that older packages have."""
    fields = one.metadata.json
    if expression := fields.get("license_expression"):
        return str(expression)
    classifiers = [line.rpartition(" :: ")[2] for line in fields.get("classifier", ()) if line.startswith(_CLASSIFIER)]
    if classifiers:
        return ", ".join(classifiers)
    return str(fields.get("license", "")).strip().partition("\n")[0][:_SHORT]


def _texts(one: Distribution) -> Iterator[str]:
    for file in one.files or ():
        if _TEXT_FILE.search(str(file)) and ".dist-info/" in str(file):
            try:
                yield file.read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError):
                continue


def _normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
