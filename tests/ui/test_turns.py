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
