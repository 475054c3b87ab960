"""Where the transitions of a run come from: an environment that the agent plays, or logs."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

from livedqn import plugins
from livedqn.agent import DQN
from livedqn.caution import UniformAdvantage
from livedqn.config import LEAST_UPDATES, LOGGED_STEPS, MOST_EPOCHS, STEPS, WARMUP_SHARE, TrainConfig
from livedqn.experience import PlayedExperience
from livedqn.exploration import require_estimates
from livedqn.logged import LoggedExperience
from livedqn.logs.passes import Passes
from livedqn.plugins.signature import settings
from livedqn.protocols import Logs, Replay, Reward
from livedqn.stage import MakeStage, Stage, world_seed
from livedqn.types import LivedqnError

#: Seconds of reading after which somebody who waits is told what for.
PATIENCE_S = 5
#: :func:`survey` of the logs of a run, which reads them when it is first called, and not again.
Survey = Callable[[], tuple[int, UniformAdvantage]]


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
    if what := logs.spec.difference(stage.spec):
        raise LivedqnError(
            f"the logs do not fit this environment: {what}; choose env= as they have it, or leave it out"
        )
    return logs


def survey(
    logs: Logs, reward: Reward, config: TrainConfig, tell: Callable[[str], None]
) -> tuple[int, UniformAdvantage]:
    """The impressions that there are to learn from in ``logs``, all of which are read for it, and what they say of a
    uniform choice; ``tell`` takes a line on that reading.

    Raises:
        LivedqnError: there are none, or too much is at fault.
    """
    passes = Passes(logs, holdout=config.holdout, before=config.before, tolerated=config.tolerated)
    choice = UniformAdvantage(reward)
    began, is_told = time.monotonic(), False
    for part in passes.once():
        choice.add(part)
        if not is_told and time.monotonic() - began > PATIENCE_S:
            tell("counting what there is to learn from")
            is_told = True
    return passes.counts.transitions, choice


def length(config: TrainConfig, survey: Survey, tell: Callable[[str], None]) -> int:
    """The steps of a run from logs: as many as its config says; where it says nothing, by a ``survey`` of them, as many
    as its epochs hold, or an amount of learning that they bear; ``tell`` takes a line on that.

    Raises:
        LivedqnError: as :func:`survey` does.
    """
    if config.steps is not None:
        return config.steps
    held, _ = survey()
    usual = min(max(held, LOGGED_STEPS), MOST_EPOCHS * held)
    steps = usual if config.epochs is None else math.ceil(config.epochs * held)
    tell(f"steps={steps}: {steps / held:.3g} times the {held:,} impressions that there are to learn from")
    return steps


def pace(
    agent: DQN, config: TrainConfig, steps: int, before: Mapping[str, Any] | None, tell: Callable[[str], None]
) -> dict[str, int]:  # fmt: skip
    """Give an ``agent`` that learns from logs the pace that the length of its run asks for; the settings that say so.

    A warm-up takes a tenth of the run at most, and the learning rate falls over all updates that are made. Where nobody
    chose that length, logs that are longer than ``LOGGED_STEPS`` owe no more updates than these: values run away with
    updates, however many impressions there are. The shortest owe ``LEAST_UPDATES``: fewer learn nothing. What the user
    set stays.

    Args:
        steps: that the run makes.
        before: the agent's settings in the run that goes on, whose pace is kept; None: it begins.
        tell: takes a line on how many updates that makes.

    Raises:
        LivedqnError: it makes none.
    """
    told = told_to(config.agent)
    known = {**(before or {}), **{name: value for name, value in told.items() if value is not None}}
    warmup = known.get("warmup_steps") or min(agent.warmup_steps, max(int(WARMUP_SHARE * steps), 1))
    every = known.get("steps_per_update") or agent.steps_per_update
    if "steps_per_update" not in known and config.steps is None and config.epochs is None:
        most = max((steps - warmup) // LEAST_UPDATES, 1)
        every = min(round(every * max(steps / LOGGED_STEPS, 1)), most)
    updates = known.get("learning_rate_updates") or (steps - warmup) // every
    found = {"warmup_steps": warmup, "steps_per_update": every, "learning_rate_updates": updates}
    found = {name: value for name, value in found.items() if name in told}
    for name, value in found.items():
        setattr(agent, name, value)
    made = (steps - agent.warmup_steps) // agent.steps_per_update
    warm = math.ceil(agent.warmup_steps / config.num_envs) * config.num_envs  # all rows step together
    if made < 1 or warm >= steps:
        raise LivedqnError(
            f"{steps:,} steps of logs make no update, since agent.warmup_steps={agent.warmup_steps}, "
            f"agent.steps_per_update={agent.steps_per_update} and num_envs={config.num_envs}: make these smaller, or "
            "epochs= or steps= greater"
        )
    tell(f"{made:,} updates")
    return found


def caution(
    agent: DQN, config: TrainConfig, survey: Survey, before: Mapping[str, Any] | None, tell: Callable[[str], None]
) -> dict[str, float]:  # fmt: skip
    """Let an ``agent`` that learns from logs keep to them as far as a ``survey`` of them says; the setting.

    What the user set stays, and one with a ``bcq_threshold`` keeps to them already.

    Args:
        before: the agent's settings in the run that goes on, which are kept; None: it begins.
        tell: takes a line on what was chosen, and why.

    Raises:
        LivedqnError: as :func:`survey` does.
    """
    told = told_to(config.agent)
    if told.get("cql_alpha", 0) is not None:
        return {}
    if before is not None:
        agent.cql_alpha = before["cql_alpha"]
    elif not _asks_for_caution(told):
        agent.cql_alpha = 0.0
    else:
        agent.cql_alpha, why = survey()[1].verdict()
        tell(f"agent.cql_alpha={agent.cql_alpha:g}: {why}")
    return {"cql_alpha": agent.cql_alpha}


def _asks_for_caution(told: Mapping[str, Any]) -> bool:
    """Whether the logs are to say how far an agent that was ``told`` so keeps to them."""
    return told.get("cql_alpha", 0) is None and not told.get("bcq_threshold")


def told_to(chosen: Mapping[str, Any], kind: str = "agent") -> dict[str, Any]:
    """The settings that a plugin has (another one's may lack some of ours), as its config or else its own signature
    says them; None where neither does."""
    return {
        one.name: chosen.get(one.name, one.make_default and one.make_default())
        for one in settings(kind, chosen["plugin"])
    }


class FromEnv:
    """What an agent does on ``stage`` itself, as a run of ``config``."""

    def __init__(self, stage: Stage, config: TrainConfig) -> None:
        self.spec = stage.spec
        self._stage, self._config = stage, config

    def begin(self, replay: Replay, estimates: int) -> PlayedExperience:
        """An experience of an agent with so many ``estimates`` of a value, begun.

        Raises:
            LivedqnError: the exploration needs several of them, and the agent has one.
        """
        exploration = plugins.build("exploration", self._config.exploration)
        require_estimates(exploration, estimates, "add agent.ensemble=5")
        seed, floor = self._config.seed, self._config.exploration_floor
        found = PlayedExperience(self._stage, exploration, replay, seed=seed, floor=floor)
        found.begin(world_seed("train", seed))
        return found

    def steps(self) -> int:
        """Of the run: what its config says, or ``STEPS``."""
        return STEPS if self._config.steps is None else self._config.steps

    def settle(self, agent: DQN, steps: int, before: Mapping[str, Any] | None) -> dict[str, Any]:
        """Let the learning rate fall over all updates that the run makes, or that it had ``before``, where the user
        says nothing; the setting."""
        name = "learning_rate_updates"
        if told_to(self._config.agent).get(name, 0) is not None:
            return {}
        made = max((steps - agent.warmup_steps) // agent.steps_per_update, 1)
        agent.learning_rate_updates = made if before is None else before[name]
        return {name: agent.learning_rate_updates}


class FromLogs:
    """Sessions of ``logs``, for a run of ``config``, which they settle where it says nothing; ``tell`` takes lines on
    that. They are read for it once, when they are first asked."""

    def __init__(self, logs: Logs, reward: Reward, config: TrainConfig, tell: Callable[[str], None]) -> None:
        self.spec = logs.spec
        self._logs, self._reward, self._config, self._tell = logs, reward, config, tell
        self._survey = cache(partial(survey, logs, reward, config, tell))

    def begin(self, replay: Replay, estimates: int) -> LoggedExperience:
        """An experience of them, begun; nobody explores, so any number of ``estimates`` does.

        Raises:
            LivedqnError: as :func:`survey` does, or the reward does not fit them.
        """
        config = self._config
        # a survey judges all rows, where those that are read first may be the worst; a run that goes on was judged
        is_surveyed = not config.resume and (config.steps is None or _asks_for_caution(told_to(config.agent)))
        found = LoggedExperience(
            self._logs, self._reward, replay, num_envs=config.num_envs, seed=config.seed, holdout=config.holdout,
            before=config.before, tolerated=1.0 if is_surveyed or config.resume else config.tolerated,
        )  # fmt: skip
        if is_surveyed:
            self._survey()
        found.begin()
        return found

    def steps(self) -> int:
        """Of the run: see :func:`length`."""
        return length(self._config, self._survey, self._tell)

    def settle(self, agent: DQN, steps: int, before: Mapping[str, Any] | None) -> dict[str, Any]:
        """Give ``agent`` the :func:`pace` and the :func:`caution` that are due, or that it had ``before``; the settings
        that say so."""
        found = pace(agent, self._config, steps, before, self._tell)
        return found | caution(agent, self._config, self._survey, before, self._tell)
