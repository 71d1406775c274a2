"""Answers under way: who looks on, who stops them, and what becomes of them when the app or the conversation ends."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from llamero.models.bridge.chats import (
    ChangeConversation,
    ConversationRef,
    Progress,
    ProgressKind,
    SearchMessages,
    SelectBranch,
    SendChatMessage,
    WatchMessage,
)
from llamero.models.conversations import Message, MessageStatus, Sampling
from llamero.models.errors import NotFound, Unavailable
from tests.fakes.chats import open_chats, open_store
from tests.process.support import eventually


def watching(message: Message, channel: int) -> WatchMessage:
    return WatchMessage(message_id=message.id, on=f"__CHANNEL__:{channel}")


async def test_stop_keeps_what_came_and_frees_the_engine(tmp_path: Path) -> None:
    async with open_chats(tmp_path) as chats:
        asked, asking, channel = await chats.send()
        asking.say("so ", "far")
        await channel.until_text("so far")
        stopped = await chats.service.stop(asked.assistant_message.id)
        assert (stopped.content, stopped.status, stopped.error) == ("so far", MessageStatus.STOPPED, None)
        assert stopped.stats is not None
        assert (stopped.stats.finish_reason, stopped.stats.completion_tokens) == (None, 2)
        assert asking.closed
        assert await channel.until_end() == stopped == await chats.store.message(stopped.id)
        assert await chats.service.stop(stopped.id) == stopped
        with pytest.raises(NotFound):
            await chats.service.stop("nothing")


async def test_stop_before_the_first_word_and_twice_at_once(tmp_path: Path) -> None:
    async with open_chats(tmp_path) as chats:
        command = SendChatMessage(text="Hi", model="m", on=chats.on())
        asked = await chats.service.send("w", command)
        id = asked.assistant_message.id
        stops = await asyncio.gather(*(chats.service.stop(id) for _ in range(3)))
        assert {stop.status for stop in stops} == {MessageStatus.STOPPED}
        assert await chats.last_channel.until_end() == stops[0]


async def test_stop_of_an_answer_that_has_just_ended_leaves_it_complete(tmp_path: Path) -> None:
    async with open_chats(tmp_path) as chats:
        asked, asking, channel = await chats.send()
        asking.say("all")
        asking.finish()
        await eventually(lambda: asking.closed)
        assert (await chats.service.stop(asked.assistant_message.id)).status is MessageStatus.COMPLETE
        assert (await channel.until_end()).content == "all"


async def test_watchers_get_the_text_so_far_and_then_every_piece_once(tmp_path: Path) -> None:
    async with open_chats(tmp_path) as chats:
        asked, asking, first = await chats.send()
        message = asked.assistant_message
        whole = [f"piece {number} " for number in range(60)]
        watchers = {}
        for number, piece in enumerate(whole):
            asking.say(piece)
            asking.think(f"{number},")
            if number % 7 == 0:
                so_far = await chats.service.watch(f"window {number}", watching(message, 5))
                watchers[f"window {number}"] = so_far
            if number % 3 == 0:
                await asyncio.sleep(0)
        asking.finish()
        final = await first.until_end()
        assert final.content == "".join(whole)
        assert len(watchers) == 9
        for window, so_far in watchers.items():
            channel = chats.windows.channel(window, 5)
            assert await channel.until_end() == final
            assert so_far.content + channel.text == final.content
            assert so_far.reasoning + channel.reasoning == final.reasoning


async def test_watcher_is_told_what_happens_before_the_first_word(tmp_path: Path) -> None:
    async with open_chats(tmp_path) as chats:
        asked, asking, _ = await chats.send()
        loading = Progress(kind=ProgressKind.LOADING, model="m")
        asking.on_progress(loading)
        await chats.service.watch("late", watching(asked.assistant_message, 1))
        channel = chats.windows.channel("late", 1)
        assert [frame.progress for frame in channel.frames] == [loading]
        asking.say("a")
        await channel.until_text("a")
        await chats.service.watch("later", watching(asked.assistant_message, 1))
        assert chats.windows.channel("later", 1).frames == []


async def test_watch_of_an_answer_that_has_ended_gives_it_whole_and_ends(tmp_path: Path) -> None:
    async with open_chats(tmp_path) as chats:
        asked = await chats.exchange("Hi", "Hello")
        message = await chats.service.watch("x", watching(asked.assistant_message, 9))
        assert (message.content, message.status) == ("Hello", MessageStatus.COMPLETE)
        channel = chats.windows.channel("x", 9)
        assert channel.ended.is_set() and channel.frames == []
        with pytest.raises(NotFound):
            await chats.service.watch("x", WatchMessage(message_id="nothing", on="__CHANNEL__:10"))


async def test_window_that_watches_again_gets_the_rest_on_its_new_channel_only(tmp_path: Path) -> None:
    async with open_chats(tmp_path) as chats:
        asked, asking, first = await chats.send()
        asking.say("a")
        await first.until_text("a")
        assert (await chats.service.watch("w", watching(asked.assistant_message, 77))).content == "a"
        second = chats.windows.channel("w", 77)
        asking.say("b")
        asking.finish()
        await second.until_end()
        assert (first.text, second.text) == ("a", "b") and not first.ended.is_set()


async def test_answer_goes_on_when_its_window_is_gone(tmp_path: Path) -> None:
    async with open_chats(tmp_path) as chats:
        asked, asking, channel = await chats.send()
        asking.say("a")
        await channel.until_text("a")
        chats.service.forget_window("w")
        asking.say("b")
        asking.finish()
        await eventually(lambda: not chats.service.streaming)
        assert (await chats.store.message(asked.assistant_message.id)).content == "ab"
        assert channel.text == "a"


async def test_get_has_answers_under_way_as_far_as_they_have_come(tmp_path: Path) -> None:
    async with open_chats(tmp_path) as chats:
        asked, asking, channel = await chats.send()
        asking.say("so far")
        await channel.until_text("so far")
        ref = ConversationRef(conversation_id=asked.conversation.id)
        found = await chats.service.get(ref)
        assert (found.messages[-1].content, found.messages[-1].status) == ("so far", MessageStatus.STREAMING)
        asking.finish()
        while (message := (await chats.service.get(ref)).messages[-1]).status is MessageStatus.STREAMING:
            assert message.id in chats.service.streaming
        assert (message.content, message.status) == ("so far", MessageStatus.COMPLETE)


async def test_closing_interrupts_every_answer_and_keeps_what_came(tmp_path: Path) -> None:
    async with open_chats(tmp_path) as chats:
        answers = [await chats.send(f"question {number}") for number in range(3)]
        for _, asking, channel in answers:
            asking.say("so far")
            await channel.until_text("so far")
        await chats.service.close()
        for asked, asking, channel in answers:
            final = await channel.until_end()
            assert (final.content, final.status) == ("so far", MessageStatus.INTERRUPTED)
            assert asking.closed
            assert await chats.store.message(asked.assistant_message.id) == final
        with pytest.raises(Unavailable):
            await chats.service.send("w", SendChatMessage(text="more", model="m", on=chats.on()))
        await chats.service.close()


async def test_deleting_a_conversation_stops_its_answers_and_can_be_undone(tmp_path: Path) -> None:
    async with open_chats(tmp_path) as chats:
        asked, asking, channel = await chats.send("one")
        other, other_asking, other_channel = await chats.send("two")
        asking.say("so far")
        await channel.until_text("so far")
        ref = ConversationRef(conversation_id=asked.conversation.id)
        await chats.service.delete(ref)
        assert chats.windows.named("conversation_deleted") == [ref]
        assert (await channel.until_end()).status is MessageStatus.STOPPED
        assert asking.closed and not other_asking.closed
        assert [c.id for c in await chats.service.conversations()] == [other.conversation.id]
        with pytest.raises(NotFound):
            await chats.service.get(ref)
        restored = await chats.service.restore(ref)
        assert chats.windows.events[-1] == ("conversation", restored)
        assert [m.content for m in (await chats.service.get(ref)).messages] == ["one", "so far"]
        other_asking.finish()
        await other_channel.until_end()
        with pytest.raises(NotFound):
            await chats.service.delete(ConversationRef(conversation_id="nothing"))


async def test_question_and_deletion_at_once_leave_no_answer_running(tmp_path: Path) -> None:
    async with open_chats(tmp_path) as chats:
        asked = await chats.exchange("Hi", "Hello")
        id = asked.conversation.id
        command = SendChatMessage(text="again", model="m", on=chats.on(), conversation_id=id)
        await asyncio.gather(
            chats.service.send("w", command), chats.service.delete(ConversationRef(conversation_id=id))
        )
        assert chats.service.streaming == ()
        restored = await chats.store.restore(id)
        assert restored.head is not None
        assert (await chats.store.message(restored.head)).status is MessageStatus.STOPPED


async def test_changes_are_told_to_every_window(tmp_path: Path) -> None:
    async with open_chats(tmp_path) as chats:
        asked = await chats.exchange("Hi", "Hello")
        id = asked.conversation.id
        change = ChangeConversation(conversation_id=id, model="n", system_prompt="S", sampling=Sampling(top_k=1))
        changed = await chats.service.change(change)
        assert (changed.model, changed.system_prompt, changed.sampling.top_k) == ("n", "S", 1)
        assert chats.windows.events[-1] == ("conversation", changed)
        assert asked.user_message is not None
        select = SelectBranch(conversation_id=id, message_id=asked.user_message.id)
        assert chats.windows.events[-1] == ("conversation", await chats.service.select_branch(select))
        (hit,) = await chats.service.search(SearchMessages(query="hello"))
        assert hit.message_id == asked.assistant_message.id


async def test_answers_of_the_last_run_are_shown_as_interrupted(tmp_path: Path) -> None:
    async with open_store(tmp_path) as store:
        asked = await store.ask("Hi", "m", title="T")
        await store.append(asked.assistant_message.id, "half", "")
    async with open_chats(tmp_path) as chats:
        message = await chats.service.watch("x", watching(asked.assistant_message, 1))
        assert (message.content, message.status) == ("half", MessageStatus.INTERRUPTED)
        await chats.exchange("again", "whole", conversation_id=asked.conversation.id)
