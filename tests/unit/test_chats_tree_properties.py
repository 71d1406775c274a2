"""Whatever a person does in whatever order, a conversation is a tree and nothing said is lost."""

from __future__ import annotations

import asyncio
import itertools
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from llamero.infrastructure.storage.chats import ChatStore
from llamero.infrastructure.storage.database import Database
from llamero.models.bridge.chats import Asked
from llamero.models.conversations import Conversation, Message, MessageStatus, Role
from llamero.models.errors import Conflict, InvalidRequest, NotFound
from tests.fakes.chats import DATABASE
from tests.fakes.clock import FakeClock

ENDS = (MessageStatus.COMPLETE, MessageStatus.STOPPED, MessageStatus.FAILED)
KINDS = (
    "ask", "ask under", "new", "edit", "retry", "fork", "end", "append", "select", "delete", "restore", "reopen",
    "delete message", "restore message", "edit answer",
)  # fmt: skip
operations = st.lists(
    st.tuples(st.sampled_from(KINDS), st.integers(0, 30), st.text(alphabet="aé山🦙 \n", max_size=5)),
    min_size=1,
    max_size=40,
)


class World:
    """The store, and the same conversations as plain data."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.clock = FakeClock()
        self.conversations: dict[str, Conversation] = {}
        self.messages: dict[str, Message] = {}
        self.deleted: dict[str, str] = {}  # messages that are deleted, and with which one

    async def open(self) -> None:
        self.database = await Database.open(self.directory / DATABASE)
        self.store = ChatStore(self.database, self.clock)
        await self.store.recover()
        for id, message in self.messages.items():
            if message.status is MessageStatus.STREAMING:
                self.messages[id] = replace(message, status=MessageStatus.INTERRUPTED)

    async def do(self, kind: str, number: int, text: str) -> None:
        self.clock.advance(1)
        message = pick(self.messages, number)
        conversation = pick(self.conversations, number)
        if kind == "new" or conversation is None or message is None:
            self.add(await self.store.ask(text, "m", title="T"))
        elif kind == "ask":
            self.add(await self.store.ask(text, "m", title="", conversation_id=conversation.id))
        elif kind == "ask under":
            under = {"conversation_id": message.conversation_id, "parent_id": message.id}
            self.add(await self.store.ask(text, "m", title="", **under))
        elif kind == "edit":
            self.add(await self.store.edit(message.id, text, "m", title="T"))
        elif kind == "retry":
            self.add(await self.store.retry(message.id, "m"))
        elif kind == "edit answer":
            edited = await self.store.edit_answer(message.id, text)
            self.conversations[edited.conversation.id] = edited.conversation
            self.messages[edited.message.id] = edited.message
        elif kind == "fork":
            fork = await self.store.fork(message.id)
            self.conversations[fork.id] = fork
            self.messages |= {m.id: m for m in (await self.store.conversation(fork.id)).messages}
            assert [m.content for m in await self.store.branch(str(fork.head))] == [
                m.content for m in await self.store.branch(message.id)
            ]
        elif kind == "append" and message.status is MessageStatus.STREAMING:
            await self.store.append(message.id, text, text[::-1])
            changed = replace(message, content=message.content + text, reasoning=message.reasoning + text[::-1])
            self.messages[message.id] = changed
        elif kind == "end" and message.status is MessageStatus.STREAMING:
            self.messages[message.id] = replace(message, status=ENDS[number % 3])
            ended = await self.store.finish(self.messages[message.id])
            self.conversations[ended.id] = ended
        elif kind == "select":
            chosen = await self.store.select_branch(message.conversation_id, message.id)
            self.conversations[chosen.id] = chosen
        elif kind == "delete":
            await self.store.delete(conversation.id)
            at = conversation.deleted_at or self.clock.time()
            self.conversations[conversation.id] = replace(conversation, deleted_at=at)
        elif kind == "restore":
            self.conversations[conversation.id] = await self.store.restore(conversation.id)
        elif kind == "delete message":
            gone = await self.store.delete_message(message.id)
            self.conversations[gone.conversation.id] = gone.conversation
            self.deleted |= dict.fromkeys(gone.message_ids, message.id)
        elif kind == "restore message":
            restored = await self.store.restore_message(message.id)
            self.conversations[restored.id] = restored
            back = {self.deleted.get(id) for id in self.above(message.id)}
            self.deleted = {id: with_which for id, with_which in self.deleted.items() if with_which not in back}
            assert message.id not in self.deleted
        elif kind == "reopen":
            await self.database.close()
            await self.open()

    def above(self, id: str | None) -> list[str]:
        """A message and those that it hangs on."""
        return [] if id is None else [id, *self.above(self.messages[id].parent_id)]

    def add(self, asked: Asked) -> None:
        self.conversations[asked.conversation.id] = asked.conversation
        for message in (asked.user_message, asked.assistant_message):
            if message is not None:
                self.messages[message.id] = message

    async def check(self) -> None:
        shown = [c for c in self.conversations.values() if c.deleted_at is None]
        assert {c.id: c for c in await self.store.conversations()} == {c.id: c for c in shown}
        for conversation in shown:
            whole = await self.store.conversation(conversation.id)
            assert whole.conversation == conversation
            expected = [
                m for m in self.messages.values() if m.conversation_id == conversation.id and m.id not in self.deleted
            ]
            assert list(whole.messages) == expected
            seen: set[str] = set()
            for message in whole.messages:
                assert message.parent_id is None or message.parent_id in seen
                seen.add(message.id)
            assert conversation.head in seen
            branch = await self.store.branch(str(conversation.head))
            assert branch[0].parent_id is None and branch[-1].id == conversation.head
            assert all(below.parent_id == above.id for above, below in itertools.pairwise(branch))
            assert all(m.role is Role.USER for m in whole.messages if m.parent_id is None)
            assert not any(m.parent_id == conversation.head for m in whole.messages)


def pick(things: dict[str, Any], number: int) -> Any:
    return list(things.values())[number % len(things)] if things else None


@settings(max_examples=60, deadline=None)
@given(operations)
def test_tree_keeps_everything_through_any_sequence_of_operations(sequence: list[tuple[str, int, str]]) -> None:
    async def run(directory: Path) -> None:
        world = World(directory)
        await world.open()
        for kind, number, text in sequence:
            try:
                await world.do(kind, number, text)
            except (Conflict, InvalidRequest, NotFound):
                continue
        await world.check()
        await world.database.close()

    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(run(Path(directory)))
