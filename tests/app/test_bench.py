"""Measuring a model from the page: real page, real backend, real engine."""

from __future__ import annotations

import re

from playwright.async_api import expect

from tests.app.world import Window

MEASURED_MS = 90_000


async def test_bench_measures_the_demo_compares_it_and_is_there_after_a_reload(window: Window) -> None:
    page = window.page
    await page.get_by_role("link", name="Bench").click()
    await page.get_by_role("button", name="Measure demo").click()
    await expect(page.get_by_role("progressbar")).to_be_visible()
    rows = page.locator(".bench-table tbody tr")
    await expect(rows).to_have_count(3, timeout=MEASURED_MS)
    await expect(page.get_by_role("progressbar")).to_have_count(0, timeout=MEASURED_MS)
    await expect(rows.first).to_have_text(re.compile(r"^\s*1[0-9]{2}\s+1\s+[\d,.]+\s+[\d,.]+\s+[\d,.]+\s+[\d.]+ m?s"))
    await expect(page.locator(".bench-facts")).to_contain_text("embedded cpu")
    await page.get_by_role("button", name="Measure", exact=True).click()
    await expect(page.get_by_text("with the same engine, arguments and machine")).to_be_visible(timeout=MEASURED_MS)
    await page.reload()
    await page.get_by_role("link", name="Bench").click()
    await expect(page.get_by_label("Compare with")).to_be_enabled()
    await expect(rows).to_have_count(3)


async def test_bench_that_is_stopped_in_the_page_keeps_what_was_measured(window: Window) -> None:
    page = window.page
    await page.get_by_role("link", name="Bench").click()
    await page.get_by_text("Full", exact=True).click()
    await page.get_by_role("button", name="Measure", exact=True).click()
    await expect(page.get_by_role("progressbar")).to_have_attribute(
        "aria-valuenow", re.compile("^[1-5]$"), timeout=MEASURED_MS
    )
    await page.get_by_role("button", name="Stop", exact=True).click()
    await expect(page.get_by_text("Stopped before its end; what was measured is kept.")).to_be_visible()
