"""The composition root: a run's config becomes a list of parts that are built and handed to one another."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from livedqn import checkpoint, device, evaluate, plugins, resume
from livedqn.agent import DQN
from livedqn.config import TrainConfig
from livedqn.experience import Experience
from livedqn.features import dense_spec
from livedqn.given import OBJECTS, located
from livedqn.logs.files import NOTED, digests
from livedqn.loop import Marks
from livedqn.protocols import Replay, Reward
from livedqn.sources import FromEnv, FromLogs, read, told_to
from livedqn.stage import MakeStage
from livedqn.types import LivedqnError, Spec


@dataclass(frozen=True)
class Parts:
    """What a run in ``folder`` is made of."""

    folder: Path
    config: TrainConfig
    plain: dict[str, Any]  # the config as config.yaml and checkpoints keep it, with what the run has settled
    agent: DQN
    replay: Replay
    experience: Experience
    make_stage: MakeStage | None  # of so many rows, to evaluate on; None without an environment
    steps: int
    marks: Marks
    start: int  # steps that were done before
    resumed: dict[str, Any] | None  # the point from which the run goes on


def prepare(config: TrainConfig, folder: Path, opened: ExitStack) -> Parts:
    """Build a run of ``config`` in ``folder``, in which nothing is written yet.

    Args:
        config: of the run; ``config.resume`` goes on with the run in ``folder``.
        folder: of the run.
        opened: closes the environment that is played.

    Raises:
        LivedqnError: something cannot be built or does not fit together.
    """
    resumed = resume.read(folder) if config.resume else None
    torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)
    reward = plugins.build("reward", config.reward)
    make_stage = None if config.env is None else evaluate.stages(config.env, reward, config.cap)
    source = _source(config, make_stage, reward, opened)
    if resumed and resumed["is_evaluated"] and make_stage is None:
        raise LivedqnError(
            f"{folder} was evaluated in an env of its own, from Python, which no file keeps; go on from there: "
            f"livedqn.train(env, resume={str(folder)!r})"
        )
    if resumed and not resumed["is_evaluated"] and make_stage is not None:  # which would begin to choose in mid-run
        raise LivedqnError(f"{folder} was evaluated in no env; a run goes on as it was, so leave env= out")
    plain = _plain(config, resume.notes(folder) if config.resume else {})
    agent = _agent(config, source.spec, plain)
    replay: Replay = plugins.build("replay", config.replay, source.spec, config.num_envs, agent.n_step)
    experience = source.begin(replay, agent.ensemble)
    steps, start = source.steps(), resumed["mark"] if resumed else 0
    marks = Marks.of(
        steps, start, num_envs=config.num_envs, points=config.evaluation.points, save_every=config.save_every
    )
    if start > marks.total:
        raise LivedqnError(f"{folder} has done {start:,} steps; give steps={start} or more")
    plain |= {"steps": steps, "epochs": None}
    plain["agent"] |= source.settle(agent, marks.total, resumed["agent"]["settled"] if resumed else None)
    return Parts(folder, config, plain, agent, replay, experience, make_stage, steps, marks, start, resumed)


def _source(
    config: TrainConfig, make_stage: MakeStage | None, reward: Reward, opened: ExitStack
) -> FromEnv | FromLogs:  # fmt: skip
    if config.logs is not None:
        return FromLogs(read(config, make_stage), reward, config, partial(print, file=sys.stderr, flush=True))
    if make_stage is None:
        raise LivedqnError("there is nothing to learn from; choose an env, or logs")
    return FromEnv(opened.enter_context(closing(make_stage(config.num_envs))), config)


def _agent(config: TrainConfig, spec: Spec, plain: dict[str, Any]) -> DQN:
    """The agent, on its device; ``plain`` is told what the weights that it begins from, if any, had learned from."""
    own = config.encoder if callable(config.encoder) else None
    began_from = checkpoint.read(config.init, encoder=own) if config.init else None
    if not config.resume:
        _try_encoder(own or config.encoder, spec)
    agent = checkpoint.build_agent(plain, spec, own)
    if began_from is not None:
        evaluate.check_fit(began_from, spec)
        if began_from.member_configs:
            raise LivedqnError(
                f"{config.init} is the mean of several policies; begin from one of those: init=<run>/policy.ckpt"
            )
        _refuse_other_numbers(config.init, began_from.config["agent"], plain["agent"])
        agent.load_weights(began_from.agent.state_dict())
        agent.rescales = not _is_same_reward(began_from.config, plain)
        agent.margin.zero_()  # of the values that will be learned another is best
        plain["learned_from"] = checkpoint.learned_from(began_from.config)
    return agent.to(device.resolve(config.device))


def _try_encoder(chosen: Mapping[str, Any] | Callable[..., Any], spec: Spec) -> None:
    """Hold an encoder that is none of ours to its contract: with most broken promises one learns on, in silence.

    Raises:
        LivedqnError: the first one that it does not keep on what ``spec`` shows.
    """
    name = getattr(chosen, "__name__", type(chosen).__name__) if callable(chosen) else chosen["plugin"]
    if not callable(chosen) and plugins.is_built_in("encoder", name):
        return
    from livedqn.testing.encoder import check_on  # for whoever brings an encoder, who alone needs it
    from livedqn.testing.errors import ContractError

    try:
        check_on(dense_spec(spec), name, partial(plugins.build, "encoder", chosen))
    except ContractError as error:
        what = " ".join(str(error).split())
        raise LivedqnError(f"encoder {what}; livedqn.testing.check_encoder tries it on other specs, too") from error


def _is_same_reward(had: Mapping[str, Any], has: Mapping[str, Any]) -> bool:
    """Whether two runs' rewards are of one unit, as far as their configs say it."""
    old, new = had["reward"], has["reward"]
    if not (old and new) or old["plugin"] != new["plugin"]:  # one of Python's own stands in no config
        return False
    is_of_env = new["plugin"] == "native" and had["env"] != has["env"]
    return not is_of_env and told_to(old, "reward") == told_to(new, "reward")


def _refuse_other_numbers(path: str | None, had: Mapping[str, Any], has: Mapping[str, Any]) -> None:
    """Raise LivedqnError where a network of the same shape reads its inputs or means its numbers otherwise."""
    old, new = told_to(had), told_to(has)
    names = ["distribution", "standardise", "scale_rewards"]
    names += ["support", "resolution"] if new.get("distribution") == "c51" else []
    for name in [name for name in names if name in old and name in new]:  # another agent may have other settings
        was, is_now = (list(value) if isinstance(value, tuple) else value for value in (old[name], new[name]))
        if was != is_now:
            raise LivedqnError(
                f"init={path} was trained with agent.{name}={was}, and this run has {is_now}: its weights would mean "
                f"something else; add agent.{name}={was}, or leave init out"
            )


def _plain(config: TrainConfig, noted: checkpoint.Notes) -> dict[str, Any]:
    """The config as checkpoints and config.yaml keep it, with what was ``noted`` before: what a run was started from is
    not part of what it is, and objects from Python are null."""
    unkept: dict[str, Any] = {kind: None for kind in OBJECTS if callable(getattr(config, kind))}
    plain = {**asdict(replace(config, **unkept)), "init": None, "resume": None}
    plain |= {name: noted.get(name, []) for name in checkpoint.NOTES}
    if config.logs:
        plain["logs"] = located(config.logs)
        # a resumed run may find more of them, and has learned from those it noted
        plain["logs_files"] = list(dict.fromkeys([*plain["logs_files"], *digests(plain["logs"])]))[:NOTED]
    return plain
