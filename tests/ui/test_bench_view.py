"""What a person does in the bench view, in a real browser."""

from __future__ import annotations

import json

from playwright.async_api import Locator, Page, expect

from tests.ui.conftest import Open, Opened
from tests.ui.test_chat_journey import last_call

MODEL = "Qwen3-4B-Q4_K_M"


async def open_bench(one: Opened) -> None:
    await one.page.get_by_role("link", name="Bench").click()
    await expect(one.page.get_by_role("heading", name="Bench", exact=True)).to_be_visible()


def rows(page: Page) -> Locator:
    return page.locator(".bench-table tbody tr")


async def test_bench_without_a_run_teaches_and_measures_with_one_click(open_page: Open) -> None:
    one = await open_page("first-run")
    await open_bench(one)
    await expect(one.page.get_by_role("heading", name="How fast is it here?")).to_be_visible()
    await one.page.get_by_role("button", name="Measure Demo").click()
    await expect(one.page.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "0")
    assert last_call(one.fake, "start_bench") == {"model": "Demo", "quick": True}


async def test_bench_run_is_shown_with_its_change_against_the_one_before(open_page: Open) -> None:
    one = await open_page("busy")
    await open_bench(one)
    await expect(rows(one.page)).to_have_count(7)
    await expect(rows(one.page).first).to_contain_text("412")
    await expect(rows(one.page).first.locator(".bar-change").first).to_have_text("+6.4 %")
    await expect(one.page.get_by_text("with the same engine, arguments and machine")).to_be_visible()
    await expect(one.page.locator(".bench-card")).to_have_count(3)
    await one.page.get_by_label("Compare with").select_option(value="1")
    await expect(one.page.get_by_text("Not the same: engine, arguments.")).to_be_visible()
    assert last_call(one.fake, "get_bench_run") == {"id": 3, "against": 1}
    await one.page.get_by_label("Run", exact=True).select_option(value="1")
    await expect(one.page.get_by_label("Compare with")).to_be_disabled()
    await expect(one.page.locator(".bench-card .bar-before")).to_have_count(0)


async def test_bench_under_way_fills_case_by_case_and_ends_in_its_report(open_page: Open) -> None:
    one = await open_page("busy")
    await open_bench(one)
    await one.page.get_by_label("Model", exact=True).select_option(MODEL)
    await one.page.get_by_text("Full").click()
    await one.page.get_by_role("button", name="Measure", exact=True).click()
    assert last_call(one.fake, "start_bench") == {"model": MODEL, "quick": False}
    benches = one.fake.world.benches
    one.fake.event("bench", benches.step(MODEL, 3))
    await expect(one.page.get_by_text(f"Measuring {MODEL}: 4,096 tokens, 1 stream")).to_be_visible()
    await expect(rows(one.page)).to_have_count(3)
    one.fake.event("bench", benches.finish(MODEL))
    await expect(rows(one.page)).to_have_count(7)
    await expect(one.page.get_by_role("progressbar")).to_have_count(0)
    await expect(rows(one.page).first.locator(".bar-change").first).to_have_text("+10 %")


async def test_bench_under_way_is_found_again_after_a_reload_and_can_be_stopped(open_page: Open) -> None:
    one = await open_page("busy")
    one.fake.world.benches.step(MODEL, 2)
    await open_bench(one)
    await expect(one.page.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "2")
    await one.page.get_by_role("button", name="Stop", exact=True).click()
    await expect(one.page.get_by_role("progressbar")).to_have_count(0)
    assert last_call(one.fake, "stop_bench") == {}


async def test_bench_that_fails_says_why(open_page: Open) -> None:
    one = await open_page("busy")
    await open_bench(one)
    await one.page.get_by_role("button", name="Measure", exact=True).click()
    one.fake.event("bench", one.fake.world.benches.finish(MODEL, error="The model does not fit into memory."))
    await expect(one.page.get_by_role("alert")).to_have_text("The model does not fit into memory.")


async def test_bench_run_is_copied_as_markdown_and_as_json(open_page: Open) -> None:
    one = await open_page("busy")
    await one.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await open_bench(one)
    await one.page.get_by_role("button", name="Copy as Markdown").click()
    await expect(one.page.get_by_role("button", name="Copied")).to_be_visible()
    markdown = await one.page.evaluate("() => navigator.clipboard.readText()")
    assert "| Prompt | Streams |" in markdown
    assert "| 125 | 1 | 412 (+6.4 %) |" in markdown
    await one.page.get_by_role("button", name="Copy as JSON").click()
    copied = json.loads(await one.page.evaluate("() => navigator.clipboard.readText()"))
    assert (copied["run"]["id"], copied["comparison"]["id"]) == (3, 2)
