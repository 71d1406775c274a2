"""How an embedded engine is held: started, but not to load its model before its owner has made room for it.

The owner sets a variable and keeps the engine's stdin open; one byte there is the word to go on, and an end without
one means that the owner is gone. Imports next to nothing: the engine reads it before every model load.
"""

from __future__ import annotations

import os

HOLD_VARIABLE = "LLAMERO_HOLD_MODEL"


def may_load() -> bool:
    """In the engine: wait for the word where it was asked to. False: there will be none."""
    return not os.environ.get(HOLD_VARIABLE) or bool(os.read(0, 1))
