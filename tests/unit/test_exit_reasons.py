"""Why an engine ended, from its status and its last lines."""

from __future__ import annotations

import pytest

from llamero.infrastructure.llama.exit_reasons import engine_exit_sentence, explain_engine_exit

LOADING = "main: exiting due to model loading error"


@pytest.mark.parametrize(
    ("status", "tail", "code"),
    [
        (
            1,
            ["gguf_init_from_file: failed to open GGUF file '/m.gguf'", "error loading model", LOADING],
            "file_missing",
        ),
        (1, ["gguf_init: invalid magic characters: 'abcd', expected 'GGUF'", LOADING], "not_gguf"),
        (1, ["tensor 'x' data is not within the file bounds, model is corrupted or incomplete", LOADING], "corrupt"),
        (1, ["error loading model: unknown model architecture: 'zebra'", LOADING], "unknown_architecture"),
        (1, ["llama_init: insufficient memory", LOADING], "memory"),
        (1, ["ggml_backend_cuda_buffer_type_alloc: cudaMalloc failed: out of memory", LOADING], "gpu_memory"),
        (1, ["alloc_tensor_range: unable to allocate Vulkan0 buffer of size 5", LOADING], "gpu_memory"),
        (1, ["start: couldn't bind HTTP server socket, hostname: 127.0.0.1, port: 5526"], "port"),
        (1, ["error: invalid argument: --frobnicate"], "invalid_argument"),
        (1, ["something else", LOADING], "load_failed"),
        (
            127,
            ["x: error while loading shared libraries: libggml.so.0: cannot open shared object file"],
            "missing_library",
        ),
        (126, [], "not_startable"),
        (127, [], "not_startable"),
        (1, ["ModuleNotFoundError: No module named 'xllamacpp'"], "embedded_missing"),
        (-9, [], "killed"),
        (137, ["insufficient memory"], "killed"),
        (-9, ["Out of memory: Killed process 5 (llama-server)"], "killed_out_of_memory"),
        (-11, [], "segmentation_fault"),
        (-4, [], "illegal_instruction"),
        (132, [], "illegal_instruction"),
        (-7, [], "bus_error"),
        (-15, [], "terminated"),
        (-6, ["/src/ggml.c:5: GGML_ASSERT(x > 0) failed"], "assertion"),
        (-6, ["terminate called"], "aborted"),
        (-11, ["cudaMalloc failed: out of memory"], "gpu_memory"),
        (-40, [], "signal"),
        (0xC000001D, [], "illegal_instruction"),
        (0xC000001D - (1 << 32), [], "illegal_instruction"),
        (0xC0000135, [], "missing_library"),
        (0, [], "clean"),
        (3, ["first", "last words", "  "], "status"),
        (3, [], "status"),
        (None, [], "unknown"),
        (None, ["error: invalid argument: -x"], "invalid_argument"),
    ],
)
def test_exit_reason_names_the_cause(status: int | None, tail: list[str], code: str) -> None:
    reason = explain_engine_exit(status, tail)
    assert reason.code == f"exit-{code}"
    sentence = engine_exit_sentence(status, tail)
    assert not sentence.startswith("exit-") and not sentence.endswith(".")
    assert "\n" not in sentence and "unknown unknown" not in sentence


def test_exit_reason_carries_what_the_line_names() -> None:
    assert explain_engine_exit(1, ["error: invalid argument: --x"]).arguments == {"argument": "--x"}
    assert explain_engine_exit(1, ["unknown model architecture: 'zebra'"]).arguments == {"name": "zebra"}
    assert "'zebra'" in engine_exit_sentence(1, ["unknown model architecture: 'zebra'"])
    assert "libfoo.so.1" in engine_exit_sentence(127, ["error while loading shared libraries: libfoo.so.1: cannot"])
    assert "exit status 3, last saying: last words" in engine_exit_sentence(3, ["last words", ""])


def test_exit_reason_newest_cause_decides() -> None:
    tail = ["failed to allocate the draft cache, going on without", "couldn't bind HTTP server socket, port: 1"]
    assert explain_engine_exit(1, tail).code == "exit-port"


def test_exit_reason_of_hostile_output_is_one_short_line() -> None:
    sentence = engine_exit_sentence(1, ["error: invalid argument: --x\x1b[2J\u202e" + "y" * 100_000])
    assert len(sentence) < 400
    assert "\x1b" not in sentence and "\u202e" not in sentence
    sentence = engine_exit_sentence(5, ["z" * 100_000 + "\nerror: forged"])
    assert len(sentence) < 400 and "\n" not in sentence
