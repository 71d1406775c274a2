"""The bills of materials name what is shipped, from the locks."""

from __future__ import annotations

import json
from pathlib import Path

from release.materials import page_materials, program_materials


def names(bill: Path) -> dict[str, str]:
    content = json.loads(bill.read_text(encoding="utf-8"))
    assert content["bomFormat"] == "CycloneDX"
    return {component["name"]: component["version"] for component in content["components"]}


def test_bill_of_the_program_names_what_it_runs_on_and_nothing_of_development(tmp_path: Path) -> None:
    found = names(program_materials(tmp_path))
    assert {"aiohttp", "msgspec", "pywebview", "xllamacpp"} <= found.keys()
    assert not {"pytest", "ruff", "pyinstaller"} & found.keys()


def test_bill_of_the_program_made_twice_is_the_same(tmp_path: Path) -> None:
    first = program_materials(tmp_path).read_bytes()
    assert program_materials(tmp_path).read_bytes() == first


def test_bill_of_the_page_names_what_it_is_built_of_and_nothing_of_development(tmp_path: Path) -> None:
    found = names(page_materials(tmp_path))
    assert {"lit-html", "dompurify", "katex"} <= found.keys()
    assert not {"vite", "eslint", "typescript"} & found.keys()
