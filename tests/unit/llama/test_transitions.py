"""The actor's decisions by table: one scenario per situation, no process and no clock."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from llamero.models.events import Start, Stop
from llamero.models.llama import ServerPhase
from llamero.services.llama import effects, events
from llamero.services.llama.state import EXITS_KEPT, Policy, load_strategy
from tests.unit.llama.scenario import CRASH, Scenario, spec

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "routing.json").read_text())
A, B, C = spec("a"), spec("b"), spec("c")


@pytest.mark.parametrize("case", VECTORS["load_strategy"], ids=str)
def test_load_strategy_vector_holds(case: dict[str, str | None]) -> None:
    loaded = spec(case["loaded"]) if case["loaded"] else None
    assert load_strategy(loaded, spec(str(case["wanted"]))) == case["strategy"]


def test_acquire_with_nothing_loaded_starts_one_server() -> None:
    s = Scenario()
    tickets = [s.acquire(A) for _ in range(50)]
    assert len(s.all(effects.StartServer)) == 1
    s.started("a")
    assert all(s.granted(t) for t in tickets)
    assert s.state.snapshot().servers[0].leases == 50


def test_acquire_same_spec_while_ready_continues() -> None:
    s = Scenario()
    s.ready(A)
    assert s.granted(s.acquire(A))
    assert len(s.all(effects.StartServer)) == 1


def test_acquire_other_alias_of_same_process_shares_the_server() -> None:
    s = Scenario()
    s.ready(spec("a", path="/m.gguf"))
    assert s.granted(s.acquire(spec("b", path="/m.gguf")))
    assert len(s.all(effects.StartServer)) == 1


def test_acquire_other_model_waits_for_leases_then_drops_and_loads() -> None:
    s = Scenario()
    first = s.ready(A)
    second = s.acquire(B)
    assert not s.all(effects.StopServer)
    s.release(first)
    assert [e.alias for e in s.all(effects.StopServer)] == ["a"]
    s.stopped("a")
    s.started("b")
    assert s.granted(second)


def test_acquire_in_place_of_an_idle_model_starts_before_that_is_stopped_and_is_held_until_it_is_gone() -> None:
    s = Scenario()
    s.release(s.ready(A))
    s.acquire(B)
    assert s.last[:2] == [effects.StartServer("b", 2, B, held=True), effects.StopServer("a", 1)]
    assert [(server.model.alias, server.held) for server in s.state.snapshot().servers] == [("a", False), ("b", True)]
    s.stopped("a")
    assert s.now_(effects.GiveRoom) == [effects.GiveRoom("b", 2)]
    assert [(server.model.alias, server.held) for server in s.state.snapshot().servers] == [("b", False)]


@pytest.mark.parametrize("ends", ["fails", "is stopped by a person"])
def test_held_start_that_comes_to_nothing_is_not_shown_as_waiting_for_room(ends: str) -> None:
    s = Scenario()
    s.release(s.ready(A))
    s.acquire(B)
    if ends == "fails":
        s.start_failed("b")
    else:
        s.unload("b")
    assert not any(server.held for server in s.state.snapshot().servers)


def test_acquire_with_room_is_not_held() -> None:
    s = Scenario(max_loaded=2)
    s.ready(A)
    s.unload("a")
    s.acquire(B)
    assert not s.all(effects.StartServer)[-1].held


def test_acquire_behind_a_start_that_is_held_waits_for_its_own_turn() -> None:
    s = Scenario()
    s.release(s.ready(A))
    s.acquire(B)
    third = s.acquire(C)
    assert [e.alias for e in s.all(effects.StartServer)] == ["a", "b"]
    s.stopped("a")
    s.started("b")
    s.release(2)
    assert s.all(effects.StartServer)[-1].held
    s.stopped("b")
    assert s.now_(effects.GiveRoom) == [effects.GiveRoom("c", 3)]
    s.started("c")
    assert s.granted(third)


def test_acquire_when_nobody_wants_the_held_start_any_more_waits_for_the_loaded_one_alone() -> None:
    s = Scenario()
    s.release(s.ready(A))
    unwanted = s.acquire(B)
    s.tell(events.Withdrawn(unwanted, s.now))
    s.acquire(C)
    assert [e.alias for e in s.all(effects.StopServer)] == ["a", "b"]
    s.stopped("a")
    assert s.now_(effects.GiveRoom) == [effects.GiveRoom("c", 3)]


def test_acquire_held_start_takes_whichever_room_is_free_first() -> None:
    s = Scenario(max_loaded=2)
    s.release(s.ready(A))
    s.now = 1.0
    s.release(s.ready(B))
    s.unload()
    s.acquire(C)
    s.stopped("b")
    assert s.now_(effects.GiveRoom) == [effects.GiveRoom("c", 3)]


def test_acquire_of_a_model_that_is_just_being_stopped_is_not_overtaken() -> None:
    s = Scenario()
    s.release(s.ready(A))
    s.unload("a")
    first, second = s.acquire(A), s.acquire(B)
    s.stopped("a")
    s.started("a")
    assert s.granted(first)
    assert not s.granted(second)
    assert [e.alias for e in s.all(effects.StartServer)] == ["a", "a"]


def test_acquire_busy_model_behind_a_switch_waits_its_turn() -> None:
    s = Scenario()
    first = s.ready(A)
    other = s.acquire(B)
    late = s.acquire(A)
    assert not s.granted(late), "a stream of requests for the loaded model must not starve the other one"
    s.release(first)
    s.stopped("a")
    s.started("b")
    assert s.granted(other)
    assert not s.granted(late)
    s.release(other)
    s.stopped("b")
    s.started("a")
    assert s.granted(late)


def test_acquire_changed_arguments_replace_the_server_once_leases_end() -> None:
    s = Scenario(max_loaded=2)
    first = s.ready(A)
    changed = s.acquire(spec("a", "--ctx-size", "64"))
    assert not s.all(effects.StopServer)
    s.release(first)
    s.stopped("a")
    s.started("a")
    assert s.granted(changed)


def test_acquire_two_edits_of_one_alias_in_a_row_end_with_both_answered() -> None:
    s = Scenario()
    one = s.acquire(spec("a", "--ctx-size", "1"))
    two = s.acquire(spec("a", "--ctx-size", "2"))
    assert not s.all(effects.StopServer), "a server that somebody waits for is not stopped while it starts"
    s.started("a")
    s.release(one)
    s.stopped("a")
    s.started("a")
    assert s.granted(two)


def test_acquire_with_room_for_two_evicts_the_least_recently_used() -> None:
    s = Scenario(max_loaded=2)
    s.release(s.ready(A))
    s.now = 1.0
    s.release(s.ready(B))
    s.acquire(C)
    assert [e.alias for e in s.all(effects.StopServer)] == ["a"]


def test_acquire_beyond_memory_budget_evicts_until_it_fits() -> None:
    s = Scenario(max_loaded=5, memory_budget=10)
    s.release(s.ready(spec("a", memory=4)))
    s.now = 1.0
    s.release(s.ready(spec("b", memory=4)))
    s.acquire(spec("c", memory=9))
    assert {e.alias for e in s.all(effects.StopServer)} == {"a", "b"}
    assert s.phase("c") is ServerPhase.STARTING
    s.stopped("a")
    assert not s.now_(effects.GiveRoom)
    s.stopped("b")
    assert s.now_(effects.GiveRoom) == [effects.GiveRoom("c", 3)]


def test_acquire_larger_than_the_whole_budget_is_refused() -> None:
    s = Scenario(memory_budget=10)
    assert s.refused(s.acquire(spec("a", memory=11))) == "server_error-insufficient_memory"


def test_acquire_with_full_queue_is_refused_with_retry_after() -> None:
    s = Scenario(queue_limit=2)
    s.acquire(A)
    s.acquire(A)
    third = s.acquire(A)
    assert s.refused(third) == "server_error-queue_full"
    refusal = s.all(effects.Refuse)[0]
    assert refusal.retry_after and refusal.retry_after > 0


def test_acquire_beyond_concurrency_waits_for_a_lease_to_end() -> None:
    s = Scenario(concurrency=1)
    first = s.ready(A)
    second = s.acquire(A)
    assert not s.granted(second)
    s.release(first)
    assert s.granted(second)


def test_withdrawn_while_loading_another_model_may_take_the_place() -> None:
    s = Scenario()
    gone = s.acquire(A)
    s.tell(events.Withdrawn(gone, s.now))
    s.acquire(B)
    assert [e.alias for e in s.all(effects.StopServer)] == ["a"]
    assert s.answers(gone) == []


def test_start_failed_refuses_everybody_with_the_reason_and_the_next_request_tries_again() -> None:
    s = Scenario()
    tickets = [s.acquire(A) for _ in range(3)]
    s.start_failed("a")
    assert [s.refused(t) for t in tickets] == ["server_error-engine_crashed"] * 3
    assert s.phase("a") is ServerPhase.FAILED
    s.acquire(A)
    assert s.phase("a") is ServerPhase.STARTING


def test_start_failed_of_an_earlier_generation_changes_nothing() -> None:
    s = Scenario()
    s.ready(A)
    before = s.state
    s.tell(events.StartFailed("a", 0, CRASH, s.now))
    assert s.state == before


def test_exited_once_restarts_at_once() -> None:
    s = Scenario()
    s.ready(A)
    s.exited("a")
    assert s.phase("a") is ServerPhase.STARTING
    assert len(s.all(effects.StartServer)) == 2
    assert s.state.servers["a"].restarts == 1


def test_exited_twice_waits_before_it_restarts() -> None:
    s = Scenario(backoff_s=(0.0, 0.5))
    s.ready(A)
    s.exited("a")
    s.started("a")
    s.exited("a")
    assert len(s.all(effects.StartServer)) == 2
    assert s.now_(effects.WakeAt)[-1].at == 0.5
    s.wake(0.5)
    assert len(s.all(effects.StartServer)) == 3


def test_exited_three_times_within_the_window_fails_for_good() -> None:
    s = Scenario(backoff_s=(0.0,))
    s.ready(A)
    for _ in range(2):
        s.exited("a")
        s.started("a")
    s.exited("a")
    assert s.phase("a") is ServerPhase.FAILED
    assert s.refused(s.acquire(A)) == "server_error-crash_loop"
    s.wake(61)
    s.acquire(A)
    assert s.phase("a") is ServerPhase.STARTING


def test_exited_three_times_over_a_long_time_keeps_restarting() -> None:
    s = Scenario(backoff_s=(0.0,))
    s.ready(A)
    for _ in range(5):
        s.exited("a")
        s.started("a")
        s.wake(40)
    assert s.phase("a") is ServerPhase.READY


def test_load_after_crash_loop_tries_again() -> None:
    s = Scenario(crash_limit=1)
    s.ready(A)
    s.exited("a")
    assert s.phase("a") is ServerPhase.FAILED
    ticket = s.load(A)
    s.started("a")
    assert isinstance(s.answers(ticket)[0], effects.Done)


def test_resume_after_crash_goes_before_everybody_else() -> None:
    s = Scenario()
    broken = s.ready(A)
    waiting = s.acquire(B)
    s.exited("a")
    assert s.phase("a") is ServerPhase.STARTING, "the model is kept for the answer that broke"
    resumed = s.acquire(A, resumes=s.lease(broken))
    s.started("a")
    assert s.granted(resumed)
    assert not s.granted(waiting)


def test_resume_after_a_persons_stop_is_refused() -> None:
    s = Scenario()
    ticket = s.ready(A)
    s.unload("a")
    assert s.refused(s.acquire(A, resumes=s.lease(ticket))) == "server_error-stopped_by_user"


def test_unload_during_start_stops_it_and_answers_everybody_once() -> None:
    s = Scenario()
    waiting = s.acquire(A)
    stop = s.unload("a")
    assert s.refused(waiting) == "server_error-stopped_by_user"
    s.started("a")
    assert s.phase("a") is ServerPhase.STOPPING, "a start that wins the race changes nothing"
    s.stopped("a")
    assert isinstance(s.answers(stop)[0], effects.Done)
    assert all(len(s.answers(t)) == 1 for t in (waiting, stop))


def test_acquire_during_stop_starts_again_when_the_old_process_is_gone() -> None:
    s = Scenario()
    s.release(s.ready(A))
    s.unload("a")
    ticket = s.acquire(A)
    assert len(s.all(effects.StartServer)) == 1
    s.stopped("a")
    assert len(s.all(effects.StartServer)) == 2
    s.started("a")
    assert s.granted(ticket)


def test_unload_of_what_does_not_run_is_done_at_once() -> None:
    s = Scenario()
    assert isinstance(s.answers(s.unload("a"))[0], effects.Done)


def test_keep_alive_counts_from_the_end_of_the_last_request() -> None:
    s = Scenario()
    ticket = s.ready(spec("a", keep_alive=10))
    s.wake(1000)
    assert s.phase("a") is ServerPhase.READY, "never while a request is in flight"
    s.release(ticket)
    assert s.now_(effects.WakeAt)[-1].at == 1010
    s.wake(9.9)
    assert s.phase("a") is ServerPhase.READY
    s.wake(0.2)
    assert s.phase("a") is ServerPhase.STOPPING


def test_keep_alive_zero_unloads_when_the_request_ends() -> None:
    s = Scenario()
    ticket = s.ready(spec("a", keep_alive=0))
    s.release(ticket)
    assert s.phase("a") is ServerPhase.STOPPING


def test_keep_alive_zero_with_explicit_load_waits_for_the_first_request() -> None:
    s = Scenario()
    s.load(spec("a", keep_alive=0))
    s.started("a")
    assert s.phase("a") is ServerPhase.READY


def test_keep_alive_negative_never_unloads() -> None:
    s = Scenario()
    s.release(s.ready(spec("a", keep_alive=-1)))
    s.wake(10**9)
    assert s.phase("a") is ServerPhase.READY


def test_load_of_what_is_ready_changes_how_long_it_is_kept() -> None:
    s = Scenario()
    s.release(s.ready(spec("a", keep_alive=10)))
    s.wake(9)
    assert isinstance(s.answers(s.load(spec("a", keep_alive=60)))[0], effects.Done)
    assert s.now_(effects.WakeAt)[-1].at == 69
    s.load(spec("a", keep_alive=-1))
    assert s.now_(effects.WakeAt)[-1].at is None


def test_expire_of_an_idle_model_stops_it_and_is_done_when_it_is_gone() -> None:
    s = Scenario()
    s.release(s.ready(A))
    expired = s.expire(A)
    assert s.phase("a") is ServerPhase.STOPPING
    assert s.answers(expired) == []
    again = s.expire(A)
    s.stopped("a")
    assert [type(s.answers(t)[0]) for t in (expired, again)] == [effects.Done, effects.Done]


def test_expire_of_a_model_in_use_is_done_at_once_and_takes_effect_when_the_last_request_ends() -> None:
    s = Scenario()
    first = s.ready(A)
    second = s.acquire(A)
    expired = s.expire(A)
    assert isinstance(s.answers(expired)[0], effects.Done)
    s.release(first)
    assert s.phase("a") is ServerPhase.READY
    assert s.state.snapshot().servers[0].leases == 1, "no stream is cut"
    s.release(second)
    assert s.phase("a") is ServerPhase.STOPPING


def test_expire_before_a_later_request_is_taken_back_by_its_keep_alive() -> None:
    s = Scenario()
    first = s.ready(A)
    s.expire(A)
    later = s.acquire(A)
    s.release(first)
    s.release(later)
    assert s.phase("a") is ServerPhase.READY


def test_expire_by_another_alias_of_the_same_server_finds_it() -> None:
    s = Scenario()
    s.release(s.ready(spec("a", path="/models/same.gguf")))
    s.expire(spec("b", path="/models/same.gguf"))
    assert s.phase("a") is ServerPhase.STOPPING


def test_expire_of_an_alias_whose_arguments_have_changed_finds_its_server() -> None:
    s = Scenario()
    s.release(s.ready(spec("a", "-c 1")))
    s.expire(spec("a", "-c 2"))
    assert s.phase("a") is ServerPhase.STOPPING


def test_expire_leaves_other_models_alone() -> None:
    s = Scenario(max_loaded=2)
    s.release(s.ready(A))
    s.release(s.ready(B))
    s.expire(A)
    assert s.phase("b") is ServerPhase.READY


def test_expire_of_what_somebody_waits_for_changes_nothing() -> None:
    s = Scenario()
    waiting = s.acquire(A)
    assert isinstance(s.answers(s.expire(A))[0], effects.Done)
    s.started("a")
    assert s.granted(waiting)
    s.release(waiting)
    assert s.phase("a") is ServerPhase.READY, "the request that came first has a keep-alive of its own"


def test_expire_of_a_start_that_nobody_waits_for_any_more_stops_it() -> None:
    s = Scenario()
    gone = s.acquire(A)
    s.tell(events.Withdrawn(gone, s.now))
    s.expire(A)
    assert s.phase("a") is ServerPhase.STOPPING


def test_expire_between_a_crash_and_the_return_of_its_request_does_not_cut_it() -> None:
    s = Scenario()
    broken = s.ready(A)
    s.exited("a")
    assert isinstance(s.answers(s.expire(A))[0], effects.Done)
    resumed = s.acquire(A, resumes=s.lease(broken))
    s.started("a")
    assert s.granted(resumed)


def test_expire_of_what_does_not_run_or_has_failed_is_done_at_once() -> None:
    s = Scenario()
    assert isinstance(s.answers(s.expire(A))[0], effects.Done)
    s.acquire(B)
    s.start_failed("b")
    assert isinstance(s.answers(s.expire(B))[0], effects.Done)
    assert s.phase("b") is ServerPhase.FAILED, "the reason stays where it can be seen"


def test_policy_changed_to_fewer_models_waits_for_leases() -> None:
    s = Scenario(max_loaded=2)
    one, two = s.ready(A), s.ready(B)
    s.tell(events.PolicyChanged(Policy(max_loaded=1), s.now))
    assert not s.all(effects.StopServer)
    s.release(one)
    assert [e.alias for e in s.all(effects.StopServer)] == ["a"]
    assert s.phase("b") is ServerPhase.READY
    s.release(two)
    assert s.phase("b") is ServerPhase.READY


def test_close_refuses_everything_and_waits_until_all_is_gone() -> None:
    s = Scenario(max_loaded=1)
    s.ready(A)
    waiting = s.acquire(B)
    closed = s.close()
    assert s.refused(waiting) == "server_error-shutting_down"
    assert s.refused(s.acquire(A)) == "server_error-shutting_down"
    assert s.answers(closed) == []
    s.stopped("a")
    assert isinstance(s.answers(closed)[0], effects.Done)


def test_announcements_come_once_per_start_and_stop_in_order() -> None:
    s = Scenario()
    s.release(s.ready(A))
    s.unload()
    s.stopped("a")
    told = [e.event for e in s.all(effects.Announce)]
    assert told == [Start(A.model), Stop(A.model)]


def test_resume_with_a_lease_that_is_still_held_gives_it_up_first() -> None:
    s = Scenario(concurrency=1)
    held = s.ready(A)
    resumed = s.acquire(A, resumes=s.lease(held))
    assert s.granted(resumed), "it would wait for itself otherwise"
    s.release(held)
    assert s.state.snapshot().servers[0].leases == 1


def test_exits_are_remembered_with_their_reasons_and_bounded() -> None:
    s = Scenario(crash_limit=100, backoff_s=(0.0,))
    s.ready(A)
    for second in range(8):
        s.now += 10
        s.exited("a")
        s.wake(1)
        s.started("a")
        assert s.state.servers["a"].restarts == second + 1
    exits = s.state.snapshot().servers[0].exits
    assert len(exits) == EXITS_KEPT
    assert [one.at for one in exits] == [43.0, 54.0, 65.0, 76.0, 87.0]
    assert all((one.failure, one.ran_s) == (CRASH, 10.0) for one in exits)


def test_exits_of_a_failed_start_stay_when_a_request_tries_again() -> None:
    s = Scenario()
    s.acquire(A)
    s.start_failed("a")
    s.acquire(A)
    s.started("a")
    (one,) = s.state.snapshot().servers[0].exits
    assert (one.failure, one.ran_s) == (CRASH, None)


def test_snapshot_counts_who_waits_for_each_model() -> None:
    s = Scenario()
    s.ready(A)
    s.acquire(B)
    s.acquire(B)
    assert s.state.snapshot().queue == {"b": 2}
    assert s.state.snapshot().waiting == 2
