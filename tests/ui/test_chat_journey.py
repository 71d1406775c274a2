"""What a person does in the chat, in a real browser."""

from __future__ import annotations

import re

from playwright.async_api import Locator, Page, expect

from llamero.models.bridge.chats import Progress, ProgressKind
from llamero.models.bridge.servers import ServerInfo
from llamero.models.conversations import MessageError
from llamero.models.llama import ServerPhase
from tests.fakes.fake_bridge.scenarios import PHI, QWEN
from tests.fakes.fake_bridge.server import FakeBridge
from tests.ui.conftest import Open

FOCUSED = """() => {
  const at = document.activeElement;
  const name = at.getAttribute('aria-label') || at.title || at.textContent.trim();
  const ring = at === document.body || getComputedStyle(at).outlineStyle !== 'none' || at.closest('.composer') !== null;
  return [name, ring];
}"""

FOUND_WORDS = "() => [...(CSS.highlights.get('found') ?? [])].map(String)"
# A wheel moves smoothly, for longer than it takes to see that it does: this waits until it has come to rest.
RESTING_PLACE = """(element) => new Promise((done) => {
  let [last, frames] = [element.scrollTop, 0];
  const look = () => {
    frames = element.scrollTop === last ? frames + 1 : 0;
    last = element.scrollTop;
    if (frames < 10) requestAnimationFrame(look);
    else done(last);
  };
  requestAnimationFrame(look);
})"""


def last_call(fake: FakeBridge, name: str) -> dict[str, object]:
    return next(arguments for called, arguments in reversed(fake.calls) if called == name)


async def ask(page: Page, text: str) -> None:
    await page.get_by_role("textbox", name="Message", exact=True).fill(text)
    await page.keyboard.press("Enter")


async def test_first_run_one_click_on_the_demo_gives_an_answer(open_page: Open) -> None:
    one = await open_page("first-run")
    await expect(one.page.get_by_text("is not a real assistant")).to_be_visible()
    await one.page.get_by_role("button", name="Try the demo").click()
    await expect(one.page.locator("answer-text strong")).to_have_text("low place between two peaks")
    await expect(one.page.locator(".stats")).to_contain_text("tokens/s")
    await expect(one.page.locator(".conversation-row.is-current")).to_have_count(1)


async def test_question_with_enter_is_answered_and_shift_enter_begins_a_line(open_page: Open) -> None:
    one = await open_page("busy")
    box = one.page.get_by_role("textbox", name="Message", exact=True)
    await box.fill("first")
    await box.press("Shift+Enter")
    await box.press_sequentially("second")
    await box.press("Enter")
    await expect(one.page.locator(".bubble")).to_have_text("first\nsecond")
    await expect(one.page.locator("answer-text math")).to_have_count(1)
    await expect(box).to_have_value("")
    assert last_call(one.fake, "send_chat_message")["text"] == "first\nsecond"


async def test_answer_under_way_esc_stops_and_keeps_what_there_is(open_page: Open) -> None:
    one = await open_page("busy", rate=40)
    await ask(one.page, "Tell me")
    await expect(one.page.locator("answer-text")).to_contain_text("A mountain")
    await one.page.keyboard.press("Escape")
    await expect(one.page.locator(".stats").last).to_contain_text("Stopped")
    await expect(one.page.locator("answer-text")).to_contain_text("A mountain")
    await expect(one.page.get_by_role("button", name="Send")).to_be_visible()


async def test_before_the_first_token_the_page_says_what_happens(open_page: Open) -> None:
    one = await open_page("busy")
    one.fake.commands.hold.clear()
    await ask(one.page, "Tell me")
    await expect(one.page.locator(".progress")).to_contain_text("Reading 3,120 tokens")
    one.fake.commands.hold.set()
    await expect(one.page.locator(".progress")).to_have_count(0)


async def test_before_the_first_token_a_model_that_needs_the_room_of_another_says_so(open_page: Open) -> None:
    one = await open_page("busy")
    world = one.fake.world
    world.progress = (Progress(kind=ProgressKind.LOADING, model=QWEN.alias),)
    held = ServerInfo(alias=QWEN.alias, phase=ServerPhase.STARTING, held=True)
    world.servers = [ServerInfo(alias=PHI.alias, phase=ServerPhase.STOPPING), held]
    one.fake.event("servers", world.servers)
    one.fake.commands.hold.clear()
    await ask(one.page, "Tell me")
    line = one.page.locator(".progress")
    await expect(line).to_contain_text(f"Unloading {PHI.alias} to make room for {QWEN.alias}")
    world.servers = [ServerInfo(alias=QWEN.alias, phase=ServerPhase.STARTING)]
    one.fake.event("servers", world.servers)
    await expect(line).to_contain_text(f"Loading {QWEN.alias}")
    one.fake.commands.hold.set()
    await expect(line).to_have_count(0)


