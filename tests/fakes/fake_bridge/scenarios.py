"""The worlds that the fake can show: what exists before the page connects."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from llamero.models.access import ApiKey, GatewayState
from llamero.models.aliases import Alias, AliasKind
from llamero.models.bridge.chats import Progress, ProgressKind
from llamero.models.bridge.gateway import AliasConditions
from llamero.models.bridge.servers import ModelInfo, ServerInfo
from llamero.models.bridge.window import UiState
from llamero.models.conversations import (
    AnswerStats,
    Attachment,
    Conversation,
    Message,
    MessageError,
    MessageStatus,
    Role,
)
from llamero.models.inspector import RequestDetails
from llamero.models.llama import ServerPhase
from llamero.models.logs import LogLine
from llamero.models.metrics import GpuMetrics, MetricsSnapshot
from llamero.models.supervision import ServerDetails
from llamero.services.settings import SettingsService
from llamero.services.updates import UpdateService
from tests.fakes.about import FakeAbout
from tests.fakes.fake_bridge.benches import Benches, former_runs
from tests.fakes.fake_bridge.gateway import some_aliases, some_keys
from tests.fakes.fake_bridge.measurements import measured
from tests.fakes.fake_bridge.requests import some_requests
from tests.fakes.fake_bridge.supervised import supervise
from tests.fakes.releases import TARGET, FakeReleases
from tests.fakes.settings import settings_in

GB = 1024**3

SETTINGS = """\
# What I have changed.

[gateway]
port = 6001  # the printer has 5526

[servers]
max_loaded = 2
"""
ENVIRONMENT = {"LLAMERO_METRICS_IDLE_INTERVAL_S": "20"}
COMMAND_LINE = {"gateway.host": "127.0.0.1"}

ANSWER = """\
A mountain pass is a **low place between two peaks**, where a path can cross.

1. Look for the *saddle* between the peaks.
2. Count the `switchbacks` below it.

```python
def slope(rise: float, run: float) -> float:
    \"\"\"Steepness in percent.\"\"\"
    return 100 * rise / run  # level ground is 0
```

| pass | height | open |
|---|---:|---|
| Abra Málaga | 4,316 m | all year |
| Punta Olímpica | 4,890 m | May to October |

> A llama carries about 30 kg and walks 20 km a day.

