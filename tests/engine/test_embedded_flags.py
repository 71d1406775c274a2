"""Flags and variables of the embedded engine reach llama.cpp: seen in what it answers and logs."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from llamero.infrastructure.llama import embedded_flags
from llamero.infrastructure.llama.embedded_arguments import apply_settings, read_arguments, read_environment
from tests.engine.embedded_engine import QUESTION, running_engine


def parameters(*argv: str, **environment: str) -> Any:
    """The parameters that a command line and an environment lead to."""
    result = embedded_flags.default_parameters()
    table = embedded_flags.TABLE
    apply_settings([*read_environment(table, environment), *read_arguments(table, argv)], result)
    return result


def test_sampling_flags_are_the_defaults_of_requests(demo_model: Path, tmp_path: Path) -> None:
    wanted = {
        "temperature": ("--temp", 0.25),
        "top_k": ("--top-k", 7),
        "top_p": ("--top-p", 0.5),
        "min_p": ("--min-p", 0.125),
        "seed": ("--seed", 42),
        "typical_p": ("--typical", 0.75),
        "xtc_probability": ("--xtc-probability", 0.5),
        "xtc_threshold": ("--xtc-threshold", 0.25),
        "repeat_last_n": ("--repeat-last-n", 32),
        "repeat_penalty": ("--repeat-penalty", 1.25),
        "presence_penalty": ("--presence-penalty", 0.5),
        "frequency_penalty": ("--frequency-penalty", 0.25),
        "dry_multiplier": ("--dry-multiplier", 0.5),
        "dry_base": ("--dry-base", 1.5),
        "dry_allowed_length": ("--dry-allowed-length", 3),
        "dry_penalty_last_n": ("--dry-penalty-last-n", 16),
        "dynatemp_range": ("--dynatemp-range", 0.25),
        "dynatemp_exponent": ("--dynatemp-exp", 2.0),
        "mirostat": ("--mirostat", 1),
        "mirostat_eta": ("--mirostat-lr", 0.5),
        "mirostat_tau": ("--mirostat-ent", 4.0),
        "adaptive_target": ("--adaptive-target", 0.5),
        "adaptive_decay": ("--adaptive-decay", 0.25),
        "backend_sampling": ("--backend-sampling", True),
    }
    flags = [word for flag, value in wanted.values() for word in (flag, *([] if value is True else [str(value)]))]
    with running_engine(demo_model, tmp_path, *flags, "--samplers", "top_k;temperature") as engine:
        shown = engine.request("GET", "/props")[1]["default_generation_settings"]["params"]
    assert {name: shown[name] for name in wanted} == {name: value for name, (_, value) in wanted.items()}
    assert shown["samplers"] == ["top_k", "temperature"]


def test_context_flags_are_in_the_log_of_the_context(demo_model: Path, tmp_path: Path) -> None:
    flags = (
        "-lv 10 -c 2048 -np 2 -b 256 -ub 64 -t 1 -tb 2 -fa off -ctk q8_0 --rope-freq-base 50 --rope-freq-scale 0.5 "
        "-lm none --no-warmup -ot blk.0.ffn_up.weight=CPU"
    )
    with running_engine(demo_model, tmp_path, *flags.split()) as engine:
        slots = engine.request("GET", "/slots")[1]
        log = engine.log
    assert [slot["n_ctx"] for slot in slots] == [1024, 1024]
    for name, value in {"n_batch": "256", "n_ubatch": "64", "freq_base": "50.0", "freq_scale": "0.5"}.items():
        assert any(name in line and line.endswith(f"= {value}") for line in log.splitlines()), name
    assert "n_threads = 1 (n_threads_batch = 2)" in log
    assert "K (q8_0)" in log
    assert "CPU_Mapped" not in log
    assert "warming up" not in log
    assert "blk.0.ffn_up.weight (0 MiB q8_0) buffer type overridden to CPU" in log


def test_default_number_of_slots_is_llama_servers(demo_model: Path, tmp_path: Path) -> None:
    with running_engine(demo_model, tmp_path) as engine:
        assert len(engine.request("GET", "/slots")[1]) == 4
        assert engine.request("GET", "/")[0] == 404, "its own pages are off"


def test_generation_flags_shape_every_answer(demo_model: Path, tmp_path: Path) -> None:
    with running_engine(
        demo_model, tmp_path, "-n", "5", "--keep", "7", "--grammar", 'root ::= "llama" "llama"*'
    ) as engine:
        choice = engine.chat()
        assert engine.request("GET", "/slots")[1][-1]["params"]["n_keep"] == 7
    assert choice["finish_reason"] == "length"
    assert choice["message"]["content"].startswith("llama")


def test_names_flags_are_in_the_model_list(demo_model: Path, tmp_path: Path) -> None:
    with running_engine(demo_model, tmp_path, "--alias", "second,first", "--tags", "tiny") as engine:
        model = engine.request("GET", "/v1/models")[1]["data"][0]
    assert model["aliases"] == ["first", "second"]
    assert model["tags"] == ["tiny"]


def test_endpoint_flags_switch_endpoints(demo_model: Path, tmp_path: Path) -> None:
    flags = ("--metrics", "--no-slots", "--api-prefix", "/engine", "--slot-save-path", str(tmp_path))
    prefixless = ("--metrics", "--slots", "--no-slots", "--slot_save_path", str(tmp_path))
    with running_engine(demo_model, tmp_path, *prefixless) as engine:
        assert engine.request("GET", "/metrics")[1].startswith("# HELP")
        assert engine.request("GET", "/slots")[0] == 501
        engine.chat()
        assert engine.request("POST", "/slots/0?action=save", {"filename": "slot.bin"})[0] == 200
    assert (tmp_path / "slot.bin").stat().st_size > 0
    assert parameters(*flags).api_prefix == "/engine"


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ((), "answer after thought"),
        (("--reasoning-format", "none"), "thought in answer"),
        (("--reasoning", "off"), "answer only"),
        (("--reasoning-budget", "0"), "answer only"),
        (("--chat-template-kwargs", '{"enable_thinking": false}'), "answer only"),
    ],
)
def test_reasoning_flags_decide_where_thoughts_go(
    flags: tuple[str, ...], expected: str, think_model: Path, tmp_path: Path
) -> None:
    with running_engine(think_model, tmp_path, *flags) as engine:
        message = engine.chat()["message"]
    if message["content"].startswith("<think>"):
        found = "thought in answer"
    else:
        found = "answer after thought" if message.get("reasoning_content") else "answer only"
    assert found == expected


def test_template_flags_shape_the_prompt(demo_model: Path, tmp_path: Path) -> None:
    template = tmp_path / "template.jinja"
    template.write_text("{{ messages[0].content }}, {{ animal }}!")
    flags = ("--chat-template-file", str(template), "--chat-template-kwargs", '{"animal": "llama"}')
    with running_engine(demo_model, tmp_path, *flags) as engine:
        assert (
            engine.request("POST", "/apply-template", {"messages": QUESTION})[1]["prompt"] == "What is a llama?, llama!"
        )
    unfinished = {"messages": [*QUESTION, {"role": "assistant", "content": "A"}]}
    with running_engine(demo_model, tmp_path, "--no-prefill-assistant") as engine:
        assert engine.request("POST", "/apply-template", unfinished)[1]["prompt"].endswith("<|im_start|>assistant\n")
    with running_engine(demo_model, tmp_path, "--no-prefill-assistant", "--prefill-assistant") as engine:
        assert engine.request("POST", "/apply-template", unfinished)[1]["prompt"].endswith("assistant\nA")


def test_context_shift_flag_goes_on_beyond_the_context(demo_model: Path, tmp_path: Path) -> None:
    body = {"messages": QUESTION, "max_tokens": 600, "ignore_eos": True}
    with running_engine(demo_model, tmp_path, "-c", "256", "-np", "1", "--context-shift") as engine:
        usage = engine.request("POST", "/v1/chat/completions", body)[1]["usage"]
        assert usage["completion_tokens"] == 600
    with running_engine(
        demo_model, tmp_path, "-c", "256", "-np", "1", "--context-shift", "--no-context-shift"
    ) as engine:
        usage = engine.request("POST", "/v1/chat/completions", body)[1]["usage"]
        assert usage["total_tokens"] == 256


def test_draft_model_guesses_ahead(demo_model: Path, tmp_path: Path) -> None:
    with running_engine(demo_model, tmp_path, "-md", str(demo_model), "--spec-draft-n-max", "4") as engine:
        body = {"messages": QUESTION, "temperature": 0}
        timings = engine.request("POST", "/v1/chat/completions", body)[1]["timings"]
    assert timings["draft_n"] > 0
    assert timings["draft_n_accepted"] > timings["draft_n"] / 2


def test_sleep_flag_puts_an_idle_model_to_sleep(demo_model: Path, tmp_path: Path) -> None:
    with running_engine(demo_model, tmp_path, "--sleep-idle-seconds", "1") as engine:
        deadline = time.monotonic() + 20
        while not engine.request("GET", "/props")[1]["is_sleeping"]:
            assert time.monotonic() < deadline
        assert engine.chat()["finish_reason"] == "stop"


def test_key_from_the_environment_is_required(demo_model: Path, tmp_path: Path) -> None:
    with running_engine(demo_model, tmp_path, LLAMA_API_KEY="secret-key") as engine:
        assert engine.request("GET", "/health")[0] == 200
        assert engine.request("GET", "/props")[0] == 401
        assert engine.request("GET", "/props", key="wrong")[0] == 401
        assert engine.request("GET", "/props", key="secret-key")[0] == 200
        assert "secret-key" not in engine.log
        command_line = Path(f"/proc/{engine.process.pid}/cmdline").read_bytes()
    assert b"secret-key" not in command_line


def test_keys_from_a_file_are_required(demo_model: Path, tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("first\n\n second \n")
    with running_engine(demo_model, tmp_path, "--api-key-file", str(tmp_path / "keys")) as engine:
        assert [engine.request("GET", "/props", key=key)[0] for key in ("", "first", "second")] == [401, 200, 200]


def test_rerank_flag_serves_ranking(embed_model: Path, tmp_path: Path) -> None:
    with running_engine(embed_model, tmp_path, "--rerank") as engine:
        status, body = engine.request("POST", "/rerank", {"query": "cat", "documents": ["kitten", "tax"]})
    assert status == 200
    assert len(body["results"]) == 2


def test_variables_set_flags_and_the_command_line_wins() -> None:
    found = parameters(
        "--ctx-size",
        "512",
        "--no-slots",
        LLAMA_ARG_CTX_SIZE="4096",
        LLAMA_ARG_THREADS="3",
        LLAMA_ARG_N_GPU_LAYERS="all",
        LLAMA_ARG_HOST="127.0.0.1,::1",
        LLAMA_ARG_ENDPOINT_SLOTS="true",
        LLAMA_ARG_NO_CONT_BATCHING="1",
        LLAMA_ARG_UI="0",
        LLAMA_ARG_ALIAS="",
        LLAMA_API_KEY="one,two",
    )
    assert found.n_ctx == 512
    assert found.cpuparams.n_threads == 3
    assert found.n_gpu_layers == -2
    assert found.hostnames == ["127.0.0.1", "::1"]
    assert not found.endpoint_slots
    assert not found.cont_batching
    assert not found.ui
    assert found.model_alias == set()
    assert found.api_keys == ["one", "two"]


@pytest.mark.parametrize("name", ["LLAMA_ARG_UI", "LLAMA_ARG_WEBUI"])
def test_variables_of_old_and_new_builds_switch_the_pages_off(name: str) -> None:
    assert not parameters(**{name: "0"}).ui
    assert not parameters(**{name.replace("ARG_", "ARG_NO_"): "1"}).ui


def test_every_switch_can_be_set_and_unset_again() -> None:
    for flag in embedded_flags.TABLE:
        if flag.off:
            default = vars_of(parameters())
            on, off = (
                vars_of(parameters(flag.off[-1], flag.names[-1])),
                vars_of(parameters(flag.names[-1], flag.off[-1])),
            )
            assert on != off, flag.names
            assert default in (on, off), flag.names


def vars_of(found: Any) -> str:
    """All plain parameters as one comparable text."""
    names = [name for name in dir(found) if not name.startswith("_")]
    plain = {name: getattr(found, name) for name in names}
    return json.dumps({name: value for name, value in plain.items() if isinstance(value, (bool, int, str, float))})


def test_every_flag_with_a_value_accepts_a_plain_one(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("text")
    samples = [
        "1",
        "0.5",
        "on",
        "none",
        "f16",
        "0-1",
        "layer",
        '{"a": 1}',
        "a:0.5",
        "a=CPU",
        str(tmp_path),
        str(tmp_path / "text"),
    ]
    for flag in embedded_flags.TABLE:
        if not flag.metavar:
            continue
        accepted = []
        for sample in samples:
            try:
                flag.act(embedded_flags.default_parameters(), sample)
            except (ValueError, OSError):
                continue
            accepted.append(sample)
        assert accepted, f"{flag.names} takes none of the samples"


def test_lists_keep_their_values() -> None:
    found = parameters("--tensor-split", "3,1", "--fit-target", "512", "--lora", "a,b", "--lora-scaled", "c:0.5")
    assert found.tensor_split[:3] == [3.0, 1.0, 0.0]
    assert set(found.fit_params_target) == {512 * 1024 * 1024}
    assert [(entry.path, entry.scale) for entry in found.lora_adapters] == [("a", 1.0), ("b", 1.0), ("c", 0.5)]
    assert parameters("--cpu-mask", "5").cpuparams.cpumask[:4] == [True, False, True, False]
    assert parameters("--cpu-range", "1-2").cpuparams.cpumask[:4] == [False, True, True, False]
    assert "blk\\.1\\." in parameters("--n-cpu-moe", "2", "-ot", "x=CPU").tensor_buft_overrides
