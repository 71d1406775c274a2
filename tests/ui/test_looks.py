"""Every view and state in both themes and at both sizes: contrast is measured, and pictures are kept to be looked at.

Pictures: `tests/artifacts/<state>-<theme>-<width>.png`. At one of the sizes axe looks for what keeps somebody out who
uses the page by ear, by keyboard or by voice.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

import pytest
from msgspec.structs import replace
from playwright.async_api import FilePayload, expect

from llamero.models.access import GatewayState
from llamero.models.conversations import MessageError
from tests.conftest import ROOT
from tests.fakes.fake_bridge.scenarios import TOO_LARGE
from tests.ui.conftest import ARTIFACTS, Open, Opened

# WCAG AA: 4.5 for text, 3 for large text. Disabled controls are exempt. Colours are read back through a canvas, which
# understands every notation; backgrounds are laid over each other as the page does.
POOR_CONTRAST = """() => {
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, under) => top.slice(0, 3).map((value, i) => value * top[3] + under[i] * (1 - top[3]));
  const luminance = (color) => color.slice(0, 3).map((value) => value / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
    .reduce((sum, value, i) => sum + value * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) {
      layers.push(rgba(getComputedStyle(at).backgroundColor));
      if (layers.at(-1)[3] === 1) break;
    }
    return layers.reverse().reduce((under, layer) => over(layer, under), [255, 255, 255]);
  };
  const poor = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim()) continue;
    if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
    if (element.closest('.visually-hidden, :disabled, mark, title, script, annotation')) continue;
    const style = getComputedStyle(element);
    const below = ground(element);
    const ink = over(rgba(style.color), below);
    const [light, dark] = [luminance(ink), luminance(below)].sort((a, b) => b - a);
    const ratio = (light + 0.05) / (dark + 0.05);
    const large = parseFloat(style.fontSize) >= 24 ||
      (parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 600);
    if (ratio >= (large ? 3 : 4.5)) continue;
    const name = element.className || element.localName;
    poor.push(`${ratio.toFixed(2)} ${name}: ${walker.currentNode.data.trim().slice(0, 40)}`);
  }
  return poor;
}"""

SIDEWAYS = """() => [...document.querySelectorAll(
    'html, body, .view, .chat, .thread, .list, .metrics, .metrics-charts, .metrics-card, '
    + '.settings-column, .settings-groups, .page, .page-body, .lines, .bench-body, .requests-list, '
    + '.requests-detail, .detail-body, '
    + 'dialog')]
  .filter((e) => e.scrollWidth > e.clientWidth + 1).map((e) => e.className || e.localName)"""

AXE = ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
BARRIERS = """async () => (await axe.run(document, { resultTypes: ['violations'] })).violations
  .flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target.join(' ')}: ${node.html.slice(0, 160)}`))"""

State = Callable[[Opened], Awaitable[None]]


async def open_list(one: Opened) -> None:
    if not await one.page.locator(".list").is_visible():
        await one.page.get_by_role("button", name="Show conversations").click()


async def open_conversation(one: Opened, title: str) -> None:
    await open_list(one)
    await one.page.get_by_role("button", name=re.compile(title)).first.click()
    await expect(one.page.locator(".message").first).to_be_visible()
    await one.page.mouse.move(0, 0)


async def ask(one: Opened, text: str = "How do I cross the pass?") -> None:
    await one.page.get_by_role("textbox", name="Message", exact=True).fill(text)
    await one.page.keyboard.press("Enter")


async def first_run(one: Opened) -> None:
    await expect(one.page.get_by_role("heading", name="Welcome")).to_be_visible()


async def new_chat(one: Opened) -> None:
    await expect(one.page.get_by_role("heading", name="What would you like to ask?")).to_be_visible()


async def conversation(one: Opened) -> None:
    await open_conversation(one, "Crossing the Andes")
    await expect(one.page.locator("answer-text math")).to_have_count(1)


async def conversation_top(one: Opened) -> None:
    await conversation(one)
    await one.page.locator(".reasoning summary").click()
    await one.page.locator(".thread").evaluate("(e) => e.scrollTo(0, 0)")
    await expect(one.page.get_by_role("button", name="Jump to latest")).to_be_visible()
    await one.page.locator(".bubble").first.hover()


async def streaming(one: Opened) -> None:
    one.fake.rate = 60
    one.fake.world.reasoning = "The pass is high. Which llama goes first?"
    await ask(one)
    await expect(one.page.locator("answer-text").last).to_contain_text("switchbacks")
    one.fake.commands.hold.clear()


async def thinking(one: Opened) -> None:
    one.fake.rate = 60
    one.fake.world.reasoning = "The pass is high, and the reader asks which of the llamas goes first over it. " * 9
    await ask(one)
    await expect(one.page.locator("reasoning-line")).to_contain_text("goes first over it")
    one.fake.commands.hold.clear()


async def waiting(one: Opened) -> None:
    one.fake.commands.hold.clear()
    await ask(one)
    await expect(one.page.locator(".progress")).to_contain_text("Reading")


async def failed(one: Opened) -> None:
    await open_conversation(one, "borrow checker")


async def interrupted(one: Opened) -> None:
    await open_conversation(one, "Letter to the landlord")


async def models(one: Opened) -> None:
    await expect(one.page.get_by_title("Choose a model")).to_contain_text("Qwen")
    await one.page.get_by_title("Choose a model").click()
    await one.page.get_by_role("button", name="Type a path…").click()


async def settings(one: Opened) -> None:
    await conversation(one)
    await one.page.get_by_role("button", name="Answers and model").click()
    await expect(one.page.get_by_label("Temperature")).to_be_visible()


async def settings_end(one: Opened) -> None:
    await settings(one)
    await one.page.locator(".panel").evaluate("(e) => e.scrollTo(0, 100000)")


async def log(one: Opened) -> None:
    await failed(one)
    await one.page.get_by_role("button", name="Show log").click()
    await expect(one.page.locator("dialog.log")).to_be_visible()


async def search(one: Opened) -> None:
    await open_list(one)
    await one.page.get_by_role("searchbox").fill("pass")
    await expect(one.page.locator(".list mark").first).to_be_visible()


async def renaming(one: Opened) -> None:
    await open_list(one)
    await one.page.get_by_role("button", name="Regex for dates").focus()
    await one.page.keyboard.press("F2")
    await expect(one.page.get_by_role("textbox", name="Title")).to_be_focused()


async def deleted(one: Opened) -> None:
    await open_list(one)
    await one.page.get_by_role("button", name="Regex for dates").focus()
    await one.page.keyboard.press("Delete")
    await expect(one.page.get_by_role("button", name="Undo")).to_be_visible()


async def message_menu(one: Opened) -> None:
    await conversation(one)
    message = one.page.locator(".message").nth(1)
    await message.hover()
    await message.get_by_role("button", name="More actions").click()
    await expect(one.page.get_by_role("menu")).to_be_visible()


async def fork(one: Opened) -> None:
    await message_menu(one)
    await one.page.get_by_role("menuitem", name="Fork from here").click()
    await expect(one.page.locator(".message")).to_have_count(2)
    await one.page.locator(".thread").evaluate("(e) => e.scrollTo(0, 0)")
    await expect(one.page.locator(".fork-mark")).to_be_visible()


async def message_deleted(one: Opened) -> None:
    await conversation(one)
    message = one.page.locator(".message").last
    await message.hover()
    await message.get_by_role("button", name="More actions").click()
    await one.page.get_by_role("menuitem", name="Delete").click()
    await expect(one.page.get_by_role("button", name="Get an answer")).to_be_visible()


async def trash(one: Opened) -> None:
    await deleted(one)
    await one.page.get_by_role("button", name="Recently deleted").click()
    await expect(one.page.get_by_role("button", name="Restore Regex for dates")).to_be_visible()


async def trash_empty(one: Opened) -> None:
    await open_list(one)
    await one.page.get_by_role("button", name="Recently deleted").click()
    await expect(one.page.get_by_text("Nothing here.")).to_be_visible()


async def editing(one: Opened) -> None:
    await conversation(one)
    await one.page.locator(".message.is-user").last.hover()
    await one.page.get_by_role("button", name="Edit", exact=True).last.click()
    await expect(one.page.get_by_role("textbox", name="Edit your message")).to_be_focused()


FILES = [
    FilePayload(name="crossing.md", mimeType="", buffer=b"# The crossing\n\nThe pass is high and cold.\n" * 40),
    FilePayload(name="heights-of-all-passes-of-the-andes.csv", mimeType="", buffer=b"pass,height\n" * 9000),
    FilePayload(name="plan.py", mimeType="", buffer=b"print('go')\n"),
]


async def attached(one: Opened) -> None:
    await conversation(one)
    await one.page.locator("#attach-files").set_input_files(FILES)
    await expect(one.page.locator(".composer .attachment")).to_have_count(3)
    await one.page.get_by_role("textbox", name="Message", exact=True).fill("Which of these passes is open in June?")


async def attached_pictures(one: Opened) -> None:
    one.fake.world.models[:] = [replace(model, sees=False) for model in one.fake.world.models]
    one.fake.event("models", one.fake.world.models)
    await conversation(one)
    picture = (ROOT / "backend/llamero/assets/icon.png").read_bytes()
    pictures = [FilePayload(name=f"llama {n}.png", mimeType="image/png", buffer=picture) for n in range(2)]
    await one.page.locator("#attach-files").set_input_files([*pictures, FILES[0]])
    await expect(one.page.locator(".composer .attachment")).to_have_count(3)
    await expect(one.page.locator(".composer attached-picture canvas")).to_have_count(2)
    await expect(one.page.get_by_text("cannot see pictures")).to_be_visible()


async def attached_pictures_sent(one: Opened) -> None:
    await attached_pictures(one)
    one.fake.world.models[:] = [replace(model, sees=True) for model in one.fake.world.models]
    one.fake.event("models", one.fake.world.models)
    await one.page.get_by_role("textbox", name="Message", exact=True).fill("Which of these llamas leads?")
    await one.page.get_by_role("button", name="Send", exact=True).click()
    await expect(one.page.locator(".message.is-user .attachment")).to_have_count(3)
    await expect(one.page.get_by_role("button", name="Stop")).to_have_count(0)
    await one.page.locator(".message.is-user").last.scroll_into_view_if_needed()
    await expect(one.page.locator(".message.is-user attached-picture canvas")).to_have_count(2)


async def attached_picture_shown(one: Opened) -> None:
    await attached_pictures(one)
    await one.page.get_by_role("button", name="Show llama 0.png").click()
    await expect(one.page.get_by_role("dialog").get_by_role("img")).to_be_visible()


async def attached_sent(one: Opened) -> None:
    await attached(one)
    await one.page.keyboard.press("Enter")
    await expect(one.page.locator(".message.is-user .attachment")).to_have_count(3)
    await expect(one.page.get_by_role("button", name="Stop")).to_have_count(0)


async def attached_editing(one: Opened) -> None:
    await attached_sent(one)
    await one.page.get_by_role("button", name="Edit", exact=True).last.click()
    await expect(one.page.get_by_role("textbox", name="Edit your message")).to_be_focused()


async def attached_shown(one: Opened) -> None:
    await attached(one)
    await one.page.locator(".composer .attachment-open").first.click()
    await expect(one.page.get_by_role("dialog")).to_contain_text("The pass is high")


async def dropping(one: Opened) -> None:
    await conversation(one)
    await one.page.evaluate("""() => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File(['x'], 'a.py'));
      document.body.dispatchEvent(new DragEvent('dragover', { dataTransfer, bubbles: true, cancelable: true }));
    }""")
    await expect(one.page.get_by_text("Drop files to attach them")).to_be_visible()


async def editing_answer(one: Opened) -> None:
    await conversation(one)
    await one.page.locator(".message").nth(1).hover()
    await one.page.get_by_role("button", name="Edit answer").first.click()
    await expect(one.page.get_by_role("textbox", name="Edit the answer")).to_be_focused()


async def edited_answer(one: Opened) -> None:
    await editing_answer(one)
    await one.page.get_by_role("textbox", name="Edit the answer").fill("A low place between *two* peaks.")
    await one.page.get_by_role("button", name="Save", exact=True).click()
    await expect(one.page.locator(".stats")).to_have_text("Edited · Qwen3-4B-Q4_K_M")


async def long_draft(one: Opened) -> None:
    await one.page.get_by_role("textbox", name="Message", exact=True).fill("A line of a long question.\n" * 30)


async def lost(one: Opened) -> None:
    await conversation(one)
    one.fake.accepting = False
    await one.fake.drop_connections()
    await expect(one.page.locator(".banner")).to_be_visible()


async def refused(one: Opened) -> None:
    await one.page.evaluate("() => sessionStorage.setItem('llamero.token', 'old')")
    await one.page.reload()
    await expect(one.page.get_by_role("heading", name="This page has an old key")).to_be_visible()


async def metrics(one: Opened) -> None:
    await one.page.get_by_title("Open the metrics").click()
    await expect(one.page.locator(".metrics-plot canvas").last).to_be_visible()
    await expect(one.page.locator("[data-plot=cpu] canvas")).to_be_visible()


async def metrics_day(one: Opened) -> None:
    await metrics(one)
    await one.page.get_by_text("24 h", exact=True).click()
    await one.page.get_by_text("Each core").click()
    await expect(one.page.get_by_label("24 h")).to_be_checked()
    await one.page.locator("[data-plot=cpu]").hover(position={"x": 200, "y": 60})
    await expect(one.page.locator(".metrics-time")).to_contain_text(":")


async def metrics_end(one: Opened) -> None:
    await metrics(one)
    await one.page.locator(".metrics-charts").evaluate("(e) => e.scrollTo(0, 100000)")


async def metrics_first(one: Opened) -> None:
    one.fake.world.measured_for_s = 1
    await one.page.get_by_title("Open the metrics").click()
    await expect(one.page.get_by_text("Measuring has just begun")).to_be_visible()


async def crashed(one: Opened) -> None:
    one.fake.world.answer = "The pass is"
    one.fake.world.error = MessageError(code="server_error-engine_crashed", message="The engine ended unexpectedly.")
    await ask(one)
    await expect(one.page.get_by_role("alert")).to_be_visible()


async def open_view(one: Opened, name: str) -> None:
    await one.page.get_by_role("link", name=name).click()


async def servers(one: Opened) -> None:
    await open_view(one, "Servers")
    await expect(one.page.get_by_text("Ended unexpectedly 2 times")).to_be_visible()
    await expect(one.page.locator(".server")).to_have_count(3)


async def server_unfolded(one: Opened) -> None:
    await servers(one)
    card = one.page.locator(".server").first
    await card.get_by_text("5 arguments").click()
    await card.get_by_text("Output").click()
    await expect(card.locator("server-output")).to_contain_text("task 699")
    await card.locator(".facts").scroll_into_view_if_needed()
    await card.locator("server-output").scroll_into_view_if_needed()


async def servers_end(one: Opened) -> None:
    await servers(one)
    await one.page.locator(".page-body").evaluate("(e) => e.scrollTo(0, 100000)")


async def no_servers(one: Opened) -> None:
    one.fake.world.servers.clear()
    one.fake.event("servers", [])
    await open_view(one, "Servers")
    await expect(one.page.get_by_role("heading", name="No model is running")).to_be_visible()


async def logs(one: Opened) -> None:
    await open_view(one, "Logs")
    await expect(one.page.locator(".log-line").last).to_contain_text("task 119")


async def logs_filtered(one: Opened) -> None:
    await logs(one)
    await one.page.get_by_label("Least level").select_option("warning")
    await expect(one.page.locator(".log-line.is-error").first).to_contain_text("no space left")


async def bench(one: Opened) -> None:
    await one.page.get_by_role("link", name="Bench").click()
    await expect(one.page.locator(".bench-card")).to_have_count(3)


async def bench_end(one: Opened) -> None:
    await bench(one)
    await one.page.locator(".bench-body").evaluate("(e) => e.scrollTo(0, 100000)")


async def bench_running(one: Opened) -> None:
    one.fake.world.benches.step("Qwen3-4B-Q4_K_M", 3)
    await bench(one)
    await expect(one.page.get_by_role("progressbar")).to_be_visible()


async def bench_failed(one: Opened) -> None:
    await bench(one)
    one.fake.event("bench", one.fake.world.benches.finish("m", error=TOO_LARGE))
    await expect(one.page.get_by_role("alert")).to_be_visible()


async def bench_first(one: Opened) -> None:
    await one.page.get_by_role("link", name="Bench").click()
    await expect(one.page.get_by_role("heading", name="How fast is it here?")).to_be_visible()


async def requests(one: Opened) -> None:
    await one.page.get_by_role("link", name="Requests").click()
    await expect(one.page.locator(".request").first).to_be_visible()
    await one.page.mouse.move(0, 0)


async def request_of(one: Opened, text: str, tab: str = "Overview") -> None:
    await requests(one)
    await one.page.locator(".request", has_text=text).first.click()
    await one.page.get_by_role("tab", name=tab).click()
    await one.page.mouse.move(0, 0)


async def request_loaded(one: Opened) -> None:
    await request_of(one, "curl")


async def request_fallback(one: Opened) -> None:
    await request_of(one, "Translate the sign")
    await expect(one.page.locator(".steps")).to_contain_text("it answered 503")


async def request_failed(one: Opened) -> None:
    await request_of(one, "9,120 tokens")


async def request_sent(one: Opened) -> None:
    await request_of(one, "curl", "Sent to engine")
    await one.page.get_by_label("Show only what Llamero changed").check()
    await expect(one.page.locator(".diff-line.is-added").first).to_be_visible()


async def request_prompt(one: Opened) -> None:
    await request_of(one, "curl", "Prompt")
    await one.page.get_by_role("button", name="Show the prompt").click()
    await expect(one.page.locator(".requests-text")).to_contain_text("im_start")


async def request_events(one: Opened) -> None:
    await request_of(one, "curl", "Events")
    await expect(one.page.locator(".request-events li").first).to_be_visible()


async def requests_compared(one: Opened) -> None:
    await requests(one)
    for row in (1, 2):
        await one.page.locator(".requests-list input[type=checkbox]").nth(row).check(force=True)
    await expect(one.page.locator(".requests-detail .diff-line.is-added").first).to_be_visible()
    await one.page.mouse.move(0, 0)


async def requests_without_content(one: Opened) -> None:
    await requests(one)
    await one.page.get_by_label("Keep what is said").uncheck()
    await request_of(one, "curl", "Request")
    await expect(one.page.locator(".detail-body")).to_contain_text("was not kept")


async def requests_none(one: Opened) -> None:
    one.fake.world.requests.clear()
    await one.page.get_by_role("link", name="Requests").click()
    await expect(one.page.get_by_role("heading", name="No requests yet")).to_be_visible()


async def gateway(one: Opened) -> None:
    await one.page.get_by_role("link", name="Gateway").click()
    await expect(one.page.get_by_role("heading", name="API keys")).to_be_visible()
    await expect(one.page.get_by_text("Anthropic")).to_be_visible()


async def gateway_model(one: Opened) -> None:
    await gateway(one)
    await one.page.get_by_role("button", name="Edit house").click()
    await one.page.get_by_label("Or a file of the hub").fill("not a hub file")
    await one.page.get_by_role("button", name="Save").click()
    await expect(one.page.get_by_text("give either a file or a hub file")).to_be_visible()


async def gateway_server(one: Opened) -> None:
    await gateway(one)
    await one.page.get_by_role("button", name="Add a remote server").click()
    await expect(one.page.get_by_label("Address", exact=True)).to_be_visible()


async def gateway_empty(one: Opened) -> None:
    one.fake.world.gateway = GatewayState(url="http://127.0.0.1:5526", ollama_port=11434)
    await one.page.get_by_role("link", name="Gateway").click()
    await expect(one.page.get_by_text("No names of your own yet.")).to_be_visible()
    await expect(one.page.get_by_text("No keys yet.")).to_be_visible()


async def gateway_key(one: Opened) -> None:
    await gateway(one)
    await one.page.get_by_label("Name of the program").fill("notebook")
    await one.page.get_by_role("button", name="Create key").click()
    await expect(one.page.get_by_role("heading", name="The key of notebook")).to_be_visible()


async def preferences(one: Opened, group: str = "General") -> None:
    await open_view(one, "Settings")
    await one.page.get_by_role("button", name=group, exact=True).click()
    await expect(one.page.locator(".setting").first).to_be_visible()


async def preferences_gateway(one: Opened) -> None:
    await preferences(one, "Gateway")


async def preferences_changed(one: Opened) -> None:
    await preferences(one, "Models")
    await one.page.get_by_label("Models loaded at once", exact=True).fill("4")
    await one.page.keyboard.press("Tab")
    await expect(one.page.get_by_text("Still 2 until Llamero is started again.")).to_be_visible()


async def preferences_desktop(one: Opened) -> None:
    await preferences(one, "Desktop")


async def preferences_about(one: Opened) -> None:
    one.fake.world.native_dialogs = True
    await one.page.reload()
    await preferences(one, "About")
    await one.page.get_by_role("button", name="Show licenses").click()
    await expect(one.page.locator(".license").first).to_be_visible()


async def preferences_update(one: Opened) -> None:
    await preferences(one, "About")
    await one.page.get_by_role("button", name="Check for updates").click()
    await expect(one.page.get_by_role("button", name="Download")).to_be_visible()


async def preferences_license(one: Opened) -> None:
    await preferences_about(one)
    await one.page.get_by_role("button", name="aiohttp").click()
    await expect(one.page.get_by_role("dialog")).to_contain_text("Apache License")


STATES: dict[str, tuple[str, State]] = {
    "first-run": ("first-run", first_run),
    "no-models": ("nothing", first_run),
    "new-chat": ("busy", new_chat),
    "conversation": ("busy", conversation),
    "conversation-top": ("busy", conversation_top),
    "waiting": ("busy", waiting),
    "thinking": ("busy", thinking),
    "streaming": ("busy", streaming),
    "failed": ("busy", failed),
    "crashed": ("busy", crashed),
    "interrupted": ("busy", interrupted),
    "models": ("busy", models),
    "settings": ("busy", settings),
    "settings-end": ("busy", settings_end),
    "log": ("busy", log),
    "search": ("busy", search),
    "renaming": ("busy", renaming),
    "deleted": ("busy", deleted),
    "trash": ("busy", trash),
    "trash-empty": ("busy", trash_empty),
    "editing": ("busy", editing),
    "editing-answer": ("busy", editing_answer),
    "edited-answer": ("busy", edited_answer),
    "message-menu": ("busy", message_menu),
    "fork": ("busy", fork),
    "message-deleted": ("busy", message_deleted),
    "long-draft": ("busy", long_draft),
    "attached": ("busy", attached),
    "attached-sent": ("busy", attached_sent),
    "attached-pictures": ("busy", attached_pictures),
    "attached-pictures-sent": ("busy", attached_pictures_sent),
    "attached-picture-shown": ("busy", attached_picture_shown),
    "attached-editing": ("busy", attached_editing),
    "attached-shown": ("busy", attached_shown),
    "dropping": ("busy", dropping),
    "servers": ("supervised", servers),
    "server-unfolded": ("supervised", server_unfolded),
    "servers-end": ("supervised", servers_end),
    "servers-none": ("supervised", no_servers),
    "logs": ("supervised", logs),
    "logs-filtered": ("supervised", logs_filtered),
    "lost": ("busy", lost),
    "metrics": ("measuring", metrics),
    "metrics-day": ("measuring", metrics_day),
    "metrics-end": ("measuring", metrics_end),
    "metrics-first": ("nothing", metrics_first),
    "bench": ("busy", bench),
    "bench-end": ("busy", bench_end),
    "bench-running": ("busy", bench_running),
    "bench-failed": ("busy", bench_failed),
    "bench-first": ("first-run", bench_first),
    "bench-no-models": ("nothing", bench_first),
    "refused": ("busy", refused),
    "requests": ("busy", requests),
    "request-loaded": ("busy", request_loaded),
    "request-fallback": ("busy", request_fallback),
    "request-failed": ("busy", request_failed),
    "request-sent": ("busy", request_sent),
    "request-prompt": ("busy", request_prompt),
    "request-events": ("busy", request_events),
    "requests-compared": ("busy", requests_compared),
    "requests-without-content": ("busy", requests_without_content),
    "requests-none": ("busy", requests_none),
    "gateway": ("busy", gateway),
    "gateway-model": ("busy", gateway_model),
    "gateway-server": ("busy", gateway_server),
    "gateway-empty": ("first-run", gateway_empty),
    "gateway-key": ("busy", gateway_key),
    "preferences": ("busy", preferences),
    "preferences-gateway": ("busy", preferences_gateway),
    "preferences-changed": ("busy", preferences_changed),
    "preferences-desktop": ("busy", preferences_desktop),
    "preferences-about": ("busy", preferences_about),
    "preferences-update": ("busy", preferences_update),
    "preferences-license": ("busy", preferences_license),
}


@pytest.mark.parametrize("size", [(1280, 800), (800, 560)], ids=["wide", "narrow"])
@pytest.mark.parametrize("name", STATES)
async def test_state_can_be_read_and_fits(open_page: Open, name: str, size: tuple[int, int]) -> None:
    scenario, reach = STATES[name]
    one = await open_page(scenario, width=size[0], height=size[1])
    await expect(one.page.locator(".strip")).to_contain_text("RAM")
    await reach(one)
    ARTIFACTS.mkdir(exist_ok=True)
    for theme in ("light", "dark"):
        await one.page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        await one.page.screenshot(path=ARTIFACTS / f"{name}-{theme}-{size[0]}.png")
        assert await one.page.evaluate(POOR_CONTRAST) == [], theme
    assert await one.page.evaluate(SIDEWAYS) == []
    if size[0] == 1280:
        await one.page.evaluate(f"{AXE.read_text()}; undefined")
        assert await one.page.evaluate(BARRIERS) == []
    one.fake.commands.hold.set()


async def test_every_view_is_reached_in_a_low_window(open_page: Open) -> None:
    one = await open_page("busy", width=640, height=400)
    for name in ("Metrics", "Servers", "Requests", "Gateway", "Logs", "Bench", "Settings", "Chat"):
        link = one.page.get_by_role("link", name=name, exact=True)
        await link.click()
        await expect(link).to_have_attribute("aria-current", "page")


async def test_what_is_current_is_told_without_backgrounds(open_page: Open) -> None:
    one = await open_page("busy")
    await one.page.emulate_media(forced_colors="active")
    await open_conversation(one, "Crossing the Andes")
    for current in (".rail-item[aria-current=page]", ".conversation[aria-current=page]"):
        await expect(one.page.locator(current)).to_have_css("outline-style", "solid")
    await open_view(one, "Metrics")
    await expect(one.page.locator(".segment input:checked + span")).to_have_css("outline-style", "solid")
