"""What the actor hears. Intents come from callers and may be refused; facts come from the world and always count.

Time arrives in the event (`at`, monotonic seconds): the transitions read no clock. A `ticket` names one caller that
waits for exactly one answer; a `lease` names one request in flight on a ready server. Both are chosen by the shell.
"""

from __future__ import annotations

import msgspec

from llamero.models.llama import Failure, LaunchSpec, ServerLimits
from llamero.services.llama.state import Policy


class Acquire(msgspec.Struct, frozen=True, tag=True):
    """Intent: run a request on this model. Answered by Grant or Refuse.

    `resumes` is the lease whose server died in mid-answer; such a request goes to the head of the queue.
    """

    ticket: int
    spec: LaunchSpec
    at: float
    resumes: int | None = None


class Load(msgspec.Struct, frozen=True, tag=True):
    """Intent of a person: make the model ready, even after a crash loop. Answered by Done or Refuse."""

    ticket: int
    spec: LaunchSpec
    at: float


class Unload(msgspec.Struct, frozen=True, tag=True):
    """Intent of a person: stop one model or all, streams included. Answered by Done when the processes are gone."""

    ticket: int
    alias: str | None
    at: float


class Expire(msgspec.Struct, frozen=True, tag=True):
    """Intent of a client: the model need not be kept loaded. No request is disturbed.

    Answered by Done: when the process is gone, or at once where requests hold it, and then it goes with the last of
    them. A request that comes later keeps it loaded for its own keep-alive.
    """

    ticket: int
    spec: LaunchSpec
    at: float


class Close(msgspec.Struct, frozen=True, tag=True):
    """Intent: the app ends. Everything is stopped and nothing starts again."""

    ticket: int
    at: float


class Withdrawn(msgspec.Struct, frozen=True, tag=True):
    """Fact: the caller of this ticket has gone."""

    ticket: int
    at: float


class Released(msgspec.Struct, frozen=True, tag=True):
    """Fact: the request that held this lease has ended."""

    lease: int
    at: float


class Started(msgspec.Struct, frozen=True, tag=True):
    """Fact: the server answers and is the one that was started."""

    alias: str
    generation: int
    pid: int
    port: int
    at: float
    limits: ServerLimits = ServerLimits()


class StartFailed(msgspec.Struct, frozen=True, tag=True):
    """Fact: the server never became ready; nothing of it is left."""

    alias: str
    generation: int
    failure: Failure
    at: float


class Exited(msgspec.Struct, frozen=True, tag=True):
    """Fact: a ready server ended by itself; nothing of it is left."""

    alias: str
    generation: int
    failure: Failure
    at: float


class Stopped(msgspec.Struct, frozen=True, tag=True):
    """Fact: the server that was asked to stop is gone, with its whole process tree."""

    alias: str
    generation: int
    at: float


class Woke(msgspec.Struct, frozen=True, tag=True):
    """Fact: the time asked for by WakeAt has come."""

    at: float


class PolicyChanged(msgspec.Struct, frozen=True, tag=True):
    """Fact: the settings changed. What runs goes on until its leases end."""

    policy: Policy
    at: float


Intent = Acquire | Load | Unload | Expire | Close
Fact = Withdrawn | Released | Started | StartFailed | Exited | Stopped | Woke | PolicyChanged
Event = Intent | Fact
