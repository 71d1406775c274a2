"""Conversations on the disk: what is added where, and that nothing is lost or overwritten."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from msgspec.structs import replace

from llamero.infrastructure.storage.chats import TRASH_KEPT_S, ChatStore
from llamero.infrastructure.storage.database import Database
from llamero.infrastructure.storage.ids import IdMaker
from llamero.models.bridge.chats import Asked
from llamero.models.conversations import AnswerStats, Message, MessageError, MessageStatus, Role, Sampling
from llamero.models.errors import Conflict, InvalidRequest, NotFound
from tests.fakes.chats import DATABASE, open_store
from tests.fakes.clock import FakeClock

COMPLETE = MessageStatus.COMPLETE


async def answered(store: ChatStore, asked: Asked, text: str = "answer") -> Message:
    message = replace(asked.assistant_message, content=text, status=COMPLETE)
    await store.finish(message)
    return message


async def test_ask_without_a_conversation_begins_one(tmp_path: Path) -> None:
    clock = FakeClock()
    async with open_store(tmp_path, clock) as store:
        sampling = Sampling(temperature=0.5, seed=7)
        asked = await store.ask("hi", "m", title="Hi", system_prompt="Be kind.", sampling=sampling)
        question, answer, conversation = asked.user_message, asked.assistant_message, asked.conversation
        assert question is not None
        assert (question.role, question.content, question.parent_id, question.status) == (
            Role.USER,
            "hi",
            None,
            COMPLETE,
        )
        assert (answer.role, answer.content, answer.parent_id) == (Role.ASSISTANT, "", question.id)
        assert (answer.status, answer.model) == (MessageStatus.STREAMING, "m")
        assert (conversation.title, conversation.title_is_automatic, conversation.model) == ("Hi", True, "m")
        assert (conversation.head, conversation.system_prompt, conversation.sampling) == (
            answer.id,
            "Be kind.",
            sampling,
        )
        assert conversation.created_at == conversation.updated_at == question.created_at == clock.time()
        found = await store.conversation(conversation.id)
        assert found.conversation == conversation
        assert found.messages == (question, answer)


async def test_ask_goes_under_the_head_or_under_the_given_message(tmp_path: Path) -> None:
    async with open_store(tmp_path) as store:
        first = await store.ask("1", "m", title="T")
        one = await answered(store, first)
        second = await store.ask("2", "other", title="not taken", conversation_id=first.conversation.id)
        assert second.user_message is not None and second.user_message.parent_id == one.id
        assert (second.conversation.title, second.conversation.model) == ("T", "other")
        await answered(store, second)
        third = await store.ask("3", "m", title="", conversation_id=first.conversation.id, parent_id=one.id)
        assert third.user_message is not None and third.user_message.parent_id == one.id
        assert third.conversation.head == third.assistant_message.id
        branch = await store.branch(third.assistant_message.id)
        assert [m.content for m in branch] == ["1", "answer", "3", ""]
        assert len((await store.conversation(first.conversation.id)).messages) == 6


async def test_edit_makes_a_sibling_with_an_answer_of_its_own(tmp_path: Path) -> None:
    async with open_store(tmp_path) as store:
        first = await store.ask("teh", "m", title="teh")
        await answered(store, first)
        assert first.user_message is not None
        edited = await store.edit(first.user_message.id, "the", "m", title="the")
        assert edited.user_message is not None
        assert (edited.user_message.parent_id, edited.user_message.content) == (None, "the")
        assert edited.conversation.title == "the"
        assert edited.conversation.head == edited.assistant_message.id
        messages = (await store.conversation(first.conversation.id)).messages
        assert [m.content for m in messages] == ["teh", "answer", "the", ""]


async def test_edit_leaves_a_title_that_a_person_gave_and_that_of_a_later_question(tmp_path: Path) -> None:
    async with open_store(tmp_path) as store:
        first = await store.ask("1", "m", title="one")
        await answered(store, first)
        later = await store.ask("2", "m", title="", conversation_id=first.conversation.id)
        await answered(store, later)
        assert later.user_message is not None and first.user_message is not None
        edited = await store.edit(later.user_message.id, "3", "m", title="three")
        assert edited.conversation.title == "one"
        await store.rename(first.conversation.id, "mine")
        edited = await store.edit(first.user_message.id, "4", "m", title="four")
        assert (edited.conversation.title, edited.conversation.title_is_automatic) == ("mine", False)


async def test_retry_makes_a_sibling_answer(tmp_path: Path) -> None:
    async with open_store(tmp_path) as store:
        first = await store.ask("1", "m", title="T")
        await answered(store, first, "one")
        again = await store.retry(first.assistant_message.id, "better")
        assert again.user_message is None
        assert again.assistant_message.parent_id == first.assistant_message.parent_id
        assert (again.assistant_message.model, again.conversation.model) == ("better", "better")
        assert (await store.message(first.assistant_message.id)).content == "one"


async def test_retry_of_a_question_makes_place_for_its_answer(tmp_path: Path) -> None:
    async with open_store(tmp_path) as store:
        first = await store.ask("1", "m", title="T")
        await answered(store, first)
        assert first.user_message is not None
        again = await store.retry(first.user_message.id, "better")
        assert (again.assistant_message.parent_id, again.user_message) == (first.user_message.id, None)
        assert again.conversation.head == again.assistant_message.id


async def test_asking_where_it_makes_no_sense_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    async with open_store(tmp_path) as store:
        first = await store.ask("1", "m", title="T")
        other = await store.ask("1", "m", title="T")
        question, answer = first.user_message, first.assistant_message
        assert question is not None
        before = await store.conversation(first.conversation.id)
        with pytest.raises(Conflict):
            await store.ask("2", "m", title="", conversation_id=first.conversation.id)
        with pytest.raises(Conflict):
            await store.retry(answer.id, "m")
        with pytest.raises(NotFound):
            await store.ask(
                "2", "m", title="", conversation_id=first.conversation.id, parent_id=other.assistant_message.id
            )
        with pytest.raises(NotFound):
            await store.ask("2", "m", title="", conversation_id="no such thing \ud800\0")
        with pytest.raises(NotFound):
            await store.edit("nothing", "2", "m", title="")
        with pytest.raises(InvalidRequest, match="not_a_question"):
            await store.edit(answer.id, "2", "m", title="")
        with pytest.raises(NotFound):
            await store.select_branch(first.conversation.id, other.assistant_message.id)
        assert await store.conversation(first.conversation.id) == before
        assert len(await store.conversations()) == 2


async def test_select_branch_shows_the_newest_leaf_below(tmp_path: Path) -> None:
    async with open_store(tmp_path) as store:
        root = await store.ask("1", "m", title="T")
        one = await answered(store, root)
        id = root.conversation.id
        left = await store.ask("left", "m", title="", conversation_id=id, parent_id=one.id)
        await answered(store, left)
        deeper = await store.ask("deeper", "m", title="", conversation_id=id)
        await answered(store, deeper)
        right = await store.ask("right", "m", title="", conversation_id=id, parent_id=one.id)
        await answered(store, right)
        newest_left = await store.retry(left.assistant_message.id, "m")
        assert left.user_message is not None and right.user_message is not None and root.user_message is not None
        for shown, head in (
            (right.user_message.id, right.assistant_message.id),
            (left.user_message.id, newest_left.assistant_message.id),
            (left.assistant_message.id, deeper.assistant_message.id),
            (newest_left.assistant_message.id, newest_left.assistant_message.id),
            (root.user_message.id, newest_left.assistant_message.id),
        ):
            assert (await store.select_branch(id, shown)).head == head
            assert (await store.conversation(id)).conversation.head == head


async def test_answer_in_parts_reads_as_one_text_and_ends_as_it_is_said_to(tmp_path: Path) -> None:
    async with open_store(tmp_path) as store:
        asked = await store.ask("1", "m", title="T")
        id = asked.assistant_message.id
        for piece in ("a", "ñ\0", "🦙"):
            await store.append(id, piece, f"r{piece}")
        so_far = await store.message(id)
        assert (so_far.content, so_far.reasoning) == ("añ\0🦙", "rarñ\0r🦙")
        assert so_far.status is MessageStatus.STREAMING
        error = MessageError(code="c", message="it broke")
        stats = AnswerStats(completion_tokens=3, finish_reason="stop")
        ended = replace(so_far, content="whole", status=MessageStatus.FAILED, error=error, stats=stats)
        await store.finish(ended)
        assert await store.message(id) == ended
        await store.append(id, "late", "")
        await store.finish(replace(ended, content="again", status=COMPLETE))
        assert await store.message(id) == ended


async def test_text_with_half_a_surrogate_pair_is_stored_with_a_replacement(tmp_path: Path) -> None:
    async with open_store(tmp_path) as store:
        asked = await store.ask("a\ud83db", "m", title="t\udfff")
        assert asked.user_message is not None
        assert (await store.message(asked.user_message.id)).content == "a\ufffdb"
        assert asked.conversation.title == "t\ufffd"
        await store.append(asked.assistant_message.id, "\ud800", "")
        assert (await store.message(asked.assistant_message.id)).content == "\ufffd"


async def test_complete_message_cannot_be_changed_even_by_mistake(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / DATABASE)
    store = ChatStore(database, FakeClock())
    asked = await store.ask("1", "m", title="T")
    assert asked.user_message is not None
    id = asked.user_message.id
    with pytest.raises(sqlite3.IntegrityError, match="cannot be changed"):
        await database.write(lambda c: c.execute("UPDATE messages SET content = 'x' WHERE id = ?", (id,)).rowcount)
    await database.close()


async def test_conversations_come_with_the_last_spoken_in_first(tmp_path: Path) -> None:
    clock = FakeClock()
    async with open_store(tmp_path, clock) as store:
        asked = []
        for number in range(3):
            asked.append(await store.ask("1", "m", title=f"T{number}"))
            clock.advance(1)
        assert [c.title for c in await store.conversations()] == ["T2", "T1", "T0"]
        await answered(store, asked[0])
        assert [c.title for c in await store.conversations()] == ["T0", "T2", "T1"]
        await store.rename(asked[1].conversation.id, "renamed")
        assert [c.title for c in await store.conversations()] == ["T0", "T2", "renamed"]


async def test_change_leaves_what_is_not_given(tmp_path: Path) -> None:
    async with open_store(tmp_path) as store:
        asked = await store.ask("1", "m", title="T", system_prompt="S", sampling=Sampling(top_k=5))
        id = asked.conversation.id
        changed = await store.change(id, model="n")
        assert (changed.model, changed.system_prompt, changed.sampling) == ("n", "S", Sampling(top_k=5))
        changed = await store.change(id, system_prompt="", sampling=Sampling())
        assert (changed.model, changed.system_prompt, changed.sampling) == ("n", "", Sampling())
        assert (await store.conversation(id)).conversation == changed


async def test_trash_hides_a_conversation_until_it_is_restored(tmp_path: Path) -> None:
    clock = FakeClock()
    async with open_store(tmp_path, clock) as store:
        asked = await store.ask("findable", "m", title="T")
        await answered(store, asked)
        id = asked.conversation.id
        whole = await store.conversation(id)
        await store.delete(id)
        clock.advance(5)
        await store.delete(id)
        assert await store.conversations() == ()
        assert await store.search("findable", 10) == ()
        for refused in (
            store.conversation(id),
            store.message(asked.assistant_message.id),
            store.branch(asked.assistant_message.id),
            store.ask("2", "m", title="", conversation_id=id),
            store.retry(asked.assistant_message.id, "m"),
            store.rename(id, "x"),
            store.change(id, model="x"),
        ):
            with pytest.raises(NotFound):
                await refused
        assert (await store.restore(id)).deleted_at is None
        await store.restore(id)
        assert await store.conversation(id) == whole
        assert len(await store.search("findable", 10)) == 1
    for missing in ("delete", "restore"):
        async with open_store(tmp_path, clock) as store:
            with pytest.raises(NotFound):
                await getattr(store, missing)("nothing")


async def test_trash_tells_what_can_be_restored_with_the_last_deleted_first(tmp_path: Path) -> None:
    clock = FakeClock()
    async with open_store(tmp_path, clock) as store:
        asked = [await store.ask("1", "m", title=title) for title in ("kept", "first", "second")]
        for one in asked[:0:-1]:
            await store.delete(one.conversation.id)
            clock.advance(1)
        trash = await store.trash()
        assert [c.title for c in trash.conversations] == ["first", "second"]
        assert (trash.kept_s, trash.conversations[0].deleted_at) == (TRASH_KEPT_S, clock.time() - 1)
        await store.restore(trash.conversations[0].id)
        assert [c.title for c in (await store.trash()).conversations] == ["second"]


async def test_start_purges_what_has_been_in_the_trash_for_30_days(tmp_path: Path) -> None:
    clock = FakeClock()
    async with open_store(tmp_path, clock) as store:
        old = await store.ask("oldest words", "m", title="old")
        recent = await store.ask("recent words", "m", title="recent")
        kept = await store.ask("kept words", "m", title="kept")
        for asked in (old, recent, kept):
            await answered(store, asked)
        await store.delete(old.conversation.id)
        clock.advance(TRASH_KEPT_S)
        await store.delete(recent.conversation.id)
        clock.advance(1)
    database = await Database.open(tmp_path / DATABASE)
    store = ChatStore(database, clock)
    assert (await store.recover()).purged == 1
    with pytest.raises(NotFound):
        await store.restore(old.conversation.id)
    assert (await store.restore(recent.conversation.id)).title == "recent"
    assert [hit.title for hit in await store.search("words", 10)] == ["kept", "recent"]
    counts = await database.read(
        lambda c: [c.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in ("conversations", "messages")]
    )
    assert counts == [2, 4]
    await database.write(lambda c: c.execute("INSERT INTO message_search (message_search) VALUES ('integrity-check')"))
    await database.close()


async def test_start_ends_what_was_streaming_and_has_nothing_to_do_the_second_time(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / DATABASE)
    store = ChatStore(database, FakeClock())
    asked = await store.ask("1", "m", title="T")
    await store.append(asked.assistant_message.id, "half an ", "thought")
    await store.append(asked.assistant_message.id, "answer", "")
    await database.close()
    database = await Database.open(tmp_path / DATABASE)
    store = ChatStore(database, FakeClock())
    assert (await store.recover()).interrupted == 1
    message = await store.message(asked.assistant_message.id)
    assert (message.content, message.reasoning, message.status) == (
        "half an answer",
        "thought",
        MessageStatus.INTERRUPTED,
    )
    assert (await store.recover()).interrupted == 0
    assert [hit.message_id for hit in await store.search("half answer", 5)] == [message.id]
    assert (await store.ask("2", "m", title="", conversation_id=asked.conversation.id)).user_message is not None
    await database.close()


def test_ids_grow_whatever_the_clock_does() -> None:
    clock = FakeClock()
    maker = IdMaker(clock)
    ids = []
    for step in (0.0, 0.0, 0.001, -3600.0, 0.0, 7200.0):
        clock.wall += step
        ids += [maker.new() for _ in range(5000)]
    assert ids == sorted(ids) and len(set(ids)) == len(ids)
    assert all(id[14] == "7" and id[19] in "89ab" and len(id) == 36 for id in ids)
