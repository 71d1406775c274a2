"""How long a model stays when nothing is asked of it, where several have a say. Pure; seconds, negative for good."""

from __future__ import annotations

from msgspec.structs import replace

from llamero.models.llama import LlamaCppConfig


def wanted_by_request(config: LlamaCppConfig, keep_alive_s: float | None, may_shorten: bool) -> LlamaCppConfig:
    """The configuration for a request that wants this. Letting a model go sooner is for others to feel."""
    if keep_alive_s is None:
        return config
    return replace(config, keep_alive_s=keep_alive_s) if may_shorten else replace(config, keep_at_least_s=keep_alive_s)


def keep_alive_of(config: LlamaCppConfig, default_s: float) -> float:
    """What holds for a model of this configuration."""
    own = default_s if config.keep_alive_s is None else config.keep_alive_s
    wanted = config.keep_at_least_s
    return own if wanted is None or own < 0 or 0 <= wanted <= own else wanted
