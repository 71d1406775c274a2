"""`llamero run`: a conversation with one model, at the terminal or through a pipe.

With a prompt it answers that and leaves. Without one, a person is asked again and again, and lines from a pipe are
answered one by one. Ctrl+C ends the answer, not the conversation. It takes nothing for itself alone, so it works beside
a running Llamero.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from llamero.application import Application, demo_model, running
from llamero.commands.background import Background
from llamero.commands.options import Options, prepare
from llamero.commands.report import FAILED, INTERRUPTED, report_failure, say
from llamero.commands.signals import leave_when_terminated
from llamero.commands.terminal import Terminal
from llamero.infrastructure.messages import default_messages
from llamero.models.chat import Finished, ReasoningDelta, TextDelta
from llamero.models.errors import LlameroError, UpstreamFailed
from llamero.models.llama import LlamaCppConfig, ServerPhase

LEAVE, BEGIN_ANEW = "/bye", "/clear"


def run(options: Options) -> int:
    """Have the conversation. Raises LlameroError when there is no model to have it with."""
    # Only what stops the conversation may write into it; what is wrong with the settings is said beforehand.
    ground = prepare(options, {}, console_level="error")
    for problem in ground.resolved.problems:
        say(f"llamero: {problem.reason}")
    leave_when_terminated()
    terminal = Terminal()
    with Background(lambda: running(ground.paths, ground.resolved, exclusive=False, with_database=False)) as background:
        terminal.passing_note(default_messages().text("cli-loading", {"model": options.file.name}))
        try:
            config, context = background.call(_load(background.app, _meant(options.file)))
        finally:
            terminal.forget_note()
        conversation = Conversation(background, config, terminal)
        if options.prompt is not None:
            return conversation.answer(options.prompt)
        if terminal.asks:
            banner = {"model": config.model.alias, "context": str(context or "")}
            terminal.note(default_messages().text("cli-banner", banner))
            return conversation.converse()
        return conversation.answer_lines()


def _meant(file: Path) -> Path:
    """`demo` is the model that comes along, where there is no file of that name."""
    demo = demo_model()
    return demo if file == Path(demo.stem) and not file.exists() else file


async def _load(app: Application, file: Path) -> tuple[LlamaCppConfig, int | None]:
    config = app.catalog.add_file(file)
    await app.llama.start(config)
    return config, await _context_length(app, config.model.alias)


class _Generation(msgspec.Struct, frozen=True):
    n_ctx: int = 0


class _Properties(msgspec.Struct, frozen=True):
    default_generation_settings: _Generation = _Generation()


async def _context_length(app: Application, alias: str) -> int | None:
    """The tokens that a conversation may have, as the engine says (llama-server's `GET /props`)."""
    for shown in app.actor.snapshot.servers:
        server = app.actor.server(alias, shown.generation) if shown.model.alias == alias else None
        if server is None or shown.phase is not ServerPhase.READY:
            continue
        try:
            async with server.request("GET", "/props") as reply:
                properties = msgspec.json.decode(await reply.read(), type=_Properties)
        except (UpstreamFailed, msgspec.MsgspecError, UnicodeDecodeError):
            return None
        return properties.default_generation_settings.n_ctx or None
    return None


class Conversation:
    """What was said so far, on both sides."""

    def __init__(self, background: Background[Application], config: LlamaCppConfig, terminal: Terminal) -> None:
        self._background = background
        self._config = config
        self._terminal = terminal
        self._messages: list[dict[str, object]] = []

    def converse(self) -> int:
        """Ask a person until there is nothing more to answer."""
        while True:
            try:
                line = self._terminal.ask()
                if line is None or line.strip() == LEAVE:
                    return 0
                if line.strip() == BEGIN_ANEW:
                    self._messages.clear()
                    self._terminal.note(default_messages().text("cli-cleared"))
                elif line.strip():
                    self._attempt(line)
            except KeyboardInterrupt:
                self._terminal.end_answer()
                say("")
                self._terminal.note(default_messages().text("cli-leave-hint"))

    def answer_lines(self) -> int:
        """Answer one line after the other; the first that fails ends it."""
        while (line := self._terminal.ask()) is not None:
            if line.strip() and (status := self.answer(line)):
                return status
        return 0

    def answer(self, prompt: str) -> int:
        """Answer one prompt and return the exit status. Raises LlameroError when that fails."""
        return 0 if self._answer(prompt) else INTERRUPTED

    def _attempt(self, prompt: str) -> int:
        """Answer one prompt; an error is said, and the conversation goes on."""
        try:
            self._answer(prompt)
        except LlameroError as error:
            report_failure(error)
            return FAILED
        return 0

    def _answer(self, prompt: str) -> bool:
        """Answer one prompt; False when Ctrl+C stopped it. What was shown of the answer stays in the conversation."""
        self._messages.append({"role": "user", "content": _valid_text(prompt)})
        said: list[str] = []
        finished: Finished | None = None
        whole = True
        try:
            finished, seconds = self._show(said.append)
        except KeyboardInterrupt:
            whole = False
        finally:
            self._terminal.end_answer()
            if said:
                self._messages.append({"role": "assistant", "content": "".join(said)})
            else:
                self._messages.pop()  # many templates want the roles to alternate
        if not whole:
            self._terminal.note(default_messages().text("cli-stopped"))
        elif finished is not None:
            self._note_statistics(finished, seconds)
        return whole

    def _show(self, keep: Callable[[str], None]) -> tuple[Finished | None, float]:
        """Show an answer as it comes; returns its end, and the seconds from the first word to it."""
        messages, began = list(self._messages), 0.0
        deltas = self._background.stream(lambda: self._background.app.llama.send_chat_message(messages, self._config))
        for delta in deltas:
            began = began or time.monotonic()
            match delta:
                case TextDelta():
                    self._terminal.answer(delta.text)
                    keep(delta.text)
                case ReasoningDelta():
                    self._terminal.reasoning(delta.text)
                case Finished():
                    return delta, time.monotonic() - began
                case _:
                    pass  # no tools are offered, so a model that calls one has nobody to answer it
        return None, 0.0

    def _note_statistics(self, finished: Finished, seconds: float) -> None:
        """Count by the engine's own clock, or by ours (`seconds` since the first word) where it tells none."""
        tokens = finished.usage.completion_tokens if finished.usage is not None else 0
        if finished.timings is not None and finished.timings.predicted_ms > 0:
            tokens, seconds = finished.timings.predicted_n, finished.timings.predicted_ms / 1000.0
        if not tokens or seconds <= 0:
            return
        rate = tokens / seconds
        shown = f"{rate:.0f}" if rate >= 100 else f"{rate:.1f}"
        self._terminal.note(default_messages().text("cli-statistics", {"tokens": tokens, "rate": shown}))


def _valid_text(text: str) -> str:
    """Bytes of the command line that are no UTF-8 arrive as lone surrogates, which no encoder takes."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
