"""What is to be bundled, as the environment says it.

CI_BUILD_TARGET     a target of the table, such as x86_64-unknown-linux-gnu; without it this machine's
CI_BUILD_VARIANTS   variants separated by commas, such as vulkan,cpu; without it the one of the target's default
CI_DEFAULT_VARIANT  the variant to prefer at run time; without it the first of those above
CI_RELEASE          tag of the release, such as b11459; has to be given, or a build could not be repeated
GH_PAT              token for GitHub's API, which allows more requests with one; may be missing
"""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

from engine_release.refusal import BuildRefused
from engine_release.table import TARGETS

_TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_SYSTEMS = {"linux": "unknown-linux-gnu", "darwin": "apple-darwin", "win32": "pc-windows-msvc"}
_PROCESSORS = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}


@dataclass(frozen=True)
class Wish:
    """What is to be bundled. The token is no part of the representation, so that it reaches no log."""

    target: str
    variants: tuple[str, ...]
    default: str
    release: str
    token: str = field(default="", repr=False)


def read_wish(environment: Mapping[str, str]) -> Wish:
    """Read it from the environment. Raises BuildRefused for what is missing, unknown or contradicts itself."""
    target = environment.get("CI_BUILD_TARGET", "").strip() or this_target()
    if target not in TARGETS:
        raise BuildRefused(f"CI_BUILD_TARGET is {target!r}; known are: {', '.join(TARGETS)}")
    known = TARGETS[target].variants
    listed = [name.strip() for name in environment.get("CI_BUILD_VARIANTS", "").split(",")]
    variants = tuple(dict.fromkeys(name for name in listed if name)) or (next(iter(known)),)
    default = environment.get("CI_DEFAULT_VARIANT", "").strip() or variants[0]
    unknown = [name for name in variants if name not in known]
    if unknown:
        raise BuildRefused(
            f"llama.cpp releases no {', '.join(unknown)} for {target}; CI_BUILD_VARIANTS may name: {', '.join(known)}"
        )
    if default not in variants:
        raise BuildRefused(f"CI_DEFAULT_VARIANT is {default!r}, which is none of those bundled: {', '.join(variants)}")
    release = environment.get("CI_RELEASE", "").strip()
    if not _TAG.fullmatch(release) or ".." in release:
        raise BuildRefused(f"CI_RELEASE is {release!r}; name the tag of a release of llama.cpp, such as b11459")
    return Wish(target, variants, default, release, environment.get("GH_PAT", "").strip())


def this_target() -> str:
    """The target that this machine is, known to the table or not."""
    processor = _PROCESSORS.get(platform.machine().lower(), platform.machine())
    return f"{processor}-{_SYSTEMS.get(sys.platform, sys.platform)}"
