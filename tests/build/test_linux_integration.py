"""What a Linux desktop and a shell are told of Llamero: judged by the validators that distributions use."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from identity import APPLICATION_ID
from linux import share
from linux.manual import manual_page
from linux.product import Product
from linux.releases import Release, as_debian, read_releases
from llamero import __version__
from llamero.cli import build_parser
from llamero.commands.options import Options

MOMENT = 1_790_000_000  # 2026-09-21
CHANGELOG = """# Changelog

## Unreleased

### Added

* Answers in `color`, also
  over two lines.
* **Louder** llamas.

## 0.2.0 - 2026-05-04

### Fixed

* Hums no more.
"""


def judged_well(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_desktop_entry_is_valid() -> None:
    judged_well("desktop-file-validate", share.DESKTOP_ENTRY)


def test_metainfo_is_valid_and_names_this_version(tmp_path: Path) -> None:
    text = share.metainfo(Product(tmp_path, __version__, "amd64", MOMENT))
    file = tmp_path / f"{APPLICATION_ID}.metainfo.xml"
    file.write_text(text)
    judged_well("appstreamcli", "validate", "--no-net", file)
    assert f'<release version="{__version__}" date="2026-09-21"/>' in text


def test_mime_type_of_gguf_is_known_by_name_and_by_content(tmp_path: Path) -> None:
    (tmp_path / "packages").mkdir()
    shutil.copy(share.SOURCES / "llamero.mime.xml", tmp_path / "packages" / "llamero.xml")
    judged_well("update-mime-database", tmp_path)
    assert ":application/x-gguf:*.gguf" in (tmp_path / "globs2").read_text()
    assert b"application/x-gguf]\n>0=\x00\x04GGUF" in (tmp_path / "magic").read_bytes()


def test_desktop_entries_open_the_type_that_is_registered() -> None:
    described = re.search(r'mime-type type="([^"]+)"', (share.SOURCES / "llamero.mime.xml").read_text())
    assert described is not None
    assert f"MimeType={described[1]};" in share.DESKTOP_ENTRY.read_text()
    assert f"<mediatype>{described[1]}</mediatype>" in (share.SOURCES / "llamero.metainfo.xml").read_text()


@pytest.mark.parametrize(("file", "model"), [("/models/a.gguf", Path("/models/a.gguf")), (None, None)])
def test_desktop_entry_starts_with_a_file_and_without(file: str | None, model: Path | None) -> None:
    line = next(line for line in share.DESKTOP_ENTRY.read_text().splitlines() if line.startswith("Exec="))
    _, *arguments = line.removeprefix("Exec=").split()
    given = [file if word == "%f" else word for word in arguments if word != "%f" or file]
    options = build_parser().parse_args([str(word) for word in given], namespace=Options())
    assert (options.command, options.model) == (None, model)


def test_icons_are_there_in_the_sizes_that_menus_want() -> None:
    sizes = {size for size, _ in share.icon_files()}
    assert sizes >= {"16x16", "32x32", "48x48", "128x128", "256x256", "512x512", "scalable"}
    assert all(path.is_file() for _, path in share.icon_files())


def test_manual_has_every_option_and_command_of_the_parser() -> None:
    page = manual_page(build_parser(), __version__, MOMENT).replace("\\-", "-")
    wanted = (("serve", "--ollama-port"), ("alias set", "--gpu-layers"), ("key create", "--scope"), ("ps", "--json"))
    for words in wanted:
        section = page[page.index(f".SS llamero {words[0]}") :].partition("\n.SS ")[0]
        assert words[1] in section, words
    assert "--selftest" not in page
    assert '.TH LLAMERO 1 "2026-09-21"' in page


def test_manual_is_without_warnings_of_the_formatter(tmp_path: Path) -> None:
    file = tmp_path / "llamero.1"
    file.write_text(manual_page(build_parser(), __version__, MOMENT), encoding="utf-8")
    done = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-z", file], capture_output=True, text=True, check=True)
    assert done.stderr == ""


def test_releases_of_the_changelog_are_read_newest_first() -> None:
    assert read_releases(CHANGELOG, "0.3.0", MOMENT) == (
        Release("0.3.0", MOMENT, ("Answers in color, also over two lines.", "Louder llamas.")),
        Release("0.2.0", 1_777_852_800, ("Hums no more.",)),
    )


def test_release_that_the_changelog_does_not_know_is_told_all_the_same() -> None:
    released = CHANGELOG.replace("## Unreleased", "## 0.3.0 - 2026-06-01")
    assert [release.version for release in read_releases(released, "0.3.1", MOMENT)] == ["0.3.1", "0.3.0", "0.2.0"]


def test_heading_that_is_no_release_stops_the_build() -> None:
    with pytest.raises(ValueError, match="Some day"):
        read_releases(CHANGELOG.replace("## Unreleased", "## Some day"), "0.3.0", MOMENT)


def test_changelog_for_debian_is_read_by_its_parser(tmp_path: Path) -> None:
    file = tmp_path / "changelog"
    file.write_text(as_debian(read_releases(CHANGELOG, "0.3.0", MOMENT), "llamero"))
    command = ["dpkg-parsechangelog", "--file", file, "--all", "--show-field", "Changes"]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    assert told.stderr == ""
    assert "llamero (0.2.0)" in told.stdout
