"""The servers view: what a person sees and does there, in a real browser against the fake bridge."""

from __future__ import annotations

import re

from msgspec.structs import replace
from playwright.async_api import expect

from llamero.models.bridge.servers import ServerInfo
from llamero.models.llama import EngineKind, ServerPhase
from tests.fakes.fake_bridge.scenarios import DEMO, LARGE, QWEN, SMALL
from tests.ui.conftest import Open, Opened


async def open_servers(open_page: Open, scenario: str = "supervised") -> Opened:
    one = await open_page(scenario)
    await one.page.get_by_role("link", name="Servers").click()
    await expect(one.page.get_by_role("heading", name="Servers")).to_be_visible()
    return one


def asked(one: Opened, command: str) -> list[dict[str, object]]:
    return [arguments for name, arguments in one.fake.calls if name == command]


async def test_servers_card_shows_where_each_argument_came_from(open_page: Open) -> None:
    one = await open_servers(open_page)
    card = one.page.get_by_role("article", name=QWEN.alias)
    await expect(card.locator("svg.machine")).to_have_accessible_name(
        "Not loaded, loading, ready, unloading or failed. Now: Answering"
    )
    await expect(card.locator(".facts")).to_contain_text("2 running, 3 waiting")
    await expect(card.locator(".facts")).to_contain_text(re.compile(r"Slots\d of 4 in use"))
    await expect(card.locator(".facts")).to_contain_text(re.compile(r"Context\d,\d{3} of 4,096 tokens"))
    assert one.fake.commands.watching_closely
    await card.get_by_text("5 arguments").click()
    rows = card.locator(".flags tbody tr")
    await expect(rows).to_have_text(
        [
            "--threads 8Settings",
            "--flash-attn onEngine variant",
            "--override-kv tokenizer.ggml.add_bos_token=bool:falseAlias",
            "--ctx-size 8192Model settings",
            "--n-gpu-layers 999Model settings",
        ]
    )
    await expect(card.locator(".exits li").first).to_contain_text("out of GPU memory. after running 42.5 s")


async def test_servers_buttons_do_what_they_say(open_page: Open) -> None:
    one = await open_servers(open_page)
    qwen = one.page.get_by_role("article", name=QWEN.alias)
    await qwen.get_by_role("button", name="Restart").click()
    await expect(qwen.locator(".facts")).to_contain_text("None running")
    await qwen.get_by_role("button", name="Unload").click()
    await expect(qwen).to_have_count(0)
    await one.page.get_by_role("article", name=DEMO.alias).get_by_role("button", name="Stop").click()
    await one.page.get_by_role("article", name=LARGE.alias).get_by_role("button", name="Dismiss").click()
    await expect(one.page.get_by_role("heading", name="No model is running")).to_be_visible()
    await one.page.get_by_role("button", name=f"Start {SMALL.alias}").click()
    await expect(one.page.get_by_role("article", name=SMALL.alias)).to_be_visible()
    assert asked(one, "restart_model") == [{"alias": QWEN.alias}]
    assert asked(one, "unload_model") == [{"alias": QWEN.alias}]
    assert asked(one, "stop_model") == [{"alias": DEMO.alias}, {"alias": LARGE.alias}]
    assert asked(one, "start_model") == [{"alias": SMALL.alias}]


async def test_servers_model_that_is_waited_for_says_so_in_the_list(open_page: Open) -> None:
    one = await open_servers(open_page)
    one.fake.world.servers.append(ServerInfo(alias=SMALL.alias, phase=ServerPhase.STOPPED, waiting=2))
    one.fake.event("servers", one.fake.world.servers)
    await expect(one.page.locator(".resting li", has_text=SMALL.alias)).to_contain_text("2 requests wait for it")
    await expect(one.page.locator(".page-summary")).to_have_text("1 running · 5 requests wait")


async def test_servers_model_that_needs_the_room_of_another_says_what_it_waits_for(open_page: Open) -> None:
    one = await open_servers(open_page)
    world = one.fake.world
    world.servers[0] = replace(world.servers[0], phase=ServerPhase.STOPPING, leases=0)
    world.servers.append(ServerInfo(alias=SMALL.alias, phase=ServerPhase.STARTING, held=True))
    one.fake.event("servers", world.servers)
    card = one.page.get_by_role("article", name=SMALL.alias)
    await expect(card).to_contain_text(f"It is loaded as soon as {QWEN.alias} is unloaded.")
    world.servers = [replace(world.servers[-1], held=False)]
    one.fake.event("servers", world.servers)
    await expect(card).not_to_contain_text("as soon as")


async def test_servers_output_is_live_bounded_and_asked_for_only_while_it_is_seen(open_page: Open) -> None:
    one = await open_servers(open_page)
    assert asked(one, "get_server_output") == []
    card = one.page.get_by_role("article", name=QWEN.alias)
    await card.get_by_text("Output").click()
    lines = card.locator("server-output li")
    await expect(lines).to_have_count(512)
    one.fake.world.output.append("<img src=x onerror=alert(1)> a new line")
    await expect(lines.last).to_have_text("<img src=x onerror=alert(1)> a new line")
    assert asked(one, "get_server_output")[-1]["written"] in (700, 701)
    one.fake.world.output += [f"flood {number}" for number in range(5000)]
    await expect(lines.last).to_have_text("flood 4999")
    assert await lines.count() <= 1024
    await one.page.get_by_role("link", name="Chat").click()
    await one.page.wait_for_timeout(600)  # an answer that was under way
    before = len(asked(one, "get_server_output"))
    await one.page.wait_for_timeout(1200)
    assert len(asked(one, "get_server_output")) == before


async def test_servers_card_says_for_which_engine_another_stands_in(open_page: Open) -> None:
    one = await open_servers(open_page)
    card = one.page.get_by_role("article", name=QWEN.alias)
    await expect(card.locator(".facts")).to_contain_text("From the settings · cuda")
    note = "The engine vulkan that came with Llamero does not start on this machine: no driver."
    await expect(card.get_by_text(note)).to_have_count(0)
    world = one.fake.world
    stand_in = replace(world.details[QWEN.alias], engine=EngineKind.EMBEDDED, variant="cpu", engine_note=note)
    world.details[QWEN.alias] = stand_in
    world.servers[0] = replace(world.servers[0], restarts=3)
    one.fake.event("servers", world.servers)
    await expect(card.get_by_text(note)).to_be_visible()
    await expect(card.locator(".facts")).to_contain_text("Built in · cpu")


async def test_servers_details_are_asked_again_when_their_server_changes_and_only_then(open_page: Open) -> None:
    one = await open_servers(open_page)
    card = one.page.get_by_role("article", name=QWEN.alias)
    await expect(card.get_by_text("Ended unexpectedly 2 times")).to_be_visible()
    before = len(asked(one, "get_server_details"))
    world = one.fake.world
    world.servers[0] = replace(world.servers[0], leases=1, waiting=0)
    one.fake.event("servers", world.servers)
    await expect(card.locator(".facts")).to_contain_text("1 running")
    assert len(asked(one, "get_server_details")) == before
    world.details[QWEN.alias] = replace(world.details[QWEN.alias], exits=world.details[QWEN.alias].exits[:1])
    world.servers[0] = replace(world.servers[0], restarts=3)
    one.fake.event("servers", world.servers)
    await expect(card.get_by_text("Ended unexpectedly once")).to_be_visible()
