"""Whether a policy fits what an environment shows, asked of every stage before anything is played on it."""

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
    env: str | Mapping[str, Any] | MakeEnv, reward: Reward, cap: CapConfig, check: Callable[[Spec], None]
) -> MakeStage:  # fmt: skip
    """Builds stages, on which nobody plays whose spec does not pass ``check``, which raises then."""

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
