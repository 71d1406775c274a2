"""What the desktop asks of the page."""

from __future__ import annotations

from playwright.async_api import expect

from llamero.models.bridge.chats import NewChat
from tests.ui.conftest import Open
from tests.ui.test_looks import conversation


async def test_new_chat_of_the_tray_begins_one_from_any_view(open_page: Open) -> None:
    one = await open_page("busy")
    await conversation(one)
    await one.page.get_by_role("link", name="Logs").click()
    one.fake.event("new_chat", NewChat())
    await expect(one.page.get_by_role("heading", name="New chat")).to_be_visible()
    await expect(one.page.get_by_role("textbox", name="Message", exact=True)).to_be_focused()


async def test_model_that_was_opened_from_the_desktop_is_asked_in_a_new_chat(open_page: Open) -> None:
    one = await open_page("busy")
    await conversation(one)
    one.fake.event("new_chat", NewChat(model="Demo"))
    await expect(one.page.get_by_title("Choose a model")).to_contain_text("Demo")


async def test_file_that_could_not_be_opened_from_the_desktop_is_told_of(open_page: Open) -> None:
    one = await open_page("busy")
    await conversation(one)
    one.fake.event("notice", "The model file is damaged.")
    await expect(one.page.get_by_role("status").get_by_text("The model file is damaged.")).to_be_visible()
