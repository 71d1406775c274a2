"""From an engine's exit status and last lines to one sentence with what to do.

Pure. The lines are those of llama.cpp (about b11549): the cause is written before its consequences, so the newest line
that names a cause decides, and the general "exiting due to model loading error" counts only when no line names one.
What the output says wins over the status, except that a signal which only the system sends is believed first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from llamero.infrastructure.messages import Messages, default_messages
from llamero.infrastructure.plain_text import one_line
from llamero.models.exits import ExitReason

# Named groups become the arguments of the message. Matching ignores case, since casing differs between builds.
_CAUSES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), f"exit-{name}")
    for name, pattern in (
        ("invalid_argument", r"error: invalid argument: (?P<argument>\S.{0,200})"),
        ("port", r"couldn't bind (the )?HTTP server socket|address already in use"),
        ("file_missing", r"failed to open GGUF file|failed to open model"),
        ("not_gguf", r"invalid magic characters|bad magic|not a GGUF"),
        (
            "corrupt",
            r"model is corrupted or incomplete|is not within the file bounds|failed to read (tensor|key-value)",
        ),
        ("unknown_architecture", r"unknown model architecture(: ?'(?P<name>[^']{1,100})')?"),
        ("gpu_memory", r"(cuda|hip)Malloc failed|ErrorOutOfDeviceMemory|CUDA error: out of memory"),
        ("gpu_memory", r"BufferCallbackErrorOutOfMemory|unable to allocate (CUDA|Vulkan|Metal|ROCm|SYCL)\d* buffer"),
        ("memory", r"insufficient memory|(failed|unable) to allocate|cannot allocate memory|std::bad_alloc"),
        ("missing_library", r"(error while loading shared libraries|Library not loaded): (?P<name>[^:\s]{1,200})"),
        ("gpu_driver", r"CUDA driver version is insufficient|failed to initialize CUDA|no CUDA-capable device"),
        ("embedded_missing", r"No module named '?xllamacpp"),
        ("illegal_instruction", r"illegal instruction"),
        ("assertion", r"GGML_ASSERT\("),
    )
)
_GENERAL = re.compile(r"exiting due to model loading error|failed to load model|error loading model", re.IGNORECASE)
_KILLED_FOR_MEMORY = re.compile(r"out of memory: killed process|oom-kill", re.IGNORECASE)

_SIGNALS = {
    4: "exit-illegal_instruction",
    6: "exit-aborted",
    7: "exit-bus_error",
    9: "exit-killed",
    10: "exit-bus_error",  # SIGBUS of macOS
    11: "exit-segmentation_fault",
    15: "exit-terminated",
}
# Windows reports an exception as the exit status (NTSTATUS, ntstatus.h); Python gives it unsigned.
_NTSTATUS = {
    0xC0000005: "exit-segmentation_fault",
    0xC0000017: "exit-memory",
    0xC000001D: "exit-illegal_instruction",
    0xC0000135: "exit-missing_library",
    0xC0000139: "exit-missing_library",
    0xC000013A: "exit-terminated",
    0xC0000409: "exit-aborted",
}
_NOT_STARTABLE = frozenset({126, 127})  # what a shell or `env` answers for a command that cannot be run
_LINE_LIMIT = 200


def explain_engine_exit(exit_status: int | None, log_tail: Sequence[str]) -> ExitReason:
    """Tell why an engine ended.

    `exit_status` as in `subprocess` (negative: the signal's number; None: never started or not known), `log_tail` its
    last lines, oldest first. A shell's 128 + n is read as signal n.
    """
    signal = _signal_of(exit_status)
    if signal == 9:
        memory = any(_KILLED_FOR_MEMORY.search(line) for line in log_tail)
        return ExitReason("exit-killed_out_of_memory" if memory else "exit-killed")
    if cause := _cause_in(log_tail):
        return cause
    if signal is not None:
        known = _SIGNALS.get(signal)
        return ExitReason(known) if known else ExitReason("exit-signal", {"signal": signal})
    return _reason_of_status(exit_status, log_tail)


def engine_exit_sentence(exit_status: int | None, log_tail: Sequence[str], messages: Messages | None = None) -> str:
    """Return the explanation as one sentence in lower case, ready to fill the `reason` of `EngineFailed`."""
    reason = explain_engine_exit(exit_status, log_tail)
    return (messages or default_messages()).text(reason.code, reason.arguments)


def _signal_of(exit_status: int | None) -> int | None:
    if exit_status is None or exit_status & 0xFFFFFFFF in _NTSTATUS:
        return None
    if exit_status < 0:
        return -exit_status
    return exit_status - 128 if exit_status - 128 in _SIGNALS else None


def _cause_in(log_tail: Sequence[str]) -> ExitReason | None:
    for line in reversed(log_tail):
        for pattern, code in _CAUSES:
            if match := pattern.search(line[:4096]):
                arguments = {name: one_line(text.strip()) for name, text in match.groupdict().items() if text}
                return ExitReason(code, dict(arguments))
    return None


def _reason_of_status(exit_status: int | None, log_tail: Sequence[str]) -> ExitReason:
    if exit_status is None:
        return ExitReason("exit-unknown")
    if exit_status & 0xFFFFFFFF in _NTSTATUS:
        return ExitReason(_NTSTATUS[exit_status & 0xFFFFFFFF])
    if any(_GENERAL.search(line) for line in log_tail):
        return ExitReason("exit-load_failed")
    if exit_status == 0:
        return ExitReason("exit-clean")
    if exit_status in _NOT_STARTABLE:
        return ExitReason("exit-not_startable")
    last = next((line for line in reversed(log_tail) if line.strip()), "")
    return ExitReason("exit-status", {"status": exit_status, "line": one_line(last.strip(), _LINE_LIMIT)})
