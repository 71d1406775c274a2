"""The engines of a package: which is found, and what happens where it does not start."""

from __future__ import annotations

import asyncio
import functools
import logging
import sys
from pathlib import Path

import msgspec
import pytest

from llamero.infrastructure.llama.bundled import bundled_engine, bundled_folder
from llamero.infrastructure.llama.engine_choice import EngineChoice, Find
from llamero.infrastructure.llama.engines import EXECUTABLE, engine_version, find_engine
from llamero.infrastructure.paths import find_paths
from llamero.infrastructure.settings_file import load_settings
from llamero.models.bundled_engines import MANIFEST_NAME, BundledEngine, BundledEngines
from llamero.models.doctor import Level
from llamero.models.errors import EngineNotFound
from llamero.models.llama import EngineKind, LlamaCppConfig, ModelId
from llamero.models.settings import EngineSettings, Settings
from llamero.services.doctor import Doctor
from llamero.services.llama.planning import Planner
from tests.unit.engine_help import HELP
from tests.unit.programs import write_program

STARTS = f"print('version: 1 (starts)' if '--version' in sys.argv else {HELP!r})"
LACKS_A_LIBRARY = (
    "print('llama-server: error while loading shared libraries: libgomp.so.1: cannot open', file=sys.stderr)\n"
    "sys.exit(127)"
)
WRONG_PROCESSOR = "import signal\nos.kill(os.getpid(), signal.SIGILL)"


def pack(folder: Path, default: str = "vulkan", **bodies: str) -> Path:
    """Engines as `build/engines.py` makes them, each a small program."""
    for variant, body in bodies.items():
        write_program(folder / variant / EXECUTABLE, body)
    engines = tuple(
        BundledEngine(variant=variant, program=EXECUTABLE, release="b1", target="here", archives=())
        for variant in bodies
    )
    content = msgspec.json.encode(BundledEngines(default=default, engines=engines))
    (folder / MANIFEST_NAME).write_bytes(content)
    return folder


def finding(folder: Path, *, cpu: frozenset[str] = frozenset(("avx2",))) -> Find:
    return functools.partial(
        find_engine,
        environment={"PATH": ""},
        read_cpu=lambda: cpu,
        has_xllamacpp=lambda: True,
        find_bundled=lambda: folder,
    )


def test_bundled_folder_of_a_checkout_is_none() -> None:
    assert bundled_folder() is None


@pytest.mark.parametrize(
    ("platform", "program", "folder"),
    [
        ("linux", "opt/llamero/llamero", "opt/llamero/engines"),
        ("win32", "Llamero/llamero.exe", "Llamero/engines"),
        ("darwin", "Llamero.app/Contents/MacOS/Llamero", "Llamero.app/Contents/Resources/engines"),
        ("darwin", "build/llamero", "build/engines"),
    ],
)
def test_bundled_folder_of_a_package_is_beside_its_program(
    platform: str, program: str, folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(sys, "executable", str(tmp_path / program))
    assert bundled_folder() == tmp_path.resolve() / folder


def test_bundled_default_is_preferred_to_the_embedded_engine(tmp_path: Path) -> None:
    folder = pack(tmp_path / "engines", cpu=STARTS, vulkan=STARTS)
    engine = finding(folder)(EngineSettings(), tmp_path / "data")
    assert (engine.kind, engine.variant) == (EngineKind.BUNDLED, "vulkan")
    assert engine.command == (str(folder / "vulkan" / EXECUTABLE),)


def test_bundled_default_gives_way_to_path_and_installed(tmp_path: Path) -> None:
    find = finding(pack(tmp_path / "bundle", vulkan=STARTS))
    write_program(tmp_path / "bin" / EXECUTABLE, "pass")
    on_path = functools.partial(find, environment={"PATH": str(tmp_path / "bin")})
    assert on_path(EngineSettings(), tmp_path).kind is EngineKind.PATH
    write_program(tmp_path / "engines" / "cpu" / EXECUTABLE, "pass")
    assert on_path(EngineSettings(), tmp_path).kind is EngineKind.INSTALLED


def test_bundled_variant_is_found_by_its_name(tmp_path: Path) -> None:
    find = finding(pack(tmp_path / "bundle", cpu=STARTS, vulkan=STARTS))
    engine = find(EngineSettings(variant="cpu"), tmp_path)
    assert (engine.kind, engine.variant) == (EngineKind.BUNDLED, "cpu")
    with pytest.raises(EngineNotFound):
        find(EngineSettings(variant="cuda"), tmp_path)


def test_bundled_installed_variant_of_the_same_name_comes_first(tmp_path: Path) -> None:
    find = finding(pack(tmp_path / "bundle", vulkan=STARTS))
    write_program(tmp_path / "engines" / "vulkan" / EXECUTABLE, "pass")
    assert find(EngineSettings(variant="vulkan"), tmp_path).kind is EngineKind.INSTALLED


@pytest.mark.parametrize(
    "manifest",
    [
        b"",
        b"{",
        b'{"default": "../x", "engines": []}',
        b'{"default": "vulkan", "engines": []}',
        b'{"default": "a", "engines": [{"variant": "a", "program": "../../llama-server", "release": "b1", '
        b'"target": "t", "archives": []}]}',
        b'{"default": "a", "engines": [{"variant": "a", "program": "gone", "release": "b1", "target": "t", '
        b'"archives": []}]}',
    ],
    ids=["empty", "broken", "path as name", "default is missing", "program elsewhere", "program is gone"],
)
def test_bundled_manifest_that_is_not_right_is_like_none(manifest: bytes, tmp_path: Path) -> None:
    folder = pack(tmp_path / "engines", vulkan=STARTS)
    write_program(tmp_path / EXECUTABLE, STARTS)
    (folder / MANIFEST_NAME).write_bytes(manifest)
    assert bundled_engine(folder) is None
    assert finding(folder)(EngineSettings(), tmp_path / "data").kind is EngineKind.EMBEDDED


async def test_choice_bundled_engine_that_starts_is_used(tmp_path: Path) -> None:
    choice = EngineChoice(tmp_path, engine_version, finding(pack(tmp_path / "bundle", vulkan=STARTS)))
    engine = await choice.choose(EngineSettings())
    assert (engine.kind, engine.instead_of) == (EngineKind.BUNDLED, None)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (LACKS_A_LIBRARY, "the engine lacks the library libgomp.so.1; install it or choose another engine"),
        (WRONG_PROCESSOR, "the processor lacks an instruction that this engine was built for"),
        ("sys.exit(0)", ""),
    ],
    ids=["missing library", "wrong processor", "says nothing"],
)
async def test_choice_bundled_engine_that_does_not_start_gives_way_and_says_so_once(
    body: str, reason: str, tmp_path: Path, demo_model: Path, caplog: pytest.LogCaptureFixture
) -> None:
    find = finding(pack(tmp_path / "bundle", vulkan=body))
    planner = Planner(Settings(), tmp_path, tmp_path / "cache", find)
    with caplog.at_level(logging.WARNING):
        for alias in ("a", "b"):
            plan = await planner.plan(LlamaCppConfig(model=ModelId(alias, str(demo_model))))
            engine = plan.spec.engine
            assert engine.kind is EngineKind.EMBEDDED
            assert engine.instead_of is not None
            assert engine.instead_of.variant == "vulkan"
            assert reason in engine.instead_of.reason
    said = [record.getMessage() for record in caplog.records if "vulkan" in record.getMessage()]
    assert len(said) == 1
    assert "The embedded engine is used instead." in said[0]


