"""Where the transitions of a run come from: an environment that the agent plays, or logs."""

from __future__ import annotations

from collections.abc import Callable

from livedqn import evaluate, plugins
from livedqn.config import TrainConfig
from livedqn.experience import Experience
from livedqn.logged import LoggedExperience
from livedqn.protocols import Logs, Replay, Reward
from livedqn.stage import Stage, world_seed
from livedqn.types import LivedqnError

MakeStage = Callable[[int], Stage]


def read(config: TrainConfig, make_stage: MakeStage | None) -> Logs:
    """The logs of a run, if policies that learn from them can be evaluated on ``make_stage``.

    Raises:
        LivedqnError: they cannot be read, or the environment shows something else.
    """
    logs: Logs = plugins.build("logs", config.logs)
    if make_stage is None:
        if config.cap.max_share_shown < 1 or config.cap.max_shown_per_session is not None:
            raise LivedqnError(
                "logs keep the masks that were logged, so a cap acts in evaluation alone: add an env= to evaluate in, "
                "or leave cap out"
            )
        return logs
    stage = make_stage(1)
    stage.close()
    if what := evaluate.difference(logs.spec, stage.spec):
        raise LivedqnError(
            f"the logs do not fit this environment: {what}; choose env= as they have it, or leave it out"
        )
    return logs


def logged(logs: Logs, reward: Reward, config: TrainConfig, replay: Replay, estimates: int = 1) -> LoggedExperience:
    """Sessions of ``logs``, begun; nobody explores, so any number of ``estimates`` does."""
    found = LoggedExperience(
        logs, reward, replay,
        num_envs=config.num_envs, seed=config.seed,
        holdout=config.holdout, before=config.before, tolerated=config.tolerated,
    )  # fmt: skip
    found.begin()
    return found


def played(stage: Stage, config: TrainConfig, replay: Replay, estimates: int) -> Experience:
    """What an agent with so many ``estimates`` of a value does on ``stage``, begun.

    Raises:
        LivedqnError: the exploration needs several estimates of a value, and the agent has one.
    """
    exploration = plugins.build("exploration", config.exploration)
    if estimates < getattr(exploration, "min_estimates", 1):
        raise LivedqnError(
            f"exploration {type(exploration).__name__} needs several estimates of a value; add agent.ensemble=5"
        )
    found = Experience(stage, exploration, replay, seed=config.seed, floor=config.exploration_floor)
    found.begin(world_seed("train", config.seed))
    return found
