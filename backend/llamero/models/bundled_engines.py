"""What a package says about the engines that it brings: the file `engines.json` beside their folders.

`build/engines.py` writes it and the packaged application reads it, so both sides use these Structs.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

MANIFEST_NAME = "engines.json"

VariantName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,99}\Z")]


class EngineArchive(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a release that an engine was unpacked from. `size` in bytes; `license` names that of its content."""

    name: str
    size: int
    sha256: str
    license: str


class BundledEngine(msgspec.Struct, frozen=True, kw_only=True):
    """An engine in the folder `variant`, started by `program` there."""

    variant: VariantName
    program: str
    release: str
    target: str
    archives: tuple[EngineArchive, ...]


class BundledEngines(msgspec.Struct, frozen=True, kw_only=True):
    """All engines of a package. `default` is the variant that is preferred to the embedded engine."""

    default: VariantName
    engines: tuple[BundledEngine, ...]

    def find(self, variant: str) -> BundledEngine | None:
        """The engine of that variant."""
        return next((engine for engine in self.engines if engine.variant == variant), None)
