"""What the embedded engine's flags for sampling, guessing ahead and serving are. See `embedded_flags.py`."""

from __future__ import annotations

from llamero.infrastructure.llama import embedded_setters as setters
from llamero.infrastructure.llama.embedded_arguments import flag
from llamero.infrastructure.llama.embedded_setters import (
    LARGEST,
    choice,
    file_text,
    mapped,
    number,
    real,
    switch,
    text,
)

_POOLING = ("none", "mean", "cls", "last", "rank")
_REASONING = ("none", "auto", "deepseek", "deepseek-legacy")

SAMPLING = (
    flag("--samplers", "SAMPLERS", "the samplers in their order, separated by ';'", text("sampling.samplers")),
    flag("-s --seed", "SEED", "seed of the random numbers; -1: by chance", setters.seed),
    flag("--ignore-eos", "", "go on after the end of the answer", switch("sampling.ignore_eos")),
    flag("--temp --temperature", "N", "temperature", real("sampling.temp"), "TEMPERATURE"),
    flag("--top-k", "N", "only the K likeliest; 0: all", number("sampling.top_k"), "TOP_K"),
    flag("--top-p", "N", "only the likeliest up to this probability together", real("sampling.top_p"), "TOP_P"),
    flag("--min-p", "N", "only those at least this likely beside the likeliest", real("sampling.min_p"), "MIN_P"),
    flag("--xtc-probability", "N", "chance of leaving out the likeliest", real("sampling.xtc_probability")),
    flag("--xtc-threshold", "N", "least probability of those that may be left out", real("sampling.xtc_threshold")),
    flag("--typical --typical-p", "N", "locally typical sampling", real("sampling.typ_p")),
    flag("--repeat-last-n", "N", "tokens in which repeats count; -1: the context", number("sampling.penalty_last_n")),
    flag("--repeat-penalty", "N", "penalty for a repeat", real("sampling.penalty_repeat"), "REPEAT_PENALTY"),
    flag(
        "--presence-penalty", "N", "penalty for having appeared", real("sampling.penalty_present"), "PRESENCE_PENALTY"
    ),
    flag("--frequency-penalty", "N", "penalty for each appearance", real("sampling.penalty_freq"), "FREQUENCY_PENALTY"),
    flag("--dry-multiplier", "N", "strength of the DRY penalty", real("sampling.dry_multiplier")),
    flag("--dry-base", "N", "growth of the DRY penalty", real("sampling.dry_base")),
    flag("--dry-allowed-length", "N", "length of a repeat that DRY allows", number("sampling.dry_allowed_length")),
    flag(
        "--dry-penalty-last-n", "N", "tokens in which DRY looks; -1: the context", number("sampling.dry_penalty_last_n")
    ),
    flag("--adaptive-target", "N", "target probability of adaptive-p; negative: off", real("sampling.adaptive_target")),
    flag("--adaptive-decay", "N", "decay of adaptive-p", real("sampling.adaptive_decay")),
    flag("--dynatemp-range", "N", "range of dynamic temperature", real("sampling.dynatemp_range")),
    flag("--dynatemp-exp", "N", "exponent of dynamic temperature", real("sampling.dynatemp_exponent")),
    flag("--mirostat", "N", "0: off, 1: Mirostat, 2: Mirostat 2.0", number("sampling.mirostat", 0, 2)),
    flag("--mirostat-lr", "N", "learning rate of Mirostat", real("sampling.mirostat_eta")),
    flag("--mirostat-ent", "N", "target entropy of Mirostat", real("sampling.mirostat_tau")),
    flag("--grammar", "GRAMMAR", "grammar of every answer that asks for none", setters.grammar),
    flag("--grammar-file", "FNAME", "file with such a grammar", setters.grammar_file),
    flag("-bs --backend-sampling", "", "sample on the device", switch("sampling.backend_sampling"), "BACKENDSAMPLING"),
)

SPECULATIVE = (
    flag(
        "-md --model-draft --spec-draft-model",
        "FNAME",
        "small model that guesses ahead",
        setters.draft_model,
        "SPEC_DRAFT_MODEL",
    ),
    flag(
        "--spec-type",
        "TYPES",
        f"ways to guess ahead, a comma-separated list: {', '.join(setters.SPECULATION)}",
        setters.speculation,
        "SPEC_TYPE",
    ),
    flag("--spec-draft-n-max", "N", "most tokens to guess", number("speculative.draft.n_max", 0), "SPEC_DRAFT_N_MAX"),
    flag("--spec-draft-n-min", "N", "least tokens to guess", number("speculative.draft.n_min", 0), "SPEC_DRAFT_N_MIN"),
    flag(
        "--spec-draft-p-min", "N", "least probability of a guess", real("speculative.draft.p_min"), "SPEC_DRAFT_P_MIN"
    ),
    flag(
        "-ngld --gpu-layers-draft --spec-draft-ngl",
        "N",
        "layers of the small model on the GPU",
        setters.gpu_layers("speculative.draft.n_gpu_layers"),
        "N_GPU_LAYERS_DRAFT",
    ),
)

