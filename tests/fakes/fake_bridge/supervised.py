"""The world of the servers view and the log view."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from llamero.models.bridge.servers import ModelInfo, ServerInfo
from llamero.models.llama import EngineKind, LaunchFlag, ServerPhase
from llamero.models.logs import LogLine, LogSource
from llamero.models.supervision import ExitInfo, ServerDetails

if TYPE_CHECKING:
    from tests.fakes.fake_bridge.scenarios import World

GB = 1024**3


def supervise(world: World, answering: ModelInfo, loading: ModelInfo, failed: ModelInfo) -> None:
    """Three servers: one that answers while others wait and has crashed before, one that loads, one that failed."""
    now = time.time()
    world.servers = [
        ServerInfo(
            alias=answering.alias, phase=ServerPhase.READY, leases=2, waiting=3, restarts=2, since=now - 4210, pid=48213
        ),
        ServerInfo(alias=loading.alias, phase=ServerPhase.STARTING, since=now - 2, pid=None),
        ServerInfo(
            alias=failed.alias,
            phase=ServerPhase.FAILED,
            since=now - 95,
            reason="The model needs 15.6 GB and 6.1 GB are free. Lower the context to 4,096 or choose Q4.",
        ),
    ]
    program = ("/opt/llama.cpp/bin/llama-server",)
    world.details = {
        answering.alias: ServerDetails(
            server=world.servers[0],
            model_path=answering.path,
            generation=3,
            port=41877,
            engine=EngineKind.SETTINGS,
            variant="cuda",
            command=program,
            flags=(
                LaunchFlag("--threads 8", "settings"),
                LaunchFlag("--flash-attn on", "variant"),
                LaunchFlag("--override-kv tokenizer.ggml.add_bos_token=bool:false", "alias"),
                LaunchFlag("--ctx-size 8192", "config"),
                LaunchFlag("--n-gpu-layers 999", "config"),
            ),
            exits=(
                ExitInfo(at=now - 9800, reason="The engine ended: killed by signal 9.", exit_status=-9, ran_s=1805),
                ExitInfo(at=now - 4215, reason="The engine ended: out of GPU memory.", exit_status=1, ran_s=42.5),
            ),
            memory_bytes=int(3.4 * GB),
            keep_alive_s=300,
        ),
        failed.alias: ServerDetails(
            server=world.servers[2], model_path=failed.path, generation=1, engine=EngineKind.SETTINGS, variant="cuda",
            command=program, memory_bytes=int(15.6 * GB),
        ),
    }  # fmt: skip
    world.output = [
        f"slot update_slots: id {number % 4} | task {number} | n_past = {512 + number}, n_tokens = 1"
        for number in range(700)
    ]
    world.log = [log_line(answering.alias, number, now) for number in range(120)]


def log_line(model: str, number: int, now: float) -> LogLine:
    """One of the kinds of lines that a log has."""
    at = now - 60 + number / 2
    match number % 8:
        case 3:
            return LogLine(
                at=at, level="info", source=LogSource.APP, name="llamero.services.llama.actor", text="Qwen is ready"
            )
        case 5 if number % 40 == 5:
            return LogLine(
                at=at, level="warning", source=LogSource.APP, name="llamero.gateway", text="a client sent too much"
            )
        case 6 if number % 60 == 46:
            trace = "the engine failed\n  | Traceback (most recent call last):\n  | OSError: no space left on device"
            return LogLine(at=at, level="error", source=LogSource.APP, name="llamero.infrastructure.logs", text=trace)
    text = f"slot update_slots: id {number % 4} | task {number} | prompt done, n_past = {number * 17}"
    return LogLine(at=at, level="info", source=LogSource.ENGINE, name=model, text=text)
