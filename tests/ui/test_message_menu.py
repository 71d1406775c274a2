"""What is done with a message now and then, in a real browser: the menu, and forking."""

from __future__ import annotations

import re

from playwright.async_api import Page, expect

from tests.ui.conftest import Open, Opened

BELOW = "(menu) => menu.getBoundingClientRect().bottom <= innerHeight && menu.getBoundingClientRect().top >= 0"


async def opened(open_page: Open, title: str = "Crossing the Andes") -> Opened:
    one = await open_page("busy")
    await one.page.get_by_role("button", name=re.compile(title)).first.click()
    await expect(one.page.locator(".message").first).to_be_visible()
    return one


async def choose(page: Page, number: int, name: str | re.Pattern[str]) -> None:
    """Choose from the menu of a message by its place in the thread."""
    message = page.locator(".message").nth(number)
    await message.hover()
    await message.get_by_role("button", name="More actions").click()
    await page.get_by_role("menu").get_by_role("menuitem", name=name).click()


async def test_fork_opens_a_conversation_that_ends_with_the_message(open_page: Open) -> None:
    one = await opened(open_page)
    await choose(one.page, 1, "Fork from here")
    await expect(one.page.locator(".message")).to_have_count(2)
    await expect(one.page.get_by_role("textbox", name="Message", exact=True)).to_be_focused()
    current = one.page.locator(".conversation-row.is-current")
    await expect(current).to_contain_text("Fork: Crossing the Andes with llamas")
    await expect(one.page.locator(".conversation-row")).to_have_count(8)
    await one.page.locator(".fork-mark").get_by_role("button", name="Crossing the Andes with llamas").click()
    await expect(one.page.locator(".message")).to_have_count(4)
    await expect(one.page.locator(".fork-mark")).to_have_count(0)


async def test_fork_is_left_again_by_the_notice(open_page: Open) -> None:
    one = await opened(open_page)
    await choose(one.page, 0, "Fork from here")
    await expect(one.page.locator(".message")).to_have_count(1)
    await one.page.get_by_role("button", name="Go back").click()
    await expect(one.page.locator(".message")).to_have_count(4)


async def test_fork_of_a_conversation_that_is_gone_says_so(open_page: Open) -> None:
    one = await opened(open_page)
    await choose(one.page, 1, "Fork from here")
    await expect(one.page.locator(".fork-mark")).to_contain_text("Forked from Crossing the Andes")
    source = one.page.get_by_role("button", name="Crossing the Andes with llamas", exact=True).first
    await source.press("Delete")
    await expect(one.page.locator(".fork-mark")).to_have_text("Forked from a conversation that is no longer here")


async def test_menu_of_a_message_is_used_by_keys_alone(open_page: Open) -> None:
    one = await opened(open_page)
    button = one.page.locator(".message").nth(1).get_by_role("button", name="More actions")
    await button.press("Enter")
    menu = one.page.get_by_role("menu", name="More actions")
    first = menu.get_by_role("menuitem").first
    await expect(first).to_be_focused()
    await expect(button).to_have_attribute("aria-expanded", "true")
    await one.page.keyboard.press("ArrowUp")
    await expect(menu.get_by_role("menuitem").last).to_be_focused()
    await one.page.keyboard.press("ArrowDown")
    await expect(first).to_be_focused()
    await one.page.keyboard.press("Escape")
    await expect(menu).to_be_hidden()
    await expect(button).to_be_focused()
    await expect(button).to_have_attribute("aria-expanded", "false")


async def test_menu_of_a_message_stays_in_the_window_and_beside_its_button(open_page: Open) -> None:
    one = await opened(open_page)
    message = one.page.locator(".message").last
    button = message.get_by_role("button", name="More actions")
    await button.click()
    menu = one.page.get_by_role("menu", name="More actions")
    assert await menu.evaluate(BELOW)
    await one.page.locator(".thread").evaluate("(thread) => thread.scrollBy(0, -120)")
    await expect(menu).to_have_class(re.compile("is-above"))
    at, beside = await menu.bounding_box(), await button.bounding_box()
    assert at is not None and beside is not None
    assert abs(at["y"] + at["height"] + 4 - beside["y"]) <= 1
    await expect(message.locator(".message-actions")).to_have_css("opacity", "1")