async def test_retry_makes_a_second_version_that_can_be_switched(open_page: Open) -> None:
    one = await open_page("busy")
    await ask(one.page, "Tell me")
    await expect(one.page.locator(".stats")).to_have_count(1)
    one.fake.world.answer = "Another answer."
    await one.page.get_by_role("button", name="Answer once more").click()
    await expect(one.page.locator("answer-text")).to_have_text("Another answer.")
    await expect(one.page.locator(".branch-number")).to_have_text("2 / 2")
    await one.page.get_by_role("button", name="Previous version").click()
    await expect(one.page.locator("answer-text")).to_contain_text("A mountain pass")
    await expect(one.page.locator(".branch-number")).to_have_text("1 / 2")


async def test_edit_of_a_question_asks_anew_beside_the_old_one(open_page: Open) -> None:
    one = await open_page("busy")
    await ask(one.page, "Tell me")
    await expect(one.page.locator(".stats")).to_have_count(1)
    await one.page.locator(".message.is-user").hover()
    await one.page.get_by_role("button", name="Edit", exact=True).click()
    await one.page.get_by_role("textbox", name="Edit your message").fill("Tell me more")
    await one.page.keyboard.press("Enter")
    await expect(one.page.locator(".bubble")).to_have_text("Tell me more")
    await expect(one.page.locator(".branch-number")).to_have_text("2 / 2")


async def test_conversation_is_renamed_in_place(open_page: Open) -> None:
    one = await open_page("busy")
    await one.page.get_by_role("button", name="Regex for dates").focus()
    await one.page.keyboard.press("F2")
    await one.page.get_by_role("textbox", name="Title").fill("Dates")
    await one.page.keyboard.press("Enter")
    await expect(one.page.get_by_role("button", name="Dates", exact=True)).to_be_visible()
    await one.page.get_by_role("button", name="Dates", exact=True).press("F2")
    await one.page.get_by_role("textbox", name="Title").fill("No")
    await one.page.keyboard.press("Escape")
    await expect(one.page.get_by_role("button", name="Dates", exact=True)).to_be_visible()


async def test_deleted_conversation_comes_back_by_undo(open_page: Open) -> None:
    one = await open_page("busy")
    row = one.page.get_by_role("button", name=re.compile("Crossing the Andes"))
    await row.first.click()
    await expect(one.page.locator(".message")).to_have_count(4)
    await one.page.locator(".conversation-row.is-current").get_by_role("button", name="Delete").click()
    await expect(one.page.get_by_text("Deleted “Crossing the Andes with llamas”")).to_be_visible()
    await expect(one.page.locator(".message")).to_have_count(0)
    await one.page.get_by_role("button", name="Undo").click()
    await expect(one.page.locator(".message")).to_have_count(4)


async def test_search_finds_words_in_messages_and_marks_them(open_page: Open) -> None:
    one = await open_page("busy")
    await one.page.get_by_role("searchbox").fill("saddle")
    await expect(one.page.locator(".list mark")).to_have_text("saddle")
    await one.page.locator(".conversation.is-hit").click()
    await expect(one.page.get_by_role("heading", name="Crossing the Andes with llamas")).to_be_visible()
    await one.page.get_by_role("searchbox").fill("nowhere at all")
    await expect(one.page.get_by_text("Nothing found")).to_be_visible()


