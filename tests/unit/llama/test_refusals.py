"""Refusals as errors, and errors as what is kept of them: nothing that a person needs is lost on the way."""

from __future__ import annotations

import pytest

from llamero.models.errors import (
    EngineFailed,
    EngineNotFound,
    HealthCheckFailed,
    InternalError,
    LlameroError,
    StartTimedOut,
    Unavailable,
    WorkerUnreachable,
)
from llamero.models.llama import Failure
from llamero.services.llama.effects import Refuse
from llamero.services.llama.refusals import to_error, to_failure

ERRORS: list[LlameroError] = [
    EngineFailed(reason="bad file", exit_status=1, log_tail=("one", "two")),
    EngineFailed("server_error-engine_crashed", reason="killed", exit_status=-9, log_tail=("last",)),
    EngineNotFound(path="/usr/bin/llama-server"),
    EngineNotFound("context_error-exec_not_executable", path="/etc/passwd"),
    HealthCheckFailed(reason="port 1 is answered by another program"),
    StartTimedOut(seconds=300),
    WorkerUnreachable(worker="box:50052", reason="refused"),
    InternalError(reason="KeyError"),
    Unavailable("server_error-shutting_down"),
]


@pytest.mark.parametrize("error", ERRORS, ids=str)
def test_error_of_a_start_comes_back_as_the_same_error(error: LlameroError) -> None:
    failure = to_failure(error)
    back = to_error(Refuse(1, failure.code, failure=failure))
    assert type(back) is type(error)
    assert (back.code, back.arguments, back.status) == (error.code, error.arguments, error.status)
    assert str(back) == str(error)
    if isinstance(error, EngineFailed):
        assert isinstance(back, EngineFailed)
        assert (back.exit_status, back.log_tail) == (error.exit_status, error.log_tail)


@pytest.mark.parametrize("code", ["server_error-queue_full", "server_error-stopped_by_user"])
def test_refusal_without_a_failure_is_unavailable_with_its_wait(code: str) -> None:
    error = to_error(Refuse(1, code, retry_after=5.0))
    assert isinstance(error, Unavailable)
    assert (error.code, error.status, error.retry_after) == (code, 503, 5.0)


def test_crash_loop_keeps_exit_status_and_last_lines() -> None:
    failure = Failure(
        code="server_error-crash_loop", arguments={"reason": "killed"}, exit_status=-9, log_tail=("last",)
    )
    error = to_error(Refuse(1, failure.code, failure=failure))
    assert isinstance(error, EngineFailed)
    assert (error.code, error.exit_status, error.log_tail) == ("server_error-crash_loop", -9, ("last",))
    assert error.arguments == {"reason": "killed"}
