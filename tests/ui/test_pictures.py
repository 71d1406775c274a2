"""Pictures on a question: seen small, looked at, and kept from a model that cannot see."""

from __future__ import annotations

from msgspec.structs import replace
from playwright.async_api import FilePayload, expect

from llamero.models.conversations import AttachmentKind
from llamero.services.chats.attachments import LIMITS
from llamero.services.chats.pictures import read_picture
from tests.conftest import ROOT
from tests.ui.conftest import Open, Opened
from tests.ui.test_attachments import NOTES, calls, chips
from tests.unit.test_chats_pictures import LOSSY

ICON = FilePayload(
    name="icon.png", mimeType="image/png", buffer=(ROOT / "backend/llamero/assets/icon.png").read_bytes()
)
MAKE_AND_PASTE = """async (type) => {
  const canvas = new OffscreenCanvas(300, 200);
  canvas.getContext('2d').fillRect(0, 0, 300, 100);
  const clipboardData = new DataTransfer();
  clipboardData.items.add(new File([await canvas.convertToBlob({ type })], 'view.webp', { type }));
  const event = new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true });
  document.querySelector('#composer').dispatchEvent(event);
}"""


async def attach(one: Opened, *files: FilePayload) -> None:
    await one.page.locator("#attach-files").set_input_files(list(files))


def let_see(one: Opened, sees: bool | None) -> None:
    models = one.fake.world.models
    models[:] = [replace(model, sees=sees) for model in models]
    one.fake.event("models", models)


async def test_picture_is_seen_small_sent_and_looked_at(open_page: Open) -> None:
    one = await open_page("busy")
    await expect(one.page.get_by_title("Choose a model")).to_contain_text("Qwen")
    let_see(one, True)
    await attach(one, ICON)
    await expect(one.page.locator(".composer attached-picture canvas")).to_be_visible()
    await one.page.get_by_role("textbox", name="Message", exact=True).fill("What is this?")
    await one.page.keyboard.press("Enter")
    await expect(one.page.locator(".message.is-user attached-picture canvas")).to_be_visible()
    (sent,) = calls(one.fake, "send_chat_message")
    assert sent["attachments"] == ["f0"]
    await one.page.get_by_role("button", name="Show icon.png").click()
    picture = one.page.get_by_role("dialog", name="icon.png").get_by_role("img", name="icon.png")
    await expect(picture).to_have_js_property("complete", True)
    assert await picture.evaluate("(e) => e.naturalWidth") > 0
    await expect(one.page.get_by_role("dialog").get_by_role("button", name="Copy")).to_have_count(0)


async def test_small_view_is_drawn_from_what_was_fetched_once(open_page: Open) -> None:
    one = await open_page("busy")
    await expect(one.page.get_by_title("Choose a model")).to_contain_text("Qwen")
    await attach(one, ICON)
    await expect(one.page.locator(".composer attached-picture canvas")).to_be_visible()
    await one.page.get_by_role("textbox", name="Message", exact=True).fill("typing draws the composer again")
    assert len(calls(one.fake, "get_attachment")) == 1
    colors = await one.page.locator(".composer canvas").evaluate(
        "(e) => new Set(e.getContext('2d').getImageData(0, 0, e.width, e.height).data).size"
    )
    assert colors > 10, "there is a picture on it"


async def test_picture_is_not_sent_to_a_model_that_cannot_see(open_page: Open) -> None:
    one = await open_page("busy")
    await expect(one.page.get_by_title("Choose a model")).to_contain_text("Qwen")
    let_see(one, False)
    await attach(one, ICON)
    told = one.page.get_by_text("Qwen3-4B-Q4_K_M cannot see pictures. Choose a model that can, or remove them.")
    await expect(told).to_be_visible()
    await one.page.get_by_role("textbox", name="Message", exact=True).fill("What is this?")
    await expect(one.page.get_by_role("button", name="Send", exact=True)).to_be_disabled()
    await one.page.keyboard.press("Enter")
    await one.page.get_by_role("button", name="Remove icon.png").click()
    await expect(told).to_have_count(0)
    await one.page.get_by_role("button", name="Send", exact=True).click()
    await expect(one.page.locator(".bubble")).to_have_text("What is this?")
    (sent,) = calls(one.fake, "send_chat_message")
    assert sent["attachments"] == []


