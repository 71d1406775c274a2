"""Automatic titles: one line, no markup, cut where a person would cut."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamero.services.chats.titles import LONGEST_TITLE, clean_title, title_of


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Hello", "Hello"),
        ("  \n\n  Hello   there \t friend\nsecond line", "Hello there friend"),
        ("# A heading\n\ntext", "A heading"),
        ("> - **Bold** and *this* and `code`", "Bold and this and code"),
        ("1. first\n2. second", "first"),
        ("***very*** __loud__ ~~gone~~", "very loud gone"),
        ("[a link](https://x.example/a_b) and ![a picture](p.png)", "a link and a picture"),
        ("2 * 3 * 4 = 24", "2 * 3 * 4 = 24"),
        ("snake_case_name and __init__", "snake_case_name and init"),
        ("---\nAfter a rule", "After a rule"),
        ("```python\nprint(1)\n```\nWhat does this print?", "What does this print?"),
        ("```python\nprint(1)\n```", "print(1)"),
        ("```\n```", ""),
        ("###", ""),
        ("\u200b\u202e\x07", ""),
        ("abc\u202edef\x1b[2J", "abcdef[2J"),
        ("#hashtag first", "#hashtag first"),
        ("-5 degrees", "-5 degrees"),
        ("👨‍👩‍👧 family", "👨‍👩‍👧 family"),
        ("Why does the bridge over the river sway when the wind blows from the north?", None),
    ],
)
def test_title_is_the_first_line_without_markup(text: str, title: str | None) -> None:
    if title is None:
        title = "Why does the bridge over the river sway when the wind blows…"
    assert title_of(text) == title


def test_title_is_cut_at_a_word_and_without_dangling_punctuation() -> None:
    assert title_of("word " * 40) == "word " * 11 + "word…"
    assert title_of("a" * 50 + ", " + "b" * 50) == "a" * 50 + "…"
    assert title_of("x" * 200) == "x" * 59 + "…"
    assert title_of("y" * 60) == "y" * 60


def test_title_is_not_cut_within_a_character() -> None:
    assert title_of("e\u0301" * 80) == "e\u0301" * 29 + "…"
    family = "👨‍👩‍👧"
    title = title_of(family * 40)
    assert title.removesuffix("…") == family * (len(title) // len(family))
    assert title_of("👍🏽" * 60).removesuffix("…").endswith("👍🏽")


@given(st.text(max_size=300))
def test_title_of_any_text_is_short_and_visible(text: str) -> None:
    title = title_of(text)
    assert len(title) <= LONGEST_TITLE
    assert title == title.strip() and "\n" not in title
    assert not {unicodedata.category(c) for c in title if c not in "\u200c\u200d"} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert clean_title(title) == title


@pytest.mark.parametrize(
    "text", ["*" * 100_000, "[" * 100_000, "`" * 100_000, "_a" * 50_000, "> " * 50_000, "**a" * 30_000]
)
def test_title_of_hostile_text_takes_no_time(text: str) -> None:
    assert len(title_of(text)) <= LONGEST_TITLE
