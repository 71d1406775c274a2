"""Which files of a release make which engine, for the names that llama.cpp really gives them."""

from __future__ import annotations

import pytest

from engine_release.refusal import BuildRefused
from engine_release.table import TARGETS, Asset, choose
from engine_release.wish import Wish, read_wish, this_target

# The files of b11459 (October 2026) and of b7902 (January 2026), of which only the Windows builds had CUDA.
B11459 = [
    "cudart-llama-b11459-bin-ubuntu-cuda-12.8-x64.tar.gz",
    "cudart-llama-b11459-bin-ubuntu-cuda-13.4-arm64.tar.gz",
    "cudart-llama-b11459-bin-ubuntu-cuda-13.4-x64.tar.gz",
    "cudart-llama-bin-win-cuda-12.4-x64.zip",
    "cudart-llama-bin-win-cuda-13.4-arm64.zip",
    "cudart-llama-bin-win-cuda-13.4-x64.zip",
    "llama-b11459-bin-android-arm64-snapdragon.tar.gz",
    "llama-b11459-bin-android-arm64.tar.gz",
    "llama-b11459-bin-linux-arm64-snapdragon.tar.gz",
    "llama-b11459-bin-macos-arm64.tar.gz",
    "llama-b11459-bin-macos-x64.tar.gz",
    "llama-b11459-bin-ubuntu-arm64.tar.gz",
    "llama-b11459-bin-ubuntu-cuda-12.8-x64.tar.gz",
    "llama-b11459-bin-ubuntu-cuda-13.4-arm64.tar.gz",
    "llama-b11459-bin-ubuntu-cuda-13.4-x64.tar.gz",
    "llama-b11459-bin-ubuntu-openvino-2026.4.1-x64.tar.gz",
    "llama-b11459-bin-ubuntu-rocm-10.0-x64.tar.gz",
    "llama-b11459-bin-ubuntu-s390x.tar.gz",
    "llama-b11459-bin-ubuntu-vulkan-arm64.tar.gz",
    "llama-b11459-bin-ubuntu-vulkan-x64.tar.gz",
    "llama-b11459-bin-ubuntu-x64.tar.gz",
    "llama-b11459-bin-win-cpu-arm64.zip",
    "llama-b11459-bin-win-cpu-x64.zip",
    "llama-b11459-bin-win-cuda-12.4-x64.zip",
    "llama-b11459-bin-win-cuda-13.4-arm64.zip",
    "llama-b11459-bin-win-cuda-13.4-x64.zip",
    "llama-b11459-bin-win-opencl-adreno-arm64.zip",
    "llama-b11459-bin-win-sycl-x64.zip",
    "llama-b11459-bin-win-vulkan-arm64.zip",
    "llama-b11459-bin-win-vulkan-x64.zip",
    "llama-b11459-ui.tar.gz",
    "llama-b11459-xcframework.zip",
]
B7902 = [
    "cudart-llama-bin-win-cuda-12.4-x64.zip",
    "cudart-llama-bin-win-cuda-13.1-x64.zip",
    "llama-b7902-bin-macos-arm64.tar.gz",
    "llama-b7902-bin-macos-x64.tar.gz",
    "llama-b7902-bin-ubuntu-vulkan-x64.tar.gz",
    "llama-b7902-bin-ubuntu-x64.tar.gz",
    "llama-b7902-bin-win-cpu-x64.zip",
    "llama-b7902-bin-win-cuda-12.4-x64.zip",
    "llama-b7902-bin-win-cuda-13.1-x64.zip",
]
LINUX, LINUX_ARM = "x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"
WINDOWS, WINDOWS_ARM = "x86_64-pc-windows-msvc", "aarch64-pc-windows-msvc"
MAC, MAC_INTEL = "aarch64-apple-darwin", "x86_64-apple-darwin"


def assets(names: list[str], sha256: str = "0" * 64) -> list[Asset]:
    return [Asset(name, 1, sha256, "http://127.0.0.1/x") for name in names]


def chosen(names: list[str], target: str, variant: str, tag: str) -> list[str]:
    return [asset.name for asset, _ in choose(assets(names), target, variant, tag)]


