"""The notices at the bottom of the window, in a real browser."""

from __future__ import annotations

from playwright.async_api import Locator, expect

from tests.ui.conftest import Open, Opened

LONGER_THAN_A_NOTICE_STAYS = 20_000


async def with_notice(open_page: Open) -> tuple[Opened, Locator]:
    """A page whose time is in the hands of the test, with a deletion to undo."""
    one = await open_page("busy")
    await one.page.clock.install()
    await one.page.get_by_role("button", name="Regex for dates", exact=True).press("Delete")
    notice = one.page.locator(".toast")
    await expect(notice).to_contain_text("Deleted “Regex for dates”")
    return one, notice


async def test_notice_goes_after_a_while(open_page: Open) -> None:
    one, notice = await with_notice(open_page)
    await one.page.clock.fast_forward(LONGER_THAN_A_NOTICE_STAYS)
    await expect(notice).to_have_count(0)


async def test_notice_with_focus_in_it_stays_and_goes_once_it_is_left(open_page: Open) -> None:
    one, notice = await with_notice(open_page)
    await notice.get_by_role("button", name="Undo").focus()
    await one.page.keyboard.press("Tab")
    await one.page.clock.fast_forward(LONGER_THAN_A_NOTICE_STAYS)
    await expect(notice.get_by_role("button", name="Dismiss")).to_be_focused()
    await one.page.get_by_role("textbox", name="Message", exact=True).focus()
    await one.page.clock.fast_forward(LONGER_THAN_A_NOTICE_STAYS)
    await expect(notice).to_have_count(0)


async def test_notice_under_the_pointer_stays_and_goes_once_it_is_left(open_page: Open) -> None:
    one, notice = await with_notice(open_page)
    await notice.hover()
    await one.page.clock.fast_forward(LONGER_THAN_A_NOTICE_STAYS)
    await expect(notice).to_be_visible()
    await one.page.mouse.move(10, 10)
    await one.page.clock.fast_forward(LONGER_THAN_A_NOTICE_STAYS)
    await expect(notice).to_have_count(0)


async def test_notice_that_others_push_out_gives_focus_back(open_page: Open) -> None:
    one, notice = await with_notice(open_page)
    box = one.page.get_by_role("textbox", name="Message", exact=True)
    await box.focus()
    await notice.get_by_role("button", name="Undo").focus()
    for word in ("One", "Two", "Three"):
        one.fake.event("notice", word)
    await expect(one.page.get_by_text("Three", exact=True)).to_be_visible()
    await expect(one.page.get_by_role("button", name="Undo")).to_have_count(0)
    await expect(box).to_be_focused()
