"""Asking, answering, and what a person does with conversations: real page, real backend, real engine."""

from __future__ import annotations

import asyncio
import re
import urllib.request
from pathlib import Path

from playwright.async_api import FilePayload, WebSocketRoute, expect

from tests.app.conftest import OpenWindow
from tests.app.world import ENDLESS, LONG, LONG_TOKENS, App, Window, agree, words
from tests.conftest import ROOT
from tests.process.cli import until

# The page itself notes how long the answer is whenever that changes: it is as quick as the answer, whoever is slow.
NOTE_LENGTHS = """() => {
    window.lengths = [0];
    new MutationObserver(() => {
        const length = document.querySelector('.message.is-streaming > answer-text')?.textContent.length ?? 0;
        if (length && length !== window.lengths.at(-1)) window.lengths.push(length);
    }).observe(document.body, { childList: true, subtree: true, characterData: true });
}"""


async def test_question_is_answered_while_one_looks_and_the_figures_follow(window: Window, app: App) -> None:
    await window.set_fields(**LONG)
    await window.page.evaluate(NOTE_LENGTHS)
    await window.ask("How does an answer stream?")
    await window.answered()
    shown = await window.page.evaluate("() => window.lengths")
    assert len(shown) > 2, "it came in pieces"
    assert shown == sorted(shown)
    figures = rf"{LONG_TOKENS:,} tokens · [\d,.]+ tokens/s · first token after [\d.]+ m?s · stopped at the length limit"
    await expect(window.stats).to_have_text(re.compile(f"^demo · {figures}$"))
    (saved,) = app.answers("How does an answer stream?")
    assert saved["status"] == "complete"
    assert saved["content"] == app.long_answer
    assert await window.said() == words(saved["content"])


async def test_file_is_answered_kept_with_its_question_and_found_by_name(window: Window, app: App) -> None:
    notes = FilePayload(name="llama-notes.md", mimeType="", buffer=b"# Llamas\n\nThey carry salt.\n")
    await window.page.locator("#attach-files").set_input_files([notes])
    await expect(window.page.locator(".composer .attachment-name")).to_have_text("llama-notes.md")
    await window.ask("What do they carry?")
    await window.answered()
    await window.page.reload()
    await window.page.locator(".message.is-user .attachment-open").click()
    await expect(window.page.get_by_role("dialog").locator("pre")).to_have_text("# Llamas\n\nThey carry salt.\n")
    await window.page.keyboard.press("Escape")
    await window.page.get_by_role("searchbox").fill("llama-notes")
    await expect(window.page.locator(".is-hit .conversation-title").first).to_have_text("What do they carry?")
    (saved,) = app.answers("What do they carry?")
    assert saved["status"] == "complete"


async def test_picture_is_not_sent_to_a_model_without_a_part_that_sees(window: Window) -> None:
    picture = (ROOT / "backend/llamero/assets/icon.png").read_bytes()
    await window.page.locator("#attach-files").set_input_files(
        [FilePayload(name="icon.png", mimeType="image/png", buffer=picture)]
    )
    await expect(window.page.locator(".composer attached-picture canvas")).to_be_visible()
    await expect(window.page.get_by_text("demo cannot see pictures.")).to_be_visible()
    await expect(window.button("Send")).to_be_disabled()
    await window.button("Remove icon.png").click()
    await expect(window.page.locator(".composer .attachment")).to_have_count(0)


async def test_question_of_the_window_counts_for_prometheus(window: Window, app: App) -> None:
    before = finished_requests(app)
    await window.ask("Count this question")
    await window.answered()
    assert finished_requests(app) == before + 1


def finished_requests(app: App) -> float:
    """How many requests to the demo model ended well, as `/metrics` tells."""
    with urllib.request.urlopen(f"{app.gateway}/metrics", timeout=10) as answer:
        page = answer.read().decode()
    found = re.search(r'llamero_model_requests_total\{model="demo",outcome="finished"\} ([\d.]+)', page)
    return float(found[1]) if found else 0.0


async def test_stop_keeps_what_came_and_frees_the_engine(window: Window, app: App) -> None:
    await window.set_fields(**ENDLESS)
    await window.ask("Stop this answer")
    await window.begun()
    await window.page.keyboard.press("Escape")
    await expect(window.stats).to_contain_text("Stopped")
    (saved,) = app.answers("Stop this answer")
    assert saved["status"] == "stopped"
    assert saved["content"] and agree(saved["content"], app.long_answer)
    assert await window.said() == words(saved["content"])
    until(lambda: not app.is_generating(), what="the engine rests")
    await expect(window.button("Send")).to_be_visible()
    await expect(window.box).to_be_focused()
    await window.page.reload()
    await expect(window.stats).to_contain_text("Stopped")