async def test_picture_goes_to_a_model_of_which_nobody_knows_whether_it_sees(open_page: Open) -> None:
    one = await open_page("busy")
    await expect(one.page.get_by_title("Choose a model")).to_contain_text("Qwen")
    let_see(one, None)
    await attach(one, ICON)
    await one.page.get_by_role("button", name="Send", exact=True).click()
    await expect(one.page.locator(".message.is-user attached-picture")).to_have_count(1)


async def test_format_that_engines_do_not_read_is_turned_into_one_that_they_do(open_page: Open) -> None:
    one = await open_page("busy")
    await expect(one.page.get_by_title("Choose a model")).to_contain_text("Qwen")
    await one.page.evaluate(MAKE_AND_PASTE, "image/webp")
    await expect(one.page.locator(".composer attached-picture canvas")).to_be_visible()
    ((attachment, body),) = one.fake.world.attached.values()
    assert (attachment.name, attachment.media_type) == ("view.webp", "image/jpeg")
    picture = read_picture(body)
    assert picture is not None and (picture.media_type, picture.size) == ("image/jpeg", (300, 200))


async def test_picture_that_cannot_be_turned_is_named_and_the_next_file_is_attached(open_page: Open) -> None:
    one = await open_page("busy")
    await expect(one.page.get_by_title("Choose a model")).to_contain_text("Qwen")
    await attach(one, FilePayload(name="cut.webp", mimeType="image/webp", buffer=LOSSY), NOTES)
    await expect(one.page.get_by_text("“cut.webp” is damaged and cannot be shown.")).to_be_visible()
    await expect(chips(one)).to_have_text(["notes.md"])
    await one.page.get_by_role("button", name="Send", exact=True).click()
    await expect(chips(one, ".message.is-user")).to_have_text(["notes.md"])


async def test_picture_of_which_there_is_only_the_header_keeps_its_name(open_page: Open) -> None:
    one = await open_page("busy")
    await expect(one.page.get_by_title("Choose a model")).to_contain_text("Qwen")
    await attach(one, FilePayload(name="cut.png", mimeType="image/png", buffer=ICON["buffer"][:64]))
    await expect(one.page.get_by_role("button", name="Show cut.png")).to_be_visible()
    await one.page.get_by_role("button", name="Remove cut.png").click()
    await expect(one.page.get_by_role("button", name="Show cut.png")).to_have_count(0)


async def test_drawing_that_is_a_program_is_shown_as_text(open_page: Open) -> None:
    one = await open_page("busy")
    await expect(one.page.get_by_title("Choose a model")).to_contain_text("Qwen")
    drawing = b"<svg xmlns='http://www.w3.org/2000/svg' onload='window.hit=1'/>"
    await attach(one, FilePayload(name="a.svg", mimeType="image/svg+xml", buffer=drawing))
    await expect(chips(one)).to_have_text(["a.svg"])
    await one.page.locator(".composer .attachment-open").click()
    await expect(one.page.get_by_role("dialog").locator("pre")).to_have_text(drawing.decode())
    assert one.fake.world.attached["f0"][0].kind is AttachmentKind.TEXT
    assert await one.page.evaluate("() => window.hit") is None


async def test_picture_over_the_limit_is_refused_without_an_upload(open_page: Open) -> None:
    one = await open_page("busy")
    await expect(one.page.get_by_title("Choose a model")).to_contain_text("Qwen")
    await attach(one, FilePayload(name="big.png", mimeType="image/png", buffer=b"x" * (LIMITS.image_bytes + 1)))
    await expect(one.page.get_by_text("“big.png” is too large. A picture may have up to 10 MB.")).to_be_visible()
    assert one.fake.blobs == {}


async def test_small_view_fills_its_frame_beside_the_button_that_takes_it_off(open_page: Open) -> None:
    one = await open_page("busy")
    await attach(one, ICON)
    picture = one.page.locator(".composer .attachment-open")
    await expect(picture).to_have_css("padding-right", "0px")
