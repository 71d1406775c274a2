"""Make every form of the icon from its one drawing, `icons/llamero.svg`, the same bytes on every machine.

    python build/make_icons.py [--out DIR]

Written below DIR (default: the checkout): PNGs for Linux, an .ico for Windows, an .icns for macOS, the window's icon
that the package carries, and the two drawings of the page. The drawing holds two groups, of which each form shows one:
`full` from 48 pixels on, `small` below, where there is no room for a rope.
"""

from __future__ import annotations

import argparse
import io
import sys
from pathlib import Path
from xml.etree import ElementTree

import resvg_py
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "icons" / "llamero.svg"

PNG_SIZES = (16, 24, 32, 48, 64, 128, 256, 512, 1024)
ICO_SIZES = (16, 24, 32, 48, 64, 128, 256)
ICNS_SIZES = (32, 64, 128, 256, 512, 1024)
WINDOW_SIZE = 256
FULL_FROM = 48
# macOS draws no frame of its own: in its grid the tile is 824 of 1024 units wide, and the rest stays clear.
MACOS_MARGIN = 62

_SVG = "http://www.w3.org/2000/svg"


def drawing(group: str, margin: int = 0) -> str:
    """Return the drawing with only one of its groups, `full` or `small`, and a clear margin in its 512 units."""
    ElementTree.register_namespace("", _SVG)
    tree = ElementTree.parse(SOURCE)
    root = tree.getroot()
    for parent in root.iter():
        for child in list(parent):
            if child.get("id") in {"full", "small"} - {group}:
                parent.remove(child)
            elif child.get("id") == group:
                child.attrib.pop("display", None)
    side = 512 + 2 * margin
    root.set("viewBox", f"{-margin} {-margin} {side} {side}")
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def png(size: int, margin: int = 0) -> bytes:
    """Return the icon as a PNG of so many pixels each way."""
    group = "full" if size >= FULL_FROM else "small"
    drawn = resvg_py.svg_to_bytes(svg_string=drawing(group, margin), width=size, height=size, skip_system_fonts=True)
    return bytes(drawn)


def pack(form: str, sizes: tuple[int, ...], margin: int = 0) -> bytes:
    """Return one file, `ICO` or `ICNS`, that holds the icon in all these sizes, each drawn for itself."""
    images = [Image.open(io.BytesIO(png(size, margin))) for size in sizes]
    packed = io.BytesIO()
    images[-1].save(packed, form, sizes=[image.size for image in images], append_images=images[:-1])
    return packed.getvalue()


def forms() -> dict[str, bytes]:
    """Return all that is made of the drawing: path in the checkout → content."""
    return {
        **{f"icons/png/llamero-{size}.png": png(size) for size in PNG_SIZES},
        "icons/llamero.ico": pack("ICO", ICO_SIZES),
        "icons/llamero.icns": pack("ICNS", ICNS_SIZES, MACOS_MARGIN),
        "backend/llamero/assets/icon.png": png(WINDOW_SIZE),
        "frontend/public/llamero.svg": drawing("full").encode(),
        "frontend/public/favicon.svg": drawing("small").encode(),
    }


def main() -> int:
    """Write them all."""
    parser = argparse.ArgumentParser(description="Make every form of the icon from icons/llamero.svg.")
    parser.add_argument("--out", type=Path, default=ROOT, help="folder to write to (default: the checkout)")
    options = parser.parse_args()
    for name, content in forms().items():
        path = options.out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        print(f"{name}: {len(content):,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
