"""A packaged Llamero with an engine of its own, which starts on this machine or does not.

A script stands in for the package's program: it says that it is frozen, lies beside the folder of engines, and is
started again in the roles of guardian and embedded engine, as the real one is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from llamero.infrastructure.llama.engines import EXECUTABLE
from llamero.models.bundled_engines import MANIFEST_NAME, BundledEngine, BundledEngines
from llamero.models.llama import Engine
from tests.fakes.launch import REPOSITORY, fake_engine, starts
from tests.process.cli import Chat, Home, serving
from tests.unit.programs import write_program

LACKS_A_LIBRARY = (
    "print('llama-server: error while loading shared libraries: libvulkan.so.1: cannot open', file=sys.stderr)\n"
    "sys.exit(127)"
)


class PackagedHome(Home):
    """Runs the package's program in place of the checkout's."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.folder = directory / "opt"
        self.program = write_program(
            self.folder / "llamero",
            f"sys.path.insert(0, {str(REPOSITORY / 'backend')!r})\n"
            "sys.frozen, sys.executable = True, os.path.abspath(__file__)\n"
            "from llamero.__main__ import main\n"
            "sys.exit(main())",
        )

    def command(self, *arguments: str | Path) -> list[str]:
        return [str(self.program), "--data-dir", str(self.data), *map(str, arguments)]

    def bring(self, variant: str) -> Path:
        """Bring an engine along; returns its folder, which is to be filled."""
        engine = BundledEngine(variant=variant, program=EXECUTABLE, release="b1", target="here", archives=())
        manifest = BundledEngines(default=variant, engines=(engine,))
        (self.folder / "engines" / variant).mkdir(parents=True)
        (self.folder / "engines" / MANIFEST_NAME).write_bytes(msgspec.json.encode(manifest))
        return self.folder / "engines" / variant


@pytest.fixture
def home(tmp_path: Path) -> Iterator[PackagedHome]:
    home = PackagedHome(tmp_path)
    yield home
    home.end_all()


def engine_of(home: Home) -> tuple[str, str]:
    """What `ps` says: the note about the engine, in the table's form and in the one for programs."""
    (one,) = json.loads(home.run("ps", "--json").stdout)
    return one["engine_note"], home.run("ps").stderr


def test_bundled_engine_that_starts_runs_the_models(home: PackagedHome, demo_model: Path) -> None:
    engine: Engine = fake_engine(home.bring("vulkan"))
    with serving(home, "--port", "0", "--model", demo_model) as server:
        assert Chat(server.port(), "demo").text()
        assert starts(engine)
        assert engine_of(home) == ("", "")
    said = home.run("doctor")
    assert "variant vulkan that came with Llamero" in said.stdout, said


def test_bundled_engine_that_does_not_start_is_replaced_by_the_embedded_one_which_says_so(
    home: PackagedHome, demo_model: Path
) -> None:
    write_program(home.bring("vulkan") / EXECUTABLE, LACKS_A_LIBRARY)
    note = "The engine vulkan that came with Llamero does not start on this machine: the engine lacks the library"
    with serving(home, "--port", "0", "--model", demo_model) as server:
        assert Chat(server.port(), "demo").text()
        in_json, in_terminal = engine_of(home)
        assert in_json.startswith(note)
        assert note in in_terminal
    assert note in (home.data / "logs" / "llamero.log").read_text(encoding="utf-8")
    said = home.run("doctor")
    assert (said.status, note in said.stdout) == (0, True), said
    assert "embedded" in said.stdout


def test_package_without_engines_uses_the_embedded_one(home: PackagedHome) -> None:
    said = home.run("doctor")
    assert (said.status, "embedded" in said.stdout) == (0, True), said
    assert "came with Llamero" not in said.stdout
