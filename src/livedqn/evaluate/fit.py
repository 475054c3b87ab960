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
    if what := difference(one.spec, spec):
        raise LivedqnError(f"{one.path} does not fit {shower}: {what}; evaluate it where it was trained, or train anew")


def difference(learned: Spec, shown: Spec) -> str:
    """What keeps a policy that reads ``learned`` from reading ``shown``; "" where nothing does."""
    for part in ("context_shape", "context", "history_length", "history", "candidates", "episode"):
        if getattr(learned, part) != getattr(shown, part):
            return f"their {part.replace('_', ' ')} differ"
    # a head for fixed actions has an output each; candidates are scored by their features, however many they are
    if not learned.has_rooms and learned.num_actions != shown.num_actions:
        return f"the one knows {learned.num_actions} actions, the other has {shown.num_actions}"
    return ""