async def test_search_hit_opens_the_conversation_at_the_message_with_its_words_marked(open_page: Open) -> None:
    one = await open_page("long")
    await expect(one.page.get_by_text("Answer 499.")).to_be_in_viewport()
    await one.page.get_by_role("searchbox").fill("Answer 123")
    await one.page.locator(".conversation.is-hit").click()
    message = one.page.locator(".message", has_text="Answer 123.")
    await expect(message.get_by_text("Answer 123.")).to_be_in_viewport()
    await expect(message).to_be_focused()
    await expect(message).to_have_class(re.compile("is-found"))
    assert await one.page.evaluate(FOUND_WORDS) == ["Answer 123"]
    await expect(one.page.get_by_role("button", name="Jump to latest")).to_be_visible()
    await expect(message).not_to_have_class(re.compile("is-found"))
    await expect(message.get_by_text("Answer 123.")).to_be_in_viewport()  # also once everything has its size
    await one.page.get_by_role("searchbox").fill("")
    assert await one.page.evaluate(FOUND_WORDS) == []


async def test_search_hit_on_another_branch_shows_that_branch(open_page: Open) -> None:
    one = await open_page("busy")
    await one.page.get_by_role("searchbox").fill("gap in the mountains")
    await one.page.locator(".conversation.is-hit").click()
    message = one.page.locator(".message", has_text="A gap in the mountains.")
    await expect(message).to_be_in_viewport()
    await expect(message).to_be_focused()
    assert await one.page.evaluate(FOUND_WORDS) == ["gap in the mountains"]


async def test_new_chat_by_key_keeps_the_draft_of_the_old_one(open_page: Open) -> None:
    one = await open_page("busy")
    await one.page.get_by_role("button", name="Regex for dates").click()
    box = one.page.get_by_role("textbox", name="Message", exact=True)
    await box.fill("half a thought")
    await one.page.keyboard.press("Control+n")
    await expect(box).to_have_value("")
    await expect(box).to_be_focused()
    await one.page.get_by_role("button", name="Regex for dates").click()
    await expect(box).to_have_value("half a thought")


async def test_model_chosen_in_the_picker_is_the_one_asked(open_page: Open) -> None:
    one = await open_page("busy")
    await one.page.get_by_title("Choose a model").click()
    menu = one.page.get_by_role("dialog", name="Models")
    await expect(menu.get_by_text("needs 17.2 GB")).to_be_visible()
    await menu.get_by_role("button", name=re.compile("phi-4-mini")).click()
    await expect(menu).to_be_hidden()
    await ask(one.page, "Tell me")
    await expect(one.page.locator(".stats")).to_contain_text("phi-4-mini")
    assert last_call(one.fake, "send_chat_message")["model"] == "phi-4-mini"


async def test_model_file_by_path_is_added_or_says_why_not(open_page: Open) -> None:
    one = await open_page("first-run")
    await one.page.get_by_role("button", name="Open a model file…").click()
    field = one.page.get_by_role("textbox", name="Path of a GGUF file")
    await expect(field).to_be_focused()
    await field.fill("/models/notes.txt")
    await one.page.keyboard.press("Enter")
    told = one.page.get_by_role("dialog", name="Models").get_by_role("alert")
    await expect(told).to_contain_text("is not a GGUF file")
    await one.page.get_by_role("textbox", name="Path of a GGUF file").fill("/models/new-model.gguf")
    await one.page.keyboard.press("Enter")
    await expect(one.page.get_by_title("Choose a model")).to_contain_text("new-model")


DROP = """([name, address]) => {
  const dropped = new DataTransfer();
  dropped.items.add(new File(['GGUF'], name));
  if (address) dropped.setData('text/uri-list', address);
  const event = new DragEvent('drop', { dataTransfer: dropped, bubbles: true, cancelable: true });
  document.querySelector('#composer').dispatchEvent(event);
  return event.defaultPrevented;
}"""


async def test_dropped_model_is_opened_or_its_path_is_asked_for(open_page: Open) -> None:
    one = await open_page("first-run")
    await expect(one.page.get_by_title("Choose a model")).to_contain_text("Demo")
    assert await one.page.evaluate(DROP, ["far-away.gguf", "file:///models/far%20away.gguf"])
    await expect(one.page.get_by_title("Choose a model")).to_contain_text("far away")
    assert last_call(one.fake, "add_model_file") == {"path": "/models/far away.gguf"}
    assert await one.page.evaluate(DROP, ["near.gguf", ""])
    await expect(one.page.get_by_text("A page is not told where near.gguf is.")).to_be_visible()
    await expect(one.page.get_by_role("textbox", name="Path of a GGUF file")).to_be_focused()


