"""Deleting messages: what goes with one, what is shown then, and that all of it can be taken back."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from llamero.infrastructure.storage.chats import TRASH_KEPT_S, ChatStore
from llamero.infrastructure.storage.database import Database
from llamero.models.bridge.chats import Asked, ConversationRef, MessagePlace, MessageRef, RetryMessage, SendChatMessage
from llamero.models.conversations import Conversation, ConversationWithMessages, MessageStatus
from llamero.models.errors import IoFailed, NotFound
from tests.fakes.chats import DATABASE, open_chats, open_store
from tests.fakes.clock import FakeClock


async def said(store: ChatStore, text: str, reply: str, conversation_id: str | None = None, **more: str) -> Asked:
    asked = await store.ask(text, "m", title="T", conversation_id=conversation_id, **more)
    await store.finish(replace(asked.assistant_message, content=reply, status=MessageStatus.COMPLETE))
    return asked


async def again(store: ChatStore, answer: str, reply: str) -> Asked:
    asked = await store.retry(answer, "m")
    await store.finish(replace(asked.assistant_message, content=reply, status=MessageStatus.COMPLETE))
    return asked


def question(asked: Asked) -> str:
    assert asked.user_message is not None
    return asked.user_message.id


async def shown(store: ChatStore, conversation: Conversation) -> list[str]:
    return [m.content for m in await store.branch(str(conversation.head))]


async def test_message_goes_with_all_that_follows_on_every_branch_and_comes_back(tmp_path: Path) -> None:
    async with open_store(tmp_path) as store:
        first = await said(store, "one", "1")
        id = first.conversation.id
        second = await said(store, "two", "2", id)
        other = await again(store, second.assistant_message.id, "zwei")
        before = await store.conversation(id)
        deleted = await store.delete_message(question(second))
        assert deleted.message_ids == (question(second), second.assistant_message.id, other.assistant_message.id)
        assert deleted.conversation.head == first.assistant_message.id
        after = await store.conversation(id)
        assert after.conversation == deleted.conversation
        assert [m.content for m in after.messages] == ["one", "1"]
        assert await store.search("zwei", 5) == ()
        for refused in (
            store.message(second.assistant_message.id),
            store.branch(second.assistant_message.id),
            store.retry(second.assistant_message.id, "m"),
            store.edit(question(second), "x", "m", title=""),
            store.ask("x", "m", title="", conversation_id=id, parent_id=second.assistant_message.id),
            store.select_branch(id, second.assistant_message.id),
            store.fork(second.assistant_message.id),
            store.delete_message(second.assistant_message.id),
        ):
            with pytest.raises(NotFound):
                await refused
        assert await store.restore_message(question(second)) == before.conversation
        assert await store.conversation(id) == before
        assert [hit.message_id for hit in await store.search("zwei", 5)] == [other.assistant_message.id]
        assert await store.restore_message(question(second)) == before.conversation


@pytest.mark.parametrize(("number", "then"), [(0, "b"), (1, "a"), (2, "b")])
async def test_version_that_is_deleted_gives_way_to_the_one_beside_it(tmp_path: Path, number: int, then: str) -> None:
    async with open_store(tmp_path) as store:
        first = await said(store, "one", "a")
        versions = [first.assistant_message.id]
        versions += [(await again(store, versions[0], reply)).assistant_message.id for reply in "bc"]
        await store.select_branch(first.conversation.id, versions[number])
        deleted = await store.delete_message(versions[number])
        assert await shown(store, deleted.conversation) == ["one", then]
        restored = await store.restore_message(versions[number])
        assert await shown(store, restored) == ["one", "abc"[number]]


async def test_message_on_a_branch_that_is_not_shown_goes_unseen(tmp_path: Path) -> None:
    async with open_store(tmp_path) as store:
        first = await said(store, "one", "a")
        await again(store, first.assistant_message.id, "b")
        deleted = await store.delete_message(first.assistant_message.id)
        assert await shown(store, deleted.conversation) == ["one", "b"]
        await store.delete_message(question(await said(store, "two", "2", first.conversation.id)))
        assert await shown(store, await store.restore_message(first.assistant_message.id)) == ["one", "a"]


async def test_message_comes_back_with_what_it_hangs_on(tmp_path: Path) -> None:
    async with open_store(tmp_path) as store:
        first = await said(store, "one", "1")
        second = await said(store, "two", "2", first.conversation.id)
        whole = await store.conversation(first.conversation.id)
        await store.delete_message(second.assistant_message.id)
        await store.delete_message(first.assistant_message.id)
        restored = await store.restore_message(second.assistant_message.id)
        assert await store.conversation(restored.id) == whole


async def test_message_that_comes_back_leaves_what_was_said_since_on_the_screen(tmp_path: Path) -> None:
    clock = FakeClock()
    async with open_store(tmp_path, clock) as store:
        first = await said(store, "one", "1")
        former = await said(store, "two", "2", first.conversation.id)
        clock.advance(1)
        await store.delete_message(question(former))
        clock.advance(1)
        await said(store, "three", "3", first.conversation.id)
        restored = await store.restore_message(question(former))
        assert await shown(store, restored) == ["one", "1", "three", "3"]
        branch = await store.select_branch(restored.id, question(former))
        assert await shown(store, branch) == ["one", "1", "two", "2"]


async def test_what_was_deleted_before_stays_deleted_when_a_message_above_it_comes_back(tmp_path: Path) -> None:
    async with open_store(tmp_path) as store:
        first = await said(store, "one", "1")
        second = await said(store, "two", "2", first.conversation.id)
        await store.delete_message(second.assistant_message.id)
        await store.delete_message(first.assistant_message.id)
        restored = await store.restore_message(first.assistant_message.id)
        assert await shown(store, restored) == ["one", "1", "two"]


async def test_last_message_takes_the_conversation_along_into_the_trash(tmp_path: Path) -> None:
    async with open_store(tmp_path) as store:
        first = await said(store, "one", "1")
        edited = await store.edit(question(first), "uno", "m", title="T")
        before = await store.conversation(first.conversation.id)
        assert (await store.delete_message(question(edited))).conversation.head == first.assistant_message.id
        gone = await store.delete_message(question(first))
        assert (gone.message_ids, gone.conversation.deleted_at is None) == ((), False)
        assert await store.conversations() == ()
        restored = await store.restore(first.conversation.id)
        assert await shown(store, restored) == ["one", "1"]
        await store.restore_message(question(edited))
        assert await store.conversation(first.conversation.id) == before


async def test_messages_deleted_30_days_ago_are_gone_after_a_start(tmp_path: Path) -> None:
    clock = FakeClock()
    async with open_store(tmp_path, clock) as store:
        first = await said(store, "one", "1")
        old = await said(store, "old", "o", first.conversation.id)
        later = await said(store, "later", "l", first.conversation.id)
        await store.delete_message(old.assistant_message.id)
        clock.advance(TRASH_KEPT_S)
        await store.delete_message(question(old))
        clock.advance(1)
    async with open_store(tmp_path, clock) as store:
        with pytest.raises(NotFound):
            await store.restore_message(old.assistant_message.id)
        with pytest.raises(NotFound):
            await store.restore_message(later.assistant_message.id)
        assert await shown(store, await store.restore_message(question(old))) == ["one", "1", "old"]
    database = await Database.open(tmp_path / DATABASE)
    await database.write(lambda c: c.execute("INSERT INTO message_search (message_search) VALUES ('integrity-check')"))
    await database.close()


async def test_nothing_below_a_purged_message_is_left_though_the_clock_was_set_back(tmp_path: Path) -> None:
    clock = FakeClock()
    async with open_store(tmp_path, clock) as store:
        first = await said(store, "one", "1")
        second = await said(store, "two", "2", first.conversation.id)
        clock.advance(TRASH_KEPT_S)
        await store.delete_message(second.assistant_message.id)
        clock.advance(-TRASH_KEPT_S / 2)
        await store.delete_message(question(second))
        clock.advance(TRASH_KEPT_S + 1)
    async with open_store(tmp_path, clock) as store:
        with pytest.raises(NotFound):
            await store.restore_message(second.assistant_message.id)
        assert [m.content for m in (await store.conversation(first.conversation.id)).messages] == ["one", "1"]


async def test_answer_that_takes_its_time_to_end_holds_nobody_else(tmp_path: Path) -> None:
    async with open_chats(tmp_path) as chats:
        asked, asking, channel = await chats.send("one")
        asking.may_close.clear()
        deleting = asyncio.create_task(chats.service.delete_message(MessageRef(message_id=question(asked))))
        await chats.exchange("two", "2")
        assert not deleting.done()
        asking.may_close.set()
        await deleting
        assert (await channel.until_end()).status is MessageStatus.STOPPED


async def test_conversation_that_is_read_while_a_message_goes_does_not_bring_it_back(tmp_path: Path) -> None:
    async with open_chats(tmp_path) as chats:
        asked = await chats.exchange("one", "1")
        later = await chats.exchange("two", "2", conversation_id=asked.conversation.id)
        ref, gone = ConversationRef(conversation_id=asked.conversation.id), MessageRef(message_id=question(later))
        read, has_read, told = chats.store.conversation, asyncio.Event(), asyncio.Event()

        async def read_slowly(conversation_id: str) -> ConversationWithMessages:
            found = await read(conversation_id)
            has_read.set()
            await told.wait()
            return found

        chats.store.conversation = read_slowly  # type: ignore[method-assign]
        reading = asyncio.create_task(chats.service.get(ref))
        await has_read.wait()
        await chats.service.delete_message(gone)
        told.set()
        assert [message.content for message in (await reading).messages] == ["one", "1"]


async def test_deleting_a_message_stops_the_answers_below_it_and_no_others(tmp_path: Path) -> None:
    async with open_chats(tmp_path) as chats:
        kept = await chats.exchange("one", "1")
        id = kept.conversation.id
        asked, asking, channel = await chats.send("two", conversation_id=id)
        asking.say("so far")
        await channel.until_text("so far")
        beside = RetryMessage(message_id=kept.assistant_message.id, model="m", on=chats.on())
        await chats.service.retry("w", beside)
        other, other_channel = await chats.model.take(), chats.last_channel
        deleted = await chats.service.delete_message(MessageRef(message_id=question(asked)))
        assert (asking.closed, other.closed) == (True, False)
        assert (await channel.until_end()).status is MessageStatus.STOPPED
        assert set(deleted.message_ids) == {question(asked), asked.assistant_message.id}
        place = MessagePlace(conversation_id=id, message_id=question(asked))
        assert chats.windows.events[-2:] == [("conversation", deleted.conversation), ("message_deleted", place)]
        restored = await chats.service.restore_message(MessageRef(message_id=question(asked)))
        assert chats.windows.events[-2:] == [("conversation", restored), ("message_restored", place)]
        saved = await chats.store.message(asked.assistant_message.id)
        assert (saved.content, saved.status) == ("so far", MessageStatus.STOPPED)
        other.finish()
        await other_channel.until_end()


async def test_question_and_deletion_of_what_it_follows_leave_no_answer_running(tmp_path: Path) -> None:
    async with open_chats(tmp_path) as chats:
        asked = await chats.exchange("one", "1")
        more = SendChatMessage(text="two", model="m", on=chats.on(), conversation_id=asked.conversation.id)
        await asyncio.gather(
            chats.service.send("w", more),
            chats.service.delete_message(MessageRef(message_id=asked.assistant_message.id)),
            return_exceptions=True,
        )
        assert chats.service.streaming == ()
        found = await chats.service.get(ConversationRef(conversation_id=asked.conversation.id))
        assert [m.content for m in found.messages] == ["one"]


async def test_windows_are_told_that_the_last_message_took_its_conversation_along(tmp_path: Path) -> None:
    async with open_chats(tmp_path) as chats:
        asked, asking, _ = await chats.send("one")
        await chats.service.delete_message(MessageRef(message_id=question(asked)))
        ref = ConversationRef(conversation_id=asked.conversation.id)
        assert chats.windows.named("conversation_deleted") == [ref]
        assert asking.closed and chats.service.streaming == ()
        await chats.service.restore(ref)
        assert [m.content for m in (await chats.service.get(ref)).messages] == ["one", ""]


async def test_message_whose_answer_cannot_be_saved_stays(tmp_path: Path) -> None:
    async with open_chats(tmp_path) as chats:
        asked = await chats.exchange("one", "1")
        finish, chats.store.finish = chats.store.finish, failing  # type: ignore[method-assign]
        more, asking, channel = await chats.send("two", conversation_id=asked.conversation.id)
        asking.say("so far")
        await channel.until_text("so far")
        with pytest.raises(IoFailed):
            await chats.service.delete_message(MessageRef(message_id=question(more)))
        assert asking.closed and (await channel.until_end()).content == "so far"
        chats.store.finish = finish  # type: ignore[method-assign]
        deleted = await chats.service.delete_message(MessageRef(message_id=question(more)))
        assert len(deleted.message_ids) == 2
        await chats.service.restore_message(MessageRef(message_id=question(more)))
        assert (await chats.store.message(more.assistant_message.id)).content == "so far"


async def failing(message: object) -> Conversation:
    raise IoFailed("storage_error-full", path="p", reason="r")
