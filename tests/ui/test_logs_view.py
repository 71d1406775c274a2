"""The log view: live, filtered, bounded, and silent while nobody sees it, in a real browser against the fake bridge."""

from __future__ import annotations

import time

from playwright.async_api import expect

from llamero.models.logs import LogLine, LogSource
from tests.ui.conftest import Open, Opened


def said(text: str, level: str = "info", source: LogSource = LogSource.APP, name: str = "llamero.test") -> LogLine:
    return LogLine(at=time.time(), level=level, source=source, name=name, text=text)


async def open_logs(open_page: Open, scenario: str = "busy") -> Opened:
    one = await open_page(scenario)
    await one.page.get_by_role("link", name="Logs").click()
    await expect(one.page.get_by_role("heading", name="Logs")).to_be_visible()
    return one


async def test_logs_show_what_was_and_what_comes_as_text_alone(open_page: Open) -> None:
    one = await open_logs(open_page)
    lines = one.page.locator(".lines li")
    await expect(lines).to_have_text(["Nothing has been logged since Llamero was started."])
    hostile = "<script>alert(1)</script> <a href='javascript:alert(1)'>x</a>"
    one.fake.commands.write_log(said(hostile), said("from the engine", source=LogSource.ENGINE, name="qwen"))
    await expect(one.page.locator(".log-text")).to_have_text([hostile, "from the engine"])
    await expect(one.page.locator(".log-name")).to_have_text(["test", "qwen"])
    await expect(one.page.locator(".lines a, .lines script")).to_have_count(0)


async def test_logs_filters_apply_to_what_is_there_and_what_comes(open_page: Open) -> None:
    one = await open_logs(open_page)
    one.fake.commands.write_log(said("calm"), said("no memory", "error"), said("slot", source=LogSource.ENGINE))
    texts = one.page.locator(".log-text")
    await expect(texts).to_have_count(3)
    await one.page.get_by_label("Least level").select_option("warning")
    await expect(texts).to_have_text(["no memory"])
    one.fake.commands.write_log(said("calm again"), said("careful", "warning"))
    await expect(texts).to_have_text(["no memory", "careful"])
    await one.page.get_by_role("searchbox", name="Show only lines with these words").fill("MEM")
    await expect(texts).to_have_text(["no memory"])
    await one.page.get_by_role("searchbox", name="Show only lines with these words").fill("nobody said this")
    await expect(one.page.locator(".lines li")).to_have_text(["No line fits the filter."])
    await one.page.get_by_role("searchbox", name="Show only lines with these words").fill("")
    await one.page.get_by_label("Least level").select_option("debug")
    await one.page.get_by_label("Written by").select_option("engine")
    await expect(texts).to_have_text(["slot"])


async def test_logs_flood_stays_bounded_and_says_what_was_left_out(open_page: Open) -> None:
    one = await open_logs(open_page)
    for batch in range(40):
        lines = [said(f"line {batch * 500 + number}") for number in range(500)]
        one.fake.commands.write_log(*lines, skipped=1500 if batch else 0)
    texts = one.page.locator(".log-text")
    await expect(texts.last).to_have_text("line 19999", timeout=30_000)
    assert await texts.count() <= 1000
    await expect(one.page.locator(".lines-note").last).to_contain_text("1,500 lines left out")


async def test_logs_reader_who_scrolls_up_is_left_alone_until_they_follow_again(open_page: Open) -> None:
    one = await open_logs(open_page, "supervised")
    scroller = one.page.locator(".lines")
    await expect(one.page.get_by_role("button", name="Following")).to_be_visible()
    await scroller.hover()
    await one.page.mouse.wheel(0, -400)
    await expect(one.page.get_by_role("button", name="Jump to latest")).to_be_visible()
    top = await scroller.evaluate("(e) => e.scrollTop")
    one.fake.commands.write_log(*[said(f"more {number}") for number in range(30)])
    await expect(one.page.locator(".log-text").last).to_have_text("more 29")
    assert await scroller.evaluate("(e) => e.scrollTop") == top
    await one.page.get_by_role("button", name="Follow", exact=True).click()
    await expect(one.page.locator(".log-text").last).to_be_in_viewport()


async def test_logs_are_watched_only_while_the_view_is_shown_and_again_after_a_break(open_page: Open) -> None:
    one = await open_page("busy")
    await expect(one.page.get_by_title("Choose a model")).to_contain_text("Qwen")
    assert not any(name == "watch_logs" for name, _ in one.fake.calls)
    await one.page.get_by_role("link", name="Logs").click()
    await expect(one.page.get_by_role("heading", name="Logs")).to_be_visible()
    one.fake.commands.write_log(said("first"))
    await expect(one.page.locator(".log-text")).to_have_text(["first"])
    one.fake.epoch = "another"  # so the page gets a snapshot, and nobody knows what it watched
    one.fake.commands.watching_logs = False
    await one.fake.drop_connections()
    one.fake.commands.write_log(said("second"))
    await expect(one.page.locator(".log-text")).to_have_text(["first", "second"])
    assert one.fake.commands.watching_logs
    await one.page.get_by_role("link", name="Chat").click()
    await expect(one.page.locator(".composer")).to_be_visible()
    await one.page.wait_for_function("() => document.querySelector('.is-logs').hidden")
    assert one.fake.calls[-1][0] == "watch_logs" or not one.fake.commands.watching_logs


async def test_logs_file_can_be_opened_in_the_window_and_not_in_a_tab(open_page: Open) -> None:
    tab = await open_logs(open_page, "first-run")
    window = await open_logs(open_page, "supervised")
    kinds = {one.fake.world.native_dialogs: one for one in (tab, window)}
    for native, one in kinds.items():
        button = one.page.get_by_role("button", name="Open file")
        await expect(button).to_have_count(1 if native else 0)
        if native:
            await button.click()
            await expect(button).to_be_enabled()
            assert [name for name, _ in one.fake.calls].count("open_log_file") == 1
