"""The metrics view: what the charts are given, one cursor for all, what is saved, and when it rests."""

from __future__ import annotations

import re
import struct
from typing import Any

import pytest
from playwright.async_api import Download, expect

from llamero.models.bridge.servers import ServerInfo
from llamero.models.llama import ServerPhase
from tests.process.support import eventually
from tests.ui.conftest import ARTIFACTS, Open, Opened
from tests.ui.test_looks import SIDEWAYS

# What a chart was given: its times and, by the names of its scales, its columns.
DATA = "(id) => document.querySelector(`[data-plot='${id}']`).chart.data.map((column) => [...column])"

# The rows at which the cursors of all charts are that are drawn.
CURSORS = "() => [...document.querySelectorAll('.metrics-plot')].flatMap(({ chart }) => chart?.cursor.idx ?? [])"


async def open_metrics(one: Opened) -> None:
    await one.page.get_by_title("Open the metrics").click()
    await expect(one.page.locator("[data-plot=cpu] canvas")).to_be_visible()


async def data(one: Opened, plot: str) -> list[list[Any]]:
    """What the chart has, which is drawn once it is on the screen."""
    place = one.page.locator(f"[data-plot='{plot}']")
    await place.scroll_into_view_if_needed()
    await expect(place.locator("canvas")).to_be_visible()
    found: list[list[Any]] = await one.page.evaluate(DATA, plot)
    return found


async def data_when(one: Opened, plot: str, holds: str) -> list[list[Any]]:
    """What the chart has once the condition on its `data` holds."""
    find = "document.querySelector(`[data-plot='${id}']`)?.chart?.data"
    check = f"(id) => {{ const data = {find}; return Boolean(data && {holds}); }}"
    for _ in range(200):
        if await one.page.evaluate(check, plot):
            return await data(one, plot)
        await one.page.wait_for_timeout(25)
    raise AssertionError(f"{plot}: {holds}")


async def test_charts_show_the_past_as_it_is_told_with_its_gap(open_page: Open) -> None:
    one = await open_page("measuring")
    await open_metrics(one)
    times, load, peaks = await data(one, "cpu")
    assert peaks == [None] * len(times)  # what is measured each second has no means
    assert times == sorted(set(times))
    assert 200 < len(times) <= 305
    assert load.count(None) == 1
    gap = load.index(None)
    assert times[gap + 1] - times[gap - 1] > 5
    assert 0 <= min(value for value in load if value is not None) < 30
    assert 60 < max(value for value in load if value is not None) <= 100
    assert one.fake.commands.watching
    _, load, memory, *_ = await data(one, "gpu-0")
    assert max(value for value in memory if value is not None) > 6 * 1024**3
    assert max(value for value in load if value is not None) > 80


async def test_charts_follow_what_is_measured(open_page: Open) -> None:
    one = await open_page("measuring")
    await open_metrics(one)
    before = (await data(one, "cpu"))[0][-1]
    times, *_ = await data_when(one, "cpu", f"data[0].at(-1) > {before + 1.5}")
    assert times == sorted(set(times))
    assert times[-1] - times[0] <= 300


async def test_day_has_means_and_peaks(open_page: Open) -> None:
    one = await open_page("measuring")
    await open_metrics(one)
    await one.page.get_by_text("24 h", exact=True).click()
    times, means, peaks = await data_when(one, "cpu", "data[0].at(-1) - data[0][0] > 80000 && data[2][0] !== null")
    assert 1300 < len(times) <= 1445
    assert all(peak >= mean for mean, peak in zip(means, peaks, strict=True) if mean is not None)
    asked = one.fake.commands.histories_asked
    await one.page.wait_for_timeout(2500)
    assert one.fake.commands.histories_asked == asked  # a new point is there once a minute


async def test_each_core_is_drawn_when_wanted(open_page: Open) -> None:
    one = await open_page("measuring")
    await open_metrics(one)
    assert len(await data(one, "cpu")) == 3
    await one.page.get_by_label("Each core").check()
    assert len(await data_when(one, "cpu", "data.length === 11")) == 11
    await one.page.get_by_label("Each core").uncheck()
    await data_when(one, "cpu", "data.length === 3")


async def test_chart_is_drawn_when_it_comes_to_the_screen_with_the_same_past(open_page: Open) -> None:
    one = await open_page("measuring")
    await open_metrics(one)
    drawn = one.page.locator(".metrics-plot:has(canvas)")
    everything = await one.page.locator(".metrics-plot").count()
    assert 0 < await drawn.count() < everything
    await one.page.get_by_text("24 h", exact=True).click()
    day, *_ = await data_when(one, "cpu", "data[0].at(-1) - data[0][0] > 80000")
    times, *_ = await data(one, "work-phi-4-mini")
    assert times == day


