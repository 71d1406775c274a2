"""The gateway view: addresses that are copied, names under the real rules, keys that are shown once."""

from __future__ import annotations

import re
import time

from playwright.async_api import expect

from llamero.models.access import GatewayState
from llamero.models.bridge.gateway import AliasConditions, PausedName
from llamero.models.remote import KeyState
from tests.ui.conftest import Open, Opened
from tests.ui.test_chat_journey import last_call


async def open_gateway(open_page: Open, scenario: str = "busy") -> Opened:
    one = await open_page(scenario)
    await one.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await one.page.get_by_role("link", name="Gateway").click()
    await expect(one.page.get_by_role("heading", name="API keys")).to_be_visible()
    return one


async def clipboard(one: Opened) -> str:
    return str(await one.page.evaluate("() => navigator.clipboard.readText()"))


async def test_gateway_addresses_are_copied_as_programs_want_them(open_page: Open) -> None:
    one = await open_gateway(open_page)
    for name, url in (("OpenAI", "http://127.0.0.1:5526/v1"), ("Anthropic", "http://127.0.0.1:5526")):
        button = one.page.get_by_role("button", name=f"Copy the address for {name}")
        await button.click()
        await expect(button).to_contain_text("Copied")
        assert await clipboard(one) == url


async def test_gateway_second_port_that_another_program_has_is_said(open_page: Open) -> None:
    one = await open_page("busy")
    one.fake.world.gateway = GatewayState(url="http://127.0.0.1:5526", ollama_port=11434, key_required=True)
    await one.page.get_by_role("link", name="Gateway").click()
    await expect(one.page.get_by_text("Port 11434 is not open: another program has it.")).to_be_visible()
    await expect(one.page.get_by_text("Open to whoever has a key")).to_be_visible()


async def test_gateway_model_is_edited_in_all_its_fields_and_renamed(open_page: Open) -> None:
    one = await open_gateway(open_page)
    await one.page.get_by_role("button", name="Edit house").click()
    dialog = one.page.get_by_role("dialog", name="Edit house")
    await expect(dialog.get_by_label("Request defaults")).to_have_value("temperature=0.7")
    await expect(dialog.get_by_label("Context")).to_have_value("16384")
    await dialog.get_by_label("Name", exact=True).fill("home")
    await dialog.get_by_label("Request defaults").fill('temperature=0.2\nstop=["END"]')
    await dialog.get_by_label("Threads").fill("6")
    await dialog.get_by_label("Engine flags").fill("--top-k 5")
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog).to_have_count(0)
    sent = last_call(one.fake, "save_alias")
    assert sent["former"] == "house"
    assert sent["alias"] == {
        "type": "user", "name": "home", "file": "/home/me/models/Qwen3-4B-Q4_K_M.gguf", "hub": "",
        "system_prompt": "Be brief.", "defaults": {"temperature": 0.2, "stop": ["END"]}, "context_length": 16384,
        "gpu_layers": None, "threads": 6, "parallel": None, "keep_alive_s": None, "embedding": False,
        "arguments": ["--top-k 5"], "rpc": [],
    }  # fmt: skip
    await expect(one.page.locator(".gateway-row", has_text="home")).to_have_count(1)
    await expect(one.page.get_by_role("button", name="Edit house")).to_have_count(0)


async def test_gateway_form_says_at_its_field_what_is_wrong_and_keeps_what_was_typed(open_page: Open) -> None:
    one = await open_gateway(open_page)
    await one.page.get_by_role("button", name="Name a model").click()
    dialog = one.page.get_by_role("dialog", name="Name a model")
    await expect(dialog.get_by_label("Name", exact=True)).to_be_focused()
    await dialog.get_by_label("Name", exact=True).fill("mine")
    await dialog.get_by_label("Model file").fill("models/relative.gguf")
    await dialog.get_by_label("Request defaults").fill("temperature")
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog.locator("#alias-defaults-wrong")).to_contain_text("“temperature” is no default.")
    await expect(dialog.get_by_label("Request defaults")).to_be_focused()
    await dialog.get_by_label("Request defaults").fill("")
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog.locator("#alias-file-wrong")).to_contain_text("Give its whole path.")
    await expect(dialog.get_by_label("Model file")).to_be_focused()
    await expect(dialog.get_by_label("Model file")).to_have_value("models/relative.gguf")
    await expect(dialog.get_by_label("Model file")).to_have_attribute("aria-invalid", "true")
    await one.page.keyboard.press("Escape")
    await one.page.get_by_role("button", name="Name a model").click()
    await expect(dialog.get_by_label("Name", exact=True)).to_have_value("")
    await expect(dialog.get_by_text("Give its whole path.")).to_have_count(0)