async def test_retry_makes_a_sibling_and_the_switcher_shows_each(window: Window) -> None:
    await window.set_fields(Temperature=0)
    await window.ask("Say it once more")
    await window.answered()
    first = await window.said()
    await window.set_fields(Temperature=2, Seed=5)
    await window.button("Answer once more").click()
    await expect(window.page.locator(".branch-number")).to_have_text("2 / 2")
    await window.answered()
    second = await window.said()
    assert second != first
    await window.button("Previous version").click()
    await expect(window.text).to_have_text(first, use_inner_text=True)
    await expect(window.page.locator(".branch-number")).to_have_text("1 / 2")
    await window.page.reload()
    await expect(window.text).to_have_text(first, use_inner_text=True)
    await window.button("Next version").click()
    await expect(window.text).to_have_text(second, use_inner_text=True)


async def test_edit_asks_anew_beside_the_old_question(window: Window) -> None:
    await window.ask("The first wording")
    await window.answered()
    await window.ask("And then?")
    await expect(window.answers).to_have_count(2)
    await window.answered()
    await window.page.locator(".message.is-user").first.hover()
    await window.button("Edit").first.click()
    editor = window.page.get_by_role("textbox", name="Edit your message")
    await expect(editor).to_be_focused()
    await editor.fill("The second wording")
    await editor.press("Enter")
    await expect(window.page.locator(".bubble")).to_have_text(["The second wording"])
    await window.answered()
    await window.button("Previous version").click()
    await expect(window.page.locator(".bubble")).to_have_text(["The first wording", "And then?"])
    await expect(window.answers).to_have_count(2)


async def test_answer_is_edited_forked_and_deleted_and_a_reload_shows_the_same(window: Window, app: App) -> None:
    await window.ask("Work on this answer")
    await window.answered()
    said = await window.said()
    await window.button("Edit answer").click()
    editor = window.page.get_by_role("textbox", name="Edit the answer")
    await editor.fill("My own words")
    await editor.press("Control+Enter")
    await expect(window.text).to_have_text("My own words")
    await expect(window.stats).to_have_text("Edited · demo")
    await window.button("More actions").last.click()
    await window.page.get_by_role("menuitem", name="Fork from here").click()
    await expect(window.page.locator(".fork-mark")).to_contain_text("Work on this answer")
    await expect(window.text).to_have_text("My own words")
    await window.page.reload()
    await expect(window.page.locator(".fork-mark")).to_contain_text("Work on this answer")
    await expect(window.page.locator(".branch-number")).to_have_count(0)
    await window.page.locator(".fork-mark").get_by_role("button").click()
    await expect(window.page.locator(".branch-number")).to_have_text("2 / 2")
    await window.button("More actions").last.click()
    await window.page.get_by_role("menuitem", name="Delete").click()
    await expect(window.text).to_have_text(said, use_inner_text=True)
    await window.page.reload()
    await expect(window.text).to_have_text(said, use_inner_text=True)
    await expect(window.page.locator(".branch-number")).to_have_count(0)
    assert len(app.answers("Work on this answer")) == 3  # nothing has left the disk


async def test_first_question_is_the_title_until_a_person_gives_one(window: Window, app: App) -> None:
    await window.ask("Which animals walk across the mountains?")
    await window.answered()
    row = window.row("Which animals walk across the mountains?")
    await expect(row).to_have_count(1)
    await row.get_by_role("button").first.press("F2")
    title = window.page.get_by_role("textbox", name="Title")
    await expect(title).to_be_focused()
    await title.fill("Animals")
    await title.press("Enter")
    await expect(window.page.get_by_role("heading", name="Animals")).to_be_visible()
    await window.ask("And birds?")
    await expect(window.answers).to_have_count(2)
    await window.answered()
    await window.page.reload()
    await expect(window.page.get_by_role("heading", name="Animals")).to_be_visible()
    await expect(window.row("Animals")).to_have_count(1)
    assert len(app.answers("Animals")) == 2


async def test_deleted_conversation_comes_back_whole_by_undo(window: Window, app: App) -> None:
    await window.ask("Delete me")
    await window.answered()
    answer = await window.said()
    await window.row("Delete me").hover()
    await window.row("Delete me").get_by_role("button", name="Delete", exact=True).click()
    await expect(window.row("Delete me")).to_have_count(0)
    await expect(window.page.get_by_role("heading", name="New chat")).to_be_visible()
    await window.button("Undo").click()
    await expect(window.row("Delete me")).to_have_count(1)
    await expect(window.text).to_have_text(answer, use_inner_text=True)
    await window.row("Delete me").get_by_role("button").first.press("Delete")
    await expect(window.row("Delete me")).to_have_count(0)
    await window.page.reload()
    await expect(window.box).to_be_focused()
    await expect(window.row("Delete me")).to_have_count(0)


