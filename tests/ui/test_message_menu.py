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


async def test_menu_of_a_message_is_left_by_tab_and_has_a_first_and_a_last(open_page: Open) -> None:
    one = await opened(open_page)
    button = one.page.locator(".message").nth(1).get_by_role("button", name="More actions")
    await button.press("Enter")
    menu = one.page.get_by_role("menu", name="More actions")
    await expect(menu.get_by_role("menuitem").first).to_be_focused()
    await one.page.keyboard.press("End")
    await expect(menu.get_by_role("menuitem").last).to_be_focused()
    await one.page.keyboard.press("Home")
    await expect(menu.get_by_role("menuitem").first).to_be_focused()
    await one.page.keyboard.press("Tab")
    await expect(menu).to_be_hidden()
    await expect(button).to_be_focused()


async def test_menu_goes_from_one_message_to_another_with_one_click(open_page: Open) -> None:
    one = await opened(open_page)
    first = one.page.locator(".message").nth(0).get_by_role("button", name="More actions")
    second = one.page.locator(".message").nth(3).get_by_role("button", name="More actions")
    menu = one.page.get_by_role("menu", name="More actions")
    await first.click()
    await expect(menu).to_contain_text("Delete conversation")
    await second.click()
    await expect(menu.get_by_role("menuitem", name=re.compile("^Delete$"))).to_be_visible()
    await expect(first).to_have_attribute("aria-expanded", "false")
    await expect(second).to_have_attribute("aria-expanded", "true")
    await second.click()
    await expect(menu).to_be_hidden()
    await expect(second).to_have_attribute("aria-expanded", "false")


async def test_menu_goes_with_its_message(open_page: Open) -> None:
    one = await opened(open_page)
    two = await open_page(fake=one.fake)
    await two.page.get_by_role("button", name=re.compile("Crossing the Andes")).first.click()
    menu = one.page.get_by_role("menu", name="More actions")
    await one.page.locator(".message").nth(3).get_by_role("button", name="More actions").click()
    await expect(menu).to_be_visible()
    await choose(two.page, 2, re.compile("Delete from here"))
    await expect(menu).to_be_hidden()
    await expect(one.page.get_by_role("textbox", name="Message", exact=True)).to_be_focused()
    await one.page.locator(".message").nth(1).get_by_role("button", name="More actions").click()
    await expect(menu).to_be_visible()
    await one.page.keyboard.press("Control+n")
    await expect(menu).to_be_hidden()
    await expect(one.page.get_by_role("textbox", name="Message", exact=True)).to_be_focused()


async def test_menu_goes_when_its_button_leaves_the_view(open_page: Open) -> None:
    one = await open_page("busy", height=400)
    await one.page.get_by_role("button", name=re.compile("Crossing the Andes")).first.click()
    await one.page.locator(".message").last.get_by_role("button", name="More actions").click()
    menu = one.page.get_by_role("menu", name="More actions")
    await expect(menu).to_be_visible()
    await one.page.locator(".thread").evaluate("(thread) => thread.scrollTo(0, 0)")
    await expect(menu).to_be_hidden()
    assert await one.page.locator(".thread").evaluate("(thread) => thread.scrollTop") == 0


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


async def test_deleted_message_goes_with_what_follows_and_comes_back_by_undo(open_page: Open) -> None:
    one = await opened(open_page)
    await choose(one.page, 1, re.compile("Delete from here.*3 messages"))
    await expect(one.page.get_by_text("Deleted 3 messages")).to_be_visible()
    await expect(one.page.locator(".message.is-assistant")).to_contain_text(
        "A gap in the mountains."
    )  # the other version
    await expect(one.page.locator(".message")).to_have_count(2)
    await expect(one.page.locator(".branch-number")).to_have_count(0)
    await expect(one.page.get_by_role("textbox", name="Message", exact=True)).to_be_focused()
    await one.page.get_by_role("button", name="Undo").click()
    await expect(one.page.locator(".message")).to_have_count(4)
    await expect(one.page.locator(".branch-number")).to_have_text("2 / 2")


async def test_question_that_is_left_without_an_answer_can_be_answered(open_page: Open) -> None:
    one = await opened(open_page)
    await choose(one.page, 3, re.compile("^Delete$"))
    await expect(one.page.get_by_text("Deleted 1 message")).to_be_visible()
    await expect(one.page.locator(".message")).to_have_count(3)
    one.fake.world.answer = "They close."
    await one.page.get_by_role("button", name="Get an answer").click()
    await expect(one.page.locator(".message").last).to_contain_text("They close.")
    await expect(one.page.get_by_role("button", name="Get an answer")).to_have_count(0)


async def test_message_whose_answer_is_coming_is_deleted_with_it(open_page: Open) -> None:
    one = await open_page("busy", rate=40)
    await one.page.get_by_role("button", name=re.compile("Crossing the Andes")).first.click()
    await expect(one.page.locator(".message")).to_have_count(4)
    await one.page.get_by_role("textbox", name="Message", exact=True).fill("Tell me")
    await one.page.keyboard.press("Enter")
    await expect(one.page.locator("answer-text").last).to_contain_text("A mountain")
    await choose(one.page, 4, re.compile("Delete from here.*2 messages"))
    await expect(one.page.locator(".message")).to_have_count(4)
    await expect(one.page.get_by_role("button", name="Send")).to_be_visible()
    assert one.fake.commands.running == {}


async def test_conversation_goes_with_its_last_message_and_comes_back_by_undo(open_page: Open) -> None:
    one = await opened(open_page, "Letter to the landlord")
    await choose(one.page, 0, re.compile("Delete conversation"))
    await expect(one.page.get_by_text("Deleted “Letter to the landlord”")).to_be_visible()
    await expect(one.page.locator(".message")).to_have_count(0)
    await one.page.get_by_role("button", name="Undo").click()
    await expect(one.page.locator(".message")).to_have_count(2)


async def test_undo_from_another_conversation_leads_back_to_the_message(open_page: Open) -> None:
    one = await opened(open_page)
    await choose(one.page, 2, re.compile("Delete from here"))
    await expect(one.page.locator(".message")).to_have_count(2)
    await one.page.get_by_role("button", name="Regex for dates").click()
    await expect(one.page.locator(".message")).to_have_count(0)
    await one.page.get_by_role("button", name="Undo").click()
    await expect(one.page.locator(".message")).to_have_count(4)


async def test_second_window_sees_a_message_go_and_come_back(open_page: Open) -> None:
    one = await opened(open_page)
    two = await open_page(fake=one.fake)
    await two.page.get_by_role("button", name=re.compile("Crossing the Andes")).first.click()
    await expect(two.page.locator(".message")).to_have_count(4)
    await choose(one.page, 2, re.compile("Delete from here"))
    await expect(two.page.locator(".message")).to_have_count(2)
    await one.page.get_by_role("button", name="Undo").click()
    await expect(two.page.locator(".message")).to_have_count(4)
