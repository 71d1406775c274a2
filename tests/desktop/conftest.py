"""A display for the whole session, and apps that end with their test."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.desktop.desktop_app import SYSTEM_PACKAGES, DesktopApp, running_app
from tests.desktop.x11 import Display, virtual_display

Launch = Callable[..., DesktopApp]


@pytest.fixture(scope="session")
def display() -> Iterator[Display]:
    with virtual_display() as shown:
        yield shown


@pytest.fixture(params=["qt", "gtk"])
def toolkit(request: pytest.FixtureRequest) -> str:
    """Both of Linux. GTK's binding comes from the system, so it is for the system's Python alone."""
    binding = Path(SYSTEM_PACKAGES) / "gi"
    version = f"{sys.version_info.major}{sys.version_info.minor}"
    if request.param == "gtk" and binding.is_dir() and not list(binding.glob(f"_gi.cpython-{version}-*.so")):
        pytest.skip("the system's PyGObject is for another version of Python")
    return str(request.param)


@pytest.fixture
def launch(display: Display, tmp_path: Path) -> Iterator[Launch]:
    """Start the app: `launch(*arguments, toolkit=…, data_dir=…)`."""
    with ExitStack() as stack:

        def start(*arguments: str, toolkit: str, data_dir: Path = tmp_path / "data", **options: Any) -> DesktopApp:
            return stack.enter_context(
                running_app(data_dir, *arguments, display=display.name, toolkit=toolkit, **options)
            )

        yield start
