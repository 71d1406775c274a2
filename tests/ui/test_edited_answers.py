"""Editing answers, in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Locator, expect

from tests.ui.conftest import Open, Opened


async def editing(open_page: Open, number: int = 1, height: int = 800) -> tuple[Opened, Locator]:
    one = await open_page("busy", height=height)
    await one.page.get_by_role("button", name=re.compile("Crossing the Andes")).first.click()
    message = one.page.locator(".message").nth(number)
    await message.hover()
    await message.get_by_role("button", name="Edit answer").click()
    field = one.page.get_by_role("textbox", name="Edit the answer")
    await expect(field).to_be_focused()
    return one, field


async def test_edited_answer_becomes_a_version_and_nobody_is_asked(open_page: Open) -> None:
    one, field = await editing(open_page)
    await expect(field).to_have_value(re.compile(r"^A mountain pass is a \*\*low place"))
    await field.fill("First line.\n")
    await field.press("End")
    await field.press("Enter")
    await field.press_sequentially("*Second* line.")
    await field.press("Control+Enter")
    message = one.page.locator(".message").nth(1)
    await expect(message.locator("answer-text.answer em").last).to_have_text("Second")
    await expect(message.locator(".stats")).to_have_text("Edited · Qwen3-4B-Q4_K_M")
    await expect(message.locator(".branch-number")).to_have_text("3 / 3")
    await expect(message.get_by_role("button", name="Edit answer")).to_be_focused()
    await expect(one.page.locator(".message")).to_have_count(2)  # what followed is on the branch of the old version
    assert not {"send_chat_message", "edit_message", "retry_message"} & {name for name, _ in one.fake.calls}
    await message.get_by_role("button", name="Previous version").click()
    await expect(one.page.locator(".message")).to_have_count(4)
    await expect(message).to_contain_text("low place between two peaks")


async def test_editor_in_the_middle_of_a_conversation_comes_into_sight(open_page: Open) -> None:
    one, field = await editing(open_page)
    await expect(field).to_be_in_viewport(ratio=1)
    await expect(one.page.get_by_role("button", name="Save", exact=True)).to_be_in_viewport(ratio=1)


async def test_answer_is_left_as_it_was_by_esc_and_by_saving_nothing_new(open_page: Open) -> None:
    one, field = await editing(open_page, 3)
    await field.fill("No")
    await field.press("Escape")
    message = one.page.locator(".message").last
    await expect(message).to_contain_text("In winter most passes")
    again = message.get_by_role("button", name="Edit answer")
    await expect(again).to_be_focused()
    await again.press("Enter")
    await field.fill(" ")
    await expect(one.page.get_by_role("button", name="Save", exact=True)).to_be_disabled()
    await field.press("Control+Enter")
    await expect(field).to_be_visible()
    await field.fill("In winter most passes above 4,500 m close, because")
    await one.page.get_by_role("button", name="Save", exact=True).click()
    await expect(field).to_have_count(0)
    assert "edit_answer" not in {name for name, _ in one.fake.calls}


@pytest.mark.parametrize("height", [800, 400])
async def test_long_answer_is_edited_from_its_beginning_with_its_buttons_in_sight(open_page: Open, height: int) -> None:
    one, field = await editing(open_page, height=height)
    await field.fill("A line of a long answer.\n" * 200)
    await field.press("Control+Enter")
    await one.page.locator(".message").last.get_by_role("button", name="Edit answer").click()
    await expect(field).to_be_focused()
    assert await field.evaluate("(e) => [e.scrollTop, e.selectionStart]") == [0, 0]
    await expect(field).to_be_in_viewport(ratio=1)
    await expect(one.page.get_by_role("button", name="Save", exact=True)).to_be_in_viewport(ratio=1)
