"""What reaches the engine, and what a person sees of engines that are slow, die or cannot load.

The engine is a fake that keeps a journal. Every test opens a model file of its own, for which a new engine starts.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import pytest_asyncio
from playwright.async_api import expect

from llamero.models.llama import Engine
from tests.app.conftest import OpenWindow
from tests.app.world import App, Window, agree, held, running_app
from tests.fakes.launch import fake_engine, journal, set_switches
from tests.process.cli import Home, until


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return fake_engine(tmp_path_factory.mktemp("engine"))


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Iterator[App]:
    """A Llamero that runs the fake."""
    home = Home(tmp_path_factory.mktemp("app"))
    home.use_engine(engine)
    with running_app(home) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def open_model(window: Window, engine: Engine, demo_model: Path, tmp_path: Path) -> Callable[..., Any]:
    """`await open_model("slow", load_seconds=1)`: a model whose engine has these switches is the one to ask."""

    async def start(alias: str, **switches: Any) -> Path:
        set_switches(engine, **switches)
        file = tmp_path / f"{alias}.gguf"
        shutil.copy(demo_model, file)
        await window.open_model_file(file)
        await expect(window.picker).to_have_text(alias)
        return file

    return start


async def test_everything_that_is_set_reaches_the_engine(
    window: Window, engine: Engine, open_model: Callable[..., Any]
) -> None:
    file = await open_model("parameters", words=5)
    await window.set_fields(
        System_prompt="Answer like a llama.",
        Temperature=0.25,
        Top_P=0.5,
        Top_K=7,
        Min_P=0.125,
        Repeat_penalty=1.5,
        Presence_penalty=0.75,
        Frequency_penalty=-0.5,
        Longest_answer=99,
        Seed=42,
        Context_length=2048,
        GPU_layers=7,
        Threads=3,
    )
    await window.ask("What do you hear?")
    await window.answered()
    argv = journal(engine, "started")[-1]["argv"]
    for flag, value in (("--ctx-size", "2048"), ("--n-gpu-layers", "7"), ("--threads", "3"), ("--model", str(file))):
        assert argv[argv.index(flag) + 1] == value
    (body,) = (entry["body"] for entry in journal(engine, "asked")[-1:])
    assert body["messages"] == [
        {"role": "system", "content": "Answer like a llama."},
        {"role": "user", "content": "What do you hear?"},
    ]
    set_by_hand = {
        "temperature": 0.25,
        "top_p": 0.5,
        "top_k": 7,
        "min_p": 0.125,
        "repeat_penalty": 1.5,
        "presence_penalty": 0.75,
        "frequency_penalty": -0.5,
        "max_tokens": 99,
        "seed": 42,
    }
    assert {name: body[name] for name in set_by_hand} == set_by_hand


async def test_change_in_mid_conversation_holds_from_the_next_question(
    window: Window, engine: Engine, open_model: Callable[..., Any]
) -> None:
    await open_model("changes", words=5)
    await window.ask("First")
    await window.answered()
    first = await window.said()
    (body,) = (entry["body"] for entry in journal(engine, "asked")[-1:])
    assert not {"temperature", "top_p", "max_tokens"} & body.keys(), "what is left empty is the engine's choice"
    started = len(journal(engine, "started"))
    await window.set_fields(System_prompt="Be brief.", Temperature=0)
    await window.ask("Second")
    await expect(window.answers).to_have_count(2)
    await window.answered()
    (body,) = (entry["body"] for entry in journal(engine, "asked")[-1:])
    assert [message["content"] for message in body["messages"]] == ["Be brief.", "First", first, "Second"]
    assert body["temperature"] == 0
    assert len(journal(engine, "started")) == started, "how it is asked is no reason to load it again"
    await window.set_fields(Context_length=4096)
    await window.ask("Third")
    await expect(window.answers).to_have_count(3)
    await window.answered()
    argv = journal(engine, "started")[-1]["argv"]
    assert argv[argv.index("--ctx-size") + 1] == "4096"
    assert len(journal(engine, "started")) == started + 1


async def test_value_out_of_range_is_marked_and_not_saved(
    window: Window, engine: Engine, open_model: Callable[..., Any]
) -> None:
    await open_model("range", words=5)
    await window.button("Answers and model").click()
    field = window.page.get_by_label("Temperature", exact=True)
    await field.fill("3")
    await field.press("Tab")
    assert await field.evaluate("(field) => field.matches(':invalid')")
    await window.page.keyboard.press("Escape")
    await window.ask("Does this work?")
    await window.answered()
    assert "temperature" not in journal(engine, "asked")[-1]["body"]


async def test_model_that_loads_says_so_until_the_answer_comes(window: Window, open_model: Callable[..., Any]) -> None:
    await open_model("loads", words=5, load_seconds=0.7)
    await window.ask("Are you there?")
    await expect(window.page.locator(".progress")).to_contain_text("Loading loads")
    await expect(window.picker.get_by_role("img", name="Loading")).to_have_count(1)
    await window.answered()
    await expect(window.page.locator(".progress")).to_have_count(0)
    await expect(window.picker.get_by_role("img", name="Ready")).to_have_count(1)


async def test_engine_that_dies_while_loading_gives_its_reason_its_log_and_a_way_out(
    window: Window, engine: Engine, open_model: Callable[..., Any]
) -> None:
    last_lines = [
        "load: tensor 'blk.0.attn_q.weight' data is not within the file bounds",
        "model is corrupted or incomplete",
    ]
    await open_model("broken", exit_while_loading=1, last_lines=last_lines)
    await window.ask("Can you load?")
    failure = window.page.get_by_role("alert")
    await expect(failure).to_contain_text("This answer failed")
    await expect(failure).to_contain_text(re.compile("damaged or incomplete", re.IGNORECASE))
    await failure.get_by_role("button", name="Show log").click()
    log = window.page.get_by_role("dialog", name="Log of broken")
    await expect(log).to_contain_text(last_lines[0])
    await window.page.keyboard.press("Escape")
    await expect(log).to_have_count(0)
    await failure.get_by_role("button", name="Choose another model").click()
    menu = window.page.get_by_role("dialog", name="Models")
    await expect(menu.locator(".model-failure")).to_contain_text(re.compile("damaged or incomplete", re.IGNORECASE))
    await window.page.keyboard.press("Escape")
    set_switches(engine, words=5)
    await failure.get_by_role("button", name="Retry").click()
    await window.answered()
    await expect(window.page.get_by_role("alert")).to_have_count(0)
    await expect(window.page.locator(".branch-number")).to_have_text("2 / 2")


async def test_engine_that_dies_again_and_again_keeps_what_it_said_and_says_why(
    window: Window, app: App, open_model: Callable[..., Any]
) -> None:
    await open_model("crashes", words=30, tokens_per_second=200, die_after_chunks=6)
    await window.ask("How long do you live?")
    failure = window.page.get_by_role("alert")
    await expect(failure).to_contain_text("The engine")
    (saved,) = app.answers("How long do you live?")
    assert saved["status"] == "failed"
    assert len(saved["content"].split()) >= 5
    assert await window.said() == " ".join(saved["content"].split())


async def test_while_an_answer_comes_enter_waits_and_the_button_stops(
    window: Window, app: App, engine: Engine, open_model: Callable[..., Any]
) -> None:
    await open_model("paced", words=10_000, tokens_per_second=50)
    await window.ask("Speak slowly")
    await expect(window.text).not_to_be_empty()
    await window.box.fill("the next question")
    asked = len(journal(engine, "asked"))
    await window.box.press("Enter")
    await expect(window.box).to_have_value("the next question")
    await window.button("Stop").click()
    await expect(window.stats).to_contain_text("Stopped")
    await expect(window.box).to_be_focused()
    assert len(journal(engine, "asked")) == asked
    until(lambda: journal(engine, "client-gone"), what="the engine hears that nobody listens")
    await window.box.press("Enter")
    await expect(window.answers).to_have_count(2)
    await expect(window.button("Stop")).to_be_visible()
    await window.page.keyboard.press("Escape")
    await expect(window.stats).to_contain_text("Stopped")


def running(engine: Engine) -> psutil.Process:
    """The process of the engine that was started last."""
    return psutil.Process(journal(engine, "ready")[-1]["pid"])


async def test_reload_in_mid_answer_shows_what_there_is_and_what_follows(
    window: Window, app: App, engine: Engine, open_model: Callable[..., Any]
) -> None:
    await open_model("reloaded", words=300, tokens_per_second=200)
    await window.ask("Do you go on?")
    await window.begun()
    with held(running(engine)):
        before = await window.said()
        await window.page.reload()
        await expect(window.page.locator(".message.is-streaming")).to_have_count(1)
        await window.begun()
        assert agree(await window.said(), before)
    await window.answered()
    (saved,) = app.answers("Do you go on?")
    assert await window.said() == saved["content"]
    assert len(saved["content"].split()) == 300


async def test_second_window_joins_in_mid_answer(
    window: Window, app: App, engine: Engine, open_model: Callable[..., Any], windows: OpenWindow
) -> None:
    other = await windows(app)
    await open_model("joined", words=300, tokens_per_second=200)
    await window.ask("Who joins?")
    await window.begun()
    with held(running(engine)):
        await other.row("Who joins?").get_by_role("button").first.click()
        await other.begun()
        assert agree(await window.said(), await other.said())
    await window.answered()
    await other.answered()
    assert await window.said() == await other.said()
    assert len((await other.said()).split()) == 300


async def test_engine_killed_in_mid_answer_is_told_while_it_is_started_again(
    window: Window, engine: Engine, open_model: Callable[..., Any]
) -> None:
    await open_model("killed", words=300, tokens_per_second=200, load_seconds=0.5)
    await window.ask("Who kills you?")
    await window.begun()
    running(engine).kill()
    await expect(window.page.locator(".progress")).to_contain_text("killed stopped unexpectedly")
    await expect(window.text).not_to_be_empty()
    await window.answered()
    await expect(window.stats).to_contain_text("recovered once")
    assert len((await window.said()).split()) == 300


async def test_answers_of_two_chats_come_side_by_side(window: Window, open_model: Callable[..., Any]) -> None:
    await open_model("both", words=60, tokens_per_second=40)
    await window.ask("One side")
    await expect(window.text).not_to_be_empty()
    await window.new_chat()
    await expect(window.picker).to_have_text("both")
    await window.ask("Other side")
    await expect(window.text).not_to_be_empty()
    await window.row("One side").get_by_role("button").first.click()
    await expect(window.page.locator(".bubble")).to_have_text("One side")
    await window.answered()
    assert len((await window.said()).split()) == 60
    await window.row("Other side").get_by_role("button").first.click()
    await window.answered()
    assert len((await window.said()).split()) == 60


async def test_model_that_waits_for_another_says_for_which(window: Window, open_model: Callable[..., Any]) -> None:
    await open_model("first", words=10_000, tokens_per_second=50)
    await window.ask("Who holds the machine?")
    await expect(window.text).not_to_be_empty()
    await window.new_chat()
    await open_model("second", words=5)
    await window.ask("Who waits?")
    await expect(window.page.locator(".progress")).to_contain_text("Waiting for first to finish")
    await window.row("Who holds the machine?").get_by_role("button").first.click()
    await window.button("Stop").click()
    await expect(window.stats).to_contain_text("Stopped")
    await window.row("Who waits?").get_by_role("button").first.click()
    await window.answered()
