"""The package for macOS, as far as another system can tell: Apple's programs are played by scripts that write down what
they are asked."""

from __future__ import annotations

import base64
import plistlib
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from macos.image import make_image
from macos.info_plist import GGUF_TYPE, info_plist

ROOT = Path(__file__).resolve().parent.parent.parent
MACOS = ROOT / "build" / "macos"
IDENTITY = "A1B2C3D4E5F60718293A4B5C6D7E8F9001122334"
CERTIFICATE = {"MACOS_CERTIFICATE": base64.b64encode(b"certificate").decode(), "MACOS_CERTIFICATE_PASSWORD": "pass-12"}
NOTARY = {"MACOS_NOTARY_KEY": "-----KEY-----", "MACOS_NOTARY_KEY_ID": "KEYID", "MACOS_NOTARY_ISSUER": "issuer-uuid"}
MACH_O = b"\xcf\xfa\xed\xfe"

PROGRAMS = {
    "codesign": "",
    "security": f"""
case "$1" in
find-identity) echo '  1) {IDENTITY} "Developer ID Application: Somebody"' ;;
list-keychains) [ $# -gt 3 ] || echo '    "/Users/somebody/login.keychain-db"' ;;
import) [ "$(cat "$2")" = certificate ] || exit 1 ;;
esac
""",
    "xcrun": """
case "$1 $2" in
"notarytool submit") [ "$(cat "$5")" = -----KEY----- ] && cat "$APPLES_ANSWER" ;;
"notarytool log") echo 'The signature of the binary is invalid.' ;;
esac
""",
    "dmgbuild": 'for last; do :; done; echo image >"$last"',
}