async def test_choice_new_settings_ask_the_bundled_engine_again(tmp_path: Path, demo_model: Path) -> None:
    folder = pack(tmp_path / "bundle", vulkan=LACKS_A_LIBRARY)
    planner = Planner(Settings(), tmp_path, tmp_path / "cache", finding(folder))
    config = LlamaCppConfig(model=ModelId("a", str(demo_model)))
    assert (await planner.plan(config)).spec.engine.kind is EngineKind.EMBEDDED
    write_program(folder / "vulkan" / EXECUTABLE, STARTS)
    planner.use(Settings())
    assert (await planner.plan(config)).spec.engine.kind is EngineKind.BUNDLED


async def test_choice_bundled_variant_that_was_named_is_not_passed_over(tmp_path: Path) -> None:
    find = finding(pack(tmp_path / "bundle", vulkan=LACKS_A_LIBRARY))
    engine = await EngineChoice(tmp_path, engine_version, find).choose(EngineSettings(variant="vulkan"))
    assert (engine.kind, engine.variant) == (EngineKind.BUNDLED, "vulkan")


async def test_choice_where_the_embedded_engine_cannot_run_either_says_what_the_first_lacks(tmp_path: Path) -> None:
    find = finding(pack(tmp_path / "bundle", vulkan=LACKS_A_LIBRARY), cpu=frozenset())
    with pytest.raises(Exception, match=r"libgomp\.so\.1"):
        await EngineChoice(tmp_path, engine_version, find).choose(EngineSettings())


async def test_choice_check_of_many_at_once_is_answered_for_all(tmp_path: Path) -> None:
    find = finding(pack(tmp_path / "bundle", vulkan=LACKS_A_LIBRARY))
    choice = EngineChoice(tmp_path, engine_version, find)
    engines = await asyncio.gather(*(choice.choose(EngineSettings()) for _ in range(5)))
    assert len(set(engines)) == 1
    assert engines[0].kind is EngineKind.EMBEDDED


@pytest.mark.parametrize(
    ("body", "said", "levels"),
    [
        (STARTS, "variant vulkan that came with Llamero, version: 1", [Level.OK]),
        (LACKS_A_LIBRARY, "The engine vulkan that came with Llamero does not start", [Level.OK, Level.WARNING]),
    ],
    ids=["starts", "does not"],
)
async def test_doctor_names_the_bundled_engine(body: str, said: str, levels: list[Level], tmp_path: Path) -> None:
    paths = find_paths(tmp_path / "data")
    find = finding(pack(tmp_path / "bundle", vulkan=body))
    doctor = Doctor(paths, load_settings(paths.settings_file, {}, {}), find=find)
    about = [finding for finding in await doctor.examine() if finding.name == "Engine"]
    assert [one.level for one in about] == levels
    assert said in about[-1].text
    assert bool(about[-1].advice) == (levels[-1] is not Level.OK)
    assert not paths.cache.exists()
