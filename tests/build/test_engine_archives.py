"""Hostile archives, one attack per test, in both formats; each must leave nothing outside of its folder."""

from __future__ import annotations

import io
import os
import stat
import tarfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from engine_release.archives import unpack
from engine_release.members import Bounds
from engine_release.refusal import BuildRefused
from tests.build.archives import Entry, tar_of, zip_of

Pack = Callable[[Sequence[Entry]], bytes]
FORMATS = pytest.mark.parametrize(("pack", "ending"), [(tar_of, ".tar.gz"), (zip_of, ".zip")], ids=["tar", "zip"])


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder in a folder, beside a file that must stay as it is."""
    (tmp_path / "kept").write_bytes(b"as it was")
    (tmp_path / "inner").mkdir()
    return tmp_path / "inner"


def attack(place: Path, content: bytes, ending: str, said: str, bounds: Bounds | None = None) -> None:
    """Unpack: it is refused for that reason, and nothing is anywhere but below `out`."""
    archive = place / f"attack{ending}"
    archive.write_bytes(content)
    with pytest.raises(BuildRefused, match=said):
        unpack(archive, place / "out", bounds)
    assert sorted(path.name for path in place.iterdir()) == [archive.name, "out"]
    assert sorted(path.name for path in place.parent.iterdir()) == ["inner", "kept"]
    assert (place.parent / "kept").read_bytes() == b"as it was"


def unpacked(place: Path, content: bytes, ending: str) -> Path:
    archive = place / f"good{ending}"
    archive.write_bytes(content)
    unpack(archive, place / "out")
    return place / "out"


@FORMATS
def test_archive_with_files_folders_and_links_is_unpacked(pack: Pack, ending: str, place: Path) -> None:
    entries = [
        Entry("./top/", kind=tarfile.DIRTYPE, mode=0o755),
        Entry("./top/llama-server", b"server", 0o4777),
        Entry("top/lib.so.1", b"library", 0o600),
        Entry("top/lib.so", kind=tarfile.SYMTYPE, link="lib.so.1"),
    ]
    out = unpacked(place, pack(entries), ending)
    assert (out / "top" / "lib.so").read_bytes() == b"library"
    assert (out / "top" / "lib.so").readlink() == Path("lib.so.1")
    # No set-user-ID bit, no writing by others, no owner from the archive.
    status = (out / "top" / "llama-server").stat()
    assert (stat.S_IMODE(status.st_mode), status.st_uid) == (0o755, os.getuid())
    assert stat.S_IMODE((out / "top" / "lib.so.1").stat().st_mode) == 0o644


@FORMATS
@pytest.mark.parametrize("name", ["../kept", "a/../../kept", "a/b/../../../kept", "..", "./../kept"])
def test_zip_slip_parent_folder_is_refused(name: str, pack: Pack, ending: str, place: Path) -> None:
    attack(place, pack([Entry(name, b"evil")]), ending, "leads out of its folder")


@FORMATS
@pytest.mark.parametrize("name", ["/etc/llamero-evil", "//server/share", "/"])
def test_absolute_path_is_refused(name: str, pack: Pack, ending: str, place: Path) -> None:
    attack(place, pack([Entry(name, b"evil")]), ending, "is absolute")


@FORMATS
@pytest.mark.parametrize("name", ["..\\..\\kept", "C:\\Windows\\evil", "C:evil", "file:stream", "a\x01b", "que?stion"])
def test_windows_path_or_stream_is_refused(name: str, pack: Pack, ending: str, place: Path) -> None:
    attack(place, pack([Entry(name, b"evil")]), ending, "cannot have everywhere")


@FORMATS
@pytest.mark.parametrize("name", ["nul", "COM1.dll", "top/aux.so", "trailing.", "space "])
def test_windows_device_name_is_refused(name: str, pack: Pack, ending: str, place: Path) -> None:
    attack(place, pack([Entry(name, b"evil")]), ending, "means something else on Windows")


@FORMATS
@pytest.mark.parametrize("target", ["../kept", "/etc/passwd", "..", "sub/../../kept", "sub/file"])
def test_link_out_of_the_folder_is_refused(target: str, pack: Pack, ending: str, place: Path) -> None:
    attack(place, pack([Entry("link", kind=tarfile.SYMTYPE, link=target)]), ending, "is a link that leads to")


@FORMATS
def test_write_through_a_link_is_refused(pack: Pack, ending: str, place: Path) -> None:
    """CVE-2007-4559 and its successors: a link first, then a file "inside" of it."""
    entries = [
        Entry("real/", kind=tarfile.DIRTYPE, mode=0o755),
        Entry("link", kind=tarfile.SYMTYPE, link="real"),
        Entry("link/file", b"evil"),
    ]
    attack(place, pack(entries), ending, "is inside of something that is no folder")


@FORMATS
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_file_over_a_link_is_refused(pack: Pack, ending: str, place: Path) -> None:
    entries = [Entry("a", b"first"), Entry("link", kind=tarfile.SYMTYPE, link="a"), Entry("link", b"evil")]
    attack(place, pack(entries), ending, "comes twice")


@FORMATS
@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("second", ["file", "./file", "FILE"])
def test_name_that_comes_twice_is_refused(second: str, pack: Pack, ending: str, place: Path) -> None:
    attack(place, pack([Entry("file", b"first"), Entry(second, b"evil")]), ending, "comes twice")


@FORMATS
def test_file_in_place_of_a_folder_is_refused(pack: Pack, ending: str, place: Path) -> None:
    attack(place, pack([Entry("top/file", b"x"), Entry("top", b"evil")]), ending, "comes twice")


@FORMATS
@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE], ids=["char", "block", "fifo"])
def test_device_is_refused(kind: bytes, pack: Pack, ending: str, place: Path) -> None:
    attack(place, pack([Entry("device", kind=kind)]), ending, "is neither file, folder nor")


def test_hard_link_is_refused(place: Path) -> None:
    entries = [Entry("file", b"x"), Entry("hard", kind=tarfile.LNKTYPE, link="file")]
    attack(place, tar_of(entries), ".tar.gz", "is neither file, folder nor")


def test_hard_link_to_a_file_outside_is_refused(place: Path) -> None:
    entry = Entry("hard", kind=tarfile.LNKTYPE, link=str(place.parent / "kept"))
    attack(place, tar_of([entry]), ".tar.gz", "is neither file, folder nor")


@FORMATS
def test_bomb_of_many_entries_is_refused(pack: Pack, ending: str, place: Path) -> None:
    entries = [Entry(f"file{number}") for number in range(101)]
    attack(place, pack(entries), ending, "more than 100 entries", Bounds(entries=100))


@FORMATS
def test_bomb_of_one_large_file_is_refused(pack: Pack, ending: str, place: Path) -> None:
    content = pack([Entry("zeros", bytes(20_000_000))])
    assert len(content) < 200_000
    attack(place, content, ending, "unpacks to more", Bounds(bytes=1_000_000))
    assert (place / "out" / "zeros").stat().st_size <= 1_000_000


@FORMATS
def test_bomb_of_many_small_files_is_refused(pack: Pack, ending: str, place: Path) -> None:
    entries = [Entry(f"file{number}", bytes(100_000)) for number in range(50)]
    attack(place, pack(entries), ending, "unpacks to more than 1000000 bytes", Bounds(bytes=1_000_000))


def test_bomb_in_a_tar_header_is_refused(place: Path) -> None:
    """A long name is data like any other, and read into memory by whoever reads the header."""
    info = tarfile.TarInfo("x" * 30_000_000)
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz", format=tarfile.GNU_FORMAT) as archive:
        archive.addfile(info)
    attack(place, made.getvalue(), ".tar.gz", "unpacks to more bytes", Bounds(entries=10, bytes=1_000_000))


def test_zip_that_lies_about_a_size_is_refused(place: Path) -> None:
    """The central directory says 10 bytes, the stream holds 20 MB: what comes out must fit what was said."""
    content = zip_of([Entry("zeros", bytes(20_000_000))])
    lying = content.replace((20_000_000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    assert lying != content
    attack(place, lying, ".zip", "cannot be unpacked")
    assert (place / "out" / "zeros").stat().st_size <= 10


def test_encrypted_zip_is_refused(place: Path) -> None:
    content = bytearray(zip_of([Entry("file", b"x")]))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + offset] |= 1
    attack(place, bytes(content), ".zip", "is encrypted")


@FORMATS
def test_archive_cut_short_is_refused(pack: Pack, ending: str, place: Path) -> None:
    content = pack([Entry("file", os.urandom(100_000))])
    attack(place, content[:50_000], ending, "cannot be unpacked")


@pytest.mark.parametrize("ending", [".zip", ".tar.gz"])
def test_archive_that_is_none_is_refused(ending: str, place: Path) -> None:
    attack(place, b"<html>Sign in</html>", ending, "cannot be unpacked")


@FORMATS
def test_entry_that_is_too_deep_is_refused(pack: Pack, ending: str, place: Path) -> None:
    attack(place, pack([Entry("a/" * 20 + "file", b"x")]), ending, "is too deep")


def test_zip_name_with_a_nul_is_refused(place: Path) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("safe!evil", b"x")
    attack(place, made.getvalue().replace(b"safe!evil", b"safe\0evil"), ".zip", "cannot have everywhere")
