"""The tar.gz: the bundle with scripts that install it for one user, or below `--prefix`, and take it away again.

The folder in it also runs from where it was unpacked.
"""

from __future__ import annotations

import gzip
import shutil
import tarfile
import tempfile
from pathlib import Path

from linux.product import PACKAGE, Product
from linux.share import write_share
from linux.tree import copy_bundle, normalize
from whole import whole

SCRIPTS = Path(__file__).resolve().parent / "tarball"
_LEVEL = 6


def write_tarball(product: Product, folder: Path) -> Path:
    """Build the archive and return its path: `<folder>/llamero-<version>-linux-<machine>.tar.gz`."""
    name = f"{PACKAGE}-{product.version}-linux-{product.machine}"
    target = folder / f"{name}.tar.gz"
    with tempfile.TemporaryDirectory(prefix="llamero-tar-") as work:
        root = Path(work, name)
        copy_bundle(product.bundle, root / "lib" / PACKAGE)
        write_share(product, root)
        for script in sorted(SCRIPTS.iterdir()):
            shutil.copy(script, root)
        (root / "bin").mkdir()
        (root / "bin" / PACKAGE).symlink_to(f"../lib/{PACKAGE}/{PACKAGE}")
        normalize(root, product.moment)
        # Neither who packed it nor when may show.
        with (
            whole(target) as part,
            part.open("wb") as raw,
            gzip.GzipFile("", "wb", _LEVEL, raw, mtime=0) as packed,
            tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
        ):
            for path in [root, *sorted(root.rglob("*"))]:
                archive.add(path, str(path.relative_to(work)), recursive=False, filter=_of_root)
    return target


def _of_root(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    return entry
