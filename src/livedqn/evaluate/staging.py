"""Stages as somebody told: an environment, a reward, a cap; and whether what plays there reads what they show."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from functools import partial
from typing import Any

from livedqn import plugins
from livedqn.checkpoint import Checkpoint
from livedqn.config import CapConfig
from livedqn.protocols import Reward
from livedqn.stage import MakeEnv, MakeStage, Stage, staged
from livedqn.types import LivedqnError, Spec


def stages(
    env: str | Mapping[str, Any] | MakeEnv, reward: Reward, cap: CapConfig,
    check: Callable[[Spec], None] = lambda spec: None,
) -> MakeStage:  # fmt: skip
    """Builds stages of so many rows.

    Args:
        env: a name, settings, or what makes it.
        reward: built. cap: on injections.
        check: raises where nobody is to play on what shows a spec; such a stage is closed.
    """

    def make_stage(rows: int) -> Stage:
        with ExitStack() as refused:
            stage = refused.enter_context(closing(staged(partial(plugins.build, "env", env), rows, reward, cap)))
            check(stage.spec)
            refused.pop_all()  # nothing was: whoever asked for the stage closes it
        return stage

    return make_stage


def check_fit(one: Checkpoint, spec: Spec, shower: str = "this environment") -> None:
    """Raise LivedqnError unless what ``spec`` shows, that of ``shower``, is what the policy has learned to read."""
    if what := one.spec.difference(spec):
        raise LivedqnError(f"{one.path} does not fit {shower}: {what}; use it where it was trained, or train anew")
