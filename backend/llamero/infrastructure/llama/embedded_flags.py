"""The embedded engine's flags: one table for the command line, the environment and `--help`.

Names and variables are llama-server's (b11549). Only what acts is listed: what `xllamacpp` offers no parameter for
(`--device`, `--override-kv`, `--control-vector`, `--rpc`, router mode, downloads …) is an unknown flag, so that nobody
believes in a setting that does nothing.
"""

from __future__ import annotations

from llamero.infrastructure.llama import embedded_setters as setters
from llamero.infrastructure.llama.embedded_arguments import Flag, Parameters, Setter, flag
from llamero.infrastructure.llama.embedded_flags_server import SAMPLING, SERVER, SPECULATIVE
from llamero.infrastructure.llama.embedded_setters import (
    CACHE_TYPES,
    choice,
    mapped,
    number,
    real,
    switch,
    text,
    threads,
)


def _answers_at_once(_parameters: Parameters, _value: str) -> None:
    """`--help` and its like are answered before any parameter is set."""


HELP = flag("-h --help --usage", "", "print this text and exit", _answers_at_once)
VERSION = flag("--version", "", "print the version and exit", _answers_at_once)
LIST_DEVICES = flag("--list-devices", "", "print the devices that can compute and exit", _answers_at_once)
IMMEDIATE = (HELP, VERSION, LIST_DEVICES)
_TYPES = ", ".join(CACHE_TYPES)
_SPLITS = ("none", "layer", "row", "tensor")
_LOADS = ("auto", "none", "mmap", "mlock", "mmap+mlock")
_ROPE = ("none", "linear", "yarn")
_PRIORITIES = {"-1": -1, "0": 0, "1": 1, "2": 2, "3": 3}


def _cache_type(path: str) -> Setter:
    return choice(path, "ggml_type", "GGML_TYPE_", CACHE_TYPES)


