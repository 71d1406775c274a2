"""How a flag's value becomes a parameter of the embedded engine: makers of setters, and the few special ones.

A path such as `sampling.temp` names an attribute of `xllamacpp.CommonParams`. The compiled module is imported when a
value needs one of its enumerations, never before: `--help` must not wait for it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from llamero.infrastructure.llama.embedded_arguments import ON, Parameters, Setter

LARGEST = 2**31 - 1
_MOE_TENSORS = r"\.ffn_(up|down|gate|gate_up)_(ch|)exps"
_MIB = 1024 * 1024
CACHE_TYPES = ("f32", "f16", "bf16", "q8_0", "q4_0", "q4_1", "iq4_nl", "q5_0", "q5_1")


def _assign(parameters: Parameters, path: str, value: object) -> None:
    *parents, name = path.split(".")
    for parent in parents:
        parameters = getattr(parameters, parent)
    setattr(parameters, name, value)


def number(path: str, low: int = -1, high: int = LARGEST) -> Setter:
    """A whole number within bounds."""

    def act(parameters: Parameters, value: str) -> None:
        _assign(parameters, path, _whole(value, low, high))

    return act


def _whole(value: str, low: int, high: int) -> int:
    try:
        result = int(value)
    except ValueError:
        result = low - 1
    if not low <= result <= high:
        message = f"expected a whole number from {low} to {high}, got {value!r}"
        raise ValueError(message)
    return result


def real(path: str) -> Setter:
    """A finite number."""

    def act(parameters: Parameters, value: str) -> None:
        _assign(parameters, path, _finite(value))

    return act


def _finite(value: str) -> float:
    try:
        result = float(value)
    except ValueError:
        result = float("nan")
    if not abs(result) < float("inf"):
        message = f"expected a number, got {value!r}"
        raise ValueError(message)
    return result


def text(path: str) -> Setter:
    """The value as it is."""

    def act(parameters: Parameters, value: str) -> None:
        _assign(parameters, path, value)

    return act


def file_text(path: str) -> Setter:
    """The content of the file that the value names."""

    def act(parameters: Parameters, value: str) -> None:
        _assign(parameters, path, Path(value).read_text(encoding="utf-8"))

    return act


def switch(path: str, *, inverted: bool = False) -> Setter:
    """True for on; `inverted` where the parameter says the opposite of the flag."""

    def act(parameters: Parameters, value: str) -> None:
        _assign(parameters, path, (value == ON) != inverted)

    return act


def choice(path: str, enumeration: str, prefix: str, names: tuple[str, ...]) -> Setter:
    """One of `names`; the member of the enumeration is the name in capitals behind the prefix."""

    def act(parameters: Parameters, value: str) -> None:
        if value not in names:
            message = f"expected one of {', '.join(names)}, got {value!r}"
            raise ValueError(message)
        _assign(parameters, path, _member(enumeration, prefix + value.upper().replace("-", "_").replace("+", "_")))

    return act


def _member(enumeration: str, name: str) -> Any:
    import xllamacpp

    return getattr(getattr(xllamacpp, enumeration), name)


def mapped(path: str, values: dict[str, Any]) -> Setter:
    """One of the keys; the parameter gets its value."""

    def act(parameters: Parameters, value: str) -> None:
        if value not in values:
            message = f"expected one of {', '.join(values)}, got {value!r}"
            raise ValueError(message)
        _assign(parameters, path, values[value])

    return act


def flash_attention(parameters: Parameters, value: str) -> None:
    """`on`, `off` or `auto`."""
    names = {"on": "ENABLED", "off": "DISABLED", "auto": "AUTO"}
    if value not in names:
        message = f"expected on, off or auto, got {value!r}"
        raise ValueError(message)
    parameters.flash_attn_type = _member("llama_flash_attn_type", f"LLAMA_FLASH_ATTN_TYPE_{names[value]}")


def gpu_layers(path: str) -> Setter:
    """A number, `auto` (as many as fit) or `all`."""

    def act(parameters: Parameters, value: str) -> None:
        special = {"auto": -1, "all": -2}.get(value)
        _assign(parameters, path, _whole(value, -1, LARGEST) if special is None else special)

    return act


def threads(path: str) -> Setter:
    """A number of threads; zero and less let the engine choose."""

    def act(parameters: Parameters, value: str) -> None:
        count = _whole(value, -1, 512)
        _assign(parameters, path, count if count > 0 else -1)

    return act


def comma_set(path: str) -> Setter:
    """A comma-separated list without order."""

    def act(parameters: Parameters, value: str) -> None:
        _assign(parameters, path, {part.strip() for part in value.split(",") if part.strip()})

    return act


def hosts(parameters: Parameters, value: str) -> None:
    """Addresses to listen on."""
    names = [part.strip() for part in value.split(",") if part.strip()]
    if not names:
        message = "expected at least one address"
        raise ValueError(message)
    parameters.hostnames = names


def api_keys(parameters: Parameters, value: str) -> None:
    """Keys of which a client must send one."""
    parameters.api_keys = [*parameters.api_keys, *(key for key in value.split(",") if key)]


def api_key_file(parameters: Parameters, value: str) -> None:
    """Keys from a file, one on each line. A file without keys is refused: it would open the server to everyone."""
    keys = [line.strip() for line in Path(value).read_text(encoding="utf-8").splitlines() if line.strip()]
    if not keys:
        message = f"no key in {value}"
        raise ValueError(message)
    parameters.api_keys = [*parameters.api_keys, *keys]


def padded_list(path: str, scale: float, *, repeat_last: bool) -> Setter:
    """One number for each device; the rest is zero, or the last number again."""

    def act(parameters: Parameters, value: str) -> None:
        numbers = [_finite(part) * scale for part in value.replace("/", ",").split(",")]
        current = getattr(parameters, path)
        if len(numbers) > len(current) or min(numbers) < 0:
            message = f"expected up to {len(current)} numbers from 0 on, got {value!r}"
            raise ValueError(message)
        rest = numbers[-1] if repeat_last else 0.0
        filled = [*numbers, *[rest] * (len(current) - len(numbers))]
        _assign(parameters, path, [type(current[0])(entry) for entry in filled])

    return act


FIT_MARGIN = padded_list("fit_params_target", _MIB, repeat_last=True)
TENSOR_SPLIT = padded_list("tensor_split", 1.0, repeat_last=False)


def cpu_mask(parameters: Parameters, value: str) -> None:
    """A hexadecimal mask of processors."""
    try:
        mask = int(value, 16)
    except ValueError:
        mask = 0
    _set_processors(parameters, [index for index in range(mask.bit_length()) if mask >> index & 1], value)


def cpu_range(parameters: Parameters, value: str) -> None:
    """Processors from one number to another."""
    low, _, high = value.partition("-")
    first = _whole(low or "0", 0, 511)
    _set_processors(parameters, list(range(first, _whole(high or "511", first, 511) + 1)), value)


def _set_processors(parameters: Parameters, processors: list[int], value: str) -> None:
    size = len(parameters.cpuparams.cpumask)
    if not processors or processors[-1] >= size:
        message = f"expected processors below {size}, got {value!r}"
        raise ValueError(message)
    parameters.cpuparams.cpumask = [index in set(processors) for index in range(size)]
    parameters.cpuparams.mask_valid = True


def adapters(parameters: Parameters, value: str) -> None:
    """LoRA files at full strength."""
    _add_adapters(parameters, [(path, 1.0) for path in value.split(",")])


def scaled_adapters(parameters: Parameters, value: str) -> None:
    """LoRA files, each with its strength behind a colon."""
    pairs = []
    for part in value.split(","):
        path, colon, scale = part.rpartition(":")
        if not colon:
            message = f"expected FILE:SCALE, got {part!r}"
            raise ValueError(message)
        pairs.append((path, _finite(scale)))
    _add_adapters(parameters, pairs)


def _add_adapters(parameters: Parameters, pairs: list[tuple[str, float]]) -> None:
    import xllamacpp

    added = [xllamacpp.CommonAdapterLoraInfo(path, scale) for path, scale in pairs]
    parameters.lora_adapters = [*parameters.lora_adapters, *added]


def tensor_placement(parameters: Parameters, value: str) -> None:
    """Patterns of tensor names, each with the buffer type that they go to."""
    already = parameters.tensor_buft_overrides
    parameters.tensor_buft_overrides = f"{already},{value}" if already else value


def experts_on_cpu(parameters: Parameters, value: str) -> None:
    """All mixture-of-experts weights stay with the processor."""
    if value == ON:
        tensor_placement(parameters, f"{_MOE_TENSORS}=CPU")


def first_experts_on_cpu(parameters: Parameters, value: str) -> None:
    """The mixture-of-experts weights of the first layers stay with the processor."""
    for layer in range(_whole(value, 0, 4096)):
        tensor_placement(parameters, rf"blk\.{layer}{_MOE_TENSORS}=CPU")


def grammar(parameters: Parameters, value: str) -> None:
    """A GBNF grammar for every answer that asks for none."""
    import xllamacpp

    kind = xllamacpp.common_grammar_type.COMMON_GRAMMAR_TYPE_USER
    parameters.sampling.grammar = xllamacpp.CommonGrammar(kind, value)


def grammar_file(parameters: Parameters, value: str) -> None:
    """A file with such a grammar."""
    grammar(parameters, Path(value).read_text(encoding="utf-8"))


def template_arguments(parameters: Parameters, value: str) -> None:
    """A JSON object whose members the chat template sees."""
    try:
        members = json.loads(value)
    except ValueError:
        members = None
    if not isinstance(members, dict):
        message = f"expected a JSON object, got {value!r}"
        raise ValueError(message)
    already = parameters.default_template_kwargs
    parameters.default_template_kwargs = already | {name: json.dumps(member) for name, member in members.items()}


def draft_model(parameters: Parameters, value: str) -> None:
    """A small model that guesses ahead. Choosing one switches guessing on."""
    none = _member("common_speculative_type", "COMMON_SPECULATIVE_TYPE_NONE")
    parameters.speculative.draft.mparams.path = value
    if list(parameters.speculative.types) == [none]:
        parameters.speculative.types = [_member("common_speculative_type", "COMMON_SPECULATIVE_TYPE_DRAFT_SIMPLE")]


SPECULATION = ("none", "draft-simple", "ngram-simple", "ngram-map-k", "ngram-map-k4v", "ngram-mod", "ngram-cache")


def speculation(parameters: Parameters, value: str) -> None:
    """Ways to guess ahead."""
    names = [part.strip() for part in value.split(",")]
    unknown = [name for name in names if name not in SPECULATION]
    if unknown:
        message = f"expected some of {', '.join(SPECULATION)}, got {value!r}"
        raise ValueError(message)
    prefix = "COMMON_SPECULATIVE_TYPE_"
    types = [_member("common_speculative_type", prefix + name.upper().replace("-", "_")) for name in names]
    parameters.speculative.types = types


def rerank(parameters: Parameters, value: str) -> None:
    """The model scores documents instead of writing."""
    if value == ON:
        parameters.embedding = True
        parameters.pooling_type = _member("llama_pooling_type", "LLAMA_POOLING_TYPE_RANK")


def verbose(parameters: Parameters, value: str) -> None:
    """Log everything."""
    parameters.verbosity = LARGEST if value == ON else 3


def slot_folder(parameters: Parameters, value: str) -> None:
    """An existing folder, with the separator at its end as the server expects it."""
    if not Path(value).is_dir():
        message = f"not a folder: {value}"
        raise ValueError(message)
    parameters.slot_save_path = f"{value.rstrip('/')}/"


def seed(parameters: Parameters, value: str) -> None:
    """The seed; -1 is the largest unsigned number, which stands for chance."""
    parameters.sampling.seed = _whole(value, -1, 0xFFFFFFFF) & 0xFFFFFFFF


def timeouts(parameters: Parameters, value: str) -> None:
    """Seconds for reads and writes alike."""
    parameters.timeout_read = parameters.timeout_write = _whole(value, 1, LARGEST)