class Mac:
    """The programs of a Mac, and what they were asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.answer = folder / "answer.json"
        self.answer.write_text('{"id": "42", "status": "Accepted"}')
        self._log = folder / "log"
        for name, body in PROGRAMS.items():
            program = folder / name
            program.write_text(f'#!/bin/sh\necho "{name} $*" >>"$LOG"\n{body}')
            program.chmod(0o755)

    def make(self, app: Path, environment: dict[str, str]) -> Path:
        dmgbuild = (str(self.folder / "dmgbuild"),)
        return make_image(app, self.folder / "out", "1.2.3", "arm64", environment, dmgbuild)

    def asked(self, program: str) -> list[str]:
        lines = self._log.read_text().splitlines()
        return [line.removeprefix(f"{program} ") for line in lines if line.startswith(f"{program} ")]

    def everything(self) -> str:
        return self._log.read_text()


@pytest.fixture
def mac(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mac:
    folder = tmp_path / "mac"
    folder.mkdir()
    mac = Mac(folder)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.setenv("LOG", str(folder / "log"))
    monkeypatch.setenv("APPLES_ANSWER", str(mac.answer))
    return mac


@pytest.fixture
def app(tmp_path: Path) -> Path:
    app = tmp_path / "Llamero.app"
    for name, content in {
        "MacOS/llamero": MACH_O,
        "Frameworks/Python": MACH_O,
        "Frameworks/lib-dynload/_ctypes.so": MACH_O,
        "Frameworks/llamero/locale/app.ftl": b"text",
        "Resources/llamero.icns": b"icns",
        "Resources/empty": b"",
    }.items():
        path = app / "Contents" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (app / "Contents/Resources/Python").symlink_to("../Frameworks/Python")
    return app


def signed(mac: Mac, app: Path) -> list[str]:
    """What was signed, in order, below the app."""
    lines = [line for line in mac.asked("codesign") if "--sign" in line]
    return [line.split(str(app))[-1] for line in lines]


def test_app_without_secrets_is_signed_for_this_machine_only_and_that_is_said(
    mac: Mac, app: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = mac.make(app, dict.fromkeys((*CERTIFICATE, *NOTARY), ""))
    assert image.name == "llamero-1.2.3-macos-arm64.dmg"
    assert image.read_text() == "image\n"
    said = capsys.readouterr().out
    assert "Not signed by a developer: MACOS_CERTIFICATE, MACOS_CERTIFICATE_PASSWORD not set" in said
    assert "Not notarized: MACOS_NOTARY_KEY, MACOS_NOTARY_KEY_ID, MACOS_NOTARY_ISSUER not set" in said
    assert all("--sign - " in line for line in mac.asked("codesign") if "--sign" in line)
    assert not any("runtime" in line for line in mac.asked("codesign")), "which would demand a developer's libraries"
    assert mac.asked("security") == mac.asked("xcrun") == []


def test_app_is_signed_from_the_inside_out_and_only_programs_get_entitlements(mac: Mac, app: Path) -> None:
    mac.make(app, {**CERTIFICATE, **NOTARY})
    places = signed(mac, app)
    assert places[:-1] == [
        "/Contents/Frameworks/lib-dynload/_ctypes.so", "/Contents/Frameworks/Python", "/Contents/MacOS/llamero", "",
    ]  # fmt: skip
    entitled = [line.split(str(app))[-1] for line in mac.asked("codesign") if "--entitlements" in line]
    assert entitled == ["/Contents/MacOS/llamero", ""]
    assert all("--options runtime" in line for line in mac.asked("codesign") if str(app) in line and "--sign" in line)
    assert f"--verify --strict --deep {app}" in mac.asked("codesign")


def test_image_with_every_secret_is_signed_notarized_and_stapled(mac: Mac, app: Path) -> None:
    image = mac.make(app, {**CERTIFICATE, **NOTARY})
    assert mac.asked("codesign")[-1] == f"--force --timestamp --sign {IDENTITY} {image}"
    submitted, stapled = mac.asked("xcrun")
    assert submitted.startswith(f"notarytool submit {image} --key ")
    assert submitted.endswith("--key-id KEYID --issuer issuer-uuid --wait --output-format json")
    assert stapled == f"stapler staple {image}"
    order = [line.split()[0] for line in mac.everything().splitlines()]
    signing = [at for at, program in enumerate(order) if program == "codesign"]
    assert signing[-2] < order.index("dmgbuild") < signing[-1], "the image is made of the signed app, then signed"


def test_keychain_of_the_certificate_is_gone_afterwards_also_when_signing_fails(mac: Mac, app: Path) -> None:
    (mac.folder / "codesign").write_text("#!/bin/sh\nexit 1\n")
    with pytest.raises(subprocess.CalledProcessError):
        mac.make(app, {**CERTIFICATE, **NOTARY})
    made, *_, last = mac.asked("security")
    assert made.startswith("create-keychain")
    assert last == f"delete-keychain {made.split()[-1]}"
    assert not Path(made.split()[-1]).parent.exists()
    listing = next(line for line in mac.asked("security") if "-s" in line and line.startswith("list-keychains"))
    assert listing.endswith("/Users/somebody/login.keychain-db"), "the person's own stays in the list"


def test_image_that_apple_refuses_fails_with_apples_reason(mac: Mac, app: Path) -> None:
    mac.answer.write_text('{"id": "42", "status": "Invalid"}')
    with pytest.raises(SystemExit, match=r"(?s)Invalid.*signature of the binary is invalid"):
        mac.make(app, {**CERTIFICATE, **NOTARY})
    assert not any("staple" in line for line in mac.asked("xcrun"))


def test_secrets_are_told_to_nobody(mac: Mac, app: Path, capfd: pytest.CaptureFixture[str]) -> None:
    mac.make(app, {**CERTIFICATE, **NOTARY})
    (mac.folder / "security").write_text("#!/bin/sh\nexit 1\n")
    with pytest.raises(SystemExit) as failed:
        mac.make(app, {**CERTIFICATE, **NOTARY})
    said = "".join(capfd.readouterr()) + str(failed.value)
    for secret in (CERTIFICATE["MACOS_CERTIFICATE"], "pass-12", NOTARY["MACOS_NOTARY_KEY"]):
        assert secret not in said


def test_info_plist_names_the_app_its_version_and_its_documents() -> None:
    plist = info_plist("1.2.3rc4")
    assert plistlib.loads(plistlib.dumps(plist)) == plist
    assert (plist["CFBundleShortVersionString"], plist["CFBundleVersion"]) == ("1.2.3", "1.2.3")
    assert plist["CFBundleDocumentTypes"][0]["LSItemContentTypes"] == [GGUF_TYPE]
    assert plist["CFBundleDocumentTypes"][0]["LSHandlerRank"] == "Alternate"
    assert plist["UTImportedTypeDeclarations"][0]["UTTypeTagSpecification"] == {"public.filename-extension": ["gguf"]}


def test_info_plist_lets_the_page_load_from_this_machine_and_asks_for_no_device() -> None:
    plist = info_plist("1.2.3")
    assert plist["NSAppTransportSecurity"] == {"NSAllowsLocalNetworking": True}
    assert not [key for key in plist if key.endswith("UsageDescription")]


def test_info_plist_of_what_is_no_version_is_refused() -> None:
    with pytest.raises(ValueError, match="not a version"):
        info_plist("next")


def test_entitlements_are_one_and_say_why() -> None:
    path = MACOS / "entitlements.plist"
    assert plistlib.loads(path.read_bytes()) == {"com.apple.security.cs.allow-unsigned-executable-memory": True}
    assert re.search(r"<!--[^>]*ctypes", path.read_text())


def test_image_shows_the_app_and_the_folder_to_drag_it_to() -> None:
    settings = runpy.run_path(str(MACOS / "dmg_settings.py"), {"defines": {"app": "/x/Llamero.app", "icon": "i.icns"}})
    assert (settings["files"], settings["symlinks"]) == (["/x/Llamero.app"], {"Applications": "/Applications"})
    assert settings["icon_locations"].keys() == {"Llamero.app", "Applications"}
    (_, (width, height)) = settings["window_rect"]
    half = settings["icon_size"] / 2
    assert all(half < x < width - half and half < y < height - half for x, y in settings["icon_locations"].values())


def test_image_script_started_alone_says_what_it_takes() -> None:
    done = subprocess.run([sys.executable, MACOS / "image.py", "--help"], capture_output=True, text=True, check=True)
    assert "Llamero.app" in done.stdout