_COMMON = (
    *IMMEDIATE,
    flag("-t --threads", "N", "threads for generating; -1: physical cores", threads("cpuparams.n_threads"), "THREADS"),
    flag("-tb --threads-batch", "N", "threads for reading prompts", threads("cpuparams_batch.n_threads")),
    flag("-C --cpu-mask", "M", "hexadecimal mask of processors to use", setters.cpu_mask),
    flag("-Cr --cpu-range", "LO-HI", "range of processors to use", setters.cpu_range),
    flag(
        "--cpu-strict",
        "<0|1>",
        "tie each thread to one processor",
        mapped("cpuparams.strict_cpu", {"0": False, "1": True}),
    ),
    flag("--prio", "N", "priority of threads: -1 low to 3 real-time", mapped("cpuparams.priority", _PRIORITIES)),
    flag("-c --ctx-size", "N", "tokens of context; 0: as the model was trained", number("n_ctx", 0), "CTX_SIZE"),
    flag(
        "--kv-unified-per-slot",
        "N",
        "most tokens of one slot in a shared cache",
        number("kv_unified_per_slot", 0),
        "KV_UNIFIED_PER_SLOT",
    ),
    flag("-n --predict --n-predict", "N", "tokens to write at most; -1: no limit", number("n_predict"), "N_PREDICT"),
    flag("-b --batch-size", "N", "tokens in a logical batch", number("n_batch", 1), "BATCH"),
    flag("-ub --ubatch-size", "N", "tokens in a physical batch", number("n_ubatch", 1), "UBATCH"),
    flag("--keep", "N", "tokens of the first prompt to keep when the context shifts; -1: all", number("n_keep")),
    flag("--swa-full", "", "full-size cache for sliding-window attention", switch("swa_full"), "SWA_FULL"),
    flag(
        "-ctxcp --ctx-checkpoints --swa-checkpoints",
        "N",
        "context checkpoints per slot",
        number("n_ctx_checkpoints", 0),
        "CTX_CHECKPOINTS",
    ),
    flag(
        "-cram --cache-ram",
        "N",
        "MiB of host memory for the prompt cache; -1: no limit, 0: none",
        number("cache_ram_mib"),
        "CACHE_RAM",
    ),
    flag(
        "-kvu --kv-unified",
        "",
        "one cache shared by all slots",
        switch("kv_unified"),
        "KV_UNIFIED",
        "-no-kvu --no-kv-unified",
    ),
    flag(
        "--cache-idle-slots",
        "",
        "move idle slots to the prompt cache",
        switch("cache_idle_slots"),
        "CACHE_IDLE_SLOTS",
        "--no-cache-idle-slots",
    ),
    flag(
        "--context-shift",
        "",
        "drop old tokens instead of stopping at a full context",
        switch("ctx_shift"),
        "CONTEXT_SHIFT",
        "--no-context-shift",
    ),
    flag("-fa --flash-attn", "[on|off|auto]", "flash attention", setters.flash_attention, "FLASH_ATTN"),
    flag("--perf", "", "measure the library's inner timings", switch("no_perf", inverted=True), "PERF", "--no-perf"),
    flag("--warmup", "", "run once with nothing before the first request", switch("warmup"), "", "--no-warmup"),
    flag(
        "--rope-scaling",
        "{none,linear,yarn}",
        "how positions are scaled",
        choice("rope_scaling_type", "llama_rope_scaling_type", "LLAMA_ROPE_SCALING_TYPE_", _ROPE),
        "ROPE_SCALING_TYPE",
    ),
    flag("--rope-freq-base", "N", "base frequency of positions", real("rope_freq_base"), "ROPE_FREQ_BASE"),
    flag("--rope-freq-scale", "N", "frequency scale of positions", real("rope_freq_scale"), "ROPE_FREQ_SCALE"),
    flag(
        "--yarn-orig-ctx", "N", "context that the model was trained with", number("yarn_orig_ctx", 0), "YARN_ORIG_CTX"
    ),
    flag("--yarn-ext-factor", "N", "YaRN extrapolation mix", real("yarn_ext_factor"), "YARN_EXT_FACTOR"),
    flag("--yarn-attn-factor", "N", "YaRN attention scale", real("yarn_attn_factor"), "YARN_ATTN_FACTOR"),
    flag("--yarn-beta-slow", "N", "YaRN high correction dimension", real("yarn_beta_slow"), "YARN_BETA_SLOW"),
    flag("--yarn-beta-fast", "N", "YaRN low correction dimension", real("yarn_beta_fast"), "YARN_BETA_FAST"),
    flag(
        "-kvo --kv-offload",
        "",
        "keep the cache on the GPU",
        switch("no_kv_offload", inverted=True),
        "KV_OFFLOAD",
        "-nkvo --no-kv-offload",
    ),
    flag(
        "--repack",
        "",
        "rearrange weights for the processor",
        switch("no_extra_bufts", inverted=True),
        "REPACK",
        "-nr --no-repack",
    ),
    flag(
        "-ctk --cache-type-k",
        "TYPE",
        f"type of the keys in the cache: {_TYPES}",
        _cache_type("cache_type_k"),
        "CACHE_TYPE_K",
    ),
    flag(
        "-ctv --cache-type-v",
        "TYPE",
        f"type of the values in the cache: {_TYPES}",
        _cache_type("cache_type_v"),
        "CACHE_TYPE_V",
    ),
    flag("-np --parallel", "N", "slots, that is requests at once; -1: choose", number("n_parallel"), "N_PARALLEL"),
    flag(
        "-cb --cont-batching",
        "",
        "batch running requests together",
        switch("cont_batching"),
        "CONT_BATCHING",
        "-nocb --no-cont-batching",
    ),
    flag("-mm --mmproj", "FILE", "projector that lets the model see or hear", text("mmproj.path"), "MMPROJ"),
    flag(
        "--mmproj-offload",
        "",
        "run the projector on the GPU",
        switch("mmproj_use_gpu"),
        "MMPROJ_OFFLOAD",
        "--no-mmproj-offload",
    ),
    flag("--image-min-tokens", "N", "least tokens for an image", number("image_min_tokens"), "IMAGE_MIN_TOKENS"),
    flag("--image-max-tokens", "N", "most tokens for an image", number("image_max_tokens"), "IMAGE_MAX_TOKENS"),
    flag(
        "-lm --load-mode",
        "MODE",
        f"how the file comes into memory: {', '.join(_LOADS)}",
        choice("load_mode", "llama_load_mode", "LLAMA_LOAD_MODE_", _LOADS),
        "LOAD_MODE",
    ),
    flag(
        "-ot --override-tensor",
        "PATTERN=TYPE,...",
        "where tensors go, by pattern of their names",
        setters.tensor_placement,
        "OVERRIDE_TENSOR",
    ),
    flag("-cmoe --cpu-moe", "", "keep all experts with the processor", setters.experts_on_cpu, "CPU_MOE"),
    flag(
        "-ncmoe --n-cpu-moe",
        "N",
        "keep the experts of the first N layers with the processor",
        setters.first_experts_on_cpu,
        "N_CPU_MOE",
    ),
    flag(
        "-ngl --gpu-layers --n-gpu-layers",
        "N",
        "layers on the GPU: a number, auto or all",
        setters.gpu_layers("n_gpu_layers"),
        "N_GPU_LAYERS",
    ),
    flag(
        "-sm --split-mode",
        "{none,layer,row,tensor}",
        "how several GPUs share the model",
        choice("split_mode", "llama_split_mode", "LLAMA_SPLIT_MODE_", _SPLITS),
        "SPLIT_MODE",
    ),
    flag("-ts --tensor-split", "N0,N1,N2,...", "share of each GPU", setters.TENSOR_SPLIT, "TENSOR_SPLIT"),
    flag("-mg --main-gpu", "INDEX", "the GPU that is used alone or first", number("main_gpu", 0), "MAIN_GPU"),
    flag(
        "-fit --fit",
        "[on|off]",
        "fit what is left unset into the memory there is",
        mapped("fit_params", {"on": True, "off": False}),
        "FIT",
    ),
    flag(
        "-fitt --fit-target", "MiB0,MiB1,...", "memory to leave free on each device", setters.FIT_MARGIN, "FIT_TARGET"
    ),
    flag("-fitc --fit-ctx", "N", "least context that fitting may choose", number("fit_params_min_ctx", 0), "FIT_CTX"),
    flag("--check-tensors", "", "look for invalid numbers while loading", switch("check_tensors")),
    flag(
        "--op-offload",
        "",
        "let the GPU help with weights in host memory",
        switch("no_op_offload", inverted=True),
        "",
        "--no-op-offload",
    ),
    flag("--lora", "FNAME", "LoRA adapters, a comma-separated list", setters.adapters),
    flag("--lora-scaled", "FNAME:SCALE,...", "LoRA adapters, each with its strength", setters.scaled_adapters),
    flag(
        "--lora-init-without-apply",
        "",
        "load adapters and leave them off until asked for",
        switch("lora_init_without_apply"),
    ),
    flag("-m --model", "FNAME", "the model file", text("model.path"), "MODEL"),
    flag("--log-jsonl", "", "log lines as JSON", switch("log_json"), "LOG_JSONL", "--no-log-jsonl"),
    flag("-v --verbose --log-verbose", "", "log everything", setters.verbose),
    flag(
        "-lv --verbosity --log-verbosity",
        "N",
        "log up to this level; 3: information, 4: more",
        number("verbosity", 0),
        "LOG_VERBOSITY",
    ),
)

SECTIONS = {
    "common params": _COMMON,
    "sampling params": SAMPLING,
    "speculative params": SPECULATIVE,
    "example-specific params": SERVER,
}
TABLE: tuple[Flag, ...] = tuple(entry for entries in SECTIONS.values() for entry in entries)


def default_parameters() -> Parameters:
    """Parameters with llama-server's defaults where the compiled module has others."""
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.port = 8080
    parameters.n_parallel = -1
    return parameters
