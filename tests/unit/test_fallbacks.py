"""A fallback alias at work: who is asked, in which order, and what the client gets of it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from llamero.models.aliases import FallbackDestination
from llamero.models.errors import InvalidRequest, LlameroError, ModelNotFound, Unavailable, UpstreamFailed
from llamero.models.inference import InferenceRequest
from llamero.services.fallbacks import MAX_ATTEMPTS, Fallbacks
from llamero.services.llama.passing import Block
from tests.fakes.clock import FakeClock
from tests.fakes.replies import JSON, Script, ScriptedModels, event, refusal, said

REQUEST = InferenceRequest(model="f")
BROKEN = UpstreamFailed("remote_error-broken", host="h", reason="reset")


def fallback(*targets: str, alias: str = "f", cooldown_s: float = 30.0) -> FallbackDestination:
    return FallbackDestination(alias=alias, targets=targets, cooldown_s=cooldown_s)


class Tried:
    """A fallback and its models, asked any number of times."""

    def __init__(
        self,
        scripts: Mapping[str, Script],
        *targets: str,
        others: Mapping[str, FallbackDestination] | None = None,
    ) -> None:
        self.clock = FakeClock()
        self.models = ScriptedModels(scripts, others)
        self.destination = fallback(*(targets or tuple(scripts)))
        self._fallbacks = Fallbacks(self.models.resolve, self.models.open, self.clock)

    async def ask(self) -> tuple[int, bytes]:
        """Read a whole reply; returns its status and bytes."""
        self.models.asked.clear()
        async with self._fallbacks.open(self.destination, REQUEST) as reply:
            assert self.models.open_now <= 1, "of those that failed nothing stays open"
            told = reply.status, b"".join([piece async for piece in reply])
        assert self.models.open_now == 0
        return told

    def paused(self) -> list[tuple[str, float, str, dict[str, str | int | float]]]:
        """What is told of the targets that are left alone; for how many seconds yet in place of until when."""
        told = self._fallbacks.paused()
        return [(one.target, round(one.until - self.clock.time(), 3), one.code, one.arguments) for one in told]

    async def error(self) -> LlameroError:
        with pytest.raises(LlameroError) as caught:
            await self.ask()
        assert self.models.open_now == 0
        return caught.value


async def test_fallback_first_target_that_answers_is_the_only_one_asked() -> None:
    tried = Tried({"a": Script(), "b": Script()})
    status, body = await tried.ask()
    assert (status, tried.models.asked) == (200, ["a"])
    assert body == said("a").raw + said("b").raw + b"data: [DONE]\n\n"


@pytest.mark.parametrize("status", [401, 403, 404, 408, 429, 500, 502, 503, 504])
async def test_fallback_target_that_fails_is_followed_by_the_next(status: int) -> None:
    tried = Tried({"a": refusal(status), "b": Script()})
    assert (await tried.ask())[0] == 200
    assert tried.models.asked == ["a", "b"]


async def test_fallback_tells_which_targets_are_left_alone_until_when_and_why() -> None:
    limited = refusal(429, retry_after=120)
    tried = Tried({"a": limited, "b": Script(refuse=BROKEN), "c": Script()})
    assert tried.paused() == []
    await tried.ask()
    broken = ("b", 30.0, "remote_error-broken", {"host": "h", "reason": "reset"})
    assert tried.paused() == [broken, ("a", 120.0, "alias-target_answered", {"status": 429})]
    tried.clock.advance(30)
    assert tried.paused() == [("a", 90.0, "alias-target_answered", {"status": 429})]
    tried.clock.advance(90)
    assert tried.paused() == []


@pytest.mark.parametrize("status", [400, 422])
async def test_fallback_refusal_of_the_request_goes_to_the_client_verbatim(status: int) -> None:
    tried = Tried({"a": refusal(status, body=b'{"error":"no"}'), "b": Script()})
    assert await tried.ask() == (status, b'{"error":"no"}')
    assert tried.models.asked == ["a"]


async def test_fallback_refusal_of_the_request_by_ourselves_is_raised() -> None:
    tried = Tried({"a": Script(refuse=InvalidRequest(reason="bad")), "b": Script()})
    assert isinstance(await tried.error(), InvalidRequest)
    assert tried.models.asked == ["a"]


@pytest.mark.parametrize("error", [BROKEN, Unavailable("server_error-queue_full", retry_after=2)])
async def test_fallback_target_that_cannot_be_asked_is_followed_by_the_next(error: LlameroError) -> None:
    tried = Tried({"a": Script(refuse=error), "b": Script()})
    assert (await tried.ask())[0] == 200


async def test_fallback_target_that_does_not_exist_is_followed_by_the_next() -> None:
    tried = Tried({"b": Script()}, "nobody", "b")
    assert (await tried.ask())[0] == 200


async def test_fallback_stream_that_breaks_before_its_first_event_falls_through() -> None:
    tried = Tried({"a": Script((Block(b": waiting\n\n"), BROKEN)), "b": Script()})
    status, body = await tried.ask()
    assert (status, tried.models.asked) == (200, ["a", "b"])
    assert b"waiting" not in body


async def test_fallback_stream_that_ends_before_its_first_event_falls_through() -> None:
    tried = Tried({"a": Script((Block(b": waiting\n\n"),)), "b": Script()})
    assert (await tried.ask())[0] == 200
    assert tried.models.asked == ["a", "b"]


async def test_fallback_stream_that_begins_with_an_error_falls_through() -> None:
    tried = Tried({"a": Script((event({"error": {"message": "no GPU", "code": 500}}),)), "b": Script()})
    assert (await tried.ask())[0] == 200
    assert tried.models.asked == ["a", "b"]


async def test_fallback_stream_that_breaks_after_its_first_event_does_not_fall_through() -> None:
    tried = Tried({"a": Script((said("a"), BROKEN)), "b": Script()})
    assert await tried.error() is BROKEN
    assert tried.models.asked == ["a"]


async def test_fallback_body_that_breaks_before_it_is_whole_falls_through() -> None:
    tried = Tried({"a": Script((BROKEN,), headers=JSON), "b": Script((Block(b"{}"),), headers=JSON)})
    assert await tried.ask() == (200, b"{}")


async def test_fallback_comments_before_the_first_event_are_no_beginning() -> None:
    tried = Tried({"a": Script((Block(b": waiting\n\n"), said("a"), Block(b": more\n\n")))})
    assert (await tried.ask())[1] == said("a").raw + b": more\n\n"


async def test_fallback_all_fail_client_gets_the_last_failure() -> None:
    tried = Tried({"a": refusal(500), "b": refusal(429, 7, b'{"error":"slow down"}')})
    assert await tried.ask() == (429, b'{"error":"slow down"}')
    tried = Tried({"a": refusal(500), "b": Script(refuse=Unavailable("server_error-queue_full", retry_after=3))})
    error = await tried.error()
    assert (error.status, error.retry_after) == (503, 3)


async def test_fallback_failed_target_comes_last_until_its_cooldown_is_over() -> None:
    tried = Tried({"a": refusal(500), "b": refusal(429, 120), "c": Script()})
    await tried.ask()
    assert tried.models.asked == ["a", "b", "c"]
    await tried.ask()
    assert tried.models.asked == ["c"]
    tried.clock.advance(30)
    await tried.ask()
    assert tried.models.asked == ["a", "c"], "only b asked for two minutes"
    tried.clock.advance(90)
    await tried.ask()
    assert tried.models.asked == ["a", "b", "c"]


async def test_fallback_target_that_cannot_read_the_request_is_not_left_alone_for_it() -> None:
    unseen = b'{"error":{"code":500,"message":"image input is not supported - hint: mmproj","type":"server_error"}}'
    tried = Tried({"a": refusal(500, body=unseen), "b": Script()})
    for _ in range(2):
        assert (await tried.ask())[0] == 200
        assert tried.models.asked == ["a", "b"], "the next one may see, and the first works for all others"


async def test_fallback_cooled_target_is_still_the_last_resort() -> None:
    tried = Tried({"a": refusal(500), "b": Script()})
    await tried.ask()
    tried.models.scripts = {"a": Script(), "b": refusal(503)}
    assert (await tried.ask())[0] == 200
    assert tried.models.asked == ["b", "a"]
    await tried.ask()
    assert tried.models.asked == ["a"], "it works again"


async def test_fallback_of_fallbacks_goes_through_both() -> None:
    others = {"inner": fallback("a", "b", alias="inner")}
    tried = Tried({"a": refusal(500), "b": refusal(500), "c": Script()}, "inner", "c", others=others)
    assert (await tried.ask())[0] == 200
    assert tried.models.asked == ["a", "b", "c"]


async def test_fallback_circle_is_refused() -> None:
    others = {"g": fallback("f", alias="g"), "f": fallback("g")}
    tried = Tried({"a": Script()}, "g", "a", others=others)
    error = await tried.error()
    assert (error.code, error.status, error.param) == ("fallback_error-circle", 400, "model")
    assert error.arguments["chain"] == "f → g → f"


async def test_fallback_that_nests_too_deep_is_refused() -> None:
    deep = {f"f{depth}": fallback(f"f{depth + 1}", alias=f"f{depth}") for depth in range(100)}
    tried = Tried({}, "f0", others=deep)
    assert (await tried.error()).code == "fallback_error-circle"


async def test_fallback_tree_of_failures_ends() -> None:
    deep = {f"f{depth}": fallback(*[f"f{depth + 1}"] * 2, "a", alias=f"f{depth}") for depth in range(6)}
    tried = Tried({"a": refusal(500)}, "f0", others={**deep, "f6": fallback("a", alias="f6")})
    assert (await tried.ask())[0] == 500
    assert len(tried.models.asked) == MAX_ATTEMPTS


async def test_fallback_without_any_target_that_exists_says_so() -> None:
    tried = Tried({}, "nobody")
    assert isinstance(await tried.error(), ModelNotFound)


async def test_fallback_recovery_of_the_chosen_target_is_told() -> None:
    tried = Tried({"a": Script()})
    told: list[str] = []
    async with tried._fallbacks.open(tried.destination, REQUEST) as reply:
        reply.on_recovery = lambda: told.append("again")
        reply.on_recovery()
    assert told == ["again"]
