"""A completion outlives its server as a chat does, in the OpenAI form and in the engine's own."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import psutil
import pytest

from llamero.models.errors import UpstreamFailed
from llamero.models.inference import COMPLETIONS, RERANK, TRANSCRIPTIONS, Form
from llamero.models.llama import Engine
from llamero.services.llama.answer import open_answer
from llamero.services.llama.recovery import DISAGREES
from tests.fakes.launch import fake_engine, journal, set_switches, starts
from tests.process.support import eventually
from tests.process.world import CHAT, Told, World, chat, spec_for, told, world

NEVER_TOO_OFTEN = {"crash_limit": 10_000, "backoff_s": (0.0,)}
WORDS = 12
PROMPT = "The llamas led us across the mountains, and then\n"
FLAT = ["/completion", "/infill"]
ENDPOINTS = [COMPLETIONS, *FLAT]


def asked(endpoint: str, **more: Any) -> dict[str, Any]:
    around = {"input_prefix": PROMPT, "input_suffix": "."} if endpoint == "/infill" else {"prompt": PROMPT}
    return {"model": "m", "stream": True, "temperature": 0, **around, **more}


def texts(result: Told) -> dict[int, str]:
    """What was said of each choice."""
    said: dict[int, str] = {}
    for chunk in result.chunks:
        for choice in chunk.get("choices", [chunk]):
            said[choice["index"]] = said.get(choice["index"], "") + choice.get("text", choice.get("content"))
    return said


def ends(result: Told) -> list[Any]:
    """How each choice ended."""
    choices = [choice for chunk in result.chunks for choice in chunk.get("choices", [chunk])]
    return [end for choice in choices if (end := choice.get("finish_reason") or choice.get("stop"))]


def assert_well_formed(result: Told, endpoint: str) -> None:
    """One identity, and one proper end."""
    assert result.names == []
    assert result.data.count(b"[DONE]") == (endpoint == COMPLETIONS)
    if endpoint == COMPLETIONS:
        assert result.data[-1] == b"[DONE]"
        assert len({(chunk["id"], chunk["model"]) for chunk in result.chunks}) == 1


@pytest.mark.parametrize("endpoint", ENDPOINTS)
async def test_completion_server_dies_at_any_chunk_is_completed_in_the_same_stream(
    endpoint: str, tmp_path: Path
) -> None:
    engine = fake_engine(tmp_path, words=WORDS)
    spec = spec_for(engine)
    async with world(**NEVER_TOO_OFTEN) as w:
        undisturbed = await w.ask(spec, asked(endpoint), endpoint)
        assert len(texts(undisturbed)[0].split()) == WORDS
        for position in range(WORDS + 1):
            await w.actor.unload()
            set_switches(engine, [*[{}] * starts(engine), {"die_after_chunks": position}], words=WORDS)
            result = await w.ask(spec, asked(endpoint), endpoint)
            assert_well_formed(result, endpoint)
            assert 1 in (result.continuations, result.replays), position
            assert (texts(result), ends(result)) == (texts(undisturbed), ends(undisturbed)), position
            if endpoint == COMPLETIONS:
                assert result.chunks[-1]["usage"] == undisturbed.chunks[-1]["usage"]


async def killed_after_words(
    w: World, engine: Engine, endpoint: str, body: dict[str, Any], words: int, server_of: str = "m"
) -> tuple[Told, UpstreamFailed | None]:
    """A completion whose server is killed when the client has read so many words, and how it ended."""
    await w.actor.load(spec_for(engine))
    server: psutil.Process | None = psutil.Process(w.pid(server_of))
    generation = w.generation(server_of)
    pieces: list[bytes] = []
    failure: UpstreamFailed | None = None
    async with open_answer(w.actor, spec_for(engine), endpoint, body) as answer:
        try:
            async for piece in answer:
                pieces.append(piece)
                if server is not None and len(" ".join(texts(told(pieces)).values()).split()) >= words:
                    server.kill()
                    server = None
        except UpstreamFailed as error:
            failure = error
        result = told(pieces)
        result.continuations, result.replays = answer.continuations, answer.replays
    if failure is None and not result.continuations + result.replays:
        # It had sent everything before it died, and the next answer must not begin with a corpse.
        await w.until_restarted(server_of, generation)
    return result, failure


@pytest.mark.parametrize(
    ("endpoint", "more", "words", "ways"),
    [
        (COMPLETIONS, {}, 6, (1, 0)),
        (COMPLETIONS, {}, 1, (0, 1)),  # a few characters may be read as other tokens
        (COMPLETIONS, {"logprobs": 1}, 6, (0, 1)),
        (COMPLETIONS, {"prompt": [1, 2, 3]}, 6, (0, 1)),
        (COMPLETIONS, {"prompt": [PROMPT, "Another one\n"]}, 6, (0, 1)),
        ("/completion", {}, 6, (0, 1)),
        ("/infill", {}, 6, (0, 1)),
    ],
    ids=str,
)
async def test_completion_is_continued_where_the_text_stands_for_it_and_replayed_elsewhere(
    endpoint: str, more: dict[str, Any], words: int, ways: tuple[int, int], tmp_path: Path
) -> None:
    engine = fake_engine(tmp_path, words=WORDS, tokens_per_second=25.0)
    body = asked(endpoint, **more)
    async with world(**NEVER_TOO_OFTEN) as w:
        undisturbed = await w.ask(spec_for(engine), body, endpoint)
        result, failure = await killed_after_words(w, engine, endpoint, body, words)
        assert failure is None
        assert_well_formed(result, endpoint)
        assert (texts(result), ends(result)) == (texts(undisturbed), ends(undisturbed))
        assert (result.continuations, result.replays) == ways


async def test_completion_continued_keeps_its_token_limit(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path, words=40, tokens_per_second=100.0)
    body = asked(COMPLETIONS, max_tokens=20)
    async with world(**NEVER_TOO_OFTEN) as w:
        result, failure = await killed_after_words(w, engine, COMPLETIONS, body, 8)
        assert failure is None
        assert (result.continuations, len(texts(result)[0].split()), ends(result)) == (1, 20, ["length"])


@pytest.mark.parametrize("endpoint", FLAT)
async def test_completion_replay_disagrees_ends_in_a_typed_error_and_nothing_comes_twice(
    endpoint: str, tmp_path: Path
) -> None:
    engine = fake_engine(tmp_path, words=WORDS, nondeterministic=True, tokens_per_second=100.0)
    async with world(**NEVER_TOO_OFTEN) as w:
        undisturbed = texts(await w.ask(spec_for(engine), asked(endpoint), endpoint))[0]
        result, failure = await killed_after_words(w, engine, endpoint, asked(endpoint), 5)
        assert failure is not None
        assert failure.code == DISAGREES
        text = texts(result)[0]
        assert len(text.split()) >= 5
        assert undisturbed.startswith(text), "what the first server had sent, and nothing of the second"


async def test_completions_engine_killed_at_random_points_fifty_are_complete_and_equal(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path, words=WORDS, tokens_per_second=400.0)
    chance = random.Random(4)
    async with world(**NEVER_TOO_OFTEN) as w:
        expected = {e: texts(await w.ask(spec_for(engine), asked(e), e)) for e in ENDPOINTS}
        for _ in range(50):
            endpoint = chance.choice(ENDPOINTS)
            result, failure = await killed_after_words(w, engine, endpoint, asked(endpoint), chance.randrange(1, WORDS))
            assert failure is None
            assert_well_formed(result, endpoint)
            assert texts(result) == expected[endpoint]


async def test_answer_of_a_server_with_another_name_of_the_file_says_the_name_that_was_asked_for(
    tmp_path: Path,
) -> None:
    engine = fake_engine(tmp_path, words=4)
    first = spec_for(engine, "first", path="/models/one.gguf")
    second = spec_for(engine, 'org/"second":Q4', path="/models/one.gguf")
    quoting = chat([{"role": "user", "content": '"model":"first"'}])
    async with world() as w:
        await w.actor.load(first)
        for endpoint, body in ((CHAT, quoting), *((e, asked(e)) for e in ENDPOINTS)):
            for stream in (True, False):
                for spec in (first, second):
                    result = await w.ask(spec, body | {"stream": stream}, endpoint)
                    documents = result.chunks if stream else [told([b"data: " + result.raw + b"\n\n"]).chunks[0]]
                    named = {document["model"] for document in documents if "model" in document}
                    assert named == {spec.model.alias}, (endpoint, stream)
        assert starts(engine) == 1


async def test_answer_keeps_its_name_when_a_server_of_another_name_takes_over(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path, words=WORDS, tokens_per_second=25.0)
    async with world(**NEVER_TOO_OFTEN) as w:
        await w.actor.load(spec_for(engine, "other", path="/models/m.gguf"))
        result, failure = await killed_after_words(w, engine, COMPLETIONS, asked(COMPLETIONS), 5, server_of="other")
        assert failure is None
        assert {chunk["model"] for chunk in result.chunks} == {"m"}
        assert result.continuations == 1


async def test_completion_of_several_prompts_leaves_out_the_event_that_says_nothing(tmp_path: Path) -> None:
    """llama-server begins such a stream with `data: null`, which clients of the API do not expect."""
    engine = fake_engine(tmp_path, words=3, null_first=True)
    async with world() as w:
        result = await w.ask(spec_for(engine), asked(COMPLETIONS, prompt=["a\n", "b\n"]), COMPLETIONS)
        assert b"null\n\n" not in result.raw
        assert set(texts(result)) == {0, 1}


async def test_form_reaches_the_engine_byte_for_byte(tmp_path: Path) -> None:
    audio = bytes(range(256)) * 1000
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
    rest = b'\r\n--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nm\r\n--b--\r\n'
    form = Form("multipart/form-data; boundary=b", head + audio + rest)
    async with world() as w:
        spec = spec_for(fake_engine(tmp_path))
        async with open_answer(w.actor, spec, TRANSCRIPTIONS, {}, form=form) as answer:
            raw = b"".join([piece async for piece in answer])
        assert answer.status == 200
        assert b'"256000 bytes, ' in raw
        assert b'"fields":{"model":"m"}' in raw


async def test_look_is_a_get_without_a_body(tmp_path: Path) -> None:
    async with world() as w:
        spec = spec_for(fake_engine(tmp_path))
        async with open_answer(w.actor, spec, "/slots?fail_on_no_slot=1", {}, method="GET") as answer:
            assert (await anext(aiter(answer))).startswith(b'[{"id":0')
        action = await w.ask(spec, {}, "/slots/0?action=erase")
        assert action.raw == b'{"action":"action=erase"}'


async def test_rerank_orders_the_documents(tmp_path: Path) -> None:
    async with world() as w:
        body = {"model": "m", "query": "wool llama", "documents": ["salt and corn", "llama wool", "a llama"]}
        result = await w.ask(spec_for(fake_engine(tmp_path)), body, RERANK)
        assert result.status == 200
        assert b'"results":[{"index":1,' in result.raw


async def test_completion_reader_who_leaves_frees_the_engine_and_the_lease(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path, words=1000, tokens_per_second=50.0)
    async with world() as w:
        async with open_answer(w.actor, spec_for(engine), COMPLETIONS, asked(COMPLETIONS)) as answer:
            async for _ in answer:
                break
        await eventually(lambda: journal(engine, "client-gone"), timeout_s=1.0)
        await eventually(lambda: (server := w.server()) is not None and server.leases == 0)
