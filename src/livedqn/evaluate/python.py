"""Evaluation from Python: agents and baselines on the same worlds, without files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from livedqn import plugins
from livedqn.actor import Actor
from livedqn.config import CapConfig, EvaluationConfig
from livedqn.evaluate.compare import compare as compared
from livedqn.evaluate.contestants import OURS
from livedqn.evaluate.evaluation import Evaluation
from livedqn.evaluate.staging import stages
from livedqn.live import announce
from livedqn.plugins.messages import explain
from livedqn.protocols import Reward
from livedqn.stage import MakeEnv
from livedqn.types import LivedqnError, Spec

Config = TypeVar("Config")


def compare(
    agents: Actor | Mapping[str, Actor], env: str | Mapping[str, Any] | MakeEnv, *,
    reward: str | Mapping[str, Any] | Reward | None = None, cap: Mapping[str, Any] | None = None,
    policies: str | Sequence[str] = (), seed: int = 0, steps: int | None = None, **evaluation: int,
) -> Evaluation:  # fmt: skip
    """What agents are worth beside baselines that are tuned here, on worlds that no training sees.

    ``print`` shows the table; ``.intervals[policy][metric]`` and ``.advantage(policy)`` (paired) are its numbers.

    Args:
        agents: one, the table's ``policy``; or several by names, its ``policy:<name>``. Each shows a room by the
            ``margin`` that it has: what a run left in ``policy.ckpt`` was tuned for the run's own env, reward and cap.
        env: a name, settings, or a function that takes the number of viewers and returns a vector environment.
        reward: a name, settings (without a name those of the environment's own), or a reward itself; None: the
            environment's own.
        cap: on injections, as ``cap`` of a run.
        policies: whom to compare, by a name or several, as ``policies`` of ``livedqn evaluate``; empty: the quick ones.
        seed: of the worlds.
        steps: of the agents' training; linear bandits learn from as many requests. None: nothing is said of them, and
            bandits learn from as many as a run takes by default.
        evaluation: as ``evaluation`` of a run: ``worlds=20, episodes=384`` ...

    Raises:
        LivedqnError: something cannot be built or does not fit together, is no agent, or no policy of that name.
    """
    for what, value, least in (("seed", seed, 0), ("steps", steps, 1)):
        if value is not None and value < least:
            raise LivedqnError(f"compare() was given {what}={value}; it needs at least {least}")
    by_name = {f"{OURS}:{name}": one for name, one in agents.items()} if isinstance(agents, Mapping) else {OURS: agents}

    for name, agent in by_name.items():
        if not isinstance(agent, Actor):
            raise LivedqnError(
                f"{name} is a {type(agent).__name__}, and no agent; give what livedqn.load('runs/.../policy.ckpt') "
                "answers, or a run's .agent"
            )

    def check(spec: Spec) -> None:
        for name, agent in by_name.items():
            if what := agent.spec.difference(spec):
                raise LivedqnError(f"{name} does not fit this environment: {what}; train anew, or choose another env")

    usual = {"plugin": plugins.defaults()["reward"]}
    chosen = usual if reward is None else {**usual, **reward} if isinstance(reward, Mapping) else reward
    built = plugins.build("reward", chosen)
    make_stage = stages(env, built, _typed(CapConfig, "cap", cap or {}), check)
    worlds = _typed(EvaluationConfig, "", evaluation)
    names = [policies] if isinstance(policies, str) else policies
    return compared(by_name, make_stage, worlds, seed=seed, steps=steps, names=names, notify=announce())


def _typed(cls: type[Config], name: str, told: Mapping[str, Any]) -> Config:
    try:
        settings = plugins.escaped(plugins.plain(told))
        config = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(cls), settings))
    except OmegaConfBaseException as error:
        raise LivedqnError(f"compare() cannot take that: {explain(error, name)}") from None
    assert isinstance(config, cls)
    return config
