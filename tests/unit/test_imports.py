"""The walls of the house: imports point one way, and side effects stay in `infrastructure`."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "backend" / "llamero"
# What a room may import. Rooms side by side do not see each other.
BELOW: dict[str, frozenset[str]] = {
    "": frozenset(),  # the package itself: its version
    "models": frozenset(),
    "infrastructure": frozenset({"models"}),
    "services": frozenset({"models", "infrastructure"}),
    "http": frozenset({"models", "infrastructure"}),  # what the two HTTP surfaces share
    "gateway": frozenset({"models", "infrastructure", "services", "http"}),
    "bridge": frozenset({"models", "infrastructure", "services", "http"}),
    "desktop": frozenset({"models", "infrastructure", "services"}),
    "application": frozenset({"models", "infrastructure", "services", "http", "gateway", "bridge", "desktop"}),
    "cli": frozenset({"models", "infrastructure", "services", "http", "gateway", "bridge", "desktop", "application"}),
}
# The command line is one room of several modules.
ROOM_OF = {"__main__": "cli", "commands": "cli"}
# Data that is not code, and the package's version, are anybody's.
NEUTRAL = frozenset({"", "locale", "assets"})
IO_MODULES = frozenset(
    {"aiohttp", "ctypes", "http", "mmap", "multiprocessing", "psutil", "pynvml", "requests", "selectors", "shutil"}
    | {"signal", "socket", "socketserver", "sqlite3", "ssl", "subprocess", "tempfile", "urllib", "xllamacpp"}
)
# `os.stat` twice per request is how a plan is known to be still true; the number of cores is no side effect.
OS_NAMES = frozenset({"stat", "cpu_count"})
ASYNCIO_IO = frozenset(
    {"create_subprocess_exec", "create_subprocess_shell", "open_connection", "open_unix_connection", "start_server"}
    | {"start_unix_server", "subprocess"}
)
EMBEDDED_MAY_IMPORT = frozenset(
    f"llamero.infrastructure.llama.{name}"
    for name in (
        "embedded_arguments",
        "embedded_flags",
        "embedded_flags_server",
        "embedded_setters",
        "cpu_features",
        "holding",
    )
)


def modules() -> dict[str, Path]:
    """Dotted names below the package, and their files."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        found[".".join(part for part in parts if part != "__init__")] = path
    return found


MODULES = modules()


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def room(name: str) -> str:
    first = name.split(".")[0]
    return ROOM_OF.get(first, first)


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """Every module that a file imports, wherever in it, by its whole name."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import hides which wall it passes"
            module = node.module or ""
            yield from ((f"{module}.{alias.name}", node.lineno) for alias in node.names)


def own_imports(path: Path) -> Iterator[tuple[str, int]]:
    """Those of our own package, without its name."""
    for name, line in imports(path):
        if name.split(".")[0] == "llamero":
            yield name.removeprefix("llamero").removeprefix("."), line


def test_every_room_is_known() -> None:
    assert {room(name) for name in MODULES} <= set(BELOW)
    assert len(MODULES) > 50, "the walk found the package"


@pytest.mark.parametrize("name", MODULES)
def test_imports_point_one_way(name: str) -> None:
    allowed = BELOW[room(name)] | {room(name)} | NEUTRAL
    broken = [
        f"{MODULES[name]}:{line} imports {imported}"
        for imported, line in own_imports(MODULES[name])
        if room(imported) not in allowed and imported != "__version__"
    ]
    assert broken == []


@pytest.mark.parametrize("name", [name for name in MODULES if room(name) == "services"])
def test_services_leave_side_effects_to_infrastructure(name: str) -> None:
    path = MODULES[name]
    broken = [f"{path}:{line} imports {module}" for module, line in imports(path) if module.split(".")[0] in IO_MODULES]
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            owner, attribute = node.value.id, node.attr
            if (owner == "os" and attribute not in OS_NAMES) or (owner == "asyncio" and attribute in ASYNCIO_IO):
                broken.append(f"{path}:{node.lineno} uses {owner}.{attribute}")
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "open":
            broken.append(f"{path}:{node.lineno} opens a file")
    assert broken == []


@pytest.mark.parametrize("name", [name for name in MODULES if room(name) == "models"])
def test_models_import_nothing_but_their_library_and_the_standard_one(name: str) -> None:
    allowed = {"msgspec", "llamero", *sys.stdlib_module_names} - IO_MODULES - {"os", "asyncio", "threading"}
    foreign = {module.split(".")[0] for module, _ in imports(MODULES[name])} - allowed
    assert foreign == set()


def test_transitions_read_no_clock_and_do_no_io() -> None:
    pure = [
        f"services.llama.{name}" for name in ("transitions", "scheduling", "state", "events", "effects", "recovery")
    ]
    forbidden = {"time", "logging", "os", "asyncio", "random", "secrets", "threading", "datetime"} | IO_MODULES
    for name in pure:
        assert not {module.split(".")[0] for module, _ in imports(MODULES[name])} & forbidden, name


def test_embedded_engine_imports_nothing_of_ours_but_what_it_is_made_of() -> None:
    # It is a process of its own that may crash: it starts fast and drags nothing in.
    for name in ("embedded", *(module.rpartition(".")[2] for module in EMBEDDED_MAY_IMPORT)):
        path = MODULES[f"infrastructure.llama.{name}"]
        ours = {f"llamero.{imported}" for imported, _ in own_imports(path)}
        strangers = {one for one in ours if not any(one == m or one.startswith(f"{m}.") for m in EMBEDDED_MAY_IMPORT)}
        assert strangers <= {"llamero.__version__"}, name
