"""Files that go with questions: which are taken, where they are kept, how long, and what the model is told of them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from llamero.infrastructure.storage import rows
from llamero.infrastructure.storage.chats import TRASH_KEPT_S, ChatStore
from llamero.infrastructure.storage.database import Database
from llamero.infrastructure.storage.preferences import PreferenceStore
from llamero.models.bridge.chats import (
    ConversationRef,
    EditMessage,
    MessageRef,
    RetryMessage,
    SearchMessages,
    SendChatMessage,
)
from llamero.models.bridge.window import UiState
from llamero.models.conversations import Attachment, AttachmentKind, MessageStatus
from llamero.models.errors import InvalidRequest, LlameroError, NotFound, PayloadTooLarge
from llamero.services.chats.attachments import (
    LIMITS,
    LONGEST_NAME,
    MOST_TOLD_BYTES,
    Attachments,
    clean_name,
    judge,
)
from tests.fakes.chats import DATABASE, Chats, open_chats, open_store
from tests.fakes.clock import FakeClock

MEBIBYTE = 1024 * 1024


async def attach(chats: Chats | ChatStore, name: str = "a.txt", body: bytes = b"alpaca\n") -> Attachment:
    store = chats if isinstance(chats, ChatStore) else chats.store
    return await Attachments(store.attachments).add(name, body)


def kept(directory: Path) -> list[str]:
    with closing(sqlite3.connect(directory / DATABASE)) as connection:
        return [row[0] for row in connection.execute("SELECT name FROM attachments ORDER BY seq")]


# Which files are taken


@pytest.mark.parametrize(
    "body",
    [
        b"plain\n",
        "Ñandú, 鈴の音, 🦙".encode(),
        b"\xef\xbb\xbf# With a byte order mark",
        b"a\tb\r\nc\x0cd",
        b"\x1b[31mred\x1b[0m log line\n",
        b'{"json": true}',
    ],
)
def test_text_is_taken_whatever_it_is_called(body: bytes) -> None:
    judged = judge("program.exe", body)
    assert (judged.kind, judged.media_type) == (AttachmentKind.TEXT, "text/plain")
    assert judged.body.decode() == body.decode("utf-8-sig")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"\x7fELF\x02\x01\x01\x00", "chat_error-attachment_not_text"),
        (b"text with a \x00 in it", "chat_error-attachment_not_text"),
        (b"caf\xe9 in Latin-1", "chat_error-attachment_not_text"),
        ("UTF-16".encode("utf-16"), "chat_error-attachment_not_text"),
        (b"half a letter \xc3", "chat_error-attachment_not_text"),
        (b"\xed\xa0\x80 half a pair", "chat_error-attachment_not_text"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "chat_error-attachment_not_text"),
        (b"", "chat_error-attachment_empty"),
        (b"\xef\xbb\xbf \n", "chat_error-attachment_empty"),
    ],
)
def test_what_is_no_text_is_refused_by_name_whatever_its_name_says(body: bytes, code: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        judge("notes.txt", body)
    assert (refused.value.code, refused.value.arguments["name"]) == (code, "notes.txt")


def test_text_at_the_limit_is_taken_and_over_it_is_refused() -> None:
    assert len(judge("a", b"x" * LIMITS.text_bytes).body) == LIMITS.text_bytes
    with pytest.raises(PayloadTooLarge) as refused:
        judge("a", b"x" * (LIMITS.text_bytes + 1))
    assert refused.value.arguments == {"name": "a", "limit": 2}


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("notes.md", "notes.md"),
        ("/home/me/secret/notes.md", "notes.md"),
        ("C:\\Users\\me\\notes.md", "notes.md"),
        ("../../etc/passwd", "passwd"),
        (".bashrc", ".bashrc"),
        ("cv\u202efdp.txt", "cvfdp.txt"),
        ("a\nFile: b\r\0.txt", "a File: b .txt"),
        ("half\ud800.txt", "half.txt"),
        ("<img src=x>.txt", "<img src=x>.txt"),
        ("", "file"),
        ("dir/", "file"),
        ("..", "file"),
        ("\u200b", "file"),
        ("\u3164\u2800\u115f", "file"),
        ("a\ufe0f\U000e0141\U000e0142.txt", "a.txt"),
        ("I ❤\ufe0f 1\ufe0f\u20e3.txt", "I ❤\ufe0f 1\ufe0f\u20e3.txt"),
    ],
)
def test_hostile_file_name_has_no_path_and_nothing_that_cannot_be_seen(name: str, shown: str) -> None:
    assert clean_name(name) == shown


def test_long_name_keeps_its_ending() -> None:
    name = clean_name("x" * 4000 + ".tar.gz")
    assert len(name) == LONGEST_NAME and name.endswith("x….gz")
    assert len(clean_name("x." + "y" * 4000)) == LONGEST_NAME


# Asking with files


async def test_question_has_its_files_and_the_model_is_told_what_is_in_them(tmp_path: Path) -> None:
    async with open_chats(tmp_path) as chats:
        files = [await attach(chats, "a.py", b"x = 1\n"), await attach(chats, "b.csv", b"1,2\n")]
        asked, asking, channel = await chats.send("Why?", attachments=tuple([file.id for file in files]))
        assert asked.user_message is not None
        assert (asked.user_message.content, asked.user_message.attachments) == ("Why?", tuple(files))
        assert asked.conversation.title == "Why?"
        assert [m["content"] for m in asking.messages] == [
            "File: a.py\n\n```py\nx = 1\n```\n\nFile: b.csv\n\n```csv\n1,2\n```\n\nWhy?"
        ]
        asking.say("So.")
        asking.finish()
        await channel.until_end()
        found = await chats.service.get(ConversationRef(conversation_id=asked.conversation.id))
        assert [message.attachments for message in found.messages] == [tuple(files), ()]
        _, asking, _ = await chats.send("And?", conversation_id=asked.conversation.id)
        assert str(asking.messages[0]["content"]).startswith("File: a.py")


async def test_question_may_be_nothing_but_files_and_is_called_after_the_first(tmp_path: Path) -> None:
    async with open_chats(tmp_path) as chats:
        files = [await attach(chats, "budget.csv"), await attach(chats, "b.txt")]
        asked, _, _ = await chats.send(" ", attachments=tuple([file.id for file in files]))
        assert asked.conversation.title == "budget.csv"


async def test_edited_and_retried_question_keeps_its_files(tmp_path: Path) -> None:
    async with open_chats(tmp_path) as chats:
        file = await attach(chats)
        asked = await chats.exchange("Wy?", "So.", attachments=(file.id,))
        assert asked.user_message is not None
        command = EditMessage(message_id=asked.user_message.id, text="Why?", model="m", on=chats.on())
        edited = await chats.service.edit("w", command)
        assert edited.user_message is not None and edited.user_message.attachments == (file,)
        asking = await chats.model.take()
        assert str(asking.messages[0]["content"]).endswith("```\n\nWhy?")
        asking.finish()
        await chats.last_channel.until_end()
        await chats.service.retry("w", RetryMessage(message_id=asked.assistant_message.id, model="m", on=chats.on()))
        assert str((await chats.model.take()).messages[0]["content"]).startswith("File: a.txt")
    assert kept(tmp_path) == ["a.txt"]


async def test_question_of_files_alone_is_edited_without_words_too(tmp_path: Path) -> None:
    async with open_chats(tmp_path) as chats:
        file = await attach(chats)
        asked = await chats.exchange("", "So.", attachments=(file.id,))
        assert asked.user_message is not None
        command = EditMessage(message_id=asked.user_message.id, text="", model="m", on=chats.on())
        edited = await chats.service.edit("w", command)
        assert edited.user_message is not None and edited.user_message.attachments == (file,)
        assert edited.conversation.title == "a.txt"


async def test_file_that_is_gone_is_told_and_nothing_is_asked(tmp_path: Path) -> None:
    async with open_chats(tmp_path) as chats:
        with pytest.raises(NotFound, match="attachment_not_found"):
            await chats.service.send(
                "w", SendChatMessage(text="Hi", model="m", on=chats.on(), attachments=("gone\ud800",))
            )
        assert await chats.store.conversations() == ()


async def test_more_files_than_a_question_may_have_are_refused(tmp_path: Path) -> None:
    async with open_chats(tmp_path) as chats:
        small = [(await attach(chats, f"{number}.txt")).id for number in range(LIMITS.files + 1)]
        full = LIMITS.total_bytes // LIMITS.text_bytes
        large = [(await attach(chats, "b.txt", b"x" * LIMITS.text_bytes)).id for _ in range(full + 1)]
        for ids, code in (
            (small, "chat_error-attachments_too_many"),
            (large, "chat_error-attachments_too_large"),
        ):
            ask = SendChatMessage(text="Hi", model="m", on=chats.on(), attachments=tuple(ids))
            with pytest.raises(PayloadTooLarge, match=code):
                await chats.service.send("w", ask)
        await chats.send("Hi", attachments=tuple(small[1:]))
        await chats.send("Hi", attachments=tuple(large[1:]))


async def test_conversation_with_more_files_than_a_model_is_told_at_once_says_so(tmp_path: Path) -> None:
    async with open_chats(tmp_path) as chats:
        full = LIMITS.total_bytes // LIMITS.text_bytes
        conversation = None
        for _ in range(MOST_TOLD_BYTES // LIMITS.total_bytes):
            files = [(await attach(chats, "b.txt", b"x" * LIMITS.text_bytes)).id for _ in range(full)]
            asked = await chats.exchange("Hi", "1", attachments=tuple(files), conversation_id=conversation)
            conversation = asked.conversation.id
        file = await attach(chats)
        last = SendChatMessage(
            text="Hi", model="m", on=chats.on(), conversation_id=conversation, attachments=(file.id,)
        )
        await chats.service.send("w", last)
        error = (await chats.last_channel.until_end()).error
        assert error is not None and error.code == "chat_error-conversation_too_large"
        assert "32 MB" in error.message
        assert chats.model.asked.empty()


async def test_file_that_is_named_twice_is_told_once(tmp_path: Path) -> None:
    async with open_chats(tmp_path) as chats:
        file = await attach(chats)
        asked, asking, _ = await chats.send("Why?", attachments=(file.id, file.id))
        assert asked.user_message is not None and asked.user_message.attachments == (file,)
        assert str(asking.messages[0]["content"]).count("File: ") == 1


async def test_question_that_had_words_may_become_nothing_but_its_files(tmp_path: Path) -> None:
    async with open_chats(tmp_path) as chats:
        asked = await chats.exchange("Why?", "So.", attachments=((await attach(chats)).id,))
        plain = await chats.exchange("Why?", "So.")
        assert asked.user_message is not None and plain.user_message is not None
        edited = EditMessage(message_id=asked.user_message.id, text=" ", model="m", on=chats.on())
        assert (await chats.service.edit("w", edited)).conversation.title == "a.txt"
        with pytest.raises(InvalidRequest, match="empty_message"):
            await chats.service.edit("w", replace(edited, message_id=plain.user_message.id, on=chats.on()))


async def test_answer_that_a_crash_interrupted_is_asked_again_with_the_same_files(tmp_path: Path) -> None:
    async with open_chats(tmp_path) as chats:
        file = await attach(chats)
        asked, asking, channel = await chats.send("Why?", attachments=(file.id,))
        asking.say("half")
        await channel.until_text("half")
        told = asking.messages
    async with open_chats(tmp_path) as chats:
        assert (await chats.store.message(asked.assistant_message.id)).status is MessageStatus.INTERRUPTED
        await chats.service.retry("w", RetryMessage(message_id=asked.assistant_message.id, model="m", on=chats.on()))
        assert (await chats.model.take()).messages == told


# Reading, finding, forgetting


async def test_content_is_there_until_the_conversation_is_in_the_trash(tmp_path: Path) -> None:
    async with open_chats(tmp_path) as chats:
        file = await attach(chats, body="Ñandú\n".encode())
        attachments = Attachments(chats.store.attachments)
        assert (await attachments.content(file.id)).text == "Ñandú\n"
        asked = await chats.exchange("Why?", "So.", attachments=(file.id,))
        assert (await attachments.content(file.id)).attachment == file
        ref = ConversationRef(conversation_id=asked.conversation.id)
        await chats.service.delete(ref)
        with pytest.raises(NotFound):
            await attachments.content(file.id)
        await chats.service.restore(ref)
        assert (await attachments.content(file.id)).text == "Ñandú\n"


async def test_content_and_name_are_hidden_with_a_deleted_message_and_come_back_with_it(tmp_path: Path) -> None:
    async with open_chats(tmp_path) as chats:
        file = await attach(chats, "budget.csv")
        first = await chats.exchange("Hi", "Hello")
        asked = await chats.exchange("Sum", "5", conversation_id=first.conversation.id, attachments=(file.id,))
        assert asked.user_message is not None
        message = MessageRef(message_id=asked.user_message.id)
        await chats.service.delete_message(message)
        with pytest.raises(NotFound):
            await chats.store.attachments.read(file.id)
        assert await chats.service.search(SearchMessages(query="budget")) == ()
        await chats.service.restore_message(message)
        assert (await chats.store.message(message.message_id)).attachments == (file,)
        assert (await chats.store.attachments.read(file.id))[0] == file
        fork = await chats.service.fork(message)
        assert (await chats.store.branch(str(fork.head)))[-1].attachments == (file,)


async def test_picture_is_read_as_an_address_that_brings_it_along(tmp_path: Path) -> None:
    async with open_chats(tmp_path) as chats:
        file = await attach(chats, "dot.gif", b"GIF89a\x01\0\x01\0")
        content = await Attachments(chats.store.attachments).content(file.id)
        assert (content.text, content.image) == (None, "data:image/gif;base64,R0lGODlhAQABAA==")


async def test_message_is_found_by_the_name_of_a_file(tmp_path: Path) -> None:
    async with open_chats(tmp_path) as chats:
        file = await attach(chats, "Budget_2024 final.csv")
        kana = await attach(chats, "鈴の音.txt")
        asked = await chats.exchange("Sum it up", "Done.", attachments=(file.id, kana.id))
        assert asked.user_message is not None
        for query, marked in (
            ("budget fin", "\ue000Budget\ue001_2024 \ue000final\ue001.csv"),
            ("の音", "鈴\ue000の音\ue001.txt"),
        ):
            (hit,) = await chats.service.search(SearchMessages(query=query))
            assert (hit.message_id, hit.snippet) == (asked.user_message.id, marked)
        await chats.service.delete(ConversationRef(conversation_id=asked.conversation.id))
        assert await chats.service.search(SearchMessages(query="budget")) == ()


async def test_files_leave_the_database_with_the_last_message_that_had_them(tmp_path: Path) -> None:
    clock = FakeClock()
    async with open_chats(tmp_path, clock) as chats:
        shared, own = await attach(chats, "shared.txt"), await attach(chats, "own.txt")
        first = await chats.exchange("1", "a", attachments=(shared.id, own.id))
        await chats.exchange("2", "b", attachments=(shared.id,))
        await chats.service.delete(ConversationRef(conversation_id=first.conversation.id))
    clock.advance(TRASH_KEPT_S + 1)
    async with open_store(tmp_path, clock):
        pass
    assert kept(tmp_path) == ["shared.txt"]
    with closing(sqlite3.connect(tmp_path / DATABASE)) as connection:
        names = connection.execute("SELECT rowid FROM attachment_search WHERE attachment_search MATCH 'own'")
        assert names.fetchall() == []


async def test_file_that_was_not_sent_is_forgotten_when_somebody_says_so_or_in_time(tmp_path: Path) -> None:
    clock = FakeClock()
    async with open_store(tmp_path, clock) as store:
        attachments = Attachments(store.attachments)
        removed, sent, left = [await attach(store, name) for name in ("removed", "sent", "left")]
        await store.ask("?", "m", title="T", attachments=(sent.id,))
        for file in (removed, sent):
            await attachments.discard(file.id)
        await attachments.discard("never\ud800")
        assert kept(tmp_path) == ["sent", "left"]
    clock.advance(TRASH_KEPT_S - 1)
    async with open_store(tmp_path, clock):
        assert kept(tmp_path) == ["sent", "left"]
    clock.advance(2)
    async with open_store(tmp_path, clock):
        assert kept(tmp_path) == ["sent"]
    assert left.name == "left"


async def test_file_of_a_draft_is_kept_for_as_long_as_the_draft(tmp_path: Path) -> None:
    clock = FakeClock()
    async with open_store(tmp_path, clock) as store:
        file = await attach(store)
    database = await Database.open(tmp_path / DATABASE)
    await PreferenceStore(database).set_value("ui", UiState(draft_attachments={"new": (file,)}))
    clock.advance(TRASH_KEPT_S + 1)
    async with open_store(tmp_path, clock):
        assert kept(tmp_path) == ["a.txt"]
    await PreferenceStore(database).set_value("ui", UiState())
    await database.close()
    async with open_store(tmp_path, clock):
        assert kept(tmp_path) == []


async def test_list_of_messages_does_not_read_what_is_in_files(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / DATABASE)
    store, statements = ChatStore(database, FakeClock()), list[str]()
    asked = await store.ask("?", "m", title="T", attachments=((await attach(store)).id,))

    def traced(connection: sqlite3.Connection) -> None:
        connection.set_trace_callback(statements.append)
        rows.read_messages(connection, asked.conversation.id)

    await database.read(traced)
    await database.close()
    assert any("message_attachments" in statement for statement in statements)
    assert not any("body" in statement for statement in statements)


@pytest.mark.parametrize("error", [InvalidRequest, PayloadTooLarge])
async def test_file_that_is_refused_leaves_nothing_behind(tmp_path: Path, error: type[LlameroError]) -> None:
    body = b"\0" if error is InvalidRequest else b"x" * (LIMITS.text_bytes + 1)
    async with open_store(tmp_path) as store:
        with pytest.raises(error):
            await attach(store, "a.txt", body)
    assert kept(tmp_path) == []
