"""Turns of a conversation that cross each other: answers out of sight, editors whose message goes, second clicks."""

from __future__ import annotations

import re

from playwright.async_api import Locator, Page, expect

from tests.ui.conftest import Open, Opened
from tests.ui.test_message_menu import choose


async def opened(open_page: Open, rate: float = 0) -> Opened:
    one = await open_page("busy", rate=rate)
    await one.page.get_by_role("button", name=re.compile("Crossing the Andes")).first.click()
    await expect(one.page.locator(".message")).to_have_count(4)
    return one


def composer(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Message", exact=True)


async def edit(page: Page, number: int, text: str) -> Locator:
    """Open the editor of a message by its place in the thread, and write something else."""
    message = page.locator(".message").nth(number)
    await message.hover()
    await message.get_by_role("button", name=re.compile("^Edit")).click()
    field = page.get_by_role("textbox", name=re.compile("^Edit"))
    await expect(field).to_be_focused()
    await field.fill(text)
    return field


async def with_answer_out_of_sight(open_page: Open) -> Opened:
    one = await opened(open_page, rate=20)
    await composer(one.page).fill("Tell me")
    await one.page.keyboard.press("Enter")
    await expect(one.page.locator(".message.is-streaming")).to_contain_text("A mountain")
    field = await edit(one.page, 1, "In other words.")
    await field.press("Control+Enter")
    await expect(one.page.locator(".message")).to_have_count(2)
    return one


async def test_answer_on_another_branch_is_stopped_by_the_button(open_page: Open) -> None:
    one = await with_answer_out_of_sight(open_page)
    await expect(one.page.get_by_role("status").filter(has_text="Answering in another version")).to_be_visible()
    await one.page.get_by_role("button", name="Stop").click()
    await expect(one.page.get_by_role("button", name="Send")).to_be_visible()
    await expect(one.page.get_by_text("Answering in another version")).to_have_count(0)
    assert one.fake.commands.running == {}


async def test_answer_on_another_branch_is_stopped_by_esc(open_page: Open) -> None:
    one = await with_answer_out_of_sight(open_page)
    await one.page.keyboard.press("Escape")
    await expect(one.page.get_by_role("button", name="Send")).to_be_visible()
    assert one.fake.commands.running == {}


async def test_answer_that_undo_put_out_of_sight_is_shown_again(open_page: Open) -> None:
    one = await opened(open_page, rate=20)
    await choose(one.page, 3, re.compile("^Delete$"))
    await one.page.get_by_role("button", name="Get an answer").click()
    await expect(one.page.locator(".message.is-streaming")).to_have_count(1)
    await one.page.get_by_role("button", name="Undo").click()
    await expect(one.page.locator(".message.is-streaming")).to_have_count(0)
    await one.page.get_by_role("button", name="Show it").click()
    await expect(one.page.locator(".message.is-streaming")).to_contain_text("A mountain")
    await expect(one.page.get_by_text("Answering in another version")).to_have_count(0)


async def test_text_of_an_editor_is_there_again_after_another_chat(open_page: Open) -> None:
    one = await opened(open_page)
    await edit(one.page, 1, "Half an ans")
    await one.page.get_by_role("button", name="Letter to the landlord").click()
    await expect(one.page.locator(".message")).to_have_count(2)
    await one.page.get_by_role("button", name=re.compile("Crossing the Andes")).first.click()
    await one.page.locator(".message").nth(1).get_by_role("button", name="Edit answer").press("Enter")
    await expect(one.page.get_by_role("textbox", name="Edit the answer")).to_have_value("Half an ans")


async def test_text_of_an_editor_is_there_again_after_another_message_was_edited(open_page: Open) -> None:
    one = await opened(open_page)
    await edit(one.page, 1, "Half an ans")
    field = await edit(one.page, 2, "Half a quest")
    await field.press("Escape")
    await one.page.locator(".message").nth(2).get_by_role("button", name="Edit", exact=True).press("Enter")
    await expect(one.page.get_by_role("textbox", name="Edit your message")).to_have_value("Thanks. And in winter?")
    await one.page.locator(".message").nth(1).get_by_role("button", name="Edit answer").press("Enter")
    await expect(one.page.get_by_role("textbox", name="Edit the answer")).to_have_value("Half an ans")


async def test_editor_whose_message_another_window_takes_away_gives_text_focus_and_the_way_to_the_end_back(
    open_page: Open,
) -> None:
    one = await opened(open_page)
    await edit(one.page, 3, "Half an ans")
    two = await open_page(fake=one.fake)
    await two.page.get_by_role("button", name=re.compile("Crossing the Andes")).first.click()
    one.fake.world.answer = "A line of a long answer.\n\n" * 40
    await two.page.locator(".message").last.get_by_role("button", name="Answer once more").click()
    await expect(one.page.locator(".message.is-editing")).to_have_count(0)
    await expect(composer(one.page)).to_be_focused()
    await expect(one.page.locator(".message").last.locator(".stats")).to_be_visible()
    await one.page.locator(".thread").evaluate("(thread) => thread.scrollTo(0, 0)")
    await one.page.get_by_role("button", name="Jump to latest").click()
    await one.page.get_by_role("button", name="Previous version").last.press("Enter")
    await one.page.locator(".message").nth(3).get_by_role("button", name="Edit answer").press("Enter")
    await expect(one.page.get_by_role("textbox", name="Edit the answer")).to_have_value("Half an ans")


async def test_esc_on_a_button_of_an_editor_leaves_it_and_stops_nothing(open_page: Open) -> None:
    one = await opened(open_page, rate=20)
    await composer(one.page).fill("Tell me")
    await one.page.keyboard.press("Enter")
    await expect(one.page.locator(".message.is-streaming")).to_contain_text("A mountain")
    for name in ("Cancel", "Save"):
        await edit(one.page, 1, "In other words.")
        await one.page.get_by_role("button", name=name, exact=True).press("Escape")
        await expect(one.page.locator(".message.is-editing")).to_have_count(0)
        await expect(one.page.locator(".message").nth(1).get_by_role("button", name="Edit answer")).to_be_focused()
    assert len(one.fake.commands.running) == 1


async def test_edited_question_that_is_sent_leaves_focus_with_the_composer(open_page: Open) -> None:
    one = await opened(open_page)
    field = await edit(one.page, 2, "And in summer?")
    await field.press("Enter")
    await expect(one.page.locator(".bubble").last).to_have_text("And in summer?")
    await expect(composer(one.page)).to_be_focused()


async def test_edit_that_is_sent_twice_is_asked_once(open_page: Open) -> None:
    one = await opened(open_page)
    field = await edit(one.page, 2, "And in summer?")
    await field.evaluate("({ form }) => { form.requestSubmit(); form.requestSubmit(); }")
    await expect(one.page.locator(".bubble").last).to_have_text("And in summer?")
    assert [name for name, _ in one.fake.calls].count("edit_message") == 1


async def test_question_of_files_alone_is_edited_and_sent_as_it_is(open_page: Open) -> None:
    one = await opened(open_page)
    file = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"Notes"}
    await one.page.locator("#attach-files").set_input_files([file])
    await expect(one.page.locator(".composer .attachment")).to_have_count(1)
    await composer(one.page).press("Enter")
    await expect(one.page.locator(".message")).to_have_count(6)
    await expect(one.page.locator(".message").last.locator(".stats")).to_be_visible()
    field = await edit(one.page, 4, "")
    await field.press("Enter")
    question = one.page.locator(".message").nth(4)
    await expect(question.locator(".branch-number")).to_have_text("2 / 2")
    await expect(question).to_contain_text("notes.txt")


async def test_question_of_words_alone_cannot_be_sent_without_any(open_page: Open) -> None:
    one = await opened(open_page)
    await edit(one.page, 2, " ")
    send = one.page.locator(".editor").get_by_role("button", name="Send")
    await expect(send).to_be_disabled()
    await one.page.get_by_role("textbox", name="Edit your message").fill("Why?")
    await expect(send).to_be_enabled()


async def test_answer_asked_for_with_a_double_click_is_asked_for_once(open_page: Open) -> None:
    one = await opened(open_page)
    await choose(one.page, 3, re.compile("^Delete$"))
    await one.page.get_by_role("button", name="Get an answer").dblclick()
    await expect(one.page.locator(".message").last.locator(".stats")).to_be_visible()
    assert [name for name, _ in one.fake.calls].count("retry_message") == 1


async def test_answer_asked_for_by_key_leaves_focus_with_the_composer(open_page: Open) -> None:
    one = await opened(open_page)
    await choose(one.page, 3, re.compile("^Delete$"))
    await one.page.get_by_role("button", name="Get an answer").press("Enter")
    await expect(one.page.locator(".message").last.locator(".stats")).to_be_visible()
    await expect(composer(one.page)).to_be_focused()
