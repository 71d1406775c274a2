"""Model files that Llamero knows by itself: what a look at the disk found."""

from __future__ import annotations

import msgspec


class FileLook(msgspec.Struct, frozen=True, kw_only=True):
    """How a model file looked. `modified` in seconds since the epoch; the size is over all parts of a split model."""

    size_bytes: int
    modified: int
    embedding: bool = False


class ModelFile(msgspec.Struct, frozen=True, kw_only=True):
    """A model that was found: the name that it should have, and its file, the first one of a split model.

    `projector` is the part that sees or hears (`--mmproj`), where it is certain that it belongs to this model.
    """

    name: str
    path: str
    look: FileLook
    projector: str = ""
    from_hub: bool = False


class FoundModels(msgspec.Struct, frozen=True):
    """All models that were found, and how the files looked that were asked for besides (those that are there)."""

    models: tuple[ModelFile, ...] = ()
    looks: dict[str, FileLook] = {}
