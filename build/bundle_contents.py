"""What goes into the bundle: the decisions of `llamero.spec`, as functions that PyInstaller has no part in.

`window` says whose browser shows the page on Linux: `qt` carries its own, `system` uses the system's WebKitGTK. On
other systems the browser is always the system's.
"""

from __future__ import annotations

import ast
import importlib.metadata
import importlib.util
import re
import sys
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path

from bundle_exclusions import CARRIED, FILES, MODULES

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "backend" / "llamero"
PAGE = ROOT / "frontend" / "dist"
SYSTEM_PACKAGES = Path("/usr/lib/python3/dist-packages")

Entry = tuple[str, str, str]
"""One file of PyInstaller's table of contents: place in the bundle, source, type."""

_FILES = re.compile("|".join(FILES))
_CARRIED = re.compile("|".join(CARRIED))
_SYSTEM_FOLDERS = ("/lib/", "/lib64/", "/usr/lib/", "/usr/lib64/")
_LIBRARY = re.compile(r"((PySide6|shiboken6)/)?(Qt/lib/)?([^/]+\.dll|lib[^/]+\.so[.0-9]*|[^/]+\.dylib)")
_REQUIREMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")

_QT = ("QtCore", "QtGui", "QtNetwork", "QtWebChannel", "QtWebEngineCore", "QtWebEngineWidgets", "QtWidgets")
_TOOLKIT_MODULES = {
    "qt": ("webview.platforms.qt", "qtpy", "PySide6", *(f"PySide6.{name}" for name in _QT)),
    "system": ("webview.platforms.gtk",),
    "win32": (
        "webview.platforms.winforms",
        "webview.platforms.edgechromium",
        "clr_loader",
        "pythonnet",
        "pystray",
        "PIL.Image",
    ),
    "darwin": ("webview.platforms.cocoa", "Foundation", "WebKit", "objc"),
}


def toolkits(window: str) -> tuple[str, ...]:
    """The keys of what draws the window in this bundle; all others are left out."""
    return (window,) if sys.platform.startswith("linux") else (sys.platform,)


def own_data() -> list[tuple[str, str]]:
    """The package's files that are not code, and the built page, as (source, folder in the bundle)."""
    files = [path for path in PACKAGE.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")]
    found = [(str(path), str(Path("llamero") / path.parent.relative_to(PACKAGE))) for path in sorted(files)]
    return [*found, (str(PAGE), "llamero/frontend")]


def runtime_distributions() -> tuple[str, ...]:
    """The installed distributions that Llamero needs to run, itself first, and theirs."""
    found: dict[str, None] = {}
    waiting = ["llamero"]
    while waiting:
        name = _normal(waiting.pop())
        if name in found:
            continue
        try:
            requirements = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue  # for another system or another Python
        found[name] = None
        needed = (_REQUIREMENT.match(line) for line in requirements if "extra ==" not in line)
        waiting.extend(match[0] for match in needed if match)
    return tuple(found)


def excluded_modules(window: str) -> list[str]:
    """Modules that PyInstaller must not follow: the table's, other toolkits', and what is installed to develop."""
    needed = set(runtime_distributions())
    development = {
        module
        for module, owners in importlib.metadata.packages_distributions().items()
        if module.isidentifier() and not {_normal(owner) for owner in owners} & needed
    }
    others = {name for key, names in _TOOLKIT_MODULES.items() if key not in toolkits(window) for name in names}
    return sorted({*MODULES, *development, *others})


def hidden_imports(window: str) -> list[str]:
    """Modules that are imported by a name which stands nowhere as an import."""
    names = {"webview", "webview.guilib", *(name for key in toolkits(window) for name in _TOOLKIT_MODULES[key])}
    if window == "system" and "system" in toolkits(window):
        names |= set(_standard_modules_of(gi_folder()))
    return sorted(names)


def gi_folder() -> Path:
    """Where PyGObject is that fits this Python. Raises FileNotFoundError with what to install."""
    specification = importlib.util.find_spec("gi")
    places = [Path(place) for place in (specification.submodule_search_locations or ())] if specification else []
    major, minor = sys.version_info[:2]
    for folder in (*places, SYSTEM_PACKAGES / "gi"):
        if any(folder.glob(f"_gi.cpython-{major}{minor}-*.so")):
            return folder
    message = f"PyGObject for Python {major}.{minor} is missing: pip install PyGObject"
    raise FileNotFoundError(message)


def gi_data(window: str) -> list[tuple[str, str]]:
    """PyGObject as (source, folder), where the window is the system's: its hooks would bring the whole of GTK."""
    if "system" not in toolkits(window):
        return []
    folder = gi_folder()
    patterns = ("*.py", "_gi.*.so", "overrides/*.py", "repository/*.py")
    files = [path for pattern in patterns for path in folder.glob(pattern)]
    return [(str(path), str(Path("gi") / path.parent.relative_to(folder))) for path in sorted(files)]


def is_wanted(entry: Entry, *, carry_system_libraries: bool) -> bool:
    """Whether a file that PyInstaller found belongs into the bundle."""
    place, source, _ = entry
    place = place.replace("\\", "/")
    if _FILES.match(place):
        return False
    if sys.platform.startswith("linux") and source.startswith(_SYSTEM_FOLDERS) and _is_library(place):
        return carry_system_libraries and _CARRIED.match(place) is not None
    return True


def without_unused_libraries(
    entries: Collection[Entry], imports: Callable[[str], Iterable[tuple[str, str | None]]]
) -> list[Entry]:
    """Drop libraries that nothing in the bundle links against, and links to what is not there.

    `imports` names the libraries that a file links against, each with where it was found.
    """
    files = [entry for entry in entries if entry[2] != "SYMLINK"]
    by_name = {Path(entry[0]).name: entry for entry in files}
    kept = {entry[0]: entry for entry in files if not _is_library(entry[0]) or "libpython" in entry[0]}
    waiting = [entry for entry in kept.values() if entry[2] in ("BINARY", "EXTENSION")]
    while waiting:
        for name, _ in imports(waiting.pop()[1]):
            entry = by_name.get(Path(name).name)
            if entry is not None and entry[0] not in kept:
                kept[entry[0]] = entry
                waiting.append(entry)
    links = [entry for entry in entries if entry[2] == "SYMLINK" and entry[1].replace("\\", "/") in kept]
    return [*kept.values(), *links]


def _is_library(place: str) -> bool:
    return _LIBRARY.fullmatch(place.replace("\\", "/")) is not None


def _standard_modules_of(folder: Path) -> Iterator[str]:
    """The modules of the standard library that the Python files of a folder import."""
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            yield from (name for name in names if name.partition(".")[0] in sys.stdlib_module_names)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