SERVER = (
    flag(
        "-a --alias",
        "STRING",
        "names of the model for clients, a comma-separated list",
        setters.comma_set("model_alias"),
        "ALIAS",
    ),
    flag("--tags", "STRING", "tags of the model, a comma-separated list", setters.comma_set("model_tags"), "TAGS"),
    flag(
        "--embd-normalize",
        "N",
        "norm of embeddings: -1 none, 0 largest, 2 Euclidean, above: p-norm",
        number("embd_normalize"),
    ),
    flag(
        "--pooling",
        "{none,mean,cls,last,rank}",
        "how embeddings are pooled",
        choice("pooling_type", "llama_pooling_type", "LLAMA_POOLING_TYPE_", _POOLING),
        "POOLING",
    ),
    flag("--host", "HOST", "addresses to listen on, a comma-separated list", setters.hosts, "HOST"),
    flag("--port", "PORT", "port to listen on; 0: any free one", number("port", 0, 65535), "PORT"),
    flag("--reuse-port", "", "let several servers share the port", switch("reuse_port"), "REUSE_PORT"),
    flag("--path", "PATH", "folder with static files to serve", text("public_path"), "STATIC_PATH"),
    flag("--api-prefix", "PREFIX", "path before every route", text("api_prefix"), "API_PREFIX"),
    flag("--cors-origins", "ORIGINS", "web origins that may call", text("cors_origins"), "CORS_ORIGINS"),
    flag("--ui --webui", "", "serve llama.cpp's own pages", switch("ui"), "UI WEBUI", "--no-ui --no-webui"),
    flag("--embedding --embeddings", "", "only embed", switch("embedding"), "EMBEDDINGS"),
    flag("--rerank --reranking", "", "only rank documents", setters.rerank, "RERANKING"),
    flag("--api-key", "KEY", "keys for clients, separated by commas", setters.api_keys, "LLAMA_API_KEY"),
    flag("--api-key-file", "FNAME", "file with keys, one on each line", setters.api_key_file, "API_KEY_FILE"),
    flag(
        "--chat-template-kwargs",
        "STRING",
        "JSON object for the chat template",
        setters.template_arguments,
        "LLAMA_CHAT_TEMPLATE_KWARGS",
    ),
    flag("-to --timeout", "N", "seconds to wait for reads and writes", setters.timeouts, "TIMEOUT"),
    flag(
        "--sse-ping-interval",
        "N",
        "seconds between signs of life in a stream; -1: none",
        number("sse_ping_interval"),
        "SSE_PING_INTERVAL",
    ),
    flag("--threads-http", "N", "threads that answer requests", number("n_threads_http"), "THREADS_HTTP"),
    flag(
        "--cache-prompt", "", "reuse what a slot has read", switch("cache_prompt"), "CACHE_PROMPT", "--no-cache-prompt"
    ),
    flag(
        "--cache-reuse",
        "N",
        "least tokens of a shifted piece to reuse; 0: off",
        number("n_cache_reuse", 0),
        "CACHE_REUSE",
    ),
    flag("--metrics", "", "serve /metrics", switch("endpoint_metrics"), "ENDPOINT_METRICS"),
    flag("--props", "", "let POST /props change settings", switch("endpoint_props"), "ENDPOINT_PROPS"),
    flag("--slots", "", "serve /slots", switch("endpoint_slots"), "ENDPOINT_SLOTS", "--no-slots"),
    flag("--slot-save-path", "PATH", "folder in which slots are saved", setters.slot_folder, "SLOT_SAVE_PATH"),
    flag("--jinja", "", "use the model's own template language", switch("use_jinja"), "JINJA", "--no-jinja"),
    flag(
        "--reasoning-format",
        "FORMAT",
        "where thoughts go: none, auto, deepseek, deepseek-legacy",
        choice("reasoning_format", "common_reasoning_format", "COMMON_REASONING_FORMAT_", _REASONING),
        "THINK",
    ),
    flag(
        "-rea --reasoning",
        "[on|off|auto]",
        "whether the model thinks before it answers",
        mapped("enable_reasoning", {"on": 1, "off": 0, "auto": -1}),
        "REASONING",
    ),
    flag(
        "--reasoning-budget",
        "N",
        "most tokens for thoughts; -1: no limit, 0: none",
        number("sampling.reasoning_budget_tokens"),
        "THINK_BUDGET",
    ),
    flag(
        "--reasoning-budget-message",
        "MESSAGE",
        "what ends a thought that is cut",
        text("sampling.reasoning_budget_message"),
        "THINK_BUDGET_MESSAGE",
    ),
    flag(
        "--chat-template",
        "JINJA_TEMPLATE",
        "chat template, or the name of a built-in one",
        text("chat_template"),
        "CHAT_TEMPLATE",
    ),
    flag(
        "--chat-template-file",
        "JINJA_TEMPLATE_FILE",
        "file with a chat template",
        file_text("chat_template"),
        "CHAT_TEMPLATE_FILE",
    ),
    flag(
        "--skip-chat-parsing",
        "",
        "give the answer as it was written",
        switch("force_pure_content_parser"),
        "SKIP_CHAT_PARSING",
        "--no-skip-chat-parsing",
    ),
    flag(
        "--prefill-assistant",
        "",
        "go on with a last message of the assistant",
        switch("prefill_assistant"),
        "PREFILL_ASSISTANT",
        "--no-prefill-assistant",
    ),
    flag("-sps --slot-prompt-similarity", "N", "how much a prompt must match a slot's", real("slot_prompt_similarity")),
    flag(
        "--sleep-idle-seconds",
        "N",
        "seconds until an idle model is put to sleep; -1: never",
        number("sleep_idle_seconds", -1, LARGEST),
    ),
)
