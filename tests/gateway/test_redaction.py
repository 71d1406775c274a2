"""Paths become file names; what only looks like a path stays."""

from __future__ import annotations

import time

import pytest

from llamero.http.redaction import shorten_paths


@pytest.mark.parametrize(
    ("text", "shortened"),
    [
        ("/home/somebody/m.gguf", "m.gguf"),
        ("/home/some body/my model.gguf", "my model.gguf"),
        ("failed to open '/home/some body/m.gguf': no such file", "failed to open 'm.gguf': no such file"),
        ("error:/home/somebody/m.gguf", "error:m.gguf"),
        ("at /a/b/c.cpp:7 and /a/d.cpp:8", "at c.cpp:7 and d.cpp:8"),
        ("C:\\Users\\some body\\m.gguf", "m.gguf"),
        ('open "c:/Users/x/m.gguf"', 'open "m.gguf"'),
        ("\\\\server\\share\\m.gguf", "m.gguf"),
        ("model 'org/model:Q4' not found", "model 'org/model:Q4' not found"),
        ("http://127.0.0.1:8080/v1/models", "http://127.0.0.1:8080/v1/models"),
        ("read 3/4 of it, and/or more", "read 3/4 of it, and/or more"),
        ("", ""),
    ],
)
def test_shorten_paths_leaves_file_names(text: str, shortened: str) -> None:
    assert shorten_paths(text) == shortened


@pytest.mark.parametrize("text", [" /" * 20_000, "/a" * 20_000, "'/" * 20_000, "C:\\" * 20_000, " /a b" * 20_000 + ":"])
def test_shorten_paths_takes_no_time_on_hostile_text(text: str) -> None:
    started = time.perf_counter()
    shorten_paths(text)
    assert time.perf_counter() - started < 1
