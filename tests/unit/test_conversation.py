"""A conversation remembers what both sides said, however an answer ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, cast

import pytest

from llamero.commands.run import Conversation
from llamero.models.chat import ChatDelta, Finished, ReasoningDelta, TextDelta, Timings
from llamero.models.errors import UpstreamFailed
from llamero.models.llama import LlamaCppConfig, ModelId

CONFIG = LlamaCppConfig(model=ModelId(alias="m", path="/m.gguf"))
Script = list[ChatDelta | BaseException]


class ScriptedBackground:
    """Answers by a script, and is its own application with its own models."""

    def __init__(self, *scripts: Script) -> None:
        self._scripts = list(scripts)
        self.asked: list[list[dict[str, object]]] = []

    @property
    def app(self) -> ScriptedBackground:
        return self

    @property
    def llama(self) -> ScriptedBackground:
        return self

    async def send_chat_message(self, messages: list[dict[str, object]], _: LlamaCppConfig) -> AsyncIterator[ChatDelta]:
        self.asked.append(messages)
        for step in self._scripts.pop(0):
            if isinstance(step, BaseException):
                raise step
            yield step

    def stream(self, make: Callable[[], AsyncIterator[ChatDelta]]) -> Iterator[ChatDelta]:
        loop, deltas = asyncio.new_event_loop(), make()
        try:
            while True:
                try:
                    yield loop.run_until_complete(anext(deltas))
                except StopAsyncIteration:
                    return
        finally:
            loop.close()


class Recorder:
    """A terminal at which lines were typed beforehand; None is Ctrl+D."""

    def __init__(self, *lines: str | BaseException | None) -> None:
        self._lines = list(lines)
        self.shown: list[str] = []
        self.notes: list[str] = []

    def ask(self) -> str | None:
        line = self._lines.pop(0) if self._lines else None
        if isinstance(line, BaseException):
            raise line
        return line

    def answer(self, text: str) -> None:
        self.shown.append(text)

    def reasoning(self, text: str) -> None:
        self.shown.append(f"({text})")

    def end_answer(self) -> None:
        self.shown.append("|")

    def note(self, text: str) -> None:
        self.notes.append(text)


def conversation(background: ScriptedBackground, terminal: Recorder) -> Conversation:
    return Conversation(cast(Any, background), CONFIG, cast(Any, terminal))


def said(*pairs: tuple[str, str]) -> list[dict[str, object]]:
    return [{"role": role, "content": content} for role, content in pairs]


YES: Script = [ReasoningDelta("hm"), TextDelta("Y"), TextDelta("es"), Finished("stop")]


def test_conversation_second_question_comes_with_all_that_was_said() -> None:
    background, terminal = ScriptedBackground(YES, YES), Recorder("One?", "  ", "Two?", None)
    assert conversation(background, terminal).converse() == 0
    assert background.asked == [
        said(("user", "One?")),
        said(("user", "One?"), ("assistant", "Yes"), ("user", "Two?")),
    ]
    assert "".join(terminal.shown) == "(hm)Yes|(hm)Yes|"


def test_conversation_begun_anew_has_forgotten_everything() -> None:
    background = ScriptedBackground(YES, YES)
    assert conversation(background, Recorder("One?", "/clear", "Two?", "/bye", "never")).converse() == 0
    assert background.asked == [said(("user", "One?")), said(("user", "Two?"))]


def test_conversation_stopped_answer_is_kept_as_far_as_it_was_shown() -> None:
    background = ScriptedBackground([TextDelta("Ye"), KeyboardInterrupt()], YES)
    assert conversation(background, Recorder("One?", "Two?")).converse() == 0
    assert background.asked[1] == said(("user", "One?"), ("assistant", "Ye"), ("user", "Two?"))


def test_conversation_question_without_any_answer_is_forgotten(capsys: pytest.CaptureFixture[str]) -> None:
    background = ScriptedBackground([KeyboardInterrupt()], [UpstreamFailed(reason="gone")], YES)
    assert conversation(background, Recorder("One?", "Two?", "Three?")).converse() == 0
    assert background.asked[2] == said(("user", "Three?"))
    assert capsys.readouterr().err.startswith("llamero: error connecting to internal service: gone")


def test_conversation_ctrl_c_at_the_prompt_is_no_end(capsys: pytest.CaptureFixture[str]) -> None:
    background, terminal = ScriptedBackground(YES), Recorder(KeyboardInterrupt(), "One?")
    assert conversation(background, terminal).converse() == 0
    assert any("/bye" in note for note in terminal.notes)
    assert background.asked == [said(("user", "One?"))]
    assert capsys.readouterr().err == "\n"


def test_conversation_statistics_are_the_engines_own() -> None:
    script: Script = [TextDelta("a"), Finished("stop", timings=Timings(predicted_n=50, predicted_ms=2000))]
    terminal = Recorder()
    assert conversation(ScriptedBackground(script), terminal).answer("One?") == 0
    assert terminal.notes == ["50 tokens, 25.0 tokens/s"]


def test_conversation_one_answer_that_is_stopped_is_an_interruption() -> None:
    assert conversation(ScriptedBackground([TextDelta("a"), KeyboardInterrupt()]), Recorder()).answer("One?") == 130


def test_conversation_lines_end_with_the_first_failure() -> None:
    background = ScriptedBackground(YES, [UpstreamFailed(reason="gone")], YES)
    with pytest.raises(UpstreamFailed):
        conversation(background, Recorder("One?", "Two?", "Three?")).answer_lines()
    assert len(background.asked) == 2
