"""Merging and checking with knowledge of the engine's flags."""

from __future__ import annotations

import pytest

from llamero.infrastructure.llama.args import (
    MergedFlag,
    Tier,
    argv,
    command_line,
    config_arguments,
    merge,
    parse,
    render,
    validate,
)
from llamero.infrastructure.llama.flag_table import EngineFlags
from llamero.models.errors import InvalidArgument
from llamero.models.llama import LlamaCppConfig, ModelId
from tests.unit.engine_help import FLAGS

MODEL = ModelId("m", "/m.gguf")


def merged(settings: str = "", variant: str = "", alias: str = "", flags: EngineFlags | None = FLAGS) -> list[str]:
    return [flag.text for flag in merge([settings], [variant], [alias], flags)]


def refused(*strings: str, flags: EngineFlags | None = FLAGS) -> InvalidArgument:
    with pytest.raises(InvalidArgument) as caught:
        merge((), (), strings, flags)
    return caught.value


@pytest.mark.parametrize("strong", ["-ngl 2", "--gpu-layers 2", "--n-gpu-layers 2"])
@pytest.mark.parametrize("weak", ["-ngl 1", "--gpu-layers 1", "--n-gpu-layers 1"])
def test_merge_alias_pair_keeps_first_place_and_strongest_spelling(weak: str, strong: str) -> None:
    assert merged(f"{weak} --threads 4", alias=strong) == [strong, "--threads 4"]


def test_merge_underscores_in_long_name_are_the_same_flag() -> None:
    assert merged("--ctx-size 1", alias="--ctx_size 2") == ["--ctx_size 2"]


@pytest.mark.parametrize("flags", [FLAGS, None])
@pytest.mark.parametrize(("first", "second"), [("--escape", "--no-escape"), ("--no-escape", "--escape")])
def test_merge_negation_replaces_earlier(first: str, second: str, flags: EngineFlags | None) -> None:
    assert merged(f"{first} --threads 4", alias=second, flags=flags) == [second, "--threads 4"]
    assert merged(f"{first} --threads 4 {second}", flags=flags) == [second, "--threads 4"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("--kv-offload", "-nkvo"),
        ("-nr", "--repack"),
        ("--context-shift", "--no-context-shift"),  # twins that the engine lists apart
        ("--no-context-shift", "--context-shift"),
        ("--no-mmproj", "--mmproj x.gguf"),
        ("--mmproj x.gguf", "--no-mmproj"),
    ],
)
def test_merge_negation_by_other_spelling_replaces_earlier(first: str, second: str) -> None:
    assert merged(first, alias=second) == [second]


@pytest.mark.parametrize("flags", [FLAGS, None])
def test_merge_repeated_list_in_one_tier_is_joined(flags: EngineFlags | None) -> None:
    assert merged("--lora a.gguf --threads 4 --lora b.gguf", flags=flags) == ["--lora a.gguf,b.gguf", "--threads 4"]
    assert merged("--override-kv a=int:1 --override-kv b=int:2", flags=flags) == ["--override-kv a=int:1,b=int:2"]


def test_merge_repeated_list_under_two_spellings_is_joined() -> None:
    assert merged("-dev CUDA0 --device CUDA1") == ["--device CUDA0,CUDA1"]


def test_merge_list_in_stronger_tier_replaces_whole_list() -> None:
    assert merged("--lora a --lora b", alias="--lora c") == ["--lora c"]


def test_merge_repeated_positional_list_takes_the_last() -> None:
    assert merged("--tensor-split 1,2 -ts 3,4") == ["-ts 3,4"]


@pytest.mark.parametrize("flags", [FLAGS, None])
def test_merge_flag_that_engine_collects_stays_repeated_in_one_place(flags: EngineFlags | None) -> None:
    tier = "--logit-bias 1+2 --threads 4 --logit-bias 3-4"
    assert merged(tier, flags=flags) == ["--logit-bias 1+2", "--logit-bias 3-4", "--threads 4"]
    assert merged(tier, alias="--logit-bias 5+6", flags=flags) == ["--logit-bias 5+6", "--threads 4"]


def test_merge_lists_of_two_values_without_knowledge_lose_nothing() -> None:
    tier = "--lora-scaled b --lora-scaled a 0.5 --lora-scaled c --lora-scaled d"
    assert merged(tier, flags=None) == ["--lora-scaled b", "--lora-scaled a 0.5", "--lora-scaled c,d"]


def test_merge_equals_sign_splits_at_the_first_only() -> None:
    assert merged("--override-kv=a.b=bool:true") == ["--override-kv a.b=bool:true"]
    flags = merge([], [], ["""--chat-template-kwargs='{"a": "b=c"}'"""], FLAGS)
    assert render(flags) == ("--chat-template-kwargs", '{"a": "b=c"}')


def test_merge_pair_written_as_two_values_becomes_one() -> None:
    assert merged("--lora-scaled a.gguf 0.5 --lora-scaled b.gguf:2") == ["--lora-scaled a.gguf:0.5,b.gguf:2"]


def test_merge_switch_that_became_a_choice_gets_its_value() -> None:
    assert merged("-fa --threads 4") == ["-fa on", "--threads 4"]
    assert merged("-fa off") == ["-fa off"]


def test_merge_optional_value_may_be_left_out() -> None:
    assert merged("--label") == ["--label"]
    assert merged("--label x") == ["--label x"]


def test_merge_two_values_are_counted() -> None:
    assert merged("--control-vector-layer-range 10 20") == ["--control-vector-layer-range 10 20"]


