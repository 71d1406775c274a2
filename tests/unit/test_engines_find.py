"""Finding the engine."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from llamero.infrastructure.llama import cpu_features as cpu
from llamero.infrastructure.llama.cpu_features import cpu_features, features_from_cpuinfo, lacks_avx2
from llamero.infrastructure.llama.engines import (
    EMBEDDED_MODULE,
    EXECUTABLE,
    embedded_command,
    find_engine,
    installed_variants,
)
from llamero.models.errors import EngineNotFound
from llamero.models.llama import Engine, EngineKind
from llamero.models.settings import EngineSettings
from tests.fakes.unprivileged import as_nobody, reachable_directory
from tests.unit.programs import write_program


def find(
    data_dir: Path,
    settings: EngineSettings | None = None,
    environment: Mapping[str, str] | None = None,
    read_cpu: Callable[[], frozenset[str] | None] = lambda: frozenset(("avx2",)),
    has_xllamacpp: bool = True,
) -> Engine:
    return find_engine(
        settings or EngineSettings(),
        data_dir,
        environment=environment if environment is not None else {"PATH": ""},
        read_cpu=read_cpu,
        has_xllamacpp=lambda: has_xllamacpp,
    )


def refused(data_dir: Path, settings: EngineSettings) -> EngineNotFound:
    with pytest.raises(EngineNotFound) as caught:
        find(data_dir, settings)
    return caught.value


def install(data_dir: Path, variant: str, changed: int = 1) -> Path:
    path = write_program(data_dir / "engines" / variant / EXECUTABLE, "pass")
    os.utime(path, (changed, changed))
    return path


@pytest.fixture
def everywhere(tmp_path: Path) -> dict[str, str]:
    """An engine in each of the places, strongest first."""
    write_program(tmp_path / "own" / "my-server", "pass")
    install(tmp_path, "cpu")
    write_program(tmp_path / "bin" / EXECUTABLE, "pass")
    return {"PATH": f"relative{os.pathsep}{os.pathsep}{tmp_path / 'none'}{os.pathsep}{tmp_path / 'bin'}"}


def test_find_engine_path_in_settings_comes_first(tmp_path: Path, everywhere: dict[str, str]) -> None:
    path = tmp_path / "own" / "my-server"
    engine = find(tmp_path, EngineSettings(path=str(path), variant="cpu"), everywhere)
    assert engine == Engine(EngineKind.SETTINGS, (str(path),))


def test_find_engine_installed_variant_comes_before_path(tmp_path: Path, everywhere: dict[str, str]) -> None:
    engine = find(tmp_path, environment=everywhere)
    assert engine == Engine(EngineKind.INSTALLED, (str(tmp_path / "engines" / "cpu" / EXECUTABLE),), "cpu")


def test_find_engine_path_comes_before_embedded(tmp_path: Path, everywhere: dict[str, str]) -> None:
    engine = find(tmp_path / "empty", environment=everywhere)
    assert engine == Engine(EngineKind.PATH, (str(tmp_path / "bin" / EXECUTABLE),))


def test_find_engine_fresh_machine_uses_embedded(tmp_path: Path) -> None:
    assert find(tmp_path) == Engine(EngineKind.EMBEDDED, (sys.executable, "-m", EMBEDDED_MODULE))


def test_find_engine_variant_embedded_skips_the_search(tmp_path: Path, everywhere: dict[str, str]) -> None:
    assert find(tmp_path, EngineSettings(variant="embedded"), everywhere).kind is EngineKind.EMBEDDED


def test_find_engine_wanted_variant_is_used(tmp_path: Path) -> None:
    install(tmp_path, "cpu", changed=2)
    wanted = install(tmp_path, "vulkan", changed=1)
    engine = find(tmp_path, EngineSettings(variant="vulkan"))
    assert engine == Engine(EngineKind.INSTALLED, (str(wanted),), "vulkan")


def test_find_engine_newest_variant_is_used_where_none_is_wanted(tmp_path: Path) -> None:
    install(tmp_path, "a", changed=1)
    install(tmp_path, "b", changed=3)
    install(tmp_path, "c", changed=2)
    install(tmp_path, ".hidden", changed=9)
    install(tmp_path, "not-executable", changed=9).chmod(0o644)
    assert [name for name, _ in installed_variants(tmp_path)] == ["b", "c", "a"]
    assert find(tmp_path).variant == "b"


@pytest.mark.parametrize("variant", ["vulkan", "../own", "/etc", "a/b"])
def test_find_engine_wanted_variant_that_is_not_installed_is_named(tmp_path: Path, variant: str) -> None:
    error = refused(tmp_path, EngineSettings(variant=variant))
    assert error.code == "context_error-exec_not_exists"
    assert variant in str(error.arguments["path"])


@pytest.mark.parametrize("text", ["/no/such/file", "~nobody-of-that-name/x", "\0"])
def test_find_engine_path_that_does_not_exist_is_named(tmp_path: Path, text: str) -> None:
    error = refused(tmp_path, EngineSettings(path=text))
    assert error.code == "context_error-exec_not_exists"
    assert str(error.arguments["path"]).endswith(text)


def test_find_engine_path_without_execute_bit_is_named(tmp_path: Path) -> None:
    path = write_program(tmp_path / "server", "pass")
    path.chmod(0o644)
    error = refused(tmp_path, EngineSettings(path=str(path)))
    assert (error.code, error.arguments["path"]) == ("context_error-exec_not_executable", str(path))


def test_find_engine_directory_is_not_executable(tmp_path: Path) -> None:
    assert refused(tmp_path, EngineSettings(path=str(tmp_path))).code == "context_error-exec_not_executable"


def test_find_engine_on_path_passes_over_what_cannot_be_started(tmp_path: Path) -> None:
    (tmp_path / "a" / EXECUTABLE).mkdir(parents=True)
    write_program(tmp_path / "b" / EXECUTABLE, "pass").chmod(0o644)
    good = write_program(tmp_path / "c" / EXECUTABLE, "pass")
    path = os.pathsep.join(str(tmp_path / name) for name in "abc")
    assert find(tmp_path, environment={"PATH": path}).command == (str(good),)


def test_find_engine_on_path_passes_over_directories_that_nobody_may_enter() -> None:
    with reachable_directory() as folder:
        locked = folder / "locked"
        write_program(locked / EXECUTABLE, "pass")
        locked.chmod(0)
        kind = as_nobody(lambda: find(folder, environment={"PATH": str(locked)}).kind)
    assert kind is EngineKind.EMBEDDED


def test_find_engine_relative_directory_on_path_is_not_searched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_program(tmp_path / EXECUTABLE, "pass")
    monkeypatch.chdir(tmp_path)
    assert find(tmp_path, environment={"PATH": f".{os.pathsep}"}).kind is EngineKind.EMBEDDED


@pytest.mark.parametrize(
    "body", ["from llamero.cli import main; main()", "os.execv('/opt/llamero', sys.argv)", "import llamero"]
)
def test_find_engine_on_path_never_finds_itself_as_a_script(tmp_path: Path, body: str) -> None:
    write_program(tmp_path / EXECUTABLE, body)
    assert find(tmp_path, environment={"PATH": str(tmp_path)}).kind is EngineKind.EMBEDDED


def test_find_engine_on_path_never_finds_itself_as_a_link(tmp_path: Path) -> None:
    (tmp_path / EXECUTABLE).symlink_to(sys.executable)
    assert find(tmp_path, environment={"PATH": str(tmp_path)}).kind is EngineKind.EMBEDDED


def test_find_engine_without_avx2_says_so_before_any_spawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "AMD64")
    with pytest.raises(EngineNotFound) as caught:
        find(tmp_path, read_cpu=lambda: frozenset(("sse4_2", "avx")))
    assert caught.value.code == "engine_error-cpu_without_avx2"


def test_find_engine_without_avx2_still_uses_a_native_one(tmp_path: Path, everywhere: dict[str, str]) -> None:
    assert find(tmp_path, environment=everywhere, read_cpu=frozenset).kind is EngineKind.INSTALLED


def test_find_engine_unknown_cpu_is_given_a_chance(tmp_path: Path) -> None:
    assert find(tmp_path, read_cpu=lambda: None).kind is EngineKind.EMBEDDED


def test_find_engine_without_xllamacpp_says_so(tmp_path: Path) -> None:
    with pytest.raises(EngineNotFound) as caught:
        find(tmp_path, has_xllamacpp=False)
    assert caught.value.code == "engine_error-xllamacpp_missing"


def test_embedded_command_packaged_application_starts_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert embedded_command() == (sys.executable, "--embedded-engine")


def test_cpu_features_of_this_machine_are_read() -> None:
    features = cpu_features()
    assert features
    assert not lacks_avx2(features)


def test_cpu_features_unreadable_source_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpu, "_CPUINFO", tmp_path / "none")
    assert cpu_features() is None


@pytest.mark.parametrize(
    ("text", "features"),
    [
        ("model name\t: flags of ours\nflags\t\t: fpu avx2 bmi2\nflags\t\t: fpu\n", {"fpu", "avx2", "bmi2"}),
        ("Features\t: fp asimd\n", {"fp", "asimd"}),
        ("processor : 0\n", None),
        ("", None),
    ],
)
def test_features_from_cpuinfo_reads_the_first_processor(text: str, features: set[str] | None) -> None:
    assert features_from_cpuinfo(text) == features


@pytest.mark.parametrize(
    ("machine", "features", "lacks"),
    [
        ("x86_64", {"avx"}, True),
        ("x86_64", {"avx2"}, False),
        ("AMD64", set(), True),
        ("arm64", set(), False),
        ("aarch64", {"asimd"}, False),
        ("x86_64", None, False),
    ],
)
def test_lacks_avx2_only_where_it_is_known_to(machine: str, features: set[str] | None, lacks: bool) -> None:
    assert lacks_avx2(frozenset(features) if features is not None else None, machine) is lacks
