"""What holds for any argument whatever."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from llamero.infrastructure.llama.args import MergedFlag, merge, parse, quote, render
from llamero.infrastructure.llama.flag_table import EngineFlags
from llamero.models.errors import InvalidArgument
from tests.unit.engine_help import FLAGS

SPELLINGS = sorted(name for spec in FLAGS.specs for name in spec.spellings)
WORDS = st.one_of(
    st.sampled_from([*SPELLINGS, "4", "-1", "a,b", "x=y", "--lora=a=b", "''", '"-q"', "--x\"y z\"='w'", "-=", "-1=2"]),
    st.text(alphabet="-=a1 '\"\\,\t\0é", max_size=6),
)
TIER = st.lists(st.lists(WORDS, max_size=6).map(" ".join), max_size=4)
KNOWLEDGE = st.sampled_from([FLAGS, None])


def attempt(tiers: list[list[str]], flags: EngineFlags | None) -> tuple[MergedFlag, ...] | str:
    try:
        return merge(tiers[0], tiers[1], tiers[2], flags, config=tiers[3])
    except InvalidArgument as error:
        return str(error)


@settings(max_examples=300, deadline=None)
@given(st.lists(TIER, min_size=4, max_size=4), KNOWLEDGE)
def test_merge_anything_gives_flags_or_invalid_argument_and_the_same_every_time(
    tiers: list[list[str]], flags: EngineFlags | None
) -> None:
    assert attempt(tiers, flags) == attempt(tiers, flags)


@settings(max_examples=300, deadline=None)
@given(st.lists(TIER, min_size=4, max_size=4), KNOWLEDGE)
def test_merge_of_what_was_merged_changes_nothing(tiers: list[list[str]], flags: EngineFlags | None) -> None:
    once = attempt(tiers, flags)
    if isinstance(once, str):
        return
    twice = merge([flag.text for flag in once], (), (), flags)
    assert render(twice) == render(once)


@given(TIER)
def test_parse_anything_loses_no_token_silently(tier: list[str]) -> None:
    try:
        parsed = parse(tier)
    except InvalidArgument:
        return
    written = "".join(tier).translate(str.maketrans("", "", " \t'\"="))
    read = "".join([*parsed.orphans, *(part for flag in parsed.flags for part in (flag.name, *flag.values))])
    assert read.translate(str.maketrans("", "", " \t'\"=")) == written


@given(st.text(alphabet=st.characters(exclude_characters="\0"), max_size=20))
def test_quote_any_value_is_read_back(value: str) -> None:
    (flag,) = parse([f"--label {quote(value)}"]).flags
    assert flag.values == (value,)
