"""Which files of a llama.cpp release make which engine: one table per platform.

The names are those of llama.cpp's release workflow as of b11459. They hold the release's tag, and for CUDA the version
of its toolkit, which changes from time to time: the table names its major version, or any for plain `cuda`, where the
lowest is taken, since that runs with the most drivers. Releases before about b10900 have no CUDA for Linux.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine_release.refusal import BuildRefused

LLAMA_CPP_LICENSE = "MIT"
CUDA_LICENSE = "NVIDIA CUDA Toolkit End User License Agreement"

_VERSION = r"(?P<version>\d+(?:\.\d+)+)"


@dataclass(frozen=True)
class Asset:
    """A file of a release. `size` in bytes, `sha256` in lower-case hex, empty where the release does not tell it."""

    name: str
    size: int
    sha256: str
    url: str


@dataclass(frozen=True)
class Part:
    """A file that a variant needs: what it is called, between the tag and the processor, and under which license."""

    pattern: str
    license: str = LLAMA_CPP_LICENSE


@dataclass(frozen=True)
class Target:
    """One platform: its program, and the parts of each variant, the preferred variant first."""

    program: str
    variants: Mapping[str, tuple[Part, ...]]


def _plain(names: str) -> tuple[Part, ...]:
    return (Part(rf"llama-TAG-bin-{names}\.(?:tar\.gz|zip)"),)


def _cuda(system: str, processor: str, major: str = r"\d+") -> tuple[Part, ...]:
    """The engine, and the CUDA runtime that it is linked with, whose name has the tag on Linux only."""
    built = _VERSION.replace(r"\d+", major, 1)
    ending = rf"{system}-cuda-{built}-{processor}\.(?:tar\.gz|zip)"
    return (
        Part(rf"llama-TAG-bin-{ending}"),
        Part(rf"cudart-llama-(?:TAG-)?bin-{ending}", CUDA_LICENSE),
    )


TARGETS: Mapping[str, Target] = {
    "x86_64-unknown-linux-gnu": Target(
        "llama-server",
        {
            "cpu": _plain("ubuntu-x64"),
            "vulkan": _plain("ubuntu-vulkan-x64"),
            "cuda": _cuda("ubuntu", "x64"),
            "cuda-12": _cuda("ubuntu", "x64", "12"),
            "cuda-13": _cuda("ubuntu", "x64", "13"),
        },
    ),
    "aarch64-unknown-linux-gnu": Target(
        "llama-server",
        {
            "cpu": _plain("ubuntu-arm64"),
            "vulkan": _plain("ubuntu-vulkan-arm64"),
            "cuda": _cuda("ubuntu", "arm64"),
            "cuda-13": _cuda("ubuntu", "arm64", "13"),
        },
    ),
    # The build for Apple's own processors has Metal in it and runs on the processor alone when told to.
    "aarch64-apple-darwin": Target("llama-server", {"metal": _plain("macos-arm64"), "cpu": _plain("macos-arm64")}),
    "x86_64-apple-darwin": Target("llama-server", {"cpu": _plain("macos-x64")}),
    "x86_64-pc-windows-msvc": Target(
        "llama-server.exe",
        {
            "cpu": _plain("win-cpu-x64"),
            "vulkan": _plain("win-vulkan-x64"),
            "cuda": _cuda("win", "x64"),
            "cuda-12": _cuda("win", "x64", "12"),
            "cuda-13": _cuda("win", "x64", "13"),
        },
    ),
    "aarch64-pc-windows-msvc": Target(
        "llama-server.exe",
        {
            "cpu": _plain("win-cpu-arm64"),
            "vulkan": _plain("win-vulkan-arm64"),
            "cuda": _cuda("win", "arm64"),
            "cuda-13": _cuda("win", "arm64", "13"),
        },
    ),
}


def choose(assets: Sequence[Asset], target: str, variant: str, tag: str) -> tuple[tuple[Asset, Part], ...]:
    """The files that make this variant, the engine's own first.

    Raises BuildRefused with the list of what the release has, when a file is missing or has no SHA-256.
    """
    chosen: list[tuple[Asset, Part]] = []
    version: str | None = None
    for part in TARGETS[target].variants[variant]:
        pattern = re.compile(part.pattern.replace("TAG", re.escape(tag)))
        found = [(match, asset) for asset in assets if (match := pattern.fullmatch(asset.name))]
        if version is not None:  # the runtime has to be that of the engine
            found = [(match, asset) for match, asset in found if match["version"] == version]
        if not found:
            raise BuildRefused(_missing(assets, target, variant, tag, version))
        match, asset = min(found, key=lambda one: _ordered(one[0]))
        if not asset.sha256:
            raise BuildRefused(f"{tag} tells no SHA-256 of {asset.name}; choose a later release")
        version = match.groupdict().get("version")
        chosen.append((asset, part))
    return tuple(chosen)


def _ordered(match: re.Match[str]) -> tuple[int, ...]:
    version = match.groupdict().get("version") or ""
    return tuple(int(number) for number in version.split(".") if number)


def _missing(assets: Sequence[Asset], target: str, variant: str, tag: str, version: str | None) -> str:
    """Say what is missing, and all that there is."""
    what = f"no {variant} for {target}" if version is None else f"no CUDA {version} runtime for {target}"
    names = sorted(asset.name for asset in assets)
    listing = "\n".join(f"  {name}" for name in names) or "  nothing"
    return f"release {tag} of llama.cpp has {what}. It has:\n{listing}"
