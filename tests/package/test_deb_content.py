"""The `.deb` as it lies there: what Debian's own judge says, how large it is, and that it is the same every time."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from linux.deb import write_deb
from linux.product import Product

LARGEST_MB = 190


def test_deb_is_well_made_by_the_judgment_of_lintian(package: Path) -> None:
    command = ["lintian", "--no-cfg", "--fail-on", "error,warning", "--tag-display-limit", "0", package]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


def test_deb_is_no_larger_than_a_download_may_be(package: Path) -> None:
    assert package.stat().st_size <= LARGEST_MB * 1_000_000


def test_deb_has_its_command_on_path_and_belongs_to_root(package: Path) -> None:
    listing = subprocess.run(["dpkg-deb", "--contents", package], capture_output=True, text=True, check=True).stdout
    assert " ./usr/bin/llamero -> ../lib/llamero/llamero" in listing
    assert {line.split()[1] for line in listing.splitlines()} == {"root/root"}


def test_deb_made_twice_of_one_bundle_is_the_same(tmp_path: Path, demo_model: Path) -> None:
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    program = bundle / "llamero"
    program.write_bytes(Path("/bin/true").read_bytes())
    program.chmod(0o755)
    packages = []
    for name in ("one", "two"):
        (bundle / "demo.gguf").write_bytes(demo_model.read_bytes())  # with a new time
        made = write_deb(Product(bundle, "1.0", "amd64", 1_790_000_000), tmp_path / name)
        packages.append(made.read_bytes())
    assert packages[0] == packages[1]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_deb_brings_completions_that_the_shell_can_read(package: Path, shell: str, tmp_path: Path) -> None:
    from linux.completions import PLACES

    subprocess.run(["dpkg-deb", "--extract", package, tmp_path], check=True)
    script = tmp_path / "usr" / PLACES[shell]
    # In zsh completions can only be loaded, and asked for by whoever types.
    asked, answer = {
        "bash": (
            f"source {script}; COMP_WORDS=(llamero se); COMP_CWORD=1; _shtab_llamero llamero se llamero; "
            'echo "${COMPREPLY[@]}"',
            "serve",
        ),
        "zsh": (
            f"fpath=({script.parent} $fpath); autoload -U compinit; compinit -u -D; "
            "autoload -U +X _llamero && print ${_comps[llamero]}",
            "_llamero",
        ),
        "fish": (f"source {script}; complete --do-complete 'llamero se'", "serve"),
    }[shell]
    done = subprocess.run([shell, "-c", asked], capture_output=True, text=True, check=True, timeout=30)
    assert done.stderr == ""
    assert answer in done.stdout