async def test_models_are_switched_in_mid_conversation(window: Window, think_model: Path) -> None:
    await window.choose_model("demo")
    await window.ask("Switch models here")
    await window.answered()
    await window.open_model_file(Path(f'"{think_model}"'))  # with quotes, as file managers copy a path
    await expect(window.picker).to_have_text("think")
    await window.ask("And now?")
    await expect(window.answers).to_have_count(2)
    await window.answered()
    await expect(window.stats).to_contain_text("think ·")
    reasoning = window.answers.last.locator(".reasoning")
    await expect(reasoning.locator("summary")).to_contain_text(re.compile(r"Reasoning\s*\d+ words"))
    await expect(reasoning.locator("answer-text")).to_be_hidden()
    await reasoning.locator("summary").click()
    await expect(reasoning.locator("answer-text")).to_be_visible()
    await expect(reasoning.locator("answer-text")).not_to_be_empty()
    await window.choose_model("demo")
    await window.ask("And back?")
    await expect(window.answers).to_have_count(3)
    await window.answered()
    await expect(window.page.locator(".stats")).to_have_text([re.compile(f"^{m} ·") for m in ("demo", "think", "demo")])
    await expect(window.answers.last.locator(".reasoning")).to_have_count(0)


async def test_path_that_leads_to_no_model_is_told_why(app: App, windows: OpenWindow, tmp_path: Path) -> None:
    window = await windows(app, tolerated=["status of 404", "status of 422"])  # the browser's own words
    notes = tmp_path / "notes.txt"
    notes.write_text("no model at all, but some text that is long enough to be read as a header")
    await window.picker.click()
    field = window.page.get_by_role("textbox", name="Path of a GGUF file")
    for path, reason in ((tmp_path / "nowhere.gguf", "does not exist"), (notes, "GGUF")):
        await field.fill(str(path))
        await field.press("Enter")
        told = window.page.get_by_role("dialog", name="Models").get_by_role("alert")
        await expect(told).to_contain_text(path.name)
        await expect(told).to_contain_text(reason)
    await expect(field).to_have_value(str(notes))


async def test_context_length_reaches_the_engine(window: Window, app: App) -> None:
    await window.choose_model("demo")
    await window.set_fields(Context_length=3072)
    await window.ask("How much do you see?")
    await window.answered()
    assert app.context_length() == 3072
    await window.set_fields(Context_length="")
    await window.ask("And now?")
    await expect(window.answers).to_have_count(2)
    await window.answered()
    assert app.context_length() == 8192


async def test_answer_that_fills_the_context_and_a_question_that_does_not_fit_say_so(window: Window) -> None:
    await window.choose_model("demo")
    await window.set_fields(**ENDLESS, Context_length=256)
    await window.ask("How much can you say?")
    await expect(window.stats).to_contain_text("stopped because the context is full")
    await window.ask("And a long question? " * 100)
    failure = window.page.get_by_role("alert")
    await expect(failure).to_contain_text(re.compile(r"has [\d,]+ tokens, but the model's context holds 256"))
    await window.set_fields(Context_length="", Repeat_penalty="")
    await failure.get_by_role("button", name="Retry").click()
    await window.answered()


async def test_reload_in_mid_answer_goes_on_without_a_gap(window: Window, app: App) -> None:
    await window.set_fields(**LONG)
    await window.ask("Reload in the middle")
    await window.begun()
    await window.page.reload()
    await window.answered()
    (saved,) = app.answers("Reload in the middle")
    assert saved["content"] == app.long_answer
    assert await window.said() == words(saved["content"])


async def test_two_windows_show_the_same(window: Window, app: App, windows: OpenWindow) -> None:
    other = await windows(app)
    await window.set_fields(**LONG)
    await window.ask("Who follows?")
    await other.row("Who follows?").get_by_role("button").first.click()
    for each in (other, window):
        await each.answered()
        assert await each.said() == words(app.long_answer)
    await other.row("Who follows?").get_by_role("button").first.press("Delete")
    await expect(window.row("Who follows?")).to_have_count(0)
    await expect(window.page.get_by_role("heading", name="New chat")).to_be_visible()


async def test_engine_killed_in_mid_answer_is_a_pause_and_then_the_rest(window: Window, app: App) -> None:
    await window.choose_model("demo")
    await window.set_fields(**LONG)
    await window.ask_and_kill("Kill the engine")
    saved = app.answers("Kill the engine")
    assert {answer["status"] for answer in saved} == {"complete"}
    assert saved[-1]["content"] == app.long_answer
    assert await window.said() == words(app.long_answer)


