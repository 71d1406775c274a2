"""dmgbuild's settings: it runs this file with `defines`, and reads the names below (dmgbuild.readthedocs.io).

An image that shows the app, an arrow's way from the folder that it is dragged to.
"""

from __future__ import annotations

from pathlib import Path

# dmgbuild puts `defines` among the globals: what its caller gave by -D.
_app = Path(defines["app"])  # type: ignore[name-defined]  # noqa: F821

files = [str(_app)]
symlinks = {"Applications": "/Applications"}
icon = defines["icon"]  # type: ignore[name-defined]  # noqa: F821
format = "ULFO"  # LZFSE: as small as bzip2, unpacked several times as fast
filesystem = "HFS+"
window_rect = ((200, 200), (560, 340))
default_view = "icon-view"
icon_size = 128
text_size = 13
icon_locations = {_app.name: (150, 160), "Applications": (410, 160)}
