"""What a system wants to know of Llamero, below `share/`: menu, icons, file type, software center, manual, shells.

The sources are in the folder `share` beside this module; the manual and the completions come from the parser of the
command line, the releases from `CHANGELOG.md`.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from identity import APPLICATION_ID, DEVELOPER_ID, PUBLISHER
from linux.manual import manual_page
from linux.product import ROOT, Product
from linux.releases import as_appstream, read_releases
from linux.tree import write
from llamero.cli import build_parser

SOURCES = Path(__file__).resolve().parent / "share"
DESKTOP_ENTRY = SOURCES / "llamero.desktop"
ICONS = ROOT / "icons"
METAINFO = f"{APPLICATION_ID}.metainfo.xml"


def write_share(product: Product, prefix: Path) -> None:
    """Write everything to `<prefix>/share`."""
    from linux.completions import PLACES, completions  # what these need is not installed where nothing is packaged

    share = prefix / "share"
    write(share / "applications" / DESKTOP_ENTRY.name, DESKTOP_ENTRY.read_bytes())
    write(share / "mime" / "packages" / "llamero.xml", (SOURCES / "llamero.mime.xml").read_bytes())
    write(share / "metainfo" / METAINFO, metainfo(product))
    write(share / "man" / "man1" / "llamero.1", manual_page(build_parser(), product.version, product.moment))
    for shell, script in completions(build_parser()).items():
        write(prefix / PLACES[shell], script)
    for size, icon in icon_files():
        target = share / "icons" / "hicolor" / size / "apps" / f"llamero{icon.suffix}"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(icon, target)


def metainfo(product: Product) -> str:
    """AppStream's description, with the releases that the changelog tells of."""
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    releases = read_releases(changelog, product.version, product.moment)
    text = (SOURCES / "llamero.metainfo.xml").read_text(encoding="utf-8")
    values = {
        "APPLICATION_ID": APPLICATION_ID,
        "DEVELOPER_ID": DEVELOPER_ID,
        "PUBLISHER": PUBLISHER,
        "RELEASES": as_appstream(releases),
    }
    return re.sub("@([A-Z_]+)@", lambda place: values[place[1]], text)


def icon_files() -> list[tuple[str, Path]]:
    """Every icon with the name of its size in the hicolor theme."""
    images = sorted((ICONS / "png").glob("llamero-*.png"))
    sized = [(f"{size}x{size}", path) for path in images if (size := path.stem.removeprefix("llamero-")).isdecimal()]
    return [*sized, ("scalable", ICONS / "llamero.svg")]
