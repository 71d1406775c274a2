"""A refusal of the actor, which is data, as the error that the caller raises; and back, for a start that failed."""

from __future__ import annotations

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

_KINDS: dict[str, type[LlameroError]] = {
    EngineNotFound.code: EngineNotFound,
    "context_error-exec_not_executable": EngineNotFound,
    HealthCheckFailed.code: HealthCheckFailed,
    InternalError.code: InternalError,
    StartTimedOut.code: StartTimedOut,
    WorkerUnreachable.code: WorkerUnreachable,
    "server_error-shutting_down": Unavailable,
}


def to_error(refusal: Refuse) -> LlameroError:
    """The error that a refusal stands for."""
    failure = refusal.failure
    if failure is None:
        return Unavailable(refusal.code, retry_after=refusal.retry_after)
    kind = _KINDS.get(failure.code)
    if kind is not None:
        error = kind(failure.code)
        error.arguments = dict(failure.arguments)
        return error
    return EngineFailed(
        failure.code,
        reason=str(failure.arguments.get("reason", "")),
        exit_status=failure.exit_status,
        log_tail=failure.log_tail,
    )


def to_failure(error: LlameroError) -> Failure:
    """What is kept of an error that ended a start."""
    engine = error if isinstance(error, EngineFailed) else None
    return Failure(
        code=error.code,
        arguments=error.arguments,
        exit_status=engine.exit_status if engine else None,
        log_tail=engine.log_tail if engine else (),
    )