async def test_gateway_server_is_added_with_its_key_and_deleted_after_a_question(open_page: Open) -> None:
    one = await open_gateway(open_page, "first-run")
    await one.page.get_by_role("button", name="Add a remote server").click()
    dialog = one.page.get_by_role("dialog", name="Remote server")
    await dialog.get_by_label("Name", exact=True).fill("far")
    await dialog.get_by_label("Address", exact=True).fill("https://api.example.com/v1")
    await dialog.get_by_label("Key", exact=True).fill("sk-secret")
    await dialog.get_by_label("Models").fill("large\nsmall")
    await dialog.get_by_label("Prefix", exact=True).fill("far/")
    await dialog.get_by_role("button", name="Save").click()
    row = one.page.locator(".gateway-row", has_text="far/large, far/small")
    await expect(row).to_be_visible()
    assert last_call(one.fake, "save_alias")["key"] == "sk-secret"
    await row.get_by_role("button", name="Edit far").click()
    await expect(one.page.get_by_label("Key", exact=True)).to_have_value("")
    await one.page.keyboard.press("Escape")
    await row.get_by_role("button", name="Delete far").click()
    await expect(row).to_contain_text("Delete far, and forget its key?")
    await row.get_by_role("button", name="Cancel").click()
    await row.get_by_role("button", name="Delete far").click()
    await row.get_by_role("button", name="Delete", exact=True).click()
    await expect(row).to_have_count(0)


async def test_gateway_fallback_says_which_target_is_not_known_and_is_taken_back(open_page: Open) -> None:
    one = await open_gateway(open_page)
    row = one.page.locator(".gateway-row", has_text="whatever-works")
    await expect(row).to_contain_text("far/large-model → house → gone (not known)")
    await row.get_by_role("button", name="Delete whatever-works").click()
    await expect(row).to_have_count(0)
    await one.page.get_by_role("button", name="Undo").click()
    await expect(row).to_be_visible()
    await row.get_by_role("button", name="Edit whatever-works").click()
    await one.page.get_by_label("Add a name").select_option("Demo")
    await one.page.get_by_role("button", name="Save").click()
    await expect(row).to_contain_text("gone (not known) → Demo")


async def test_gateway_servers_say_how_their_keys_do_and_fallbacks_who_is_left_alone(open_page: Open) -> None:
    one = await open_page("busy")
    pause = PausedName(name="far/large-model", until=time.time() + 90, reason="it answered 429")
    one.fake.world.conditions = AliasConditions(keys={"far": KeyState.REJECTED}, paused=(pause,))
    await one.page.get_by_role("link", name="Gateway").click()
    server = one.page.locator(".gateway-row", has_text="https://api.example.com/v1")
    fallback = one.page.locator(".gateway-row", has_text="whatever-works")
    await expect(server).to_contain_text("This server does not take its key.")
    await expect(fallback).to_contain_text(
        re.compile(r"far/large-model \(left alone until [\d:]+: it answered 429\) → house")
    )
    one.fake.world.conditions = AliasConditions(keys={"far": KeyState.KEPT})
    await expect(server).to_contain_text("Its key is kept.", timeout=15_000)
    await expect(fallback).not_to_contain_text("left alone")


async def test_gateway_name_that_is_taken_back_stands_where_it_was(open_page: Open) -> None:
    one = await open_gateway(open_page)
    names = one.page.locator(".gateway-names .gateway-list").first.locator("strong")
    before = await names.all_inner_texts()
    assert before[0] == "house"
    await one.page.get_by_role("button", name="Delete house").click()
    await expect(names).to_have_text(before[1:])
    await one.page.get_by_role("button", name="Undo").click()
    await expect(names).to_have_text(before)


async def test_gateway_key_is_shown_once_and_revoked_after_a_question(open_page: Open) -> None:
    one = await open_gateway(open_page)
    await one.page.get_by_label("Name of the program").fill("notebook")
    await one.page.get_by_label("load and unload them").check()
    await one.page.get_by_label("Requests per minute").fill("none")
    await one.page.get_by_role("button", name="Create key").click()
    await expect(one.page.get_by_text("Give a whole number from 1 up")).to_be_visible()
    await one.page.get_by_label("Requests per minute").fill("30")
    await one.page.get_by_role("button", name="Create key").click()
    dialog = one.page.get_by_role("dialog", name="The key of notebook")
    secret = await dialog.locator("code").inner_text()
    await dialog.get_by_role("button", name="Copy the key").click()
    await expect(dialog.get_by_text("Copied")).to_be_visible()
    assert await clipboard(one) == secret
    await dialog.get_by_role("button", name="Done").click()
    assert secret not in await one.page.content()
    asked = last_call(one.fake, "create_api_key")
    assert asked == {
        "name": "notebook", "scopes": ["inference", "management"],
        "requests_per_minute": 30, "streams": None, "days": None,
    }  # fmt: skip
    await expect(one.page.get_by_label("Name of the program")).to_have_value("")
    row = one.page.locator(".gateway-row", has_text="notebook")
    await expect(row).to_contain_text(re.compile("30 requests/min.*never used"))

    await one.page.get_by_label("Name of the program").fill("notebook")
    await one.page.get_by_role("button", name="Create key").click()
    await expect(one.page.locator("#key-name-wrong")).to_contain_text("of the name notebook already")
    await row.get_by_role("button", name="Revoke notebook").click()
    await expect(row).to_contain_text("Programs that use it are refused from now on.")
    await row.get_by_role("button", name="Revoke", exact=True).click()
    await expect(row).to_have_count(0)


async def test_gateway_in_a_browser_tab_says_how_a_key_is_made(open_page: Open) -> None:
    one = await open_gateway(open_page, "long")  # no native dialogs: this is a tab
    await expect(one.page.get_by_text("llamero key create NAME")).to_be_visible()
    await expect(one.page.get_by_role("button", name="Create key")).to_have_count(0)
