"""How much a line of an engine matters, and which refusal is our own doing."""

from __future__ import annotations

import logging
import time

import pytest

from llamero.infrastructure.llama.engine_lines import REFUSAL_S, EngineLines, level_of
from tests.fakes.clock import FakeClock

REFUSED = "0.01.464.038 W srv    operator(): unauthorized: Invalid API Key"


@pytest.mark.parametrize(
    ("line", "level"),
    [
        ("0.00.007.096 I srv          init: initializing ...", logging.INFO),
        ("0.00.026.505 E gguf_init_from_file: failed to open GGUF file '/m.gguf'", logging.ERROR),
        ("12.05.019.097 W srv          init: security: no API key is set", logging.WARNING),
        ("0.00.019.097 D slot  update: no error, only a detail", logging.DEBUG),
        ("0.00.019.097 I srv  init: common_init: warning: this is said for information", logging.INFO),
        ("E srv          init: exiting due to model loading error", logging.ERROR),
        ("W srv  llama_server: -----------------", logging.WARNING),
        ("error: invalid argument: --frobnicate", logging.ERROR),
        ("warning: no usable GPU found, --gpu-layers option will be ignored", logging.WARNING),
        ("DEPRECATED: --embedding", logging.WARNING),
        ("ModuleNotFoundError: No module named 'xllamacpp'", logging.ERROR),
        ("Traceback (most recent call last):", logging.ERROR),
        ("/src/ggml.c:5: GGML_ASSERT(x > 0) failed", logging.ERROR),
        ("terminate called after throwing an instance of 'std::bad_alloc'", logging.ERROR),
        ("llama_model_load: error loading model: unknown model architecture: 'zebra'", logging.ERROR),
        ("main: server is listening on http://127.0.0.1:8080 - starting the main loop", logging.INFO),
        ("Experts are what a model has, terrors are not", logging.INFO),
        ("", logging.INFO),
    ],
)
def test_line_has_the_level_that_it_says_or_sounds_like(line: str, level: int) -> None:
    assert level_of(line) == level


def test_refusal_that_was_asked_for_is_seen_by_nobody_and_the_next_one_is() -> None:
    lines = EngineLines(FakeClock())
    lines.expect_refusal()
    assert lines.wants("0.01.464.037 I srv  init: loading")
    assert not lines.wants(REFUSED)
    assert lines.wants(REFUSED)


def test_refusal_that_nobody_asked_for_is_seen() -> None:
    clock = FakeClock()
    lines = EngineLines(clock)
    assert lines.wants(REFUSED)
    assert lines.level_of(REFUSED) == logging.WARNING
    lines.expect_refusal()
    clock.advance(REFUSAL_S + 0.1)
    assert lines.wants(REFUSED)


@pytest.mark.parametrize("line", ["x" * 8192, "error" * 1600, "E" * 8192, "9" * 8192, "warn" * 2048])
def test_level_of_a_line_that_is_made_to_be_long_takes_no_time(line: str) -> None:
    began = time.perf_counter()
    for _ in range(200):  # as many as are logged in a second
        level_of(line)
    assert time.perf_counter() - began < 0.1
