"""What an answer says never becomes script, a navigation or a request, whatever its pieces and wherever it is shown."""

from __future__ import annotations

import pytest
from msgspec import structs
from playwright.async_api import expect

from llamero.models.conversations import MessageError
from tests.ui.conftest import Open
from tests.ui.xss_vectors import VECTORS

DANGEROUS = """() => {
  const found = [];
  const allowed = /^(https?:\\/\\/|mailto:|#)/i;
  for (const element of document.querySelectorAll('.message *, .list *, .chat-header *, .toasts *, dialog *')) {
    const name = element.localName;
    if (/^(script|iframe|object|embed|link|style|meta|base|img|video|audio|source|animate|form)$/.test(name)
        && !element.matches('.path-form')) found.push(name);
    for (const { name: attribute, value } of element.attributes) {
      if (/^on/i.test(attribute) || attribute === 'style') found.push(`${name} ${attribute}`);
      const leads = /^(href|src|action|data|xlink:href)$/.test(attribute);
      if (leads && !allowed.test(value)) found.push(`${name} ${attribute}=${value}`);
    }
  }
  return found;
}"""


def test_vectors_are_at_least_forty() -> None:
    assert len(set(VECTORS)) >= 40


@pytest.mark.parametrize("piece", [1, 3, 17, 100_000])
async def test_answer_with_every_vector_stays_text(open_page: Open, piece: int) -> None:
    one = await open_page("first-run")
    one.fake.world.piece = piece
    one.fake.world.answer = "\n\n".join(VECTORS) + "\n\nThe end."
    one.fake.world.reasoning = "\n\n".join(VECTORS)
    await one.page.get_by_role("button", name="Try the demo").click()
    await expect(one.page.locator(".stats")).to_have_count(1, timeout=30_000)
    await one.page.locator(".reasoning summary").click()
    await expect(one.page.locator(".reasoning answer-text p").first).to_be_visible()
    assert await one.page.evaluate(DANGEROUS) == []

    # Nothing that can be clicked leads anywhere but out of the app; what is hovered does nothing.
    for link in await one.page.locator(".message a").all():
        assert await link.get_attribute("rel") == "noopener noreferrer"
        assert await link.get_attribute("target") == "_blank"
    await one.page.locator(".message .answer").last.hover()
    assert await one.page.evaluate("() => window.hit") is None
    assert one.page.url == f"{one.fake.origin}/"


async def test_every_other_surface_shows_vectors_as_text(open_page: Open) -> None:
    one = await open_page("busy")
    await expect(one.page.locator(".conversation-row").first).to_be_visible()
    world = one.fake.world
    hostile = "\n".join(VECTORS)
    world.models[0] = structs.replace(
        world.models[0], alias="<img src=x onerror=window.hit=1>", architecture=hostile[:300]
    )
    one.fake.event("models", world.models)
    world.servers[2] = structs.replace(world.servers[2], reason=hostile)
    one.fake.event("servers", world.servers)
    world.error = MessageError(code="x", message=hostile)
    await one.page.get_by_role("textbox", name="Message", exact=True).fill(hostile)
    await one.page.keyboard.press("Enter")
    await expect(one.page.get_by_role("alert")).to_contain_text("onerror")
    await one.page.get_by_role("alert").get_by_role("button", name="Show log").click()
    await expect(one.page.locator("dialog.log")).to_be_visible()
    await one.page.keyboard.press("Escape")
    await one.page.get_by_role("searchbox").fill("onerror")
    await expect(one.page.locator(".list mark").first).to_be_visible()
    await one.page.get_by_title("Choose a model").click()
    assert await one.page.evaluate(DANGEROUS) == []
    assert await one.page.evaluate("() => window.hit") is None


async def test_pieces_of_any_size_give_the_same_elements_as_the_whole_text(open_page: Open) -> None:
    one = await open_page("first-run")
    shown = []
    for piece in (1, 3, 17, 1_000_000):
        one.fake.world.piece = piece
        await one.page.keyboard.press("Control+n")
        await one.page.get_by_role("button", name="Try the demo").click()
        await expect(one.page.locator(".stats")).to_have_count(1, timeout=30_000)
        await expect(one.page.locator("answer-text math")).to_have_count(1)
        shown.append(await one.page.locator("answer-text").evaluate("(e) => e.innerHTML"))
    await one.page.reload()
    await expect(one.page.locator("answer-text math")).to_have_count(1)
    shown.append(await one.page.locator("answer-text").evaluate("(e) => e.innerHTML"))
    assert len(set(shown)) == 1
