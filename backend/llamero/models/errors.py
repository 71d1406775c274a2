"""The errors that cross a layer, one leaf per *reaction of the caller*.

    LlameroError
    ├── InvalidRequest            mend the request (400)
    │   ├── InvalidArgument       an engine flag or value that cannot work; known before the spawn
    │   ├── ModelDoesNotEmbed     choose an embedding model
    │   ├── ModelDoesNotGenerate  choose a model that writes
    │   ├── TextTooLong           shorten the text
    │   ├── ModelNotLoaded        load the model first
    │   ├── ContextFull           shorten the conversation
    │   └── PreviousResponseNotFound  send the whole conversation again
    ├── AuthenticationFailed      send the right key (401)
    │   └── TokenExpired          open the page anew: its token is of an earlier start
    ├── Forbidden                 this client, page or host is not let in (403)
    │   └── NotAvailable          not from this kind of window
    ├── NotFound                  choose another name (404)
    │   ├── UnknownCommand        the page and the app are of different versions
    │   ├── ModelNotFound         no such alias
    │   └── ModelFileNotFound     no such file
    ├── MethodNotAllowed          use another HTTP method (405)
    ├── RequestTimedOut           send faster (408)
    ├── Conflict                  wait for what is under way, stop it, or choose another name (409)
    ├── PayloadTooLarge           send less (413)
    ├── UnsupportedMediaType      send plain JSON (415)
    ├── HeadersTooLarge           send shorter headers (431)
    ├── BadModelFile              choose another file; no engine was started for it (422)
    ├── RateLimited               wait, then again (429)
    ├── InternalError             report it (500)
    │   ├── EngineNotFound        install or name an engine
    │   ├── EngineFailed          read `reason` and the log tail; carries exit status and last lines
    │   ├── HealthCheckFailed     the server answers, but not as a llama-server of ours
    │   └── IoFailed              disk, permissions, database
    ├── WorkerUnreachable         start that worker, or take it out of the alias (502)
    ├── UpstreamFailed            the engine's connection broke and could not be healed (502)
    ├── Unavailable               wait, then again: loading, queue full, stopping (503)
    └── StartTimedOut             no output and no progress for that long (504)

`code` is stable and internal; `public_code`, where set, is what the OpenAI surface shows. `type` maps to an HTTP status
here and nowhere else. The text for a person is looked up by `code` in `locale/`; `str(error)` is for logs.
"""

from __future__ import annotations

from typing import ClassVar

STATUS_BY_TYPE: dict[str, int] = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "forbidden_error": 403,
    "not_found_error": 404,
    "method_not_allowed_error": 405,
    "request_timeout_error": 408,
    "conflict_error": 409,
    "payload_too_large_error": 413,
    "unsupported_media_type_error": 415,
    "unprocessable_entity_error": 422,
    "rate_limit_error": 429,
    "headers_too_large_error": 431,
    "internal_server_error": 500,
    "invalid_app_state": 500,
    "upstream_error": 502,
    "service_unavailable": 503,
    "timeout_error": 504,
}


class LlameroError(Exception):
    """Root of the tree. `arguments` fill the message in `locale/`; `param` names the request field at fault."""

    code: str = "internal_error"
    public_code: str | None = None
    type: ClassVar[str] = "internal_server_error"

    def __init__(
        self,
        code: str | None = None,
        /,
        *,
        param: str | None = None,
        retry_after: float | None = None,
        **arguments: str | int | float,
    ) -> None:
        if code is not None:
            self.code = code
        self.param = param
        self.retry_after = retry_after
        self.arguments = arguments
        super().__init__(self.code)

    @property
    def status(self) -> int:
        """The HTTP status of this error."""
        return STATUS_BY_TYPE[self.type]

    def __str__(self) -> str:
        if not self.arguments:
            return self.code
        return f"{self.code} ({', '.join(f'{name}={value!r}' for name, value in self.arguments.items())})"


class InvalidRequest(LlameroError):
    """The request itself is wrong. Arguments: `reason`."""

    code = "request_error-invalid"
    public_code = "invalid_request"
    type = "invalid_request_error"


class InvalidArgument(InvalidRequest):
    """An engine flag that is unknown, managed by Llamero, an orphan or without its value. Arguments: `argument`."""

    code = "args_error-unknown_flag"
    public_code = "invalid_engine_argument"


class ModelDoesNotEmbed(InvalidRequest):
    """The model was not made to embed. Arguments: `model`."""

    code = "server_error-model_does_not_embed"
    public_code = "model_does_not_embed"


class ModelDoesNotGenerate(InvalidRequest):
    """The model only embeds or ranks, and cannot write."""

    code = "server_error-model_does_not_generate"
    public_code = "model_does_not_generate"


class TextTooLong(InvalidRequest):
    """A text that is embedded or ranked as a whole does not fit. Arguments: `tokens`, `limit`."""

    code = "request_error-text_too_long"
    public_code = "context_length_exceeded"


class ModelNotLoaded(InvalidRequest):
    """A question about a running model, which does not run. Arguments: `model`."""

    code = "request_error-model_not_loaded"
    public_code = "model_not_loaded"


class ContextFull(InvalidRequest):
    """The conversation does not fit into the model's context. Arguments: `tokens`, `limit`."""

    code = "chat_error-context_full"
    public_code = "context_length_exceeded"


