"""Reading a help text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamero.infrastructure.llama.flag_table import FlagSpec, Repeats
from llamero.infrastructure.llama.help_text import parse_help
from tests.unit.engine_help import FLAGS, HELP


def spec(name: str) -> FlagSpec:
    found = FLAGS.find(name)
    assert found is not None, name
    return found


def test_parse_help_finds_every_flag_line() -> None:
    lines = [line for line in HELP.splitlines() if line.startswith("-") and not line.startswith("-----")]
    assert len(FLAGS.specs) == len(lines) - 1  # all but the one that was removed
    assert FLAGS.find("--old-one") is None
    assert FLAGS.find("--not-a-flag") is None


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("--verbose", 0),
        ("--usage", 0),
        ("-t", 1),
        ("--log-verbosity", 1),
        ("--n-gpu-layers", 1),  # one blank between the value's name and the description would be too few
        ("--flash-attn", 1),
        ("--split-mode", 1),
        ("--override-tensor", 1),
        ("--device", 1),
        ("--lora-scaled", 1),
        ("--control-vector-layer-range", 2),
        ("--no-mmproj-auto", 0),
        ("-nkvo", 0),
    ],
)
def test_parse_help_counts_values(name: str, values: int) -> None:
    assert spec(name).values == values


@pytest.mark.parametrize(
    ("name", "names", "negatives"),
    [
        ("-e", ("-e", "--escape"), ("--no-escape",)),
        ("-nkvo", ("-kvo", "--kv-offload"), ("-nkvo", "--no-kv-offload")),
        ("-nr", ("--repack",), ("-nr", "--no-repack")),
        ("--ui", ("--ui", "--webui"), ("--no-ui", "--no-webui")),
        ("--no-host", ("--no-host",), ()),
        ("-lv", ("-lv", "--verbosity", "--log-verbosity"), ()),
    ],
)
def test_parse_help_tells_spellings_that_switch_off(
    name: str, names: tuple[str, ...], negatives: tuple[str, ...]
) -> None:
    assert (spec(name).names, spec(name).negatives) == (names, negatives)


@pytest.mark.parametrize(
    ("name", "repeats"),
    [
        ("--lora", Repeats.JOIN),
        ("--override-kv", Repeats.JOIN),
        ("-ot", Repeats.JOIN),
        ("-dev", Repeats.JOIN),
        ("-ts", Repeats.LAST),
        ("--threads", Repeats.LAST),
        ("--logit-bias", Repeats.KEEP),
        ("--reverse-prompt", Repeats.KEEP),
        ("--verbose", Repeats.LAST),
    ],
)
def test_parse_help_tells_what_repeating_means(name: str, repeats: Repeats) -> None:
    assert spec(name).repeats is repeats


def test_parse_help_older_engine_that_wants_repetition_is_believed() -> None:
    (lora,) = parse_help("--lora FNAME          path to an adapter (can be repeated to use several)\n")
    assert lora.repeats is Repeats.KEEP


def test_parse_help_two_values_of_an_older_engine_are_two() -> None:
    (lora,) = parse_help("--lora-scaled FNAME SCALE               adapter with weight\n")
    assert (lora.values, lora.pair) == (2, False)


def test_parse_help_choice_in_brackets_implies_on() -> None:
    assert (spec("-fa").implied, spec("-fa").optional) == ("on", False)
    assert (spec("--label").implied, spec("--label").optional) == ("", True)


@given(st.text(alphabet="-, ab<>[]{}|\n\t.", max_size=200))
def test_parse_help_anything_is_read_without_an_error(text: str) -> None:
    for found in parse_help(text):
        assert found.spellings
        assert all(name.startswith("-") for name in found.spellings)
