"""Editing answers: a version in a person's words, beside what the model said."""

from __future__ import annotations

from pathlib import Path

import pytest

from llamero.models.bridge.chats import ConversationRef, EditAnswer, SelectBranch
from llamero.models.conversations import MessageStatus
from llamero.models.errors import Conflict, InvalidRequest, NotFound
from tests.fakes.chats import open_chats


async def test_edited_answer_stands_beside_the_old_one_and_is_shown(tmp_path: Path) -> None:
    async with open_chats(tmp_path) as chats:
        _, asking, channel = await chats.send("Who?")
        asking.think("hm")
        asking.say("The lama.")
        asking.finish()
        old = await channel.until_end()
        edited = await chats.service.edit_answer(EditAnswer(message_id=old.id, text="The llama."))
        message = edited.message
        assert (message.content, message.reasoning, message.model) == ("The llama.", "hm", "m")
        assert (message.parent_id, message.status, message.edited) == (old.parent_id, MessageStatus.COMPLETE, True)
        assert (message.stats, message.error) == (None, None)
        assert edited.conversation.head == message.id
        assert chats.windows.events[-2:] == [("message", message), ("conversation", edited.conversation)]
        found = await chats.service.get(ConversationRef(conversation_id=old.conversation_id))
        assert found.messages[1:] == (old, message)
        assert not old.edited and chats.model.asked.empty()
        assert [hit.message_id for hit in await chats.store.search("lama", 5)] == [old.id]
        back = SelectBranch(conversation_id=old.conversation_id, message_id=old.id)
        assert (await chats.service.select_branch(back)).head == old.id


async def test_model_is_told_the_edited_answer(tmp_path: Path) -> None:
    async with open_chats(tmp_path) as chats:
        asked = await chats.exchange("Who?", "The lama.")
        await chats.exchange("Why?", "So.", conversation_id=asked.conversation.id)
        await chats.service.edit_answer(EditAnswer(message_id=asked.assistant_message.id, text="  The\n\nllama. "))
        _, asking, _ = await chats.send("And?", conversation_id=asked.conversation.id)
        assert [m["content"] for m in asking.messages] == ["Who?", "  The\n\nllama. ", "And?"]


async def test_answer_that_failed_can_be_put_into_words(tmp_path: Path) -> None:
    async with open_chats(tmp_path) as chats:
        _, asking, channel = await chats.send("Who?")
        asking.fail(ZeroDivisionError())
        failed = await channel.until_end()
        edited = await chats.service.edit_answer(EditAnswer(message_id=failed.id, text="The llama."))
        assert (edited.message.status, edited.message.error) == (MessageStatus.COMPLETE, None)
        assert await chats.store.message(failed.id) == failed


async def test_edit_that_makes_no_sense_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    async with open_chats(tmp_path) as chats:
        asked, asking, channel = await chats.send("Who?")
        assert asked.user_message is not None
        refusals: tuple[tuple[str, str, type[Exception]], ...] = (
            (asked.assistant_message.id, "The llama.", Conflict),
            (asked.assistant_message.id, " \n", InvalidRequest),
            (asked.user_message.id, "The llama.", InvalidRequest),
            ("nothing", "The llama.", NotFound),
        )
        for id, text, refusal in refusals:
            with pytest.raises(refusal):
                await chats.service.edit_answer(EditAnswer(message_id=id, text=text))
        found = await chats.service.get(ConversationRef(conversation_id=asked.conversation.id))
        assert len(found.messages) == 2
        asking.finish()
        await channel.until_end()
