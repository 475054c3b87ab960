"""What the settings of the agent may be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from livedqn.types import LivedqnError


class Rule(NamedTuple):
    """What holds of a setting, and how a user is told."""

    holds: Callable[[float], bool]
    text: str


POSITIVE = Rule(lambda value: value > 0, "must be above 0")
SHARE = Rule(lambda value: 0 <= value <= 1, "lies in [0, 1]")
#: By name; null, where a setting may be that, is always right.
RULES = {
    **dict.fromkeys((
        "learning_rate", "learning_rate_end", "batch_size", "n_step", "munchausen_temperature", "kappa", "ensemble",
        "hidden", "huber_delta", "gradient_clip", "sync_every", "steps_per_update", "warmup_steps",
        "discount_time_unit_s",
    ), POSITIVE),
    **dict.fromkeys(("discount", "munchausen_alpha"), SHARE),
    "sync_tau": Rule(lambda value: 0 < value <= 1, "lies in (0, 1]"),
    "munchausen_clip": Rule(lambda value: value <= 0, "is at most 0"),
    "cql_alpha": Rule(lambda value: value >= 0, "is 0 (off) or more"),
    "bcq_threshold": Rule(lambda value: 0 <= value < 1, "lies in [0, 1), 0 being off"),
}  # fmt: skip


def check(settings: Mapping[str, Any]) -> None:
    """Raise LivedqnError for the first of ``settings`` that breaks its rule."""
    for name, rule in RULES.items():
        value = settings[name]
        if value is not None and not rule.holds(value):
            raise LivedqnError(f"agent.{name}={value} {rule.text}")
