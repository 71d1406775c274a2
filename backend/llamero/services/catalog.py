"""The models that can be named: each an alias with its configuration, the demo among them.

Two sorts: those that were opened, by a person or in an earlier run, and those that were found on the disk. Invariants:
an alias names one file; a second file of the same name gets a number behind its name; what was opened keeps its alias,
and a found file that has been opened is listed under that one. Files of the hub's cache always have their hub name.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from pathlib import Path

from msgspec.structs import replace

from llamero.infrastructure.llama.args import quote
from llamero.models.errors import ModelNotFound
from llamero.models.llama import LlamaCppConfig, ModelId
from llamero.models.model_files import FileLook, FoundModels, ModelFile

# What llama.cpp takes where a repository is named without one.
DEFAULT_QUANTIZATION = "Q4_K_M"


class ModelCatalog:
    """Aliases in the order in which they became known."""

    def __init__(self) -> None:
        self._configs: dict[str, LlamaCppConfig] = {}
        self._found: dict[str, LlamaCppConfig] = {}
        self._looks: dict[str, FileLook] = {}
        self._found_models: tuple[ModelFile, ...] = ()

    def add_file(self, path: Path) -> LlamaCppConfig:
        """Know a model file by its name; the same file keeps its alias."""
        absolute = str(path.absolute())
        for config in self._configs.values():
            if config.model.path == absolute:
                return config
        alias = _free(path.stem, self._configs)
        return self.add(LlamaCppConfig(model=ModelId(alias=alias, path=absolute)))

    def add(self, config: LlamaCppConfig) -> LlamaCppConfig:
        """Know a model under its alias, replacing what was known under it."""
        self._configs[config.model.alias] = config
        self._name_found()
        return config

    def use_found(self, found: FoundModels) -> None:
        """Know what was found on the disk, and no longer what was found before."""
        self._found_models = found.models
        self._looks = found.looks | {model.path: model.look for model in found.models}
        self._name_found()

    def look(self, path: str) -> FileLook | None:
        """How a model's file looked when the disk was last looked at; None where it was not there."""
        return self._looks.get(path)

    def of_hub(self, name: str) -> LlamaCppConfig | None:
        """The file of the hub's cache that `owner/repository:QUANT` names, or one of the repository without QUANT."""
        wanted = name.casefold()
        for one in (wanted, f"{wanted}:{DEFAULT_QUANTIZATION.casefold()}"):
            for alias, config in self._found.items():
                if alias.casefold() == one and "/" in alias:
                    return config
        return next((c for alias, c in self._found.items() if alias.casefold().startswith(f"{wanted}:")), None)

    def models(self) -> Sequence[ModelId]:
        """Every model, in the order in which it is listed."""
        return tuple([config.model for config in (*self._configs.values(), *self._found.values())])

    def opened(self) -> Sequence[ModelId]:
        """The models that were opened; the others were found."""
        return tuple([config.model for config in self._configs.values()])

    def find(self, name: str) -> ModelId:
        """Return the model of that name. Raises ModelNotFound."""
        return self.config(name).model

    def config(self, name: str) -> LlamaCppConfig:
        """Return how the model of that name is run. Raises ModelNotFound."""
        config = self._configs.get(name) or self._found.get(name)
        if config is None:
            raise ModelNotFound(model=name, param="model")
        return config

    def change(self, name: str, **parameters: object) -> LlamaCppConfig:
        """Run the model of that name with other parameters from the next request on. Raises ModelNotFound."""
        return self.add(replace(self.config(name), **parameters))

    def _name_found(self) -> None:
        opened = {config.model.path for config in self._configs.values()}
        self._found = {}
        for model in self._found_models:
            if model.path in opened and (not model.from_hub or model.name in self._configs):
                continue
            alias = _free(model.name, self._configs.keys() | self._found.keys())
            projector = ("--mmproj", quote(model.projector)) if model.projector else ()
            self._found[alias] = LlamaCppConfig(model=ModelId(alias, model.path), arguments=projector)


def _free(name: str, taken: Container[str]) -> str:
    """The name, or with the first number behind it that makes it one of its own."""
    alias, number = name, 2
    while alias in taken:
        alias, number = f"{name}-{number}", number + 1
    return alias
