"""Files on a question: chosen, dropped, pasted, taken off, sent, looked at, and refused with a reason."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from playwright.async_api import FilePayload, Locator, Route, expect

from llamero.services.chats.attachments import LIMITS
from tests.fakes.fake_bridge.scenarios import SCENARIOS
from tests.fakes.fake_bridge.server import FakeBridge
from tests.process.support import eventually
from tests.ui.conftest import Open, Opened
from tests.ui.test_looks import SIDEWAYS, attached, open_conversation
from tests.ui.xss_vectors import VECTORS

NOTES = FilePayload(name="notes.md", mimeType="", buffer=b"# The pass\n\nIt is high.\n")
ROUTE = FilePayload(name="route.csv", mimeType="", buffer=b"pass,height\n" * 200)

# Files given by name and text come to an element as if from outside of the page.
GIVE = """([selector, kind, files, texts]) => {
  const given = new DataTransfer();
  for (const [name, text] of files) given.items.add(new File([text], name));
  for (const [type, text] of Object.entries(texts)) given.setData(type, text);
  const options = { bubbles: true, cancelable: true };
  const event = kind === 'paste'
    ? new ClipboardEvent('paste', { clipboardData: given, ...options })
    : new DragEvent(kind, { dataTransfer: given, ...options });
  document.querySelector(selector).dispatchEvent(event);
  return event.defaultPrevented;
}"""


async def give(one: Opened, kind: str, *files: tuple[str, str], texts: dict[str, str] | None = None) -> bool:
    taken: bool = await one.page.evaluate(GIVE, ["#composer", kind, files, texts or {}])
    return taken


async def choose(one: Opened, *files: FilePayload | Path) -> None:
    await expect(one.page.get_by_role("button", name="Attach files")).to_be_visible()
    async with one.page.expect_file_chooser() as choosing:
        await one.page.get_by_role("button", name="Attach files").click()
    chooser = await choosing.value
    assert chooser.is_multiple()
    await chooser.set_files(list(files))  # type: ignore[arg-type]


def chips(one: Opened, place: str = ".composer") -> Locator:
    return one.page.locator(f"{place} .attachment .attachment-name")


def calls(fake: FakeBridge, name: str) -> list[dict[str, Any]]:
    return [arguments for called, arguments in fake.calls if called == name]


async def test_files_are_chosen_sent_and_shown_above_the_question(open_page: Open) -> None:
    one = await open_page("busy")
    await choose(one, NOTES, ROUTE)
    await expect(chips(one)).to_have_text(["notes.md", "route.csv"])
    await expect(one.page.locator(".composer .attachment-size")).to_have_text(["24 bytes", "2.3 KB"])
    await expect(one.page.get_by_role("status").get_by_text("2 files attached")).to_be_attached()
    await one.page.get_by_role("textbox", name="Message", exact=True).fill("How high is it?")
    await one.page.keyboard.press("Enter")
    await expect(chips(one, ".message.is-user")).to_have_text(["notes.md", "route.csv"])
    await expect(one.page.locator(".bubble")).to_have_text("How high is it?")
    await expect(chips(one)).to_have_count(0)
    (sent,) = calls(one.fake, "send_chat_message")
    assert (sent["text"], sent["attachments"]) == ("How high is it?", ["f0", "f1"])
    assert calls(one.fake, "discard_attachment") == []


async def test_files_are_sent_without_a_word(open_page: Open) -> None:
    one = await open_page("busy")
    send = one.page.get_by_role("button", name="Send", exact=True)
    await expect(send).to_be_disabled()
    await choose(one, NOTES)
    await send.click()
    await expect(chips(one, ".message.is-user")).to_have_text(["notes.md"])
    await expect(one.page.locator(".bubble")).to_have_count(0)


async def test_content_is_fetched_when_somebody_looks_and_shown_as_text(open_page: Open) -> None:
    one = await open_page("busy")
    name, content = "<img src=x onerror=window.hit=1>.html", "\n".join(VECTORS)
    await choose(one, FilePayload(name=name, mimeType="text/html", buffer=content.encode()))
    await expect(chips(one)).to_have_text([name])
    assert calls(one.fake, "get_attachment") == []
    await one.page.locator(".composer .attachment-open").click()
    dialog = one.page.get_by_role("dialog", name=name)
    assert await dialog.locator("pre").evaluate("(e) => [e.textContent, e.childElementCount]") == [content, 0]
    await expect(dialog.get_by_role("button", name="Copy")).to_be_visible()
    await one.page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    await expect(one.page.locator(".composer .attachment-open")).to_be_focused()
    assert await one.page.evaluate("() => window.hit") is None


async def test_dropped_files_are_attached_and_the_page_says_so_while_they_hover(open_page: Open) -> None:
    one = await open_page("busy")
    await expect(one.page.get_by_title("Choose a model")).to_contain_text("Qwen")
    hint = one.page.get_by_text("Drop files to attach them")
    await expect(hint).to_be_hidden()
    await give(one, "dragover", ("a.py", "x"))
    await expect(hint).to_be_visible()
    await give(one, "dragleave", ("a.py", "x"))
    await expect(hint).to_be_hidden()
    await give(one, "dragover", ("a.py", "x"))
    assert await give(one, "drop", ("a.py", "x = 1"), ("b.log", "started"))
    await expect(hint).to_be_hidden()
    await expect(chips(one)).to_have_text(["a.py", "b.log"])
    await expect(one.page.get_by_role("textbox", name="Message", exact=True)).to_be_focused()


async def test_file_dropped_on_another_view_is_attached_in_the_chat(open_page: Open) -> None:
    one = await open_page("busy")
    await one.page.get_by_role("link", name="Logs").click()
    await expect(one.page.get_by_role("heading", name="Logs")).to_be_visible()
    assert await give(one, "drop", ("a.py", "x = 1"))
    await expect(chips(one)).to_be_visible()


async def test_pasted_files_are_attached_and_pasted_words_are_not(open_page: Open) -> None:
    one = await open_page("busy")
    await expect(one.page.get_by_title("Choose a model")).to_contain_text("Qwen")
    assert await give(one, "paste", ("a.py", "x = 1"), texts={"text/plain": "/home/me/a.py"})
    await expect(chips(one)).to_have_text(["a.py"])
    table = {"text/plain": "1 2", "text/html": "<table>"}
    assert not await give(one, "paste", ("table.png", "a picture of the cells"), texts=table)
    assert not await give(one, "paste", texts={"text/plain": "words"})
    await expect(chips(one)).to_have_count(1)


async def test_file_that_cannot_be_sent_is_refused_by_name_and_the_others_are_attached(
    open_page: Open, tmp_path: Path
) -> None:
    one = await open_page("busy")
    huge = tmp_path / "huge.log"
    with huge.open("wb") as file:
        file.truncate(LIMITS.text_bytes + 1)
    await choose(one, huge)
    await expect(one.page.get_by_text("“huge.log” is too large. A text file may have up to 2 MB.")).to_be_visible()
    assert one.fake.blobs == {}, "what is too large is not even uploaded"
    await choose(one, FilePayload(name="tool.bin", mimeType="", buffer=b"\x7fELF\0"), NOTES)
    await expect(one.page.get_by_text("“tool.bin” is neither text nor a picture that models know")).to_be_visible()
    await expect(chips(one)).to_have_text(["notes.md"])


async def test_name_in_a_refusal_cannot_turn_the_sentence_around(open_page: Open, tmp_path: Path) -> None:
    one = await open_page("busy")
    huge = tmp_path / "cv\u202efdp.exe"
    with huge.open("wb") as file:
        file.truncate(LIMITS.text_bytes + 1)
    await choose(one, huge)
    await expect(one.page.get_by_text("“cvfdp.exe” is too large.")).to_be_visible()


async def test_more_files_than_a_message_may_have_are_refused_at_once(open_page: Open) -> None:
    one = await open_page("busy")
    await choose(one, *[FilePayload(name=f"{n}.txt", mimeType="", buffer=b"x") for n in range(LIMITS.files + 3)])
    await expect(one.page.get_by_text("A message can have up to 20 files. Remove some first.")).to_be_visible()
    await expect(chips(one)).to_have_count(LIMITS.files)


async def test_file_is_taken_off_by_keyboard_and_focus_goes_on(open_page: Open) -> None:
    one = await open_page("busy")
    await choose(one, NOTES, ROUTE)
    await expect(chips(one)).to_have_count(2)
    await one.page.get_by_role("button", name="Remove notes.md").focus()
    await one.page.keyboard.press("Enter")
    await expect(one.page.get_by_role("button", name="Remove route.csv")).to_be_focused()
    await one.page.keyboard.press("Enter")
    await expect(one.page.get_by_role("textbox", name="Message", exact=True)).to_be_focused()
    await expect(chips(one)).to_have_count(0)
    assert calls(one.fake, "discard_attachment") == [{"attachment_id": "f0"}, {"attachment_id": "f1"}]


async def test_files_wait_with_the_draft_of_their_chat_and_over_a_reload(open_page: Open) -> None:
    one = await open_page("busy")
    await choose(one, NOTES)
    await expect(chips(one)).to_have_text(["notes.md"])
    await open_conversation(one, "Crossing the Andes")
    await expect(chips(one)).to_have_count(0)
    await choose(one, ROUTE)
    await expect(chips(one)).to_have_text(["route.csv"])
    await one.page.get_by_role("button", name="New chat").click()
    await expect(chips(one)).to_have_text(["notes.md"])
    await one.page.reload()
    await expect(chips(one)).to_have_text(["notes.md"])


async def test_files_are_given_back_when_the_question_is_refused(open_page: Open) -> None:
    one = await open_page("busy")
    await choose(one, NOTES)
    await expect(chips(one)).to_have_text(["notes.md"])
    one.fake.world.attached.clear()
    await one.page.get_by_role("textbox", name="Message", exact=True).fill("How high is it?")
    await one.page.keyboard.press("Enter")
    await expect(one.page.get_by_text("This file is not there any more. Attach it again.")).to_be_visible()
    await expect(chips(one)).to_have_text(["notes.md"])
    await expect(one.page.get_by_role("textbox", name="Message", exact=True)).to_have_value("How high is it?")


async def test_edited_question_keeps_its_files(open_page: Open) -> None:
    one = await open_page("busy")
    await choose(one, NOTES)
    await one.page.get_by_role("textbox", name="Message", exact=True).fill("How hgh is it?")
    await one.page.keyboard.press("Enter")
    await one.page.get_by_role("button", name="Edit", exact=True).click()
    await expect(chips(one, ".is-editing")).to_have_text(["notes.md"])
    await one.page.get_by_role("textbox", name="Edit your message").fill("How high is it?")
    await one.page.keyboard.press("Enter")
    await expect(one.page.locator(".bubble")).to_have_text("How high is it?")
    await expect(chips(one, ".message.is-user")).to_have_text(["notes.md"])


async def test_files_leave_room_to_write_at_twice_the_size(open_page: Open) -> None:
    one = await open_page("busy", width=640, height=400)
    await attached(one)
    assert await one.page.evaluate(SIDEWAYS) == []
    for name in ("Attach files", "Send"):
        await expect(one.page.get_by_role("button", name=name, exact=True)).to_be_in_viewport(ratio=1)
    await expect(one.page.get_by_role("textbox", name="Message", exact=True)).to_be_in_viewport(ratio=1)


async def uploads_held(one: Opened) -> asyncio.Event:
    """Keep what is uploaded on its way until the event is set."""
    arrive = asyncio.Event()

    async def hold(route: Route) -> None:
        await arrive.wait()
        await route.continue_()

    await one.page.route("**/bridge/blob", hold)
    return arrive


async def test_question_that_waits_for_a_file_goes_to_the_chat_it_was_asked_in(open_page: Open) -> None:
    one = await open_page("busy")
    field = one.page.get_by_role("textbox", name="Message", exact=True)
    await open_conversation(one, "Letter to the")
    await field.fill("Dear landlord")
    await open_conversation(one, "Crossing the Andes")
    arrive = await uploads_held(one)
    await choose(one, NOTES)
    await expect(one.page.locator(".attaching")).to_have_text(["notes.md"])
    await field.fill("How high is it?")
    await one.page.keyboard.press("Enter")
    await open_conversation(one, "Letter to the")
    await expect(one.page.locator(".attaching")).to_have_count(0)
    arrive.set()
    await eventually(lambda: calls(one.fake, "send_chat_message"))
    (sent,) = calls(one.fake, "send_chat_message")
    andes = next(
        chat.id for chat in one.fake.world.conversations.values() if chat.title.startswith("Crossing the Andes")
    )
    assert (sent["text"], sent["conversation_id"], sent["attachments"]) == ("How high is it?", andes, ["f0"])
    await expect(field).to_have_value("Dear landlord")
    await open_conversation(one, "Crossing the Andes")
    await expect(field).to_have_value("")
    await expect(chips(one, ".message.is-user")).to_have_text(["notes.md"])


async def test_words_written_after_enter_are_not_sent_along(open_page: Open) -> None:
    one = await open_page("busy")
    await open_conversation(one, "Crossing the Andes")
    arrive = await uploads_held(one)
    await choose(one, NOTES)
    await one.page.get_by_role("textbox", name="Message", exact=True).fill("How high is it?")
    await one.page.keyboard.press("Enter")
    await one.page.keyboard.type("And how cold?")
    await one.page.keyboard.press("Enter")
    arrive.set()
    await expect(one.page.locator(".bubble").last).to_have_text("How high is it?")
    await expect(one.page.get_by_role("textbox", name="Message", exact=True)).to_have_value("And how cold?")
    assert [sent["text"] for sent in calls(one.fake, "send_chat_message")] == ["How high is it?"]


async def test_words_written_while_a_new_chat_begins_stay_where_they_are(open_page: Open) -> None:
    one = await open_page("busy")
    arrive = await uploads_held(one)
    await choose(one, NOTES)
    await one.page.get_by_role("textbox", name="Message", exact=True).fill("How high is it?")
    await one.page.keyboard.press("Enter")
    await one.page.keyboard.type("And how cold?")
    arrive.set()
    await expect(one.page.locator(".bubble")).to_have_text("How high is it?")
    await expect(one.page.get_by_role("textbox", name="Message", exact=True)).to_have_value("And how cold?")
    await one.page.get_by_role("button", name="New chat").click()
    await expect(one.page.get_by_role("textbox", name="Message", exact=True)).to_have_value("")


async def test_refused_question_goes_back_whole_to_the_chat_it_was_asked_in(open_page: Open) -> None:
    one = await open_page("busy")
    field = one.page.get_by_role("textbox", name="Message", exact=True)
    await open_conversation(one, "Crossing the Andes")
    await choose(one, NOTES)
    await expect(chips(one)).to_have_text(["notes.md"])
    refuse = asyncio.Event()

    async def hold(route: Route) -> None:
        await refuse.wait()
        await route.continue_()

    await one.page.route("**/bridge/send_chat_message", hold)
    one.fake.world.attached.clear()
    await field.fill("How high is it?")
    await one.page.keyboard.press("Enter")
    await field.fill("And how cold?")
    await open_conversation(one, "Letter to the")
    refuse.set()
    await expect(one.page.get_by_text("This file is not there any more. Attach it again.")).to_be_visible()
    await expect(field).to_have_value("")
    await expect(chips(one)).to_have_count(0)
    await open_conversation(one, "Crossing the Andes")
    await expect(field).to_have_value("How high is it?\n\nAnd how cold?")
    await expect(chips(one)).to_have_text(["notes.md"])


async def test_files_given_before_the_page_knows_anything_wait_for_it(open_page: Open) -> None:
    fake = FakeBridge(SCENARIOS["busy"]())
    await fake.start()
    try:
        fake.accepting = False
        one = await open_page(fake=fake)
        await choose(one, NOTES)
        fake.accepting = True
        await expect(chips(one)).to_have_text(["notes.md"])
        await expect(one.page.get_by_text("A message can have up to")).to_have_count(0)
    finally:
        await fake.stop()


async def test_name_in_a_notice_keeps_its_letters(open_page: Open) -> None:
    one = await open_page("busy")
    await choose(one, FilePayload(name="tool.bin", mimeType="", buffer=b"\x7fELF\0"))
    notice = one.page.locator(".toast > span")
    await expect(notice).to_contain_text("“tool.bin” is neither text")
    assert await notice.evaluate("(e) => [getComputedStyle(e, '::first-letter').textTransform, e.innerText[1]]") == [
        "none",
        "t",
    ]


LONG_NAMES = [f"quarterly-report-of-the-department-for-mountain-roads-{n:02}-final.md" for n in range(LIMITS.files)]


async def test_many_files_leave_the_buttons_of_their_question_alone(open_page: Open) -> None:
    one = await open_page("busy")
    await open_conversation(one, "Crossing the Andes")
    for number in (4, LIMITS.files):
        await choose(one, *[FilePayload(name=name, mimeType="", buffer=b"x") for name in LONG_NAMES[:number]])
        await expect(chips(one)).to_have_count(number)
        await one.page.get_by_role("textbox", name="Message", exact=True).fill("Compare them.")
        await one.page.keyboard.press("Enter")
        asked = one.page.locator(".message.is-user").last
        await expect(asked.locator(".attachment")).to_have_count(number)
        question, files, buttons = [
            await asked.locator(part).evaluate("(e) => e.getBoundingClientRect().toJSON()")
            for part in (".question", ".attachments", ".message-actions")
        ]
        assert files["left"] >= question["left"] - 1
        assert buttons["right"] <= files["left"] + 1
        await expect(one.page.get_by_role("button", name="Stop")).to_have_count(0)


async def test_long_name_keeps_its_end_and_takes_the_free_width(open_page: Open) -> None:
    one = await open_page("busy")
    await choose(one, FilePayload(name=LONG_NAMES[0], mimeType="", buffer=b"x"))
    start, end = chips(one).locator("span").first, chips(one).locator("span").last
    assert await start.evaluate("(e) => e.scrollWidth <= e.clientWidth"), "there is room for the whole name"
    await one.page.set_viewport_size({"width": 480, "height": 600})
    assert await start.evaluate("(e) => e.scrollWidth > e.clientWidth")
    await expect(end).to_have_text("0-final.md")
    await expect(end).to_be_in_viewport(ratio=1)


async def test_notice_stands_above_the_composer_however_tall_it_is(open_page: Open) -> None:
    one = await open_page("busy", width=800)
    await choose(one, *[FilePayload(name=name, mimeType="", buffer=b"x") for name in LONG_NAMES[:8]])
    await expect(chips(one)).to_have_count(8)
    await choose(one, FilePayload(name="tool.bin", mimeType="", buffer=b"\x7fELF\0"))
    notice = await one.page.locator(".toast").bounding_box()
    composer = await one.page.locator(".composer").bounding_box()
    assert notice and composer
    assert notice["y"] + notice["height"] <= composer["y"]
