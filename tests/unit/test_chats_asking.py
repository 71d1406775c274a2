"""Asking, editing, retrying: what is saved, what the model is told, what the windows see."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from llamero.models.bridge.chats import (
    ConversationRef,
    EditMessage,
    Progress,
    ProgressKind,
    RenameConversation,
    RetryMessage,
    SendChatMessage,
)
from llamero.models.chat import Finished, Timings, Usage
from llamero.models.conversations import Conversation, Message, MessageStatus, Sampling
from llamero.models.errors import Conflict, InvalidRequest, IoFailed, ModelNotFound, NotFound
from tests.fakes.chats import open_chats
from tests.fakes.clock import FakeClock


async def test_answer_streams_in_and_is_saved_whole(tmp_path: Path) -> None:
    clock = FakeClock()
    async with open_chats(tmp_path, clock) as chats:
        sampling = Sampling(temperature=0.1, max_tokens=50)
        asked, asking, channel = await chats.send("Who?", system_prompt="Be brief.", sampling=sampling)
        assert (asking.model, asking.sampling) == ("m", sampling)
        assert asking.messages == [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Who?"}]
        clock.advance(0.5)
        asking.think("hm ")
        asking.say("The ", "llama.")
        await channel.until_text("The llama.")
        clock.advance(2)
        asking.say(" Yes.")
        usage, timings = Usage(12, 4, 16), Timings(prompt_n=3, prompt_ms=20.0, predicted_n=4, predicted_ms=80.0)
        asking.finish(Finished("stop", usage, timings))
        final = await channel.until_end()
        assert (channel.text, channel.reasoning) == (final.content, final.reasoning) == ("The llama. Yes.", "hm ")
        assert final.status is MessageStatus.COMPLETE and final.error is None
        stats = final.stats
        assert stats is not None
        assert (stats.prompt_tokens, stats.completion_tokens, stats.prompt_ms, stats.generation_ms) == (12, 4, 20, 80)
        assert (stats.first_token_ms, stats.recoveries, stats.finish_reason) == (500, 0, "stop")
        assert [f.tokens_per_second for f in channel.frames if f.tokens_per_second] == [1.5]
        assert await chats.store.message(final.id) == final
        assert chats.service.streaming == () and asking.closed
        assert asked.assistant_message.id == final.id


async def test_question_is_on_the_disk_before_the_model_is_asked(tmp_path: Path) -> None:
    async with open_chats(tmp_path) as chats:
        asked, _, _ = await chats.send("Saved?")
        found = await chats.store.conversation(asked.conversation.id)
        assert [m.content for m in found.messages] == ["Saved?", ""]
        assert chats.service.streaming == (asked.assistant_message.id,)


async def test_windows_are_told_what_was_asked_and_how_it_ended(tmp_path: Path) -> None:
    async with open_chats(tmp_path) as chats:
        asked = await chats.exchange("Hi", "Hello")
        conversations = [c for c in chats.windows.named("conversation") if isinstance(c, Conversation)]
        messages = [m for m in chats.windows.named("message") if isinstance(m, Message)]
        assert [c.id for c in conversations] == [asked.conversation.id] * 2
        assert [(m.content, m.status.value) for m in messages] == [
            ("Hi", "complete"),
            ("", "streaming"),
            ("Hello", "complete"),
        ]


async def test_model_is_told_the_branch_and_no_other(tmp_path: Path) -> None:
    async with open_chats(tmp_path) as chats:
        first = await chats.exchange("one", "1")
        id = first.conversation.id
        await chats.exchange("two", "2", conversation_id=id)
        assert first.user_message is not None
        command = EditMessage(message_id=first.user_message.id, text="uno", model="m", on=chats.on())
        edited = await chats.service.edit("w", command)
        asking = await chats.model.take()
        assert [m["content"] for m in asking.messages] == ["uno"]
        asking.say("I")
        asking.finish()
        await chats.last_channel.until_end()
        third, asking, channel = await chats.send("three", conversation_id=id)
        assert [m["content"] for m in asking.messages] == ["uno", "I", "three"]
        assert third.user_message is not None
        assert third.user_message.parent_id == edited.assistant_message.id
        asking.finish()
        await channel.until_end()
        retry = RetryMessage(message_id=first.assistant_message.id, model="n", on=chats.on())
        again = await chats.service.retry("w", retry)
        asking = await chats.model.take()
        assert (asking.model, [m["content"] for m in asking.messages]) == ("n", ["one"])
        assert again.user_message is None and again.conversation.head == again.assistant_message.id


async def test_title_comes_from_the_first_message_until_a_person_gives_one(tmp_path: Path) -> None:
    async with open_chats(tmp_path) as chats:
        first = await chats.exchange("# What is a *llama*?\nTell me.", "An animal.")
        id = first.conversation.id
        assert (first.conversation.title, first.conversation.title_is_automatic) == ("What is a llama?", True)
        second = await chats.exchange("And an alpaca?", "Too.", conversation_id=id)
        assert second.conversation.title == "What is a llama?"
        assert first.user_message is not None
        edit = EditMessage(message_id=first.user_message.id, text="What is a vicuña?", model="m", on=chats.on())
        assert (await chats.service.edit("w", edit)).conversation.title == "What is a vicuña?"
        (await chats.model.take()).finish()
        await chats.last_channel.until_end()
        renamed = await chats.service.rename(RenameConversation(conversation_id=id, title=" My \n animals\u202e "))
        assert (renamed.title, renamed.title_is_automatic) == ("My animals", False)
        edit = EditMessage(message_id=first.user_message.id, text="Or a guanaco?", model="m", on=chats.on())
        assert (await chats.service.edit("w", edit)).conversation.title == "My animals"
        with pytest.raises(InvalidRequest, match="empty_title"):
            await chats.service.rename(RenameConversation(conversation_id=id, title="\u200b \n"))


async def test_message_with_nothing_to_show_has_a_title_all_the_same(tmp_path: Path) -> None:
    async with open_chats(tmp_path) as chats:
        asked, _, _ = await chats.send("```\n```")
        assert asked.conversation.title == "New conversation"


async def test_asking_nothing_is_refused(tmp_path: Path) -> None:
    async with open_chats(tmp_path) as chats:
        asked = await chats.exchange("Hi", "Hello")
        assert asked.user_message is not None
        with pytest.raises(InvalidRequest, match="empty_message"):
            await chats.service.send("w", SendChatMessage(text=" \n", model="m", on=chats.on()))
        with pytest.raises(InvalidRequest, match="empty_message"):
            await chats.service.edit(
                "w", EditMessage(message_id=asked.user_message.id, text="", model="m", on=chats.on())
            )
        assert len((await chats.store.conversation(asked.conversation.id)).messages) == 2


async def test_asking_under_an_answer_that_is_coming_is_refused_until_it_has_ended(tmp_path: Path) -> None:
    async with open_chats(tmp_path) as chats:
        asked, asking, channel = await chats.send("one")
        id = asked.conversation.id
        with pytest.raises(Conflict):
            await chats.send("two", conversation_id=id)
        with pytest.raises(Conflict):
            await chats.service.retry(
                "w", RetryMessage(message_id=asked.assistant_message.id, model="m", on=chats.on())
            )
        asking.say("1")
        asking.finish()
        await channel.until_end()
        await chats.exchange("two", "2", conversation_id=id)


async def test_two_answers_of_one_conversation_may_come_at_once_on_two_branches(tmp_path: Path) -> None:
    async with open_chats(tmp_path) as chats:
        asked, one, first = await chats.send("one")
        assert asked.user_message is not None
        command = EditMessage(message_id=asked.user_message.id, text="uno", model="m", on=chats.on())
        await chats.service.edit("w", command)
        two, second = await chats.model.take(), chats.last_channel
        two.say("B")
        one.say("A")
        two.finish()
        one.finish()
        assert ((await first.until_end()).content, (await second.until_end()).content) == ("A", "B")


async def test_answer_that_fails_keeps_what_came_and_says_why(tmp_path: Path) -> None:
    async with open_chats(tmp_path) as chats:
        asked, asking, channel = await chats.send("Hi")
        asking.say("half")
        await channel.until_text("half")
        asking.fail(ModelNotFound(model="m"))
        final = await channel.until_end()
        assert (final.content, final.status) == ("half", MessageStatus.FAILED)
        assert final.error is not None
        assert (final.error.code, final.error.message) == ("model_router_error-model_not_found", "model 'm' not found")
        assert await chats.store.message(final.id) == final
        _, asking, _ = await chats.send("again", conversation_id=asked.conversation.id)
        assert [m["content"] for m in asking.messages] == ["Hi", "half", "again"]


@pytest.mark.parametrize("failure", ["a bug", "no end"])
async def test_answer_that_breaks_in_an_unexpected_way_is_a_failed_one(failure: str, tmp_path: Path) -> None:
    async with open_chats(tmp_path) as chats:
        _, asking, channel = await chats.send("Hi")
        asking.fail(ZeroDivisionError("secret path /home/x") if failure == "a bug" else StopAsyncIteration())
        final = await channel.until_end()
        assert final.status is MessageStatus.FAILED and final.error is not None
        assert final.error.code == "internal_error"
        assert "secret" not in final.error.message


async def test_progress_is_told_and_recoveries_are_counted(tmp_path: Path) -> None:
    async with open_chats(tmp_path) as chats:
        _, asking, channel = await chats.send("Hi")
        reading = Progress(kind=ProgressKind.READING, model="m", done=5, total=9)
        recovering = Progress(kind=ProgressKind.RECOVERING, model="m")
        asking.on_progress(Progress(kind=ProgressKind.LOADING, model="m"))
        asking.on_progress(reading)
        asking.say("a")
        await channel.until_text("a")
        asking.on_progress(recovering)
        asking.say("b")
        asking.finish()
        final = await channel.until_end()
        told = [frame.progress for frame in channel.frames if frame.progress]
        assert [progress.kind.value for progress in told] == ["loading", "reading", "recovering"]
        assert told[1:] == [reading, recovering]
        assert final.stats is not None and final.stats.recoveries == 1


async def test_question_whose_window_goes_away_at_once_is_answered_all_the_same(tmp_path: Path) -> None:
    async with open_chats(tmp_path) as chats:
        command = SendChatMessage(text="Hi", model="m", on=chats.on())
        sending = asyncio.create_task(chats.service.send("w", command))
        for _ in range(3):
            await asyncio.sleep(0)
        sending.cancel()
        asking = await chats.model.take()
        asking.say("Hello")
        asking.finish()
        assert (await chats.last_channel.until_end()).content == "Hello"


async def test_asking_in_a_conversation_that_is_gone_is_refused(tmp_path: Path) -> None:
    async with open_chats(tmp_path) as chats:
        asked = await chats.exchange("Hi", "Hello")
        await chats.service.delete(ConversationRef(conversation_id=asked.conversation.id))
        with pytest.raises(NotFound):
            await chats.send("again", conversation_id=asked.conversation.id)


async def test_end_that_cannot_be_saved_is_told_kept_and_saved_later(tmp_path: Path) -> None:
    async with open_chats(tmp_path) as chats:
        asked, asking, channel = await chats.send("Hi")
        finish, chats.store.finish = chats.store.finish, failing  # type: ignore[method-assign]
        asking.say("whole answer")
        asking.finish()
        final = await channel.until_end()
        assert (final.content, final.status) == ("whole answer", MessageStatus.FAILED)
        assert final.error is not None and final.error.code == "storage_error-full"
        ref = ConversationRef(conversation_id=asked.conversation.id)
        assert (await chats.service.get(ref)).messages[-1] == final
        assert await chats.service.stop(final.id) == final
        with pytest.raises(IoFailed):
            await chats.send("more", conversation_id=asked.conversation.id)
        chats.store.finish = finish  # type: ignore[method-assign]
        await chats.send("more", conversation_id=asked.conversation.id)
        saved = await chats.store.message(final.id)
        assert (saved.content, saved.status) == ("whole answer", MessageStatus.COMPLETE)
        assert saved in chats.windows.named("message")


async def failing(message: Message) -> Conversation:
    raise IoFailed("storage_error-full", path="p", reason="r")