async def test_keys_do_what_they_promise(window: Window) -> None:
    await expect(window.box).to_be_focused()
    await window.page.keyboard.type("one line")
    await window.page.keyboard.press("Shift+Enter")
    await window.page.keyboard.type("another")
    await expect(window.box).to_have_value("one line\nanother")
    await window.page.keyboard.press("Enter")
    await expect(window.page.locator(".bubble")).to_have_text("one line\nanother")
    await window.answered()
    await expect(window.box).to_be_focused()
    await window.page.keyboard.press("Control+n")
    await expect(window.page.get_by_role("heading", name="New chat")).to_be_visible()
    await expect(window.box).to_be_focused()
    await window.page.keyboard.press("Enter")  # there is nothing to send
    await expect(window.page.locator(".message")).to_have_count(0)
    await window.picker.click()
    await window.page.keyboard.press("Escape")
    await expect(window.page.get_by_role("dialog", name="Models")).to_be_hidden()


async def test_drafts_stay_with_their_chat_through_a_reload(window: Window) -> None:
    await window.ask("Has a draft")
    await window.answered()
    await window.box.fill("half a thought")
    await window.new_chat()
    await expect(window.box).to_have_value("")
    await window.box.fill("another thought")
    await window.page.reload()
    await expect(window.box).to_have_value("another thought")
    await window.row("Has a draft").get_by_role("button").first.click()
    await expect(window.box).to_have_value("half a thought")
    await window.box.fill("")
    await window.new_chat()
    await window.box.fill("")


async def test_drafts_of_two_windows_do_not_displace_each_other(window: Window, app: App, windows: OpenWindow) -> None:
    await window.ask("One chat")
    await window.answered()
    await window.new_chat()
    await window.ask("Another chat")
    await window.answered()
    other = await windows(app)
    await other.row("One chat").get_by_role("button").first.click()
    await expect(other.page.locator(".bubble")).to_have_text("One chat")
    for each, draft in ((window, "draft of another chat"), (other, "draft of one chat")):
        await each.draft(draft)
    await window.page.reload()
    await expect(window.row("Another chat")).to_have_count(1)
    for title, draft in (("Another chat", "draft of another chat"), ("One chat", "draft of one chat")):
        await window.row(title).get_by_role("button").first.click()
        await expect(window.box).to_have_value(draft)
        await window.box.fill("")


async def test_search_finds_what_the_engine_said(window: Window) -> None:
    await window.set_fields(Temperature=0)
    await window.ask("Find this conversation")
    await window.answered()
    await window.new_chat()
    await window.page.get_by_role("searchbox").fill("llamero demo")
    await expect(window.page.locator(".conversation.is-hit", has_text="Find this conversation")).to_have_count(1)
    await window.page.locator(".conversation.is-hit", has_text="Find this conversation").click()
    await expect(window.page.get_by_role("heading", name="Find this conversation")).to_be_visible()


async def test_theme_follows_the_system(window: Window) -> None:
    ground = "() => getComputedStyle(document.body).backgroundColor"
    light = await window.page.evaluate(ground)
    await window.page.emulate_media(color_scheme="dark")
    dark = await window.page.evaluate(ground)
    await window.page.emulate_media(color_scheme="light")
    assert await window.page.evaluate(ground) == light

    def brightness(color: str) -> int:
        return sum(int(part) for part in re.findall(r"\d+", color)[:3])

    assert brightness(dark) < 200 < 600 < brightness(light)


async def test_words_typed_before_the_page_is_connected_are_kept(app: App, windows: OpenWindow) -> None:
    before = await windows(app)
    await before.new_chat()
    await before.draft("an older draft")
    await before.page.close()
    window = await windows(app, url="about:blank")
    connected = asyncio.Event()

    async def hold(route: WebSocketRoute) -> None:
        await connected.wait()
        route.connect_to_server()

    await window.page.route_web_socket(re.compile("/bridge/events"), hold)
    await window.page.goto(app.url)
    await expect(window.box).to_be_focused()
    await window.page.keyboard.type("typed early")
    connected.set()
    await expect(window.picker).to_have_text("demo")
    await expect(window.box).to_have_value("typed early")
    await expect(window.button("Send")).to_be_enabled()
    await window.box.fill("")


async def test_page_that_never_connected_forgets_nothing(app: App, windows: OpenWindow) -> None:
    before = await windows(app)
    await before.new_chat()
    await before.draft("keep this draft")
    await before.page.close()
    window = await windows(app, url="about:blank")
    await window.page.route_web_socket(re.compile("/bridge/events"), lambda route: None)
    await window.page.goto(app.url)
    await expect(window.box).to_be_focused()
    await window.page.keyboard.type("lost with the page")
    await window.page.close()
    after = await windows(app)
    await expect(after.box).to_have_value("keep this draft")
    await after.box.fill("")