def test_merge_each_flag_knows_its_tier() -> None:
    config = config_arguments(LlamaCppConfig(model=MODEL, context_length=4096))
    flags = merge(["-t 1 -c 1 --seed 1"], ["-b 2"], ["--seed 3"], FLAGS, config=config)
    assert [(flag.text, flag.tier) for flag in flags] == [
        ("-t 1", Tier.SETTINGS),
        ("--ctx-size 4096", Tier.CONFIG),
        ("--seed 3", Tier.ALIAS),
        ("-b 2", Tier.VARIANT),
    ]


def test_config_arguments_all_parameters_give_their_flags() -> None:
    config = LlamaCppConfig(
        model=MODEL, context_length=0, gpu_layers=7, threads=2, batch_size=64, parallel=1, embedding=True
    )
    expected = "--ctx-size 0 --n-gpu-layers 7 --threads 2 --batch-size 64 --parallel 1 --embedding"
    assert config_arguments(config) == tuple(expected.split())


def test_config_arguments_nothing_chosen_gives_nothing() -> None:
    assert config_arguments(LlamaCppConfig(model=MODEL, arguments=("--seed 1",))) == ()


def test_config_arguments_negative_layers_mean_all() -> None:
    assert config_arguments(LlamaCppConfig(model=MODEL, gpu_layers=-1)) == ("--n-gpu-layers", "999")


@pytest.mark.parametrize(
    ("written", "code", "argument"),
    [
        ("--threds 4", "args_error-unknown_flag", "--threds"),
        ("--old-one 4", "args_error-unknown_flag", "--old-one"),
        ("threads 4", "args_error-orphan", "threads"),
        ("-1", "args_error-orphan", "-1"),
        ("--threads 4 8", "args_error-too_many_values", "--threads"),
        ("--verbose yes", "args_error-too_many_values", "--verbose"),
        ("--threads", "args_error-missing_value", "--threads"),
        ("--threads --verbose", "args_error-missing_value", "--threads"),
        ("--control-vector-layer-range 1", "args_error-missing_value", "--control-vector-layer-range"),
        ("--host 0.0.0.0", "args_error-managed_flag", "--host"),
        ("--api-key=secret", "args_error-managed_flag", "--api-key"),
        ("--api_key secret", "args_error-managed_flag", "--api_key"),
        ("-m other.gguf", "args_error-managed_flag", "-m"),
        ("--no-webui", "args_error-managed_flag", "--no-webui"),
        ("--fim-tiny-1b-default", "args_error-managed_flag", "--fim-tiny-1b-default"),
        ("--chat-template-kwargs '{", "args_error-unclosed_quote", "--chat-template-kwargs '{"),
        ("--threads 4\0", "args_error-nul_character", "--threads 4\\0"),
    ],
)
def test_merge_argument_that_cannot_work_is_refused_by_name(written: str, code: str, argument: str) -> None:
    error = refused(written)
    assert (error.code, error.arguments["argument"]) == (code, argument)
    assert error.status == 400


@pytest.mark.parametrize("written", ["--host ::", "--model x", "--api-key-file f", "--gpt-oss-20b-default", "-hf a/b"])
def test_merge_managed_flag_of_an_unknown_engine_is_refused(written: str) -> None:
    assert refused(written, flags=None).code == "args_error-managed_flag"


def test_merge_orphan_of_an_unknown_engine_is_refused() -> None:
    assert refused("4", flags=None).code == "args_error-orphan"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("--threds", "--threads"),
        ("-threads", "--threads"),
        ("--ngl", "-ngl"),
        ("--ctx", "--ctx-size"),
        ("--api-kex", None),  # what is refused is not offered
        ("--zzzz", None),
    ],
)
def test_merge_unknown_flag_suggests_what_was_meant(written: str, meant: str | None) -> None:
    assert refused(f"{written} 1").arguments.get("suggestion") == meant


def test_merge_refusal_names_the_tier() -> None:
    with pytest.raises(InvalidArgument) as caught:
        merge([], ["--nonsense"], [], FLAGS)
    assert caught.value.arguments["tier"] == "variant"


def test_merge_very_long_argument_is_shortened_in_the_error() -> None:
    assert len(str(refused("--" + "x" * 100_000))) < 1000


def test_validate_returns_flags_as_the_engine_wants_them() -> None:
    assert [flag.values for flag in validate(parse(["-fa --threads 4"]), FLAGS)] == [("on",), ("4",)]


def test_parse_quoted_token_with_hyphen_is_a_value() -> None:
    (flag,) = parse(['--reverse-prompt "-User"']).flags
    assert flag.values == ("-User",)


def test_parse_quotes_inside_a_token_group() -> None:
    assert parse(['--lora C:\\"my models"\\x.gguf']).flags[0].values == ("C:\\my models\\x.gguf",)


def test_parse_empty_quotes_are_an_empty_value() -> None:
    assert parse(["--label '' --label="]).flags[0].values == ("",)
    assert parse(["--label="]).flags[0].values == ("",)


@pytest.mark.parametrize(
    "tokens",
    [
        ("--chat-template-kwargs", '{"a": "b c"}'),
        ("--lora", "C:\\my models\\x.gguf"),
        ("--reverse-prompt", "-User said 'no"),
    ],
)
def test_argv_rendered_tokens_reach_the_engine_unchanged(tokens: tuple[str, str]) -> None:
    flags = merge([MergedFlag(tokens[0], tokens[1:], Tier.ALIAS).text], (), (), FLAGS)
    assert argv("a", "/my models/m.gguf", 1, render(flags))[-2:] == list(tokens)


def test_command_line_value_with_blanks_stays_one_token() -> None:
    assert command_line("a", "m", 1, ["--lora", "/my models/x.gguf"])[-2:] == ["--lora", "/my models/x.gguf"]
