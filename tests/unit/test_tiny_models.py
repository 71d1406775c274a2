"""The shipped demo is what its script makes, small, and split into words in one way only."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import llamero

ROOT = Path(__file__).resolve().parent.parent.parent
ASSET = Path(llamero.__file__).parent / "assets" / "demo.gguf"


def test_shipped_demo_made_again_has_the_same_bytes(demo_model: Path) -> None:
    assert ASSET.read_bytes() == demo_model.read_bytes(), "run `make models` and commit the result"


def test_shipped_demo_is_smaller_than_two_megabytes() -> None:
    assert ASSET.stat().st_size < 2_000_000


def test_models_with_another_hash_seed_have_the_same_bytes(models_dir: Path, tmp_path: Path) -> None:
    command = [sys.executable, "build/make_models.py", "--out", tmp_path, "think", "tools", "embed"]
    subprocess.run(command, check=True, capture_output=True, timeout=60, cwd=ROOT, env={"PYTHONHASHSEED": "7"})
    for name in ("think", "tools", "embed"):
        assert (tmp_path / f"{name}.gguf").read_bytes() == (models_dir / f"{name}.gguf").read_bytes(), name


def test_make_models_with_an_unknown_name_fails_with_a_reason(tmp_path: Path) -> None:
    command = [sys.executable, "build/make_models.py", "--out", tmp_path, "gpt"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert ended.returncode == 2
    assert "no such model: gpt" in ended.stderr
    assert not list(tmp_path.iterdir())