async def test_focus_stays_in_the_list_when_rows_change(open_page: Open) -> None:
    one = await open_page("busy")
    await one.page.get_by_role("button", name="Regex for dates").press("F2")
    await one.page.get_by_role("textbox", name="Title").fill("Dates")
    await one.page.keyboard.press("Enter")
    await expect(one.page.get_by_role("button", name="Dates", exact=True)).to_be_focused()
    await one.page.keyboard.press("Delete")
    await expect(one.page.get_by_text("Deleted “Dates”")).to_be_visible()
    await expect(one.page.get_by_role("button", name="Weekend in Arequipa")).to_be_focused()
    await one.page.get_by_role("button", name="Undo").focus()
    await one.page.keyboard.press("Enter")
    await expect(one.page.get_by_role("button", name="Dates", exact=True)).to_be_visible()
    await expect(one.page.get_by_role("button", name="Weekend in Arequipa")).to_be_focused()


async def height(element: Locator) -> float:
    box = await element.bounding_box()
    assert box is not None
    return box["height"]


async def test_long_question_is_folded_until_it_is_asked_for(open_page: Open) -> None:
    one = await open_page("busy")
    await ask(one.page, "The path goes on.\n" * 60 + "The last line.")
    await expect(one.page.locator(".stats")).to_be_visible()
    bubble = one.page.locator(".bubble").last
    folded = await height(bubble)
    await bubble.get_by_role("button", name="Show all 1,094 characters").click()
    assert await height(bubble) > 3 * folded
    await expect(bubble).to_contain_text("The last line.")
    await bubble.get_by_role("button", name="Show less").click()
    assert await height(bubble) == folded


async def test_parameters_of_answers_and_model_reach_their_commands(open_page: Open) -> None:
    one = await open_page("busy")
    await one.page.get_by_role("button", name="Answers and model").click()
    await one.page.get_by_label("Temperature").fill("0.2")
    await one.page.get_by_label("System prompt").fill("Be brief.")
    await one.page.get_by_label("Context length").fill("8192")
    await one.page.get_by_label("GPU layers").fill("12")
    await one.page.get_by_label("Threads").fill("6")
    await one.page.keyboard.press("Tab")
    await expect(one.page.locator(".field-saved", has_text="Saved")).to_have_count(1)
    await one.page.keyboard.press("Escape")
    await expect(one.page.locator("dialog")).to_have_count(0)
    await ask(one.page, "Tell me")
    await expect(one.page.locator(".stats")).to_have_count(1)
    sent = last_call(one.fake, "send_chat_message")
    assert sent["system_prompt"] == "Be brief."
    assert sent["sampling"] == {"temperature": 0.2}
    model = next(model for model in one.fake.world.models if model.alias == "Qwen3-4B-Q4_K_M")
    assert (model.context_length, model.gpu_layers, model.threads) == (8192, 12, 6)


async def test_reload_in_mid_answer_goes_on_to_the_same_text(open_page: Open) -> None:
    one = await open_page("busy", rate=60)
    await ask(one.page, "Tell me")
    await expect(one.page.locator("answer-text")).to_contain_text("A mountain")
    await expect(one.page.locator(".conversation-row.is-current")).to_have_count(1)
    await one.page.evaluate("() => new Promise((done) => setTimeout(done, 600))")  # what is remembered is saved by then
    await one.page.reload()
    await expect(one.page.locator("answer-text")).to_contain_text("A mountain")
    await expect(one.page.locator(".stats")).to_contain_text("tokens/s")
    await expect(one.page.locator("answer-text")).to_contain_text("The slope is")


async def test_connection_cut_in_mid_answer_heals_without_a_gap(open_page: Open) -> None:
    one = await open_page("busy", rate=200)
    one.fake.world.answer = " ".join(str(number) for number in range(400))
    await ask(one.page, "Count")
    await expect(one.page.locator("answer-text")).to_contain_text("0 1 2")
    for _ in range(3):
        before = one.fake.connections
        await one.fake.drop_connections()
        await expect(one.page.locator(".strip")).to_be_visible()
        while one.fake.connections == before:
            await one.page.evaluate("() => new Promise((done) => setTimeout(done, 50))")
    await expect(one.page.locator(".stats")).to_contain_text("tokens/s")
    await expect(one.page.locator("answer-text")).to_have_text(one.fake.world.answer)
    await expect(one.page.locator(".banner")).to_have_count(0)


