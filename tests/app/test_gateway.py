"""The gateway view of the real app: what it shows works for a program, from the next request on."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path

from playwright.async_api import Locator, expect

from tests.app.conftest import OpenWindow
from tests.app.test_looks import look
from tests.app.world import running_app
from tests.process.cli import Home
from tests.process.test_cli_key import free_port


def answer_of(url: str, model: str, key: str = "any") -> tuple[int, str]:
    """Status and words of a model, asked as a program would."""
    body = {"model": model, "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 8}
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    request = urllib.request.Request(f"{url}/chat/completions", json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, json.load(response)["choices"][0]["message"]["content"]
    except urllib.error.HTTPError as error:
        return error.code, ""


async def test_name_given_in_the_page_answers_at_the_address_that_it_shows(
    home: Home, windows: OpenWindow, demo_model: Path
) -> None:
    with running_app(home) as app:
        window = await windows(app, tolerated=["status of 400"])  # a form that is refused
        page = window.page
        await page.get_by_role("link", name="Gateway").click()
        url = await page.locator(".addresses code").first.inner_text()
        assert url == f"{app.gateway.rstrip('/')}/v1"
        await window.button("Name a model").click()
        dialog = page.get_by_role("dialog", name="Name a model")
        await dialog.get_by_label("Name", exact=True).fill("guide")
        await dialog.get_by_label("Model file").fill("demo.gguf")
        await dialog.get_by_role("button", name="Save").click()
        await expect(dialog.get_by_text("Give its whole path.")).to_be_visible()
        await dialog.get_by_label("Name", exact=True).fill("guide")
        await dialog.get_by_label("Model file").fill(str(demo_model))
        await dialog.get_by_role("button", name="Save").click()
        row: Locator = page.locator(".gateway-row", has_text=str(demo_model)).filter(has_text="guide")
        await expect(row).to_be_visible()
        status, words = answer_of(url, "guide")
        assert (status, bool(words)) == (200, True)
        await expect(row.get_by_label("Ready")).to_be_visible()

        await window.button("Add a fallback").click()
        await page.get_by_label("Name", exact=True).fill("any")
        await page.get_by_label("Tried in this order").fill("nobody\nguide")
        await window.button("Save").click()
        await expect(page.get_by_text("So far there is nothing called nobody.")).to_be_visible()
        await expect(page.locator(".gateway-row", has_text="nobody (not known) → guide")).to_be_visible()
        await look(window, "gateway")

        await window.button("Edit guide").click()
        await page.get_by_label("Name", exact=True).fill("leader")
        await window.button("Save").click()
        await expect(window.button("Delete leader")).to_be_visible()
        assert answer_of(url, "guide")[0] == 404
        assert answer_of(url, "leader")[0] == 200
        await window.button("Delete leader").click()
        await expect(window.button("Delete leader")).to_have_count(0)
        assert answer_of(url, "leader")[0] == 404
        await window.button("Undo").click()
        await expect(window.button("Delete leader")).to_be_visible()
        assert answer_of(url, "leader")[0] == 200


async def test_key_that_is_revoked_in_the_page_lets_nobody_in_any_more(home: Home, windows: OpenWindow) -> None:
    second = free_port()
    home.write_settings(f"[gateway]\nrequire_key = true\nollama_port = {second}\n")
    secret = home.run("key", "create", "editor", "--rate", "600").stdout.strip()
    with running_app(home) as app:
        url = f"{app.gateway.rstrip('/')}/v1"
        model = "demo"
        assert answer_of(url, model, secret)[0] == 200
        assert answer_of(url, model)[0] == 401
        window = await windows(app)
        await window.page.get_by_role("link", name="Gateway").click()
        await expect(window.page.get_by_text("Open to whoever has a key")).to_be_visible()
        await expect(window.page.locator(".addresses code").last).to_have_text(f"http://127.0.0.1:{second}")
        row = window.page.locator(".gateway-row", has_text="editor")
        await expect(row).to_contain_text("600 requests/min")
        await expect(row).to_contain_text("last used")
        await expect(window.page.get_by_text("llamero key create NAME")).to_be_visible()  # a tab makes none
        await window.button("Revoke editor").click()
        await row.get_by_role("button", name="Revoke", exact=True).click()
        await expect(row).to_have_count(0)
        assert answer_of(url, model, secret)[0] == 401
