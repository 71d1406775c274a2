"""Forking: a conversation begins with what another one says down to a message, and both go their own ways."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from llamero.infrastructure.storage.chats import TRASH_KEPT_S
from llamero.models.bridge.chats import Asked, ChangeConversation, ConversationRef, MessageRef
from llamero.models.conversations import AnswerStats, Conversation, MessageStatus, Sampling
from llamero.models.errors import Conflict, IoFailed, NotFound
from llamero.services.chats.attachments import Attachments
from tests.fakes.chats import open_chats, open_store
from tests.fakes.clock import FakeClock

STATS = AnswerStats(completion_tokens=3, generation_ms=20.0)


async def test_fork_has_the_branch_down_to_the_message_and_how_it_is_answered(tmp_path: Path) -> None:
    clock = FakeClock()
    async with open_store(tmp_path, clock) as store:
        first = await store.ask("1", "m", title="T", system_prompt="Be kind.", sampling=Sampling(top_k=5))
        await store.finish(
            replace(first.assistant_message, content="a", reasoning="r", stats=STATS, status=MessageStatus.COMPLETE)
        )
        other = await store.retry(first.assistant_message.id, "other")
        await store.finish(replace(other.assistant_message, content="b", status=MessageStatus.COMPLETE))
        second = await store.ask("2", "m", title="", conversation_id=first.conversation.id)
        await store.finish(replace(second.assistant_message, content="c", status=MessageStatus.STOPPED))
        source = await store.conversation(first.conversation.id)
        clock.advance(60)
        fork = await store.fork(first.assistant_message.id)
        found = await store.conversation(fork.id)
        assert found.conversation == fork
        assert fork == replace(
            source.conversation, id=fork.id, head=fork.head, created_at=clock.time(), updated_at=clock.time(),
            forked_from=source.conversation.id,
        )  # fmt: skip
        assert [(m.content, m.reasoning, m.stats, m.created_at) for m in found.messages] == [
            ("1", "", None, first.conversation.created_at),
            ("a", "r", STATS, first.conversation.created_at),
        ]
        question, answer = found.messages
        assert (question.parent_id, answer.parent_id, fork.head) == (None, question.id, answer.id)
        assert {m.id for m in found.messages}.isdisjoint(m.id for m in source.messages)
        assert await store.conversation(source.conversation.id) == source
        assert [hit.conversation_id for hit in await store.search("1", 9)] == [fork.id, source.conversation.id]


async def test_fork_may_end_with_a_question(tmp_path: Path) -> None:
    async with open_chats(tmp_path) as chats:
        asked, asking, channel = await chats.send("Hi")
        assert asked.user_message is not None
        fork = await chats.service.fork(MessageRef(message_id=asked.user_message.id))
        assert chats.windows.events[-1] == ("conversation", fork)
        found = await chats.service.get(ConversationRef(conversation_id=fork.id))
        assert [m.content for m in found.messages] == ["Hi"]
        assert not asking.closed  # the answer of the source goes on
        asking.finish()
        await channel.until_end()


async def test_fork_at_an_answer_that_is_coming_is_refused(tmp_path: Path) -> None:
    async with open_chats(tmp_path) as chats:
        asked, _, _ = await chats.send("Hi")
        with pytest.raises(Conflict):
            await chats.service.fork(MessageRef(message_id=asked.assistant_message.id))
        with pytest.raises(NotFound):
            await chats.service.fork(MessageRef(message_id="nothing"))
        assert len(await chats.service.conversations()) == 1


async def test_fork_takes_an_end_along_that_could_not_be_saved_before(tmp_path: Path) -> None:
    async with open_chats(tmp_path) as chats:
        _, asking, channel = await chats.send("Hi")
        finish, chats.store.finish = chats.store.finish, failing  # type: ignore[method-assign]
        asking.say("whole answer")
        asking.finish()
        answer = MessageRef(message_id=(await channel.until_end()).id)
        with pytest.raises(IoFailed):
            await chats.service.fork(answer)
        chats.store.finish = finish  # type: ignore[method-assign]
        fork = await chats.service.fork(answer)
        assert [m.content for m in await chats.store.branch(str(fork.head))] == ["Hi", "whole answer"]


async def failing(message: object) -> Conversation:
    raise IoFailed("storage_error-full", path="p", reason="r")


async def test_fork_and_source_change_apart(tmp_path: Path) -> None:
    async with open_chats(tmp_path) as chats:
        asked: Asked = await chats.exchange("Hi", "Hello", sampling=Sampling(seed=1))
        source = ConversationRef(conversation_id=asked.conversation.id)
        fork = await chats.service.fork(MessageRef(message_id=asked.assistant_message.id))
        await chats.service.change(ChangeConversation(conversation_id=fork.id, system_prompt="Be brief."))
        again, asking, channel = await chats.send("More", conversation_id=fork.id)
        assert asking.messages[-3:] == [
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": "Hello"},
            {"role": "user", "content": "More"},
        ]
        assert (asking.messages[0]["content"], asking.sampling) == ("Be brief.", Sampling(seed=1))
        asking.finish()
        await channel.until_end()
        assert again.conversation.id == fork.id
        before = await chats.service.get(source)
        assert (before.conversation.system_prompt, len(before.messages)) == ("", 2)
        await chats.service.delete(source)
        kept = await chats.service.get(ConversationRef(conversation_id=fork.id))
        assert len(kept.messages) == 4
        assert kept.conversation.forked_from == source.conversation_id


async def test_fork_keeps_the_files_of_its_questions_when_the_source_is_gone(tmp_path: Path) -> None:
    clock = FakeClock()
    async with open_chats(tmp_path, clock) as chats:
        file = await Attachments(chats.store.attachments).add("a.txt", b"alpaca\n")
        asked = await chats.exchange("Why?", "So.", attachments=(file.id,))
        fork = await chats.service.fork(MessageRef(message_id=asked.assistant_message.id))
        await chats.service.delete(ConversationRef(conversation_id=asked.conversation.id))
    clock.advance(TRASH_KEPT_S + 1)
    async with open_chats(tmp_path, clock) as chats:
        found = await chats.service.get(ConversationRef(conversation_id=fork.id))
        assert [message.attachments for message in found.messages] == [(file,), ()]
        assert (await Attachments(chats.store.attachments).content(file.id)).text == "alpaca\n"