async def test_lost_connection_is_said_and_heals(open_page: Open) -> None:
    one = await open_page("busy")
    await expect(one.page.locator(".conversation-row").first).to_be_visible()
    one.fake.accepting = False
    await one.fake.drop_connections()
    await expect(one.page.get_by_text("The connection to Llamero is lost")).to_be_visible()
    one.fake.accepting = True
    await expect(one.page.get_by_text("The connection to Llamero is lost")).to_have_count(0)


async def test_two_windows_show_the_same_answer(open_page: Open) -> None:
    one = await open_page("busy", rate=60)
    two = await open_page(fake=one.fake)
    for each in (one, two):
        await each.page.get_by_role("button", name="Weekend in Arequipa").click()
    await ask(one.page, "Tell me")
    for each in (one, two):
        await expect(each.page.locator(".bubble")).to_have_text("Tell me")
        await expect(each.page.locator("answer-text")).to_contain_text("The slope is")
        await expect(each.page.locator(".stats")).to_contain_text("tokens/s")


async def test_old_key_says_what_to_do(open_page: Open) -> None:
    one = await open_page("busy")
    two = await open_page(fake=one.fake, url=f"{one.fake.origin}/#t=old")
    await expect(two.page.get_by_role("heading", name="This page has an old key")).to_be_visible()
    three = await open_page(fake=one.fake, url=f"{one.fake.origin}/")
    await expect(three.page.get_by_role("heading", name="This page has no key")).to_be_visible()


async def test_key_leaves_the_address_bar(open_page: Open) -> None:
    one = await open_page("busy")
    await expect(one.page.locator(".conversation-row").first).to_be_visible()
    assert one.fake.token not in one.page.url


async def test_failed_answer_says_why_and_offers_ways_out(open_page: Open) -> None:
    one = await open_page("busy")
    one.fake.world.answer = ""
    one.fake.world.error = MessageError(code="server_error-engine_crashed", message="The engine ended unexpectedly.")
    await ask(one.page, "Tell me")
    failure = one.page.get_by_role("alert")
    await expect(failure).to_contain_text("The engine ended unexpectedly.")
    await failure.get_by_role("button", name="Show log").click()
    await expect(one.page.get_by_role("dialog", name=re.compile("Log of"))).to_contain_text("exiting due to")
    await one.page.keyboard.press("Escape")
    await failure.get_by_role("button", name="Choose another model").click()
    await expect(one.page.get_by_role("dialog", name="Models")).to_be_visible()
    await one.page.keyboard.press("Escape")
    one.fake.world.error = None
    one.fake.world.answer = "Better."
    await failure.get_by_role("button", name="Retry").click()
    await expect(one.page.locator("answer-text")).to_have_text("Better.")


async def test_question_that_is_refused_is_given_back(open_page: Open) -> None:
    one = await open_page("busy")
    await expect(one.page.locator(".conversation-row").first).to_be_visible()
    one.fake.world.models.clear()
    await ask(one.page, "Keep me")
    await expect(one.page.get_by_text("There is no model")).to_be_visible()
    await expect(one.page.get_by_role("textbox", name="Message", exact=True)).to_have_value("Keep me")


async def test_reasoning_is_one_line_until_it_is_opened(open_page: Open) -> None:
    one = await open_page("busy", rate=60)
    one.fake.world.reasoning = "First I look at the map. Then I ask the llama. " * 6
    await ask(one.page, "Tell me")
    await expect(one.page.locator(".reasoning.is-live")).to_contain_text("Thinking")
    await expect(one.page.locator("reasoning-line")).to_contain_text("map")
    await expect(one.page.locator(".reasoning:not(.is-live)")).to_contain_text("66 words")
    await one.page.locator(".reasoning summary").click()
    await expect(one.page.locator(".reasoning answer-text")).to_contain_text("Then I ask the llama.")


