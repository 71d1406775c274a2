"""`llamero FILE.gguf`, as file managers start programs."""

from __future__ import annotations

import pytest

from llamero.cli import _open_by_name


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["/a b.gguf"], ["--model", "/a b.gguf"]),
        (["A.GGUF"], ["--model", "A.GGUF"]),
        (["--data-dir", "/d", "a.gguf"], ["--data-dir", "/d", "--model", "a.gguf"]),
        (["--model", "a.gguf"], ["--model", "a.gguf"]),
        (["serve", "--model", "a.gguf"], ["serve", "--model", "a.gguf"]),
        (["run", "a.gguf"], ["run", "a.gguf"]),
        (["--data-dir", "a.gguf"], ["--data-dir", "a.gguf"]),
        (["--x.gguf"], ["--x.gguf"]),
        (["doctor"], ["doctor"]),
        ([], []),
    ],
)
def test_model_file_alone_is_opened_in_the_window_and_nothing_else_is(arguments: list[str], meant: list[str]) -> None:
    assert _open_by_name(arguments) == meant
