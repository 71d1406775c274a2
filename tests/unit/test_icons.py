"""Every form of the icon is what its script makes of the drawing, and can be made out at every size."""

from __future__ import annotations

import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from PIL.IcnsImagePlugin import IcnsImageFile
from PIL.IcoImagePlugin import IcoImageFile

from llamero.desktop.icon import ICON, window_icon
from llamero.models.desktop import Toolkit

ROOT = Path(__file__).resolve().parent.parent.parent
ICONS = ROOT / "icons"
PNG_SIZES = (16, 24, 32, 48, 64, 128, 256, 512, 1024)
CREAM = (0xFD, 0xF3, 0xE4)


@pytest.fixture(scope="module")
def made_again(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("icons")
    subprocess.run(
        [sys.executable, ROOT / "build" / "make_icons.py", "--out", folder], check=True, capture_output=True, timeout=60
    )
    return folder


def frames(path: Path) -> dict[tuple[int, ...], bytes]:
    """The pixels of every picture in a file, by its size."""
    with Image.open(path) as image:
        if isinstance(image, IcnsImageFile):
            return {size: image.icns.getimage(size).convert("RGBA").tobytes() for size in image.icns.itersizes()}
        if isinstance(image, IcoImageFile):
            return {size: image.ico.getimage(size).convert("RGBA").tobytes() for size in image.ico.sizes()}
        return {image.size: image.convert("RGBA").tobytes()}


def contrast(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    """The ratio of WCAG, of two colours in sRGB."""

    def luminance(colour: tuple[int, ...]) -> float:
        parts = [value / 255 for value in colour[:3]]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_icons_made_again_show_the_same_as_those_that_are_shipped(made_again: Path) -> None:
    made = [path.relative_to(made_again) for path in made_again.rglob("*") if path.is_file()]
    assert len(made) == len(PNG_SIZES) + 5
    for name in made:
        hint = f"{name}: run build/make_icons.py and commit the result"
        if name.suffix == ".svg":
            assert (ROOT / name).read_text() == (made_again / name).read_text(), hint
            continue
        assert frames(ROOT / name) == frames(made_again / name), hint


@pytest.mark.parametrize("size", PNG_SIZES)
def test_png_of_each_size_has_that_size_and_clear_corners(size: int) -> None:
    with Image.open(ICONS / "png" / f"llamero-{size}.png") as image:
        assert image.size == (size, size)
        assert image.mode == "RGBA"
        assert image.getpixel((0, 0))[3] == 0
        assert image.getpixel((size // 2, 0))[3] == 255


@pytest.mark.parametrize("size", [16, 24, 32])
def test_png_of_a_small_size_shows_the_llama_and_the_hat_apart_from_the_ground(size: int) -> None:
    with Image.open(ICONS / "png" / f"llamero-{size}.png") as image:
        ground, llama, hat, eye = (
            image.getpixel((x * size // 512, y * size // 512))
            for x, y in ((420, 120), (130, 400), (400, 330), (176, 184))
        )
    assert llama[:3] == CREAM
    assert contrast(llama, ground) > 4.5
    assert contrast(hat, ground) > 2.0
    assert contrast(eye, llama) > 2.0


def test_tile_stands_out_from_a_light_and_a_dark_desktop() -> None:
    with Image.open(ICONS / "png" / "llamero-256.png") as image:
        tile = image.getpixel((128, 4))
    assert contrast(tile, (255, 255, 255)) > 3.0
    assert contrast(tile, (24, 22, 20)) > 3.0


def test_windows_icon_holds_every_size_that_explorer_asks_for() -> None:
    with Image.open(ICONS / "llamero.ico") as image:
        assert {(16, 16), (24, 24), (32, 32), (48, 48), (64, 64), (256, 256)} <= image.info["sizes"]


def test_macos_icon_holds_every_type_up_to_the_retina_one_and_keeps_its_margin() -> None:
    content = (ICONS / "llamero.icns").read_bytes()
    assert (content[:4], struct.unpack(">I", content[4:8])[0]) == (b"icns", len(content))
    assert set(re.findall(rb"ic(?:0[7-9]|1[0-4])", content)) >= {b"ic07", b"ic08", b"ic09", b"ic10", b"ic11", b"ic12"}
    with Image.open(ICONS / "llamero.icns") as image:
        image.load()
        assert image.size == (1024, 1024)
        left, top, right, bottom = image.getbbox()
    assert (left, top) == pytest.approx((100, 100), abs=1)
    assert (right, bottom) == pytest.approx((924, 924), abs=1)


def test_icons_together_stay_below_a_quarter_of_a_megabyte() -> None:
    assert sum(path.stat().st_size for path in ICONS.rglob("*") if path.is_file()) < 250_000


def test_page_drawing_refers_to_nothing_outside_of_itself() -> None:
    for name in ("llamero.svg", "favicon.svg"):
        text = (ROOT / "frontend" / "public" / name).read_text()
        assert not re.search(r"href|<style|<script|<image|url\((?!#)", text), name
        assert "display" not in text, name


@pytest.mark.parametrize("toolkit", list(Toolkit))
def test_window_icon_where_the_program_has_one_of_its_own_is_left_alone(toolkit: Toolkit) -> None:
    expected = ICON if toolkit in (Toolkit.QT, Toolkit.GTK) else None
    assert window_icon(toolkit) == expected
    assert ICON.is_file()