@pytest.mark.parametrize(
    ("target", "variant", "expected"),
    [
        (LINUX, "cpu", ["llama-b11459-bin-ubuntu-x64.tar.gz"]),
        (LINUX, "vulkan", ["llama-b11459-bin-ubuntu-vulkan-x64.tar.gz"]),
        (
            LINUX,
            "cuda",
            [
                "llama-b11459-bin-ubuntu-cuda-12.8-x64.tar.gz",
                "cudart-llama-b11459-bin-ubuntu-cuda-12.8-x64.tar.gz",
            ],
        ),
        (
            LINUX,
            "cuda-13",
            [
                "llama-b11459-bin-ubuntu-cuda-13.4-x64.tar.gz",
                "cudart-llama-b11459-bin-ubuntu-cuda-13.4-x64.tar.gz",
            ],
        ),
        (LINUX_ARM, "cpu", ["llama-b11459-bin-ubuntu-arm64.tar.gz"]),
        (LINUX_ARM, "vulkan", ["llama-b11459-bin-ubuntu-vulkan-arm64.tar.gz"]),
        (
            LINUX_ARM,
            "cuda",
            [
                "llama-b11459-bin-ubuntu-cuda-13.4-arm64.tar.gz",
                "cudart-llama-b11459-bin-ubuntu-cuda-13.4-arm64.tar.gz",
            ],
        ),
        (WINDOWS, "cpu", ["llama-b11459-bin-win-cpu-x64.zip"]),
        (WINDOWS, "vulkan", ["llama-b11459-bin-win-vulkan-x64.zip"]),
        (WINDOWS, "cuda", ["llama-b11459-bin-win-cuda-12.4-x64.zip", "cudart-llama-bin-win-cuda-12.4-x64.zip"]),
        (WINDOWS, "cuda-13", ["llama-b11459-bin-win-cuda-13.4-x64.zip", "cudart-llama-bin-win-cuda-13.4-x64.zip"]),
        (WINDOWS_ARM, "cpu", ["llama-b11459-bin-win-cpu-arm64.zip"]),
        (WINDOWS_ARM, "cuda", ["llama-b11459-bin-win-cuda-13.4-arm64.zip", "cudart-llama-bin-win-cuda-13.4-arm64.zip"]),
        (MAC, "metal", ["llama-b11459-bin-macos-arm64.tar.gz"]),
        (MAC, "cpu", ["llama-b11459-bin-macos-arm64.tar.gz"]),
        (MAC_INTEL, "cpu", ["llama-b11459-bin-macos-x64.tar.gz"]),
    ],
)
def test_choose_takes_exactly_the_files_of_the_variant(target: str, variant: str, expected: list[str]) -> None:
    assert chosen(B11459, target, variant, "b11459") == expected


def test_choose_cuda_for_linux_of_a_release_without_it_lists_what_there_is() -> None:
    with pytest.raises(BuildRefused) as refusal:
        chosen(B7902, LINUX, "cuda", "b7902")
    assert "no cuda for x86_64-unknown-linux-gnu" in str(refusal.value)
    assert all(name in str(refusal.value) for name in B7902)


def test_choose_cuda_without_its_runtime_is_refused() -> None:
    names = [name for name in B11459 if name != "cudart-llama-bin-win-cuda-12.4-x64.zip"]
    with pytest.raises(BuildRefused, match=r"no CUDA 12\.4 runtime for x86_64-pc-windows-msvc"):
        chosen(names, WINDOWS, "cuda", "b11459")


def test_choose_file_of_another_tag_is_not_taken() -> None:
    with pytest.raises(BuildRefused, match="no cpu for"):
        chosen(B7902, LINUX, "cpu", "b11459")


def test_choose_file_without_a_digest_is_refused() -> None:
    with pytest.raises(BuildRefused, match="tells no SHA-256"):
        choose(assets(B11459, sha256=""), LINUX, "cpu", "b11459")


def test_wish_with_only_a_release_is_for_this_machine() -> None:
    assert read_wish({"CI_RELEASE": "b1"}) == Wish(this_target(), ("cpu",), "cpu", "b1")


def test_wish_keeps_the_order_of_variants_and_prefers_the_first() -> None:
    environment = {"CI_RELEASE": "b1", "CI_BUILD_TARGET": WINDOWS, "CI_BUILD_VARIANTS": "vulkan, cuda,cpu,vulkan"}
    assert read_wish(environment) == Wish(WINDOWS, ("vulkan", "cuda", "cpu"), "vulkan", "b1")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"CI_BUILD_TARGET": "sparc-sun-solaris"}, "aarch64-apple-darwin"),
        ({"CI_BUILD_TARGET": LINUX, "CI_BUILD_VARIANTS": "metal"}, "cpu, vulkan, cuda"),
        ({"CI_BUILD_TARGET": MAC_INTEL, "CI_BUILD_VARIANTS": "metal"}, "may name: cpu"),
        ({"CI_BUILD_TARGET": LINUX, "CI_DEFAULT_VARIANT": "vulkan"}, "none of those bundled: cpu"),
        ({"CI_RELEASE": ""}, "name the tag"),
        ({"CI_RELEASE": "../../evil"}, "name the tag"),
        ({"CI_RELEASE": "b1/../../x"}, "name the tag"),
    ],
    ids=["target", "variant", "metal on Intel", "default", "no release", "path as release", "path in release"],
)
def test_wish_that_cannot_be_fulfilled_is_refused_with_what_can(more: dict[str, str], said: str) -> None:
    with pytest.raises(BuildRefused) as refusal:
        read_wish({"CI_RELEASE": "b1", **more})
    assert said in str(refusal.value)


def test_wish_token_is_no_part_of_its_representation() -> None:
    wish = read_wish({"CI_RELEASE": "b1", "GH_PAT": "ghp_secret"})
    assert wish.token == "ghp_secret"
    assert "ghp_secret" not in f"{wish!r} {wish}"


def test_table_every_variant_has_a_name_that_can_be_a_folder() -> None:
    assert all(name.replace("-", "").isalnum() for target in TARGETS.values() for name in target.variants)