The slope is $s = \\frac{h}{d}$, and more is [written here](https://example.com/passes).
"""


@dataclass
class World:
    """Everything that the fake knows; tests change it while it runs."""

    models: list[ModelInfo] = field(default_factory=list)
    servers: list[ServerInfo] = field(default_factory=list)
    details: dict[str, ServerDetails] = field(default_factory=dict)
    output: list[str] = field(default_factory=list)
    log: list[LogLine] = field(default_factory=list)
    conversations: dict[str, Conversation] = field(default_factory=dict)
    deleted: dict[str, Conversation] = field(default_factory=dict)
    messages: dict[str, Message] = field(default_factory=dict)
    deleted_messages: dict[str, tuple[str | None, dict[str, Message]]] = field(default_factory=dict)
    ui: UiState = field(default_factory=UiState)
    native_dialogs: bool = False
    gpus: tuple[GpuMetrics, ...] = ()
    answer: str = ANSWER
    reasoning: str = ""
    progress: tuple[Progress, ...] = (
        Progress(kind=ProgressKind.READING, model="Qwen3-4B-Q4_K_M", done=3120, total=3120),
    )
    progress_s: float = 0.05
    piece: int = 4
    error: MessageError | None = None
    measured_for_s: float = 86400.0
    saved: dict[str, bytes] = field(default_factory=dict)
    attached: dict[str, tuple[Attachment, bytes]] = field(default_factory=dict)
    benches: Benches = field(default_factory=lambda: Benches([]))
    requests: list[RequestDetails] = field(default_factory=some_requests)
    gateway: GatewayState = GatewayState(url="http://127.0.0.1:5526")  # noqa: RUF009
    aliases: list[Alias] = field(default_factory=list)
    conditions: AliasConditions = AliasConditions()  # noqa: RUF009
    keys: list[ApiKey] = field(default_factory=list)
    keeps_content: bool = True
    content_allowed: bool = True
    about: FakeAbout = field(default_factory=FakeAbout)
    folder: TemporaryDirectory[str] = field(default_factory=TemporaryDirectory)
    settings: SettingsService = field(init=False)
    updates: UpdateService = field(
        default_factory=lambda: UpdateService(FakeReleases(), "0.1.0", TARGET, Path("/home/ana/llamero/updates"))
    )

    def __post_init__(self) -> None:
        self.settings = settings_in(Path(self.folder.name), SETTINGS, ENVIRONMENT, COMMAND_LINE)

    def metrics(self) -> MetricsSnapshot:
        """A sample of now."""
        return measured(time.time(), self.gpus, self.running())

    def running(self) -> tuple[str, ...]:
        """The models that are loaded."""
        return tuple([server.alias for server in self.servers if server.phase is ServerPhase.READY])


DEMO = ModelInfo(
    alias="Demo",
    path="/opt/llamero/demo.gguf",
    is_demo=True,
    size_bytes=1_500_000,
    architecture="llama",
    trained_context=4096,
    layers=2,
)
QWEN = ModelInfo(
    alias="Qwen3-4B-Q4_K_M",
    path="/models/qwen3.gguf",
    size_bytes=int(2.6 * GB),
    architecture="qwen3",
    trained_context=40960,
    layers=36,
)
EMBEDDER = ModelInfo(
    alias="nomic-embed-text-v1.5",
    path="/models/nomic.gguf",
    size_bytes=int(0.26 * GB),
    architecture="nomic-bert",
    trained_context=2048,
    layers=12,
    embedding=True,
)
SMALL = ModelInfo(
    alias="SmolLM2-360M-Instruct-Q8_0",
    path="/models/smol.gguf",
    size_bytes=int(0.38 * GB),
    architecture="llama",
    trained_context=8192,
    layers=32,
)
LARGE = ModelInfo(
    alias="Mistral-Small-24B-Instruct-Q5_K_M",
    path="/models/mistral.gguf",
    size_bytes=int(15.6 * GB),
    architecture="llama",
    trained_context=32768,
    layers=40,
)
PHI = ModelInfo(
    alias="phi-4-mini",
    path="/models/phi.gguf",
    size_bytes=int(2.3 * GB),
    architecture="phi3",
    trained_context=131072,
    context_length=8192,
    layers=32,
)
GONE = ModelInfo(
    alias="gemma-3-1b", path="/media/usb/gemma.gguf", size_bytes=int(0.8 * GB), architecture="gemma3", missing=True
)
HOUSE = ModelInfo(
    alias="house",
    path="/models/qwen3.gguf",
    kind=AliasKind.USER,
    size_bytes=int(2.6 * GB),
    architecture="qwen3",
    context_length=8192,
    trained_context=40960,
    layers=36,
)
REMOTE = ModelInfo(alias="far/large-model", path="", kind=AliasKind.API)
FALLBACK = ModelInfo(alias="whatever-works", path="", kind=AliasKind.FALLBACK)

TOO_LARGE = (
    "The model does not fit into memory: it needs 17.2 GB and 6.1 GB are free. "
    "Stop another model, lower the context length or choose a smaller file."
)
STATS = AnswerStats(
    prompt_tokens=24, completion_tokens=312, generation_ms=6900, first_token_ms=310, finish_reason="stop"
)


def first_run() -> World:
    """A fresh start: the demo model and nothing else."""
    return World(models=[DEMO], progress=(Progress(kind=ProgressKind.LOADING, model="Demo"),))


def nothing() -> World:
    """Not even the demo model."""
    return World()


def busy() -> World:
    """Somebody has used it for a while: models in every state, a tree with branches, every kind of ending."""
    world = World(
        models=[QWEN, LARGE, PHI, HOUSE, FALLBACK, REMOTE, GONE, DEMO],
        aliases=some_aliases(),
        keys=some_keys(),
        servers=[
            ServerInfo(alias=QWEN.alias, phase=ServerPhase.READY, pid=4242),
            ServerInfo(alias=PHI.alias, phase=ServerPhase.STARTING),
            ServerInfo(
                alias=LARGE.alias,
                phase=ServerPhase.FAILED,
                reason=TOO_LARGE,
                log_tail=("ggml_backend_cpu_buffer_type_alloc_buffer: failed", "exiting due to model loading error"),
            ),
        ],
        gpus=(
            GpuMetrics(
                index=0,
                name="NVIDIA RTX 4070",
                source="nvml",
                utilization=37,
                memory_used=int(3.1 * GB),
                memory_total=int(12 * GB),
            ),
        ),
        native_dialogs=True,
        benches=Benches(former_runs(QWEN.alias)),
    )
    now = time.time()
    titles = [
        ("Crossing the Andes with llamas", 60),
        ("A recipe for quinoa soup that does not need an oven or much time", 1800),
        ("Explain the borrow checker", 90000),
        ("Letter to the landlord", 95000),
        ("Regex for dates", 400000),
        ("Weekend in Arequipa", 500000),
        ("Why is the sky dark at night?", 900000),
    ]
    for number, (title, ago) in enumerate(titles):
        add_conversation(world, f"c{number}", title, now - ago)
    first = Message(
        id="m1",
        conversation_id="c0",
        parent_id=None,
        role=Role.USER,
        content="What is a mountain pass, and how steep may it be for llamas?",
        created_at=now - 300,
    )
    old = Message(
        id="m2",
        conversation_id="c0",
        parent_id="m1",
        role=Role.ASSISTANT,
        content="A gap in the mountains.",
        model=PHI.alias,
        created_at=now - 290,
        stats=STATS,
    )
    answer = Message(
        id="m3",
        conversation_id="c0",
        parent_id="m1",
        role=Role.ASSISTANT,
        content=ANSWER,
        model=QWEN.alias,
        created_at=now - 280,
        stats=STATS,
        reasoning="The user asks about passes. I should say what one is, then how.\n\nSlope matters for llamas.",
    )
    again = Message(
        id="m4",
        conversation_id="c0",
        parent_id="m3",
        role=Role.USER,
        content="Thanks. And in winter?",
        created_at=now - 200,
    )
    cut = Message(
        id="m5",
        conversation_id="c0",
        parent_id="m4",
        role=Role.ASSISTANT,
        model=QWEN.alias,
        created_at=now - 190,
        status=MessageStatus.STOPPED,
        content="In winter most passes above 4,500 m close, because",
        stats=AnswerStats(completion_tokens=14, generation_ms=300, first_token_ms=220, recoveries=1),
    )
    for message in (first, old, answer, again, cut):
        world.messages[message.id] = message
    set_head(world, "c0", "m5")
    failed = Message(
        id="f1",
        conversation_id="c2",
        parent_id=None,
        role=Role.USER,
        content="Explain the borrow checker to a C programmer.",
        created_at=now - 9000,
    )
    failure = Message(
        id="f2",
        conversation_id="c2",
        parent_id="f1",
        role=Role.ASSISTANT,
        content="",
        model=LARGE.alias,
        created_at=now - 8990,
        status=MessageStatus.FAILED,
        error=MessageError(
            code="server_error-insufficient_memory",
            message=TOO_LARGE,
        ),
    )
    asked = Message(
        id="i1",
        conversation_id="c3",
        parent_id=None,
        role=Role.USER,
        content="Write to my landlord about the heating.",
        created_at=now - 9500,
    )
    lost = Message(
        id="i2",
        conversation_id="c3",
        parent_id="i1",
        role=Role.ASSISTANT,
        content="Dear Mr. Quispe,\n\nthe heating in the flat has",
        model=QWEN.alias,
        created_at=now - 9400,
        status=MessageStatus.INTERRUPTED,
    )
    for message in (failed, failure, asked, lost):
        world.messages[message.id] = message
    set_head(world, "c2", "f2")
    set_head(world, "c3", "i2")
    return world


def long() -> World:
    """A thousand messages in one conversation."""
    world = World(models=[QWEN], servers=[ServerInfo(alias=QWEN.alias, phase=ServerPhase.READY)])
    now = time.time()
    add_conversation(world, "long", "A long walk", now)
    parent = None
    for number in range(500):
        asked = Message(
            id=f"q{number}",
            conversation_id="long",
            parent_id=parent,
            role=Role.USER,
            content=f"Question {number}?",
            created_at=now - 2000 + number,
        )
        answer = Message(
            id=f"a{number}",
            conversation_id="long",
            parent_id=asked.id,
            role=Role.ASSISTANT,
            content=f"Answer {number}.\n\n{ANSWER}",
            model=QWEN.alias,
            created_at=asked.created_at + 0.5,
            stats=STATS,
        )
        world.messages[asked.id] = asked
        world.messages[answer.id] = answer
        parent = answer.id
    set_head(world, "long", parent)
    world.ui = UiState(conversation_id="long")
    return world


def add_conversation(world: World, identifier: str, title: str, at: float) -> None:
    world.conversations[identifier] = Conversation(
        id=identifier, title=title, created_at=at, updated_at=at, model=QWEN.alias
    )


def set_head(world: World, identifier: str, head: str | None) -> None:
    conversation = world.conversations[identifier]
    world.conversations[identifier] = Conversation(
        id=conversation.id,
        title=conversation.title,
        title_is_automatic=conversation.title_is_automatic,
        created_at=conversation.created_at,
        updated_at=conversation.updated_at,
        head=head,
        model=conversation.model,
        system_prompt=conversation.system_prompt,
        sampling=conversation.sampling,
    )


def measuring() -> World:
    """Two GPUs, one with few sensors, and two models that answer now and then."""
    world = busy()
    world.servers = [
        ServerInfo(alias=QWEN.alias, phase=ServerPhase.READY, pid=4242),
        ServerInfo(alias=PHI.alias, phase=ServerPhase.READY, pid=4243),
    ]
    world.gpus = (
        GpuMetrics(
            index=0, name="NVIDIA GeForce RTX 4070", source="nvml", utilization=37, memory_used=int(3.1 * GB),
            memory_total=12 * GB, temperature_c=60, power_w=120,
        ),
        GpuMetrics(
            index=1, name="NVIDIA T400", source="nvml", utilization=5, memory_used=GB, memory_total=4 * GB,
        ),
    )  # fmt: skip
    world.native_dialogs = False
    return world


def supervised() -> World:
    """A server that answers, one that loads, one that failed, and two models that could run."""
    world = busy()
    world.models = [DEMO, QWEN, LARGE, EMBEDDER, SMALL]
    supervise(world, QWEN, DEMO, LARGE)
    return world


SCENARIOS: dict[str, Callable[[], World]] = {
    "first-run": first_run,
    "nothing": nothing,
    "busy": busy,
    "long": long,
    "measuring": measuring,
    "supervised": supervised,
}
