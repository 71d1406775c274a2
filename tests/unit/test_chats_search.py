"""Search: any text is safe, words are found as people write them, in the newest first."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from llamero.infrastructure.storage.chats import ChatStore
from llamero.models.conversations import MessageStatus
from tests.fakes.chats import open_store

TEXTS = (
    "The old bridge over the Río Grande",
    "A llama crosses the bridge at dawn.\nIt carries    salt.",
    "naïve café façade",
    "100% of C++ and snake_case, e-mail a@b.example",
    "山の上に鈴の音が聞こえる",
    "quotes \" and ' and (parentheses) AND OR NOT NEAR",
)


async def filled(store: ChatStore) -> None:
    for number, text in enumerate(TEXTS):
        asked = await store.ask(text, "m", title=f"Chat {number}")
        answer = replace(asked.assistant_message, content=f"Answer {number}", status=MessageStatus.COMPLETE)
        await store.finish(answer)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("bridge", [1, 0]),
        ("BRIDGE dawn", [1]),
        ("bri", [1, 0]),
        ("bri daw", []),
        ("rio", [0]),
        ("cafe", [2]),
        ("c++", [3]),
        ("snake_case", [3]),
        ("a@b.example", [3]),
        ("100%", [3]),
        ("鈴の音", [4]),
        ("山 音", [4]),
        ("%", []),
        ("NOT", [5]),
        ('"', []),
        ("(parentheses)", [5]),
        ("", []),
        ("  \0 ", []),
        ("answer", [5, 4, 3, 2, 1, 0]),
        ("chat", [5, 4, 3, 2, 1, 0]),
    ],
)
async def test_search_finds_words_in_the_newest_first(query: str, found: list[int], tmp_path: Path) -> None:
    async with open_store(tmp_path) as store:
        await filled(store)
        hits = await store.search(query, 50)
        assert [hit.title for hit in hits] == [f"Chat {number}" for number in found]


async def test_search_marks_the_words_in_a_snippet_of_one_line(tmp_path: Path) -> None:
    async with open_store(tmp_path) as store:
        await filled(store)
        (hit,) = await store.search("salt llama", 5)
        assert hit.snippet == "A \ue000llama\ue001 crosses the bridge at dawn. It carries \ue000salt\ue001."
        (hit,) = await store.search("鈴", 5)
        assert hit.snippet == "山の上に\ue000鈴\ue001の音が聞こえる"
        asked = await store.ask("word " * 500 + "山" + " word" * 500, "m", title="long")
        for query in ("山", "word"):
            hit = (await store.search(query, 1))[0]
            assert hit.message_id == (asked.user_message.id if asked.user_message else None)
            assert len(hit.snippet) < 250 and "…" in hit.snippet


async def test_search_title_comes_first_with_the_head_as_its_message(tmp_path: Path) -> None:
    async with open_store(tmp_path) as store:
        await filled(store)
        asked = await store.ask("something else", "m", title="About bridges")
        hits = await store.search("bridge", 10)
        assert (hits[0].message_id, hits[0].snippet) == (asked.assistant_message.id, "About \ue000bridges\ue001")
        await store.rename(asked.conversation.id, "About 山")
        assert [hit.title for hit in await store.search("bridge", 10)] == ["Chat 1", "Chat 0"]
        hits = await store.search("山", 10)
        assert [hit.title for hit in hits] == ["About 山", "Chat 4"]


async def test_search_limit_is_kept_over_titles_and_messages(tmp_path: Path) -> None:
    async with open_store(tmp_path) as store:
        for _ in range(5):
            await store.ask("the same 山 words", "m", title="same 山")
        for query in ("same", "山"):
            for limit in (1, 4, 7, 10, 50):
                assert len(await store.search(query, limit)) == min(limit, 10)


async def test_search_does_not_find_an_answer_that_is_still_coming(tmp_path: Path) -> None:
    async with open_store(tmp_path) as store:
        asked = await store.ask("question", "m", title="T")
        await store.append(asked.assistant_message.id, "unfinished 山", "")
        assert await store.search("unfinished", 5) == ()
        assert await store.search("山", 5) == ()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=st.text(max_size=30) | st.text(alphabet='"*()^:+-{}[]ANDORNET\\%_\0 \ud800a山', max_size=20))
async def test_search_takes_any_text(query: str, tmp_path: Path) -> None:
    async with open_store(tmp_path) as store:
        if not await store.conversations():
            await filled(store)
        await store.search(query, 3)


async def test_search_finds_every_text_by_each_of_its_own_words(tmp_path: Path) -> None:
    async with open_store(tmp_path) as store:
        await filled(store)
        for number, text in enumerate(TEXTS):
            for word in text.split():
                if any(map(str.isalnum, word)):
                    assert f"Chat {number}" in [hit.title for hit in await store.search(word, 50)], word
