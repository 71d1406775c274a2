"""How long a model stays, where its alias, the settings and a request have a say."""

from __future__ import annotations

import pytest

from llamero.models.llama import LlamaCppConfig, ModelId
from llamero.services.llama.keep_alive import keep_alive_of, wanted_by_request

DEFAULT_S = 300.0


@pytest.mark.parametrize(
    ("own", "wanted", "may_shorten", "holds"),
    [
        (None, None, True, 300),
        (60, None, False, 60),
        (None, 0, True, 0),
        (None, 3600, True, 3600),
        (None, 0, False, 300),
        (60, 0, False, 60),
        (60, 0.001, False, 60),
        (60, 61, False, 61),
        (60, -1, False, -1),
        (-1, 5, False, -1),
        (-1, 5, True, 5),
        (0, 5, False, 5),
        (0, 0, False, 0),
    ],
)
def test_keep_alive_that_holds(own: float | None, wanted: float | None, may_shorten: bool, holds: float) -> None:
    config = LlamaCppConfig(model=ModelId("m", "/m.gguf"), keep_alive_s=own)
    assert keep_alive_of(wanted_by_request(config, wanted, may_shorten), DEFAULT_S) == holds
