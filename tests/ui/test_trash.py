"""Recently deleted conversations, in a real browser."""

from __future__ import annotations

from playwright.async_api import expect

from tests.ui.conftest import Open, Opened

GONE = {"code": "not_found", "message": "There is no such conversation.", "data": None}


async def with_deleted(open_page: Open, *titles: str) -> Opened:
    one = await open_page("busy")
    for title in titles:
        await one.page.get_by_role("button", name=title, exact=True).press("Delete")
        await expect(one.page.get_by_text(f"Deleted “{title}”")).to_be_visible()
    return one


async def test_deleted_conversation_is_restored_and_opened(open_page: Open) -> None:
    one = await with_deleted(open_page, "Regex for dates", "Letter to the landlord")
    await one.page.get_by_role("button", name="Recently deleted").click()
    rows = one.page.locator(".conversation.is-deleted")
    await expect(rows).to_contain_text(["Letter to the landlord", "Regex for dates"])
    await expect(rows.first).to_contain_text("Deleted today · 30 days left")
    await one.page.get_by_role("button", name="Restore Letter to the landlord").click()
    await expect(one.page.get_by_text("Restored “Letter to the landlord”")).to_be_visible()
    await expect(one.page.locator(".conversation-row.is-current")).to_contain_text("Letter to the landlord")
    await expect(one.page.locator(".message")).to_have_count(2)
    await expect(one.page.get_by_role("textbox", name="Message", exact=True)).to_be_focused()


async def test_notice_of_a_deletion_does_not_lie_on_the_way_to_the_trash(open_page: Open) -> None:
    one = await with_deleted(open_page, "Regex for dates")
    await one.page.get_by_role("button", name="Recently deleted").click(timeout=1000)
    await expect(one.page.get_by_role("button", name="Undo")).to_be_visible()


async def test_trash_stays_when_nothing_was_restored(open_page: Open) -> None:
    one = await with_deleted(open_page, "Regex for dates")
    await one.page.get_by_role("button", name="Recently deleted").click()
    row = one.page.get_by_role("button", name="Restore Regex for dates")
    await one.page.route("**/bridge/restore_conversation", lambda route: route.fulfill(status=404, json=GONE))
    await row.click()
    await expect(one.page.get_by_text("There is no such conversation.")).to_be_visible()
    await expect(row).to_be_focused()


async def test_trash_is_left_by_a_question_and_by_a_new_chat(open_page: Open) -> None:
    one = await with_deleted(open_page, "Regex for dates")
    await one.page.get_by_role("button", name="Recently deleted").click()
    await one.page.get_by_role("textbox", name="Message", exact=True).fill("Tell me")
    await one.page.keyboard.press("Enter")
    await expect(one.page.locator(".conversation-row.is-current")).to_contain_text("Tell me")
    await one.page.get_by_role("button", name="Recently deleted").click()
    await expect(one.page.locator(".conversation.is-deleted")).to_have_count(1)
    await one.page.keyboard.press("Control+n")
    await expect(one.page.get_by_role("button", name="Recently deleted")).to_be_visible()


async def test_trash_without_anything_says_what_will_be_there(open_page: Open) -> None:
    one = await open_page("busy")
    await one.page.get_by_role("button", name="Recently deleted").click()
    await expect(one.page.get_by_text("Nothing here. What you delete is kept for 30 days.")).to_be_visible()


async def test_trash_is_used_by_keys_alone(open_page: Open) -> None:
    one = await with_deleted(open_page, "Regex for dates", "Letter to the landlord")
    button = one.page.get_by_role("button", name="Recently deleted")
    await button.press("Enter")
    back = one.page.get_by_role("button", name="Back to the conversations")
    await expect(back).to_be_focused()
    await expect(one.page.locator(".conversation.is-deleted")).to_have_count(2)
    await one.page.keyboard.press("Tab")
    await expect(one.page.get_by_role("button", name="Restore Letter to the landlord")).to_be_focused()
    await one.page.keyboard.press("ArrowDown")
    await expect(one.page.get_by_role("button", name="Restore Regex for dates")).to_be_focused()
    await one.page.keyboard.press("Escape")
    await expect(button).to_be_focused()
    await expect(one.page.get_by_role("button", name="Weekend in Arequipa")).to_be_visible()


async def test_trash_follows_what_other_windows_delete_and_restore(open_page: Open) -> None:
    one = await with_deleted(open_page, "Regex for dates")
    await one.page.get_by_role("button", name="Recently deleted").click()
    rows = one.page.locator(".conversation.is-deleted")
    await expect(rows).to_have_count(1)
    two = await open_page(fake=one.fake)
    await two.page.get_by_role("button", name="Weekend in Arequipa").press("Delete")
    await expect(rows).to_have_count(2)
    await two.page.get_by_role("button", name="Undo").click()
    await expect(rows).to_have_count(1)