async def test_reader_who_scrolled_up_is_not_moved_and_can_jump_back(open_page: Open) -> None:
    one = await open_page("busy", rate=100)
    one.fake.world.answer = "\n\n".join(f"Paragraph {number} of many." for number in range(60))
    await ask(one.page, "Tell me")
    thread = one.page.locator(".thread")
    await expect(one.page.locator("answer-text")).to_contain_text("Paragraph 25")
    at_end = "(e) => e.scrollHeight - e.scrollTop - e.clientHeight"
    assert await thread.evaluate(at_end) <= 40
    await thread.hover()
    await one.page.mouse.wheel(0, -300)
    await expect(one.page.get_by_role("button", name="Jump to latest")).to_be_visible()
    before = await thread.evaluate(RESTING_PLACE)
    await expect(one.page.locator("answer-text")).to_contain_text("Paragraph 45")
    assert abs(await thread.evaluate("(e) => e.scrollTop") - before) < 2
    await one.page.get_by_role("button", name="Jump to latest").click()
    await expect(one.page.locator("answer-text")).to_contain_text("Paragraph 59")
    await expect(one.page.get_by_role("button", name="Jump to latest")).to_have_count(0)
    assert await thread.evaluate(at_end) <= 40


async def test_long_conversation_opens_at_its_end_and_brings_earlier_messages(open_page: Open) -> None:
    one = await open_page("long")
    await expect(one.page.get_by_text("Answer 499.")).to_be_in_viewport()
    assert await one.page.locator(".message").count() == 40
    await one.page.get_by_role("button", name="Show earlier messages").click()
    assert await one.page.locator(".message").count() >= 80


async def test_model_elsewhere_says_so_and_has_no_engine_to_load_or_to_set(open_page: Open) -> None:
    one = await open_page("busy")
    await one.page.get_by_title("Choose a model").click()
    for name, kind in (("far/large-model", "Remote"), ("whatever-works", "Fallback")):
        row = one.page.locator(".model-row", has_text=name)
        await expect(row.locator(".tag")).to_have_text(kind)
        await expect(row.get_by_role("button", name="Load", exact=True)).to_have_count(0)
    await expect(
        one.page.locator(".model-row", has_text="house").get_by_role("button", name="Load", exact=True)
    ).to_be_visible()
    await one.page.get_by_role("button", name="far/large-model").click()
    await expect(
        one.page.get_by_text("far/large-model may run elsewhere. What you write is sent there.")
    ).to_be_visible()
    await one.page.get_by_role("button", name="Answers and model").click()
    await expect(one.page.get_by_role("heading", name="This chat")).to_be_visible()
    await expect(one.page.get_by_label("GPU layers")).to_have_count(0)


async def test_link_in_the_window_leaves_by_the_checked_opener(open_page: Open) -> None:
    one = await open_page("busy")  # native dialogs: this is the app's window
    await one.page.get_by_role("button", name=re.compile("Crossing the Andes")).first.click()
    await one.page.get_by_role("link", name="written here").click()
    await expect(one.page.locator(".chat")).to_be_visible()
    assert last_call(one.fake, "open_link") == {"url": "https://example.com/passes"}
    assert len(one.page.context.pages) == 1


async def test_narrow_window_has_the_list_over_the_chat_and_no_sideways_scroll(open_page: Open) -> None:
    one = await open_page("busy", width=800, height=560)
    await expect(one.page.locator(".list")).to_be_hidden()
    await one.page.get_by_role("button", name="Show conversations").click()
    await one.page.get_by_role("button", name=re.compile("Crossing the Andes")).first.click()
    await expect(one.page.locator(".list")).to_be_hidden()
    await expect(one.page.locator(".message")).to_have_count(4)
    wide = """() => [...document.querySelectorAll('html, body, .view, .chat, .thread')]
        .filter((e) => e.scrollWidth > e.clientWidth + 1).map((e) => e.className || e.tagName)"""
    assert await one.page.evaluate(wide) == []


async def test_everything_is_reached_by_keyboard(open_page: Open) -> None:
    one = await open_page("busy")
    await one.page.get_by_role("button", name=re.compile("Crossing the Andes")).first.click()
    await expect(one.page.locator(".message")).to_have_count(4)
    await one.page.evaluate("() => { document.activeElement.blur(); document.querySelector('.rail-item').focus(); }")
    reached: list[str] = []
    for _ in range(60):
        await one.page.keyboard.press("Tab")
        name, visible = await one.page.evaluate(FOCUSED)
        assert visible, f"no focus ring on {name}"
        reached.append(name)
    for wanted in (
        "Search conversations",
        "New chat",
        "Rename",
        "Delete",
        "Hide conversations",
        "Choose a model",
        "Answers and model",
        "Edit",
        "Copy",
        "Edit answer",
        "Answer once more",
        "More actions",
        "Previous version",
        "Message",
    ):
        assert any(wanted in name for name in reached), f"{wanted} not reached: {reached}"
