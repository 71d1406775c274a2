"""Models as Ollama's clients name them: `name:latest` is `name`."""

from __future__ import annotations

from llamero.gateway.protocols import Models
from llamero.models.errors import ModelNotFound

_LATEST = ":latest"


async def known_name(models: Models, name: str) -> str:
    """Return the name under which a model is known: without the tag that clients add, where nothing has it.

    A name that nothing has comes back as it is; whoever uses it says so.
    """
    if not name.endswith(_LATEST) or name == _LATEST:
        return name
    try:
        await models.find(name)
    except ModelNotFound:
        return name.removesuffix(_LATEST)
    return name
