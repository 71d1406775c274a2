"""The `.deb`: the bundle in `/usr/lib/llamero`, a link on `PATH`, and what the desktop wants to know in `/usr/share`.

The caches of file types, desktop entries, icons and manual pages are kept by their own packages, which watch those
folders (dpkg's file triggers). What is run when it is installed concerns AppArmor alone, and is undone when it is
removed. So removing it leaves nothing of it behind; what users have is theirs and stays.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import subprocess
import tempfile
from pathlib import Path

from identity import MAINTAINER
from linux import dependencies
from linux.product import PACKAGE, ROOT, Product
from linux.releases import as_debian, read_releases
from linux.share import write_share
from linux.tree import copy_bundle, files, normalize, size_kib, write
from whole import whole

HERE = Path(__file__).resolve().parent
PROGRAM = Path("usr/lib/llamero")
# Pinned: what a newer xz would choose by itself must not change the package.
_COMPRESSION = ("-Zxz", "-z6")
_SUMMARY = "run language models on your own machine"
_DESCRIPTION = """\
 A window to chat in, and under it a herd of llama-server processes that
 Llamero starts, watches and stops. It brings an answer to its end when an
 engine dies in the middle, keeps every conversation, and leaves nothing
 behind. Other programs reach the models through one local address that
 speaks the dialects of OpenAI, Anthropic and Ollama.
 .
 An engine, a demo model and the window's browser are part of the package.
"""


def write_deb(product: Product, folder: Path) -> Path:
    """Build the package and return its path: `<folder>/llamero_<version>_<architecture>.deb`."""
    target = folder / f"{PACKAGE}_{product.version}_{product.architecture}.deb"
    with tempfile.TemporaryDirectory(prefix="llamero-deb-") as work, whole(target) as part:
        root = Path(work, "root")
        lay_out(product, root)
        environment = {**os.environ, "SOURCE_DATE_EPOCH": str(product.moment)}
        command = ["dpkg-deb", "--root-owner-group", *_COMPRESSION, "--build", str(root), str(part)]
        subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
    return target


def lay_out(product: Product, root: Path) -> None:
    """Write the tree that dpkg-deb packs."""
    copy_bundle(product.bundle, root / PROGRAM)
    command = root / "usr/bin" / PACKAGE
    command.parent.mkdir(parents=True)
    command.symlink_to(Path("..", PROGRAM.relative_to("usr"), PACKAGE))
    write(root / PROGRAM / "apparmor-profile", (HERE / "apparmor-profile").read_bytes())
    write_share(product, root / "usr")
    _write_documents(product, root)
    _compress(root / "usr/share/man/man1/llamero.1")
    normalize(root, product.moment)
    installed = size_kib(root)
    sums = "".join(f"{_md5(path)}  {path.relative_to(root)}\n" for path in files(root))
    write(root / "DEBIAN/md5sums", sums)
    write(root / "DEBIAN/control", _control(product, installed))
    for script in sorted((HERE / "scripts").iterdir()):
        write(root / "DEBIAN" / script.name, script.read_bytes(), executable=True)
    normalize(root / "DEBIAN", product.moment)


def _control(product: Product, installed_kib: int) -> str:
    fields = {
        "Package": PACKAGE,
        "Version": product.version,
        "Architecture": product.architecture,
        "Maintainer": MAINTAINER,
        "Installed-Size": str(installed_kib),
        "Depends": ", ".join(dependencies.needed_packages(product.bundle)),
        "Recommends": ", ".join(dependencies.recommended_packages(product.bundle)),
        "Suggests": ", ".join(dependencies.SUGGESTED),
        "Section": "utils",
        "Priority": "optional",
        "Description": _SUMMARY,
    }
    return "".join(f"{name}: {value}\n" for name, value in fields.items()) + _DESCRIPTION


def _write_documents(product: Product, root: Path) -> None:
    documents = root / "usr/share/doc" / PACKAGE
    write(documents / "copyright", (HERE / "copyright").read_bytes())
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    releases = read_releases(changelog, product.version, product.moment)
    write(documents / "changelog.gz", gzip.compress(as_debian(releases, PACKAGE).encode(), 9, mtime=0))
    write(root / "usr/share/lintian/overrides" / PACKAGE, (HERE / "lintian-overrides").read_bytes())


def _compress(path: Path) -> None:
    path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes(), 9, mtime=0))
    path.unlink()


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