async def test_sensor_that_is_missing_is_a_note_and_not_a_zero(open_page: Open) -> None:
    one = await open_page("measuring")
    await open_metrics(one)
    card = one.page.get_by_role("region", name="GPU 1: NVIDIA T400")
    await expect(card).to_contain_text("No temperature sensor.")
    await expect(card).to_contain_text("No power sensor.")
    await expect(one.page.locator("[data-plot='heat-1']")).to_have_count(0)
    await expect(one.page.locator("[data-plot='heat-0']")).to_have_count(1)


async def test_machine_without_gpu_and_models_says_so(open_page: Open) -> None:
    one = await open_page("nothing")
    await open_metrics(one)
    await expect(one.page.get_by_role("region", name="This computer")).to_contain_text("No GPU was found")
    await expect(one.page.get_by_role("region", name="Speed")).to_contain_text("Ask something in the chat")


async def test_cursor_is_shared_by_all_charts_and_told(open_page: Open) -> None:
    one = await open_page("measuring")
    await open_metrics(one)
    await one.page.locator("[data-plot=cpu]").hover(position={"x": 150, "y": 50})
    places = await one.page.evaluate(CURSORS)
    assert len(set(places)) == 1
    assert isinstance(places[0], int)
    shown = await one.page.locator(".metrics-time").text_content()
    assert re.match(r"\d+:\d\d:\d\d [AP]M", (shown or "").strip())
    await one.page.mouse.move(5, 400)
    await expect(one.page.locator(".metrics-time")).to_have_text("")


async def test_cursor_within_a_band_says_who_answered(open_page: Open) -> None:
    one = await open_page("measuring")
    await open_metrics(one)
    await expect(one.page.locator(".metrics-key")).to_have_text("Answering")
    place = await one.page.evaluate(
        """() => {
          const { chart } = document.querySelector('[data-plot=cpu]');
          const [times, load] = chart.data;
          const busy = load.findIndex((_, at) => load.slice(at, at + 7).every((one) => one > 60));
          return chart.over.getBoundingClientRect().x + chart.valToPos(times[busy + 3], 'x');
        }"""
    )
    box = await one.page.locator("[data-plot=cpu]").bounding_box()
    assert box is not None
    await one.page.mouse.move(place, box["y"] + 50)
    await expect(one.page.locator(".metrics-time")).to_have_text(re.compile(r"[AP]M · Qwen3-4B"))


async def test_keys_move_the_cursor_and_say_what_is_there(open_page: Open) -> None:
    one = await open_page("measuring")
    await open_metrics(one)
    charts = one.page.get_by_role("group", name="Charts")
    await charts.focus()
    await one.page.keyboard.press("End")
    speech = one.page.locator(".metrics-speech")
    await expect(speech).to_have_text(re.compile(r"\d+:\d\d:\d\d [AP]M: .*\d+ %.*GB"))
    last = await one.page.locator(".metrics-time").text_content()
    await one.page.keyboard.press("Shift+ArrowLeft")
    await expect(one.page.locator(".metrics-time")).not_to_have_text(last or "")
    places = await one.page.evaluate(CURSORS)
    assert len(set(places)) == 1
    await one.page.keyboard.press("Escape")
    await expect(one.page.locator(".metrics-time")).to_have_text("")


async def test_charts_have_a_name_that_says_their_values(open_page: Open) -> None:
    one = await open_page("measuring")
    await open_metrics(one)
    await expect(one.page.get_by_role("img", name=re.compile(r"This computer: Processor \d+ %"))).to_be_visible()


@pytest.mark.parametrize(
    ("button", "name", "start"),
    [
        ("Save as CSV", "llamero-metrics-5m.csv", b"time,cpu.load (percent)\n"),
        ("Save as picture", "llamero-metrics-5m.png", b"\x89PNG"),
    ],
)
async def test_past_is_saved_as_a_file(open_page: Open, button: str, name: str, start: bytes) -> None:
    one = await open_page("measuring")
    await open_metrics(one)
    async with one.page.expect_download() as waiting:
        await one.page.get_by_role("button", name=button).click()
    download: Download = await waiting.value
    assert download.suggested_filename == name
    content = (await download.path()).read_bytes()
    assert content.startswith(start)
    if name.endswith(".png"):
        width, height = struct.unpack(">II", content[16:24])  # of the IHDR chunk, which comes first
        plots = await one.page.locator(".metrics-plot").count()
        assert width > 300
        assert height > plots * 130  # also those that are not on the screen


