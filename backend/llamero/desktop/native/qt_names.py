"""The names of Qt as pywebview asks QtPy for them, straight from PySide6.

QtPy copies every name of every Qt module that it covers, and PySide6 makes a class when it is first named. So importing
QtPy makes a thousand classes, of which pywebview uses a dozen, and takes two thirds of the time that the toolkit takes
to load. These modules stand in its place: they look names up when somebody asks.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

_BINDING = "PySide6"
# Where a name lives in PySide6, module by module; QtPy has some of them where Qt 5 had them.
_SOURCES = {
    "QtCore": ("QtCore",),
    "QtGui": ("QtGui",),
    "QtWidgets": ("QtWidgets", "QtGui"),
    "QtNetwork": ("QtNetwork",),
    "QtWebChannel": ("QtWebChannel",),
    "QtWebEngineCore": ("QtWebEngineCore",),
    "QtWebEngineWidgets": ("QtWebEngineWidgets", "QtWebEngineCore"),
}


def stand_in_for_qtpy() -> None:
    """Let `import qtpy` find these modules. Without effect where QtPy has been imported already; raises ImportError."""
    if "qtpy" in sys.modules:
        return
    package = _Names("qtpy", ())
    vars(package).update(__path__=[], PYSIDE6=True, PYQT6=False)
    modules: dict[str, ModuleType] = {"qtpy": package}
    for name, sources in _SOURCES.items():
        found = tuple([importlib.import_module(f"{_BINDING}.{source}") for source in sources])
        modules[f"qtpy.{name}"] = _Names(f"qtpy.{name}", found)
        setattr(package, name, modules[f"qtpy.{name}"])
    sys.modules.update(modules)


class _Names(ModuleType):
    """A module whose names are those of others."""

    def __init__(self, name: str, sources: tuple[ModuleType, ...]) -> None:
        super().__init__(name, __doc__)
        self._sources = sources

    def __getattr__(self, name: str) -> Any:
        for source in self._sources:
            try:
                return getattr(source, name)
            except AttributeError:
                continue
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
