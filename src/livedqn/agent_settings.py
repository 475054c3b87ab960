"""What the settings of the agent may be."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from livedqn.types import LivedqnError

#: Where they are null: environment steps before the first update, and for each update.
WARMUP_STEPS, STEPS_PER_UPDATE = 8_192, 128

#: Those that a run settles where they are null, and keeps when it goes on.
SETTLED = ("warmup_steps", "steps_per_update", "learning_rate_updates", "cql_alpha")


class Bound(NamedTuple):
    """What holds of a setting, and how a user is told."""

    holds: Callable[[float], bool]
    text: str


POSITIVE = Bound(lambda value: 0 < value < math.inf, "must be above 0, and finite")
SHARE = Bound(lambda value: 0 <= value <= 1, "must lie in [0, 1]")
#: By name; null, where a setting may be that, is always right.
BOUNDS = {
    **dict.fromkeys((
        "learning_rate", "learning_rate_end", "batch_size", "n_step", "munchausen_temperature", "kappa", "ensemble",
        "noisy_sigma", "hidden", "huber_delta", "gradient_clip", "sync_every", "steps_per_update", "warmup_steps",
        "learning_rate_updates", "discount_time_unit_s", "shortlist",
    ), POSITIVE),
    **dict.fromkeys(("discount", "retrace", "munchausen_alpha"), SHARE),
    "sync_tau": Bound(lambda value: 0 < value <= 1, "must lie in (0, 1]"),
    "munchausen_clip": Bound(lambda value: value <= 0, "must be at most 0"),
    "cql_alpha": Bound(lambda value: value >= 0, "must be 0 (off) or more"),
    "bcq_threshold": Bound(lambda value: 0 <= value < 1, "must lie in [0, 1), 0 being off"),
}  # fmt: skip


def check(settings: Mapping[str, Any]) -> None:
    """Raise LivedqnError for the first of ``settings`` that lies outside its bound."""
    for name, bound in BOUNDS.items():
        value = settings[name]
        if value is not None and not bound.holds(value):
            raise LivedqnError(f"agent.{name}={value} {bound.text}")


def check_trainer(trainer: Any) -> None:
    """Raise LivedqnError for what a Lightning Trainer was told that manual optimisation would ignore in silence."""
    if trainer.max_steps != -1:
        raise LivedqnError("Trainer(max_steps=...) has no effect on DQN, which updates by its own clock; leave it out")
    if trainer.precision != "32-true":
        raise LivedqnError(
            f"Trainer(precision={trainer.precision!r}) does not fit: DQN computes in float32; leave it out"
        )
