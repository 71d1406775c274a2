"""The view of requests: found, opened, compared, replayed and copied, by mouse and keyboard, and only ever as text."""

from __future__ import annotations

from msgspec import structs
from playwright.async_api import expect

from llamero.models.inspector import RequestsChanged
from tests.fakes.fake_bridge.requests import request
from tests.ui.conftest import Open, Opened
from tests.ui.xss_vectors import VECTORS

EVENTS = 5000


async def opened(open_page: Open) -> Opened:
    one = await open_page("busy")
    await one.page.get_by_role("link", name="Requests").click()
    await expect(one.page.locator(".request")).to_have_count(7)
    return one


async def test_requests_view_shows_new_requests_as_they_come(open_page: Open) -> None:
    one = await opened(open_page)
    made = request(99, "Is anybody there?", {})
    one.fake.world.requests.insert(0, made)
    one.fake.event("requests", RequestsChanged(requests=(made.summary,)))
    await expect(one.page.locator(".request").first).to_contain_text("Is anybody there?")
    watched = [arguments for name, arguments in one.fake.calls if name == "watch_requests"]
    assert watched[-1] == {"watching": True}
    await one.page.get_by_role("link", name="Chat", exact=True).click()
    await expect(one.page.locator(".requests-list")).to_be_hidden()
    assert [arguments for name, arguments in one.fake.calls if name == "watch_requests"][-1] == {"watching": False}


async def test_requests_view_filters_by_text_model_status_and_errors(open_page: Open) -> None:
    one = await opened(open_page)
    rows = one.page.locator(".request")
    await one.page.get_by_role("searchbox", name="Search requests").fill("bridge")
    await expect(rows).to_have_count(1)
    await one.page.get_by_role("button", name="Clear filter").click()
    await expect(rows).to_have_count(7)
    await one.page.get_by_label("Errors only").check()
    await expect(rows).to_have_count(1)
    await one.page.get_by_label("Errors only").uncheck()
    await one.page.get_by_label("Status").select_option("4")
    await expect(rows).to_have_count(1)
    await one.page.get_by_label("Status").select_option("")
    await one.page.get_by_label("Model", exact=True).fill("nobody has this")
    await expect(one.page.get_by_text("No request fits this filter.")).to_be_visible()


async def test_requests_view_is_used_by_keyboard_alone(open_page: Open) -> None:
    one = await opened(open_page)
    keyboard = one.page.keyboard
    await one.page.locator(".request").first.focus()
    await keyboard.press("ArrowDown")
    await keyboard.press("Enter")
    await expect(one.page.locator(".detail-title")).to_contain_text("Qwen3")
    await one.page.get_by_role("tab", name="Overview").focus()
    await keyboard.press("ArrowRight")
    await expect(one.page.get_by_role("tab", name="Request", exact=True)).to_be_focused()
    await expect(one.page.locator(".requests-text")).to_contain_text("Which llama goes first")
    await keyboard.press("Escape")
    await expect(one.page.locator(".requests-detail")).to_be_hidden()
    await expect(one.page.locator(".request").nth(1)).to_be_focused()


async def test_request_is_replayed_and_leads_back_to_its_original(open_page: Open) -> None:
    one = await opened(open_page)
    await one.page.locator(".request", has_text="curl").click()
    await one.page.get_by_role("button", name="Replay").click()
    await expect(one.page.locator(".request")).to_have_count(8)
    await expect(one.page.locator(".request").first).to_have_attribute("aria-current", "true")
    await one.page.get_by_role("button", name="Show the original").click()
    await expect(one.page.locator(".request", has_text="curl")).to_have_attribute("aria-current", "true")


async def test_request_is_copied_as_a_program_without_a_key(open_page: Open) -> None:
    one = await opened(open_page)
    await one.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await one.page.locator(".request", has_text="curl").click()
    for language, mark in (("curl", "curl '"), ("Python", "import requests"), ("JavaScript", "await fetch(")):
        await one.page.get_by_role("button", name=language, exact=True).click()
        await expect(one.page.get_by_role("button", name="Copied", exact=True)).to_be_visible()
        copied = await one.page.evaluate("() => navigator.clipboard.readText()")
        assert mark in copied
        assert "LLAMERO_API_KEY" in copied
        assert "http://127.0.0.1:5526/v1/chat/completions" in copied
        await expect(one.page.get_by_role("button", name=language, exact=True)).to_be_visible()


async def test_content_is_turned_off_and_on_again(open_page: Open) -> None:
    one = await opened(open_page)
    await one.page.get_by_label("Keep what is said").uncheck()
    await expect(one.page.get_by_text("What requests say is not kept")).to_be_visible()
    await expect(one.page.locator(".request", has_text="Which llama")).to_have_count(0)
    await one.page.get_by_role("button", name="Keep it from now on").click()
    await expect(one.page.get_by_label("Keep what is said")).to_be_checked()


async def test_many_events_are_drawn_a_few_at_a_time(open_page: Open) -> None:
    one = await opened(open_page)
    original = one.fake.world.requests[1]
    one.fake.world.requests[1] = structs.replace(original, events=original.events[:1] * EVENTS)
    await one.page.locator(".request").nth(1).click()
    await one.page.get_by_role("tab", name="Events").click()
    await expect(one.page.locator(".request-events li")).to_have_count(200)
    await one.page.get_by_role("button", name="Show 200 more").click()
    await expect(one.page.locator(".request-events li")).to_have_count(400)


async def test_hostile_text_in_any_part_of_a_request_stays_text(open_page: Open) -> None:
    hostile = "\n".join(VECTORS)
    one = await open_page("busy")
    made = request(1, hostile, {}, answer=hostile, client=hostile, model=hostile, error=hostile, key_name=hostile)
    other = request(2, "plain", {})
    one.fake.world.requests[:] = [structs.replace(made, path=f"/{hostile}", reasoning=hostile), other]
    await one.page.evaluate("() => { window.alert = () => { throw new Error('a script ran'); } }")
    await one.page.get_by_role("link", name="Requests").click()
    await one.page.locator(".request").first.click()
    allowed = "button, svg, use, rect, pre, ol, ul, li, dl, dt, dd, div, span, p, h2, h3, label, input, header, section"
    for tab in ("Overview", "Request", "Sent to engine", "Prompt", "Response", "Events"):
        await one.page.get_by_role("tab", name=tab, exact=True).click()
        strange = f"e => [...e.querySelectorAll('*')].filter(n => !n.matches('{allowed}')).map(n => n.localName)"
        for part in (".requests-list", ".requests-detail"):
            assert await one.page.locator(part).evaluate(strange) == [], (part, tab)
    for row in (0, 1):
        await one.page.locator(".requests-list input[type=checkbox]").nth(row).check(force=True)
    await expect(one.page.locator(".diff-line.is-removed").first).to_be_visible()
    assert await one.page.locator(".requests-detail").evaluate(strange) == []
