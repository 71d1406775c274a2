"""Signs the app and has Apple notarize it, as far as the secrets for that are there.

Each secret is a variable of the environment. Those that are missing leave out their step, which then says so: an app
without a signature runs after a person has allowed it in the system's settings, one without notarization likewise.

| variable | what |
|---|---|
| MACOS_CERTIFICATE | the Developer ID Application certificate with its key, a .p12 in Base64 |
| MACOS_CERTIFICATE_PASSWORD | what that .p12 is locked with |
| MACOS_NOTARY_KEY | an App Store Connect API key, the .p8's text |
| MACOS_NOTARY_KEY_ID, MACOS_NOTARY_ISSUER | that key's two identifiers |
"""

from __future__ import annotations

import base64
import json
import re
import secrets
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ENTITLEMENTS = Path(__file__).resolve().parent / "entitlements.plist"
CERTIFICATE = ("MACOS_CERTIFICATE", "MACOS_CERTIFICATE_PASSWORD")
NOTARY = ("MACOS_NOTARY_KEY", "MACOS_NOTARY_KEY_ID", "MACOS_NOTARY_ISSUER")
AD_HOC = "-"
# Mach-O for one processor, in both byte orders, and for several (mach-o/loader.h, mach-o/fat.h).
_MACH_O = (b"\xcf\xfa\xed\xfe", b"\xfe\xed\xfa\xcf", b"\xca\xfe\xba\xbe")


def missing(environment: Mapping[str, str], names: tuple[str, ...]) -> list[str]:
    """Name the secrets that are not set, or set to nothing, as a workflow sets those that do not exist."""
    return [name for name in names if not environment.get(name)]


@contextmanager
def signing_identity(environment: Mapping[str, str]) -> Iterator[str]:
    """The identity to sign with: the certificate's, in a keychain of its own that is gone afterwards, or `AD_HOC`."""
    lacking = missing(environment, CERTIFICATE)
    if lacking:
        print(f"Not signed by a developer: {', '.join(lacking)} not set. macOS will ask before it opens the app.")
        yield AD_HOC
        return
    with tempfile.TemporaryDirectory() as folder:
        certificate, keychain = Path(folder, "certificate.p12"), Path(folder, "signing.keychain-db")
        certificate.write_bytes(base64.b64decode(environment["MACOS_CERTIFICATE"]))
        password = secrets.token_hex(16)
        _security("create-keychain", "-p", password, keychain)
        try:
            _security("unlock-keychain", "-p", password, keychain)
            unlock = ("-P", environment["MACOS_CERTIFICATE_PASSWORD"])
            _security("import", certificate, "-k", keychain, "-f", "pkcs12", *unlock, "-T", "/usr/bin/codesign")
            # Without this, codesign would ask a person whether it may use the key.
            _security("set-key-partition-list", "-S", "apple-tool:,apple:", "-s", "-k", password, keychain)
            # Searched besides the person's own; deleting it takes it out of the list again.
            own = re.findall(r'"(.+)"', _security("list-keychains", "-d", "user"))
            _security("list-keychains", "-d", "user", "-s", keychain, *own)
            yield _identity_in(keychain)
        finally:
            _security("delete-keychain", keychain)


def sign_app(app: Path, identity: str) -> None:
    """Sign every program and library in the app, then the app; and check. Raises CalledProcessError.

    From the inside out, since a signature covers those within: Apple advises against codesign's --deep for signing.
    """
    options: list[str | Path] = ["--force", "--sign", identity]
    if identity != AD_HOC:
        options += ["--timestamp", "--options", "runtime"]
    inner = [path for path in app.rglob("*") if not path.is_symlink() and path.is_file() and _is_mach_o(path)]
    for path in sorted(inner, key=lambda path: (-len(path.parts), path)):
        own = ["--entitlements", ENTITLEMENTS] if _is_program(path, app) else []
        subprocess.run(["codesign", *options, *own, path], check=True)
    subprocess.run(["codesign", *options, "--entitlements", ENTITLEMENTS, app], check=True)
    subprocess.run(["codesign", "--verify", "--strict", "--deep", app], check=True)


def sign_image(image: Path, identity: str) -> None:
    """Sign the disk image, where there is somebody to sign it. Raises CalledProcessError."""
    if identity != AD_HOC:
        subprocess.run(["codesign", "--force", "--timestamp", "--sign", identity, image], check=True)


def notarize(image: Path, identity: str, environment: Mapping[str, str]) -> bool:
    """Have Apple check the image and put its answer into it; False where that cannot be asked for.

    Raises SystemExit with Apple's own log when it refuses.
    """
    lacking = missing(environment, NOTARY)
    if identity == AD_HOC or lacking:
        reason = f"{', '.join(lacking)} not set" if lacking else "only what a developer has signed can be"
        print(f"Not notarized: {reason}. macOS will ask before it opens the app.")
        return False
    with tempfile.TemporaryDirectory() as folder:
        key = Path(folder, "key.p8")
        key.touch(mode=0o600)
        key.write_text(environment["MACOS_NOTARY_KEY"])
        who = ["--key", key, "--key-id", environment["MACOS_NOTARY_KEY_ID"]]
        who += ["--issuer", environment["MACOS_NOTARY_ISSUER"]]
        asked = ["xcrun", "notarytool", "submit", image, *who, "--wait", "--output-format", "json"]
        answer = json.loads(subprocess.run(asked, capture_output=True, check=True).stdout)
        if answer["status"] != "Accepted":
            log = ["xcrun", "notarytool", "log", answer["id"], *who]
            said = subprocess.run(log, capture_output=True, text=True, check=False).stdout
            raise SystemExit(f"Apple did not notarize {image.name}: {answer['status']}\n{said}")
    subprocess.run(["xcrun", "stapler", "staple", image], check=True)
    return True


def _identity_in(keychain: Path) -> str:
    found = _security("find-identity", "-v", "-p", "codesigning", keychain)
    identity = re.search(r"^\s*1\) ([0-9A-F]{40}) ", found, re.MULTILINE)
    if identity is None:
        raise SystemExit("MACOS_CERTIFICATE holds no valid certificate to sign code with.")
    return identity[1]


def _security(*arguments: str | Path) -> str:
    """Run `security` and return what it said. What it was told holds passwords, so a failure must not show it."""
    done = subprocess.run(["security", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"security {arguments[0]}: exit status {done.returncode}\n{done.stderr}")
    return done.stdout


def _is_mach_o(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) in _MACH_O


def _is_program(path: Path, app: Path) -> bool:
    """Programs have rights of their own; a library has those of the program that loads it."""
    return path.parent == app / "Contents" / "MacOS"
