"""What is known about an engine's flags: spellings, number of values, twins, and what a repeated flag means.

Pure data and look-ups; `flags.py` fills an `EngineFlags` from the engine's own `--help`. The tables in this module are
what no help text says: which flags Llamero keeps for itself, and which flags of the same look behave differently when
they are repeated. They hold for an engine whose help is not known, too.
"""

from __future__ import annotations

import difflib
import re
from enum import StrEnum
from functools import cached_property

import msgspec


class Repeats(StrEnum):
    """What it means to name a flag twice in one tier."""

    LAST = "last"  # the later one wins
    JOIN = "join"  # one flag with a comma-separated list
    KEEP = "keep"  # the engine wants it named again for every value


class FlagSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One flag as the engine describes it.

    `names` are the spellings that set it, `negatives` those that unset it. `values` is how many values follow at most;
    `optional` allows none. `implied` stands for a missing value. `pair` says that its one value has the form `A:B`.
    """

    names: tuple[str, ...]
    negatives: tuple[str, ...] = ()
    values: int = 0
    optional: bool = False
    implied: str = ""
    pair: bool = False
    repeats: Repeats = Repeats.LAST

    @property
    def spellings(self) -> tuple[str, ...]:
        """Every spelling, as the engine orders them."""
        return self.names + self.negatives


class EngineFlags(msgspec.Struct, frozen=True, dict=True):
    """All flags of one engine."""

    specs: tuple[FlagSpec, ...]

    @cached_property
    def _by_name(self) -> dict[str, FlagSpec]:
        table: dict[str, FlagSpec] = {}
        for spec in self.specs:
            for name in spec.spellings:
                table.setdefault(name, spec)
        return table

    def find(self, name: str) -> FlagSpec | None:
        """The flag of that spelling; None when the engine has none."""
        return self._by_name.get(canonical(name))

    def suggestion(self, name: str) -> str:
        """The spelling that was probably meant; empty when nothing is close. Flags of Llamero's own are not offered."""
        wanted = canonical(name)
        replacement = RENAMED.get(wanted, "")
        if replacement and self.find(replacement.split()[0]) is not None:
            return replacement
        bare = wanted.lstrip("-")
        begun = sorted((known for known in self._by_name if len(bare) > 1 and known.startswith(f"--{bare}")), key=len)
        other_hyphens = [known for known in (f"--{bare}", f"-{bare}") if known in self._by_name]
        close = difflib.get_close_matches(wanted, self._by_name, n=3, cutoff=0.75)
        return next((known for known in (*other_hyphens, *begun, *close) if not is_managed(known, self)), "")


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Flags that a user may not set, grouped by why.
_MODEL_CHOICE = _names(
    "-m --model -mu --model-url -dr --docker-repo -hf -hfr --hf-repo -hff --hf-file -hft --hf-token -a --alias "
    "-hfv -hfrv --hf-repo-v -hffv --hf-file-v"
)
_WAY_IN = _names(
    "--host --port --reuse-port --api-prefix --api-key --api-key-file --ssl-key-file --ssl-cert-file "
    "--cors-origins --cors-methods --cors-headers --cors-credentials --no-cors-credentials"
)
# Its own pages, and tools that would run outside of Llamero's permissions.
_PAGES_AND_TOOLS = _names(
    "--path --ui --webui --no-ui --no-webui --ui-config --webui-config --ui-config-file --webui-config-file "
    "--ui-mcp-proxy --webui-mcp-proxy --no-ui-mcp-proxy --no-webui-mcp-proxy --tools --tools-runtime "
    "--mcp-servers-config --mcp-servers-json -ag --agent -no-ag --no-agent"
)
_LOG_AS_READ_BY_US = _names("--log-file --log-disable --log-jsonl --no-log-jsonl")
_ROUTER = _names("--models-dir --models-preset --models-max --models-autoload --no-models-autoload")
_PRINT_AND_EXIT = _names("-h --help --usage --version --license -cl --cache-list --completion-bash --list-devices")
MANAGED = _MODEL_CHOICE | _WAY_IN | _PAGES_AND_TOOLS | _LOG_AS_READ_BY_US | _ROUTER | _PRINT_AND_EXIT
# Presets that download and load another model, such as `--fim-qwen-7b-default`.
_MODEL_PRESET = re.compile(r"--(?:fim|embd|vision|gpt-oss|tts)-[\w.-]+-(?:default|spec)")

# One value per device or position: joining two lists would make a third that nobody wrote.
POSITIONAL = _names("-ts --tensor-split -fitt --fit-target --spec-synth-rates")
# The engine appends at each mention and does not split the value: joined, all but the first would be lost.
ACCUMULATING = _names("-l --logit-bias -r --reverse-prompt --dry-sequence-breaker")
LISTS = _names(
    "--lora --lora-scaled --control-vector --control-vector-scaled --override-kv -ot --override-tensor -otd "
    "--override-tensor-draft --spec-draft-override-tensor -dev --device -devd --device-draft --spec-draft-device "
    "--rpc --tags --spec-type"
)
# What became of flags that many people have written down; offered where the engine has the new one.
RENAMED = {
    "--mmap": "--load-mode mmap",
    "--no-mmap": "--load-mode none",
    "--mlock": "--load-mode mlock",
    "--draft": "--spec-draft-n-max",
    "--draft-n": "--spec-draft-n-max",
    "--draft-max": "--spec-draft-n-max",
    "--draft-min": "--spec-draft-n-min",
    "--draft-n-min": "--spec-draft-n-min",
}


def canonical(name: str) -> str:
    """The spelling as the engine reads it: in long names an underscore is a hyphen."""
    return name.replace("_", "-") if name.startswith("--") else name


def is_managed(name: str, flags: EngineFlags | None = None) -> bool:
    """Is this a flag that Llamero sets itself and a user may not? Any spelling of it that the engine has counts."""
    spec = flags.find(name) if flags is not None else None
    spellings = (canonical(name), *(spec.spellings if spec is not None else ()))
    return any(spelling in MANAGED or _MODEL_PRESET.fullmatch(spelling) for spelling in spellings)


def repeats_by_name(names: tuple[str, ...]) -> Repeats | None:
    """What the tables above say about a repeated flag; None when they are silent."""
    for table, repeats in ((POSITIONAL, Repeats.LAST), (ACCUMULATING, Repeats.KEEP), (LISTS, Repeats.JOIN)):
        if not table.isdisjoint(names):
            return repeats
    return None
