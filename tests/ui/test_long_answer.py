"""A long and fast answer: what it becomes, what is spoken of it, and what it leaves a reader free to do."""

from __future__ import annotations

from playwright.async_api import expect

from tests.ui.bench_stream import document
from tests.ui.conftest import Open
from tests.ui.test_chat_journey import RESTING_PLACE, ask

# Links whose targets come last, so that blocks which were final are mended at the end.
LATE = "\n\nAll of [this] and [that].\n\n[this]: https://example.com/this\n[that]: https://example.com/that\n"
BLOCKS = "(e) => [...e.querySelectorAll('.run')].map((run) => [...run.children].map((block) => block.localName))"
WATCH_SPEECH = """() => {
  window.spoken = [];
  new MutationObserver((changes) => window.spoken.push(changes.flatMap(
    (change) => [...change.addedNodes].map((line) => line.textContent)))).observe(
      document.querySelector('.speech'), { childList: true });
}"""


async def test_long_answer_in_pieces_becomes_the_same_runs_of_blocks_as_the_whole_text(open_page: Open) -> None:
    one = await open_page("busy")
    world = one.fake.world
    world.answer = "See [this].\n\n" + document(12) + LATE
    shown = []
    for piece, rate in ((40, 400.0), (977, 0.0), (1_000_000, 0.0)):
        world.piece, one.fake.rate = piece, rate
        await one.page.keyboard.press("Control+n")
        await ask(one.page, "Write")
        await expect(one.page.locator(".stats")).to_have_count(1, timeout=30_000)
        await expect(one.page.locator("answer-text code.math:not(.drawn)")).to_have_count(0)
        shown.append(await one.page.locator("answer-text").evaluate("(e) => e.innerHTML"))
    await one.page.reload()
    await expect(one.page.locator("answer-text code.math:not(.drawn)")).to_have_count(0)
    await expect(one.page.get_by_role("link", name="this")).to_have_count(2)
    shown.append(await one.page.locator("answer-text").evaluate("(e) => e.innerHTML"))
    assert len(set(shown)) == 1

    runs = await one.page.locator("answer-text").evaluate(BLOCKS)
    assert len(runs) > 3
    assert all(8 <= len(run) <= 10 for run in runs[:-1])
    assert all(run[-1] != "h2" for run in runs)


async def test_fast_answer_is_spoken_whole_but_not_sentence_by_sentence(open_page: Open) -> None:
    one = await open_page("busy", rate=400)
    one.fake.world.piece = 8
    sentences = [f"Sentence number {number} is here." for number in range(150)]
    one.fake.world.answer = " ".join(sentences)
    await expect(one.page.locator(".conversation-row").first).to_be_visible()
    await one.page.evaluate(WATCH_SPEECH)
    await ask(one.page, "Speak")
    await expect(one.page.locator(".speech")).to_contain_text(sentences[-1])
    writes = [write for write in await one.page.evaluate("() => window.spoken") if write]
    assert [sentence for write in writes for sentence in write] == sentences
    assert len(writes) < 10


async def test_reader_who_moves_up_by_little_steps_is_not_taken_back_by_growing_text(open_page: Open) -> None:
    one = await open_page("busy", rate=300)
    one.fake.world.answer = "\n\n".join(f"Paragraph {number} of many." for number in range(150))
    await ask(one.page, "Tell me")
    await expect(one.page.locator("answer-text")).to_contain_text("Paragraph 25")
    thread = one.page.locator(".thread")
    await thread.hover()
    for _ in range(12):
        await one.page.mouse.wheel(0, -6)
        await one.page.evaluate("() => new Promise((done) => setTimeout(done, 60))")
    await expect(one.page.get_by_role("button", name="Jump to latest")).to_be_visible()
    top = await thread.evaluate(RESTING_PLACE)
    await expect(one.page.locator("answer-text")).to_contain_text("Paragraph 149")
    assert abs(await thread.evaluate("(e) => e.scrollTop") - top) < 2
    await one.page.mouse.wheel(0, 100_000)
    await expect(one.page.get_by_role("button", name="Jump to latest")).to_have_count(0)
    await expect(one.page.locator(".stats").last).to_be_in_viewport(timeout=30_000)