async def test_window_without_downloads_asks_where_the_file_goes(open_page: Open) -> None:
    one = await open_page("busy")
    await open_metrics(one)
    await one.page.get_by_role("button", name="Save as picture").click()
    await one.page.get_by_role("button", name="Save as CSV").click()
    for _ in range(200):
        if len(one.fake.world.saved) == 2:
            break
        await one.page.wait_for_timeout(25)
    picture = one.fake.world.saved["llamero-metrics-5m.png"]
    assert picture.startswith(b"\x89PNG")
    ARTIFACTS.mkdir(exist_ok=True)
    (ARTIFACTS / "metrics-saved.png").write_bytes(picture)
    assert one.fake.world.saved["llamero-metrics-5m.csv"].startswith(b"time,")


async def test_past_that_cannot_be_read_is_told_once_and_asked_for_again(open_page: Open) -> None:
    one = await open_page("measuring")
    one.fake.commands.histories_fail = True
    await one.page.get_by_title("Open the metrics").click()
    await expect(one.page.locator(".toast")).to_have_text(re.compile("cannot be read"))
    await one.page.wait_for_timeout(3000)
    assert one.fake.commands.histories_asked == 1
    one.fake.commands.histories_fail = False
    await one.page.get_by_text("1 h", exact=True).click()
    await expect(one.page.locator("[data-plot=cpu] canvas")).to_be_visible()


async def test_context_and_slots_are_told_of_what_there_could_be(open_page: Open) -> None:
    one = await open_page("measuring")
    await open_metrics(one)
    card = one.page.get_by_role("region", name="Qwen3-4B-Q4_K_M")
    await expect(card).to_contain_text(re.compile(r"Context in use\s*\d,\d{3} of 4,096 tokens"))
    await expect(card).to_contain_text(re.compile(r"Slots in use\s*\d of 4"))
    await expect(card).to_contain_text(re.compile(r"Waiting\s*\d"))
    await data(one, "work-Qwen3-4B-Q4_K_M")
    scales = await one.page.evaluate(
        """() => {
          const { scales } = document.querySelector("[data-plot='work-Qwen3-4B-Q4_K_M']").chart;
          return [scales.tokens.max, scales.count.max];
        }"""
    )
    assert scales == [4096, 4]  # so that a look says how much is left


async def test_header_wraps_at_double_text(open_page: Open) -> None:
    one = await open_page("measuring", width=800, height=560)
    await open_metrics(one)
    await one.page.evaluate("() => document.documentElement.style.setProperty('font-size', '200%')")
    await one.page.wait_for_timeout(100)
    assert await one.page.evaluate(SIDEWAYS) == []


async def test_view_rests_when_another_one_is_shown(open_page: Open) -> None:
    one = await open_page("measuring")
    await open_metrics(one)
    assert one.fake.commands.watching_closely
    await one.page.get_by_role("link", name="Chat").click()
    await expect(one.page.locator(".metrics")).to_be_hidden()
    await eventually(lambda: not one.fake.commands.watching_closely)
    await one.page.wait_for_timeout(300)
    asked = one.fake.commands.histories_asked
    await one.page.wait_for_timeout(2500)
    assert one.fake.commands.histories_asked == asked
    await open_metrics(one)
    times, *_ = await data_when(one, "cpu", "Date.now() / 1000 - data[0].at(-1) < 3")
    assert times == sorted(set(times))


async def test_server_that_starts_gets_a_card_and_keeps_it_when_it_stops(open_page: Open) -> None:
    one = await open_page("measuring")
    await open_metrics(one)
    world = one.fake.world
    world.servers = [*world.servers, ServerInfo(alias="newcomer", phase=ServerPhase.READY, pid=1)]
    card = one.page.get_by_role("region", name="newcomer")
    await expect(card).to_be_attached()
    await data_when(one, "server-newcomer", "data[1].at(-1) !== null && data[1][0] === null")
    world.servers = world.servers[:-1]
    await expect(card).to_contain_text("not loaded any more")


async def test_theme_changes_the_charts(open_page: Open) -> None:
    one = await open_page("measuring")
    await open_metrics(one)
    stroke = "() => document.querySelector('[data-plot=cpu]').chart.series[1].stroke()"
    light = await one.page.evaluate(stroke)
    await one.page.emulate_media(color_scheme="dark")
    for _ in range(100):
        if (dark := await one.page.evaluate(stroke)) != light:
            break
        await one.page.wait_for_timeout(20)
    assert dark != light