class PreviousResponseNotFound(InvalidRequest):
    """A conversation cannot go on, because a turn of it is not kept. Arguments: `id` of that turn."""

    code = "response_error-previous_not_found"
    public_code = "previous_response_not_found"


class AuthenticationFailed(LlameroError):
    """No key or a wrong one."""

    code = "access_error-invalid_api_key"
    public_code = "invalid_api_key"
    type = "authentication_error"


class TokenExpired(AuthenticationFailed):
    """A page without a token, or with that of an earlier start."""

    code = "access_error-token_expired"
    public_code = "token_expired"


class Forbidden(LlameroError):
    """A host, origin or site that is not let in. Arguments: `reason`."""

    code = "access_error-forbidden"
    public_code = "forbidden"
    type = "forbidden_error"


class NotAvailable(Forbidden):
    """A command that this kind of window may not call. Arguments: `command`."""

    code = "bridge_error-not_available"
    public_code = "not_available"


class NotFound(LlameroError):
    """No such route or thing. Arguments: `path`."""

    code = "request_error-not_found"
    public_code: str | None = "not_found"
    type = "not_found_error"


class UnknownCommand(NotFound):
    """No command of that name. Arguments: `command`."""

    code = "bridge_error-unknown_command"
    public_code = "unknown_command"


class ModelNotFound(NotFound):
    """No alias of that name. Arguments: `model`."""

    code = "model_router_error-model_not_found"
    public_code = "model_not_found"


class ModelFileNotFound(NotFound):
    """The model file does not exist. Arguments: `path`."""

    code = "server_error-model_not_found"
    public_code = None


class MethodNotAllowed(LlameroError):
    """The route exists, but not for this HTTP method. Arguments: `method`."""

    code = "request_error-method_not_allowed"
    public_code = "method_not_allowed"
    type = "method_not_allowed_error"


class RequestTimedOut(LlameroError):
    """The client took too long to send its request. Arguments: `seconds`."""

    code = "request_error-too_slow"
    public_code = "request_timeout"
    type = "request_timeout_error"


class Conflict(LlameroError):
    """Not as things stand: an answer is still coming, a name is taken."""

    code = "chat_error-answer_running"
    type = "conflict_error"


class PayloadTooLarge(LlameroError):
    """A body over the limit. Arguments: `limit` in bytes."""

    code = "request_error-too_large"
    public_code = "payload_too_large"
    type = "payload_too_large_error"


class UnsupportedMediaType(LlameroError):
    """A body of a kind that is not read here. Arguments: `content_type`."""

    code = "request_error-content_type"
    public_code = "unsupported_media_type"
    type = "unsupported_media_type_error"


class HeadersTooLarge(LlameroError):
    """A request line or header over the limit. Arguments: `limit` in bytes."""

    code = "request_error-headers_too_large"
    public_code = "headers_too_large"
    type = "headers_too_large_error"


class BadModelFile(LlameroError):
    """Not a model file that an engine could load; found by reading its header. Arguments: `path`, `reason`."""

    code = "model_file_error-invalid"
    type = "unprocessable_entity_error"


class RateLimited(LlameroError):
    """Too many requests or streams at once. Arguments: `limit`."""

    code = "access_error-rate_limited"
    public_code = "rate_limit_exceeded"
    type = "rate_limit_error"


class InternalError(LlameroError):
    """Something of ours or of the machine's is broken. Arguments: `reason`."""

    code = "internal_error"


class EngineNotFound(InternalError):
    """The engine's executable does not exist or cannot be started. Arguments: `path`."""

    code = "context_error-exec_not_exists"


class EngineFailed(InternalError):
    """The engine ended when nobody asked it to. Arguments: `reason`.

    `exit_status` as in `subprocess` (negative: the signal's number), None when it was never started;
    `log_tail` the last lines it wrote, oldest first.
    """

    code = "server_error-startup_error"

    def __init__(
        self,
        code: str | None = None,
        /,
        *,
        exit_status: int | None = None,
        log_tail: tuple[str, ...] = (),
        reason: str = "",
        **arguments: str | int | float,
    ) -> None:
        super().__init__(code, param=None, retry_after=None, reason=reason, **arguments)
        self.exit_status = exit_status
        self.log_tail = log_tail


class HealthCheckFailed(InternalError):
    """Something answers on the port, but not as the server that was started. Arguments: `reason`."""

    code = "server_error-health_check_error"


class IoFailed(InternalError):
    """The disk, its permissions or another resource of the machine. Arguments: `reason`."""

    code = "server_error-io_error"


class WorkerUnreachable(LlameroError):
    """A machine that should share the model does not answer; no engine was started. Arguments: `worker`, `reason`."""

    code = "rpc_error-unreachable"
    public_code = "rpc_worker_unreachable"
    type = "upstream_error"


class UpstreamFailed(LlameroError):
    """The connection to the engine broke and could not be healed. Arguments: `reason`."""

    code = "server_error-client_error"
    type = "upstream_error"


class Unavailable(LlameroError):
    """Not now: loading, stopping or the queue is full. `retry_after` in seconds where waiting helps."""

    code = "server_error-server_not_ready"
    type = "service_unavailable"


class StartTimedOut(LlameroError):
    """The engine neither wrote nor progressed for `seconds`."""

    code = "server_error-timeout_error"
    type = "timeout_error"
