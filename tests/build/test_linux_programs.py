"""What packages are told of the programs in them, on programs that are compiled for it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from linux.dependencies import needed_packages
from linux.programs import dynamic_sections, forget_foreign_places
from linux.tree import normalize


def compiled(path: Path, *options: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    command = ["gcc", "-o", path, "-x", "c", "-", "-x", "none", *options]
    subprocess.run(command, input="int main(void) { return 0; }", text=True, check=True)
    return path


@pytest.mark.parametrize("kind", ["--enable-new-dtags", "--disable-new-dtags"])
def test_search_path_of_the_machine_that_built_is_forgotten_and_the_program_runs(tmp_path: Path, kind: str) -> None:
    program = compiled(tmp_path / "program", f"-Wl,{kind},-rpath,/home/builder/lib")
    assert "/home/builder" in dynamic_sections([program])
    forget_foreign_places(tmp_path)
    assert "/home/builder" not in dynamic_sections([program])
    subprocess.run([program], check=True)


def test_search_path_beside_the_program_is_kept(tmp_path: Path) -> None:
    program = compiled(tmp_path / "program", "-Wl,-rpath,$ORIGIN/lib")
    before = program.read_bytes()
    forget_foreign_places(tmp_path)
    assert program.read_bytes() == before


def test_packages_of_libraries_outside_the_bundle_are_needed_and_the_c_library_by_its_version(tmp_path: Path) -> None:
    compiled(tmp_path / "program", "-Wl,--no-as-needed", "-l:libX11.so.6")
    packages = needed_packages(tmp_path)
    assert "libx11-6" in packages
    assert any(package.startswith("libc6 (>= 2.") for package in packages)


def test_library_that_the_bundle_brings_is_asked_of_nobody(tmp_path: Path) -> None:
    library = compiled(tmp_path / "lib" / "libherd.so.1", "-shared", "-Wl,-soname,libherd.so.1")
    compiled(tmp_path / "program", "-Wl,--no-as-needed", str(library))
    assert not any("herd" in package for package in needed_packages(tmp_path))


def test_library_that_nobody_has_stops_the_build(tmp_path: Path) -> None:
    library = compiled(tmp_path / "libherd.so.1", "-shared", "-Wl,-soname,libherd.so.1")
    compiled(tmp_path / "bundle" / "program", "-Wl,--no-as-needed", str(library))
    with pytest.raises(SystemExit, match=r"libherd\.so\.1"):
        needed_packages(tmp_path / "bundle")


def test_tree_is_dated_and_may_be_read_and_libraries_are_started_by_nobody(tmp_path: Path) -> None:
    program, library = tmp_path / "program", tmp_path / "lib" / "liba.so.1"
    for file in (program, library):
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(b"")
        file.chmod(0o700)
    normalize(tmp_path, 1_790_000_000)
    assert [path.stat().st_mode & 0o777 for path in (program, library, library.parent)] == [0o755, 0o644, 0o755]
    assert {path.stat().st_mtime for path in (program, library, library.parent)} == {1_790_000_000}
