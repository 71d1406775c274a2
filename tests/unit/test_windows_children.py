"""What is to hold for children on Windows and can be seen without one: in the sources, and by the type checker."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGE = ROOT / "backend" / "llamero"
STARTS = {"Popen", "run", "call", "check_call", "check_output", "create_subprocess_exec", "create_subprocess_shell"}
MODULES = {"subprocess", "asyncio"}
# The guardian is for systems without job objects, the parent-death signal is Linux', and osascript is macOS'.
NOT_ON_WINDOWS = {
    ("infrastructure/notifications.py", "_run"),
    ("infrastructure/processes/guard.py", "_start"),
    ("infrastructure/processes/spawner.py", "parent_death_prefix"),
}


def starts_of_children() -> Iterator[tuple[str, str, ast.Call]]:
    """Every call that starts a program: module, function, call."""
    for path in PACKAGE.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
        for function in functions:
            for node in ast.walk(function):
                match node:
                    case ast.Call(func=ast.Attribute(value=ast.Name(id=module), attr=name)):
                        if module in MODULES and name in STARTS and (module, name) != ("asyncio", "run"):
                            yield path.relative_to(PACKAGE).as_posix(), function.name, node


def test_every_child_that_windows_sees_is_started_without_a_console_window() -> None:
    found = list(starts_of_children())
    assert {"infrastructure/processes/spawner.py", "infrastructure/llama/probe.py"} <= {place for place, _, _ in found}
    bare = [
        f"{place}:{call.lineno}"
        for place, function, call in found
        if (place, function) not in NOT_ON_WINDOWS
        and not any(keyword.arg == "creationflags" for keyword in call.keywords)
    ]
    assert bare == []


@pytest.mark.timeout(300)
def test_part_that_guards_children_passes_the_type_checker_as_windows_would_run_it(tmp_path: Path) -> None:
    """Whatever is behind `sys.platform == "win32"` is passed over otherwise."""
    command = [sys.executable, "-m", "mypy", "--platform", "win32", "--cache-dir", tmp_path]
    command += ["-p", "llamero.infrastructure.processes"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
