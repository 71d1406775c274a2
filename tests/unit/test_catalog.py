"""The names of models: one file, one alias."""

from __future__ import annotations

from pathlib import Path

import pytest

from llamero.models.errors import ModelNotFound
from llamero.models.llama import LlamaCppConfig, ModelId
from llamero.services.catalog import ModelCatalog


def test_file_is_known_by_its_name() -> None:
    catalog = ModelCatalog()
    config = catalog.add_file(Path("/models/demo.Q4.gguf"))
    assert config.model == ModelId("demo.Q4", str(Path("/models/demo.Q4.gguf").absolute()))
    assert catalog.find("demo.Q4") == config.model


def test_same_file_added_again_keeps_its_alias_and_parameters() -> None:
    catalog = ModelCatalog()
    catalog.add_file(Path("/models/demo.gguf"))
    changed = catalog.change("demo", context_length=2048)
    assert catalog.add_file(Path("/models/demo.gguf")) == changed
    assert len(catalog.models()) == 1


def test_relative_path_is_made_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert ModelCatalog().add_file(Path("demo.gguf")).model.path == str(tmp_path / "demo.gguf")


def test_second_and_third_file_of_one_name_get_a_number() -> None:
    catalog = ModelCatalog()
    aliases = [catalog.add_file(Path(f"/{folder}/demo.gguf")).model.alias for folder in "abc"]
    assert aliases == ["demo", "demo-2", "demo-3"]
    assert [model.alias for model in catalog.models()] == aliases


def test_number_that_is_taken_by_a_name_is_passed_over() -> None:
    catalog = ModelCatalog()
    for path in ("/a/demo-2.gguf", "/a/demo.gguf", "/b/demo.gguf"):
        catalog.add_file(Path(path))
    assert [model.alias for model in catalog.models()] == ["demo-2", "demo", "demo-3"]


def test_add_replaces_what_was_known_under_the_alias() -> None:
    catalog = ModelCatalog()
    catalog.add(LlamaCppConfig(model=ModelId("m", "/one.gguf")))
    catalog.add(LlamaCppConfig(model=ModelId("m", "/two.gguf")))
    assert [model.path for model in catalog.models()] == ["/two.gguf"]


@pytest.mark.parametrize("name", ["", "other", "DEMO", "../demo"])
def test_unknown_name_is_model_not_found(name: str) -> None:
    catalog = ModelCatalog()
    catalog.add_file(Path("/models/demo.gguf"))
    for ask in (catalog.find, catalog.config, catalog.change):
        with pytest.raises(ModelNotFound) as caught:
            ask(name)
        assert (caught.value.arguments, caught.value.param) == ({"model": name}, "model")
