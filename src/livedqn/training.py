"""The composition root: a training run as a list of things that are built and handed to one another."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import Any

import torch
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from livedqn import checkpoint, device, evaluate, plugins, resume, sources
from livedqn.agent import DQN
from livedqn.config import LOGGERS, TrainConfig, WandbLogger
from livedqn.evaluate import Evaluation
from livedqn.experience import Experience
from livedqn.fitting import fit
from livedqn.live import Live, announce
from livedqn.logged import LoggedExperience
from livedqn.logs.files import NOTED, digests
from livedqn.loop import Loop, Marks, StoppedError, signals_raised
from livedqn.protocols import Replay, Reward
from livedqn.stage import MakeEnv, MakeStage, staged
from livedqn.tracking import MetricsFile, Tracker, Trackers, WandbRun
from livedqn.types import LivedqnError, Spec, first_line


@dataclass(frozen=True)
class Run:
    """What a run leaves behind."""

    folder: Path
    agent: DQN  # the best policy; the newest where a signal stopped the run or nothing tells which is best
    evaluation: Evaluation | None  # None where a signal stopped the run, and where there is no env to play
    stopped_by: signal.Signals | None = None


def train(
    env: str | Mapping[str, Any] | MakeEnv | None = None,
    *,
    reward: str | Mapping[str, Any] | Reward = "native",
    folder: str | Path | None = None,
    **settings: Any,
) -> Run:
    """Train from Python, without Hydra.

    Args:
        env: an installed plugin's name, its settings (``{"plugin": "sim", ...}``), or a function that takes the number
            of parallel viewers and returns a vector environment. From logs (``logs={"plugin": "parquet", "path": ...}``
            among the settings) it is for evaluation alone, and may be left out.
        reward: a name, settings, or a reward itself.
        folder: where the run shall lie; a new one below ``runs/`` where none is given.
        settings: any field of :class:`~livedqn.config.TrainConfig`: ``steps=20_000, seed=1, encoder="gru",
            agent={"plugin": "dqn", "discount": 0.95}, evaluation={"worlds": 10}`` ...

    Raises:
        LivedqnError: something cannot be built or does not fit together.
    """
    for name, given in (("env", env), ("reward", reward)):
        is_left_out = name == "env" and given is None and settings.get("logs") is not None
        if not (callable(given) or isinstance(given, str | Mapping) or is_left_out):
            raise LivedqnError(f"train() got {name}={given!r}; it takes a name, settings, or a callable")
    schema = OmegaConf.structured(TrainConfig)
    try:
        config = OmegaConf.to_object(OmegaConf.merge(schema, dict(plugins.defaults()), settings))
    except OmegaConfBaseException as error:
        raise LivedqnError(f"train() cannot take that: {first_line(error)}") from None
    assert isinstance(config, TrainConfig)
    config.env = None if callable(env) else env
    config.reward = None if callable(reward) else reward
    path = Path(folder) if folder else Path("runs") / datetime.now().strftime("%Y-%m-%d/%H-%M-%S-%f")
    return run(config, path, env if callable(env) else None, reward if callable(reward) else None)


def run(config: TrainConfig, folder: Path, env: MakeEnv | None = None, reward: Reward | None = None) -> Run:
    """Train, evaluate, report; everything lands in ``folder``.

    Args:
        config: of the run; ``config.resume`` goes on with the run in ``folder``.
        folder: of the run.
        env: instead of ``config.env``. reward: instead of ``config.reward``.

    Raises:
        LivedqnError: something cannot be built or does not fit together, or training diverged.
    """
    with ExitStack() as opened:  # so that what is refused, too, leaves no environment open
        return _run(opened, config, folder, env, reward)


def _run(
    opened: ExitStack, config: TrainConfig, folder: Path, env: MakeEnv | None, reward: Reward | None
) -> Run:  # fmt: skip
    config = _normalised(config)
    resumed = resume.read(folder) if config.resume else None
    start = resumed["mark"] if resumed else 0
    torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)
    scored_by = reward or plugins.build("reward", config.reward)
    make_stage = _stages(config, env, scored_by)
    logs = sources.read(config, make_stage) if config.logs is not None else None
    if logs is not None:
        spec = logs.spec
        begun: Callable[[Replay, int], Experience | LoggedExperience] = partial(sources.logged, logs, scored_by, config)
    elif make_stage is not None:
        stage = opened.enter_context(closing(make_stage(config.num_envs)))
        spec, begun = stage.spec, partial(sources.played, stage, config)
    else:
        raise LivedqnError("there is nothing to learn from; choose an env, or logs")
    if resumed and resumed["is_evaluated"] and make_stage is None:
        raise LivedqnError(
            f"{folder} was evaluated in an env of its own, from Python, which no file keeps; go on from there: "
            f"livedqn.train(env, resume={str(folder)!r}, folder={str(folder)!r}, ...), with all else as it was"
        )
    plain = _plain(config)
    agent = _agent(config, spec, plain)
    replay: Replay = plugins.build("replay", config.replay, spec, config.num_envs, agent.n_step)
    experience = begun(replay, agent.ensemble)
    tell = partial(print, file=sys.stderr, flush=True)
    survey = None if logs is None else cache(partial(sources.survey, logs, scored_by, config, tell))
    steps = sources.length(config, survey, tell)
    marks = Marks.of(
        steps, start, num_envs=config.num_envs, points=config.evaluation.points, save_every=config.save_every
    )
    if start > marks.total:
        raise LivedqnError(f"{folder} has done {start:,} steps; give steps={start} or more")
    plain |= {"steps": steps, "epochs": None}
    if survey is not None:
        before = checkpoint.read_config(folder / "policy.ckpt")["agent"] if resumed else None
        plain["agent"] |= sources.pace(agent, config, marks.total, before, tell)
        plain["agent"] |= sources.caution(agent, config, survey, before, tell)
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint.write_text(folder / "config.yaml", OmegaConf.to_yaml(OmegaConf.create(plain)))
    tracker = _tracker(config, folder, plain, resumed["steps"] if resumed else 0)

    def keep(weights: dict[str, Any], steps: int, baselines: checkpoint.Baselines | None = None) -> None:
        checkpoint.save(folder / "policy.ckpt", agent, plain, steps, baselines or {}, weights)

    def validate(agent: DQN) -> float:
        assert make_stage is not None
        return evaluate.validate(evaluate.Greedy(agent), make_stage, config.evaluation, seed=config.seed)

    try:
        with opened, Live(marks.total, start) as live:
            live.note(_memory(replay))
            agent.learn_from(experience, compile=config.compile, steps=steps, tell=live.note)
            show, judge = _with_speed(live.update, start), validate if make_stage else None
            loop = Loop(
                folder, marks, experience, resumed,
                log=tracker.log, show=show, evaluate=judge, keep=keep, tell=live.note,
            )  # fmt: skip
            fit(agent, loop, marks)
        if loop.stopped_by:
            return _stopped(folder, agent, loop.stopped_by)
        agent.to(device.resolve(config.device))  # Lightning takes the module back to the CPU when it is done
        checkpoint.save(folder / "final.ckpt", agent, plain, experience.steps, {}, agent.state_dict())
        # evaluation chose among the policy's weights; the myopic baseline is a regression that only gains
        last = {name: value.clone() for name, value in agent.state_dict().items() if name.startswith("myopic.")}
        weights = loop.best["weights"] | last
        agent.load_weights(weights)
        said = list(experience.lines()) if isinstance(experience, LoggedExperience) else []
        evaluation = None
        with signals_raised():
            if make_stage is not None:
                evaluation = _evaluated(agent, make_stage, config, experience.steps)
                keep(agent.state_dict(), loop.best["steps"], evaluation.baselines)
                evaluate.write_json(evaluation, folder / "evaluation.json")
            from livedqn import report  # Matplotlib's import takes time, and only what ends needs pictures

            report.write(folder, evaluation, folder / "metrics.csv", agent.spec, plain, said)
    except StoppedError as stopped:
        return _stopped(folder, agent, stopped.by)
    finally:
        tracker.finish(folder)
    _tell(folder, agent, evaluation, loop.best, said)
    return Run(folder, agent, evaluation)


def _agent(config: TrainConfig, spec: Spec, plain: dict[str, Any]) -> DQN:
    """The agent, on its device; ``plain`` is told what the weights that it begins from, if any, had learned from."""
    began_from = checkpoint.read(config.init) if config.init else None
    agent = checkpoint.build_agent(plain, spec)
    if began_from is not None:
        evaluate.check_fit(began_from, spec)
        agent.load_weights(began_from.agent.state_dict())
        agent.margin.zero_()  # of the values that will be learned another is best
        plain["learned_from"] = checkpoint.learned_from(began_from.config)
    return agent.to(device.resolve(config.device))


def _stages(config: TrainConfig, env: MakeEnv | None, reward: Reward) -> MakeStage | None:
    """Builds a stage of so many rows; None without an environment."""
    if env is None and config.env is None:
        return None
    make_env = env or partial(plugins.build, "env", config.env)
    return lambda rows: staged(make_env, rows, reward, config.cap)


def _evaluated(agent: DQN, make_stage: MakeStage, config: TrainConfig, steps: int) -> Evaluation:
    """What ``agent`` is worth, with the margin that is best on validation worlds."""
    tell = announce()
    if agent.spec.offers_nothing:
        margin = evaluate.tuned_margin(agent, make_stage, config.evaluation, seed=config.seed, notify=tell)
        agent.margin.fill_(margin)
    return evaluate.final_evaluation(
        agent, make_stage, config.evaluation, seed=config.seed, steps=steps, notify=tell
    )  # fmt: skip


def _tell(
    folder: Path, agent: DQN, evaluation: Evaluation | None, best: Mapping[str, Any], said: Sequence[str]
) -> None:
    """What was learned, and where everything lies."""
    for line in said:
        print(line)
    policy, page = folder / "policy.ckpt", folder / "report.html"
    if evaluation is None:
        print(f"policy.ckpt: the newest weights, at step {best['steps']:,}")
        print(f"not evaluated; report: {page}; judge it: livedqn evaluate checkpoint={policy} logs=…")
        return
    evaluate.show(evaluation, sys.stdout)
    print(f"policy.ckpt: the best of {best['of']} in-training evaluations, at step {best['steps']:,}")
    if agent.spec.offers_nothing:
        print(f"it shows a room that is worth at least {float(agent.margin):.3g} more than nothing")
    print(f"report: {page}; evaluate again: livedqn evaluate checkpoint={policy}")


def _stopped(folder: Path, agent: DQN, by: signal.Signals) -> Run:
    print(f"stopped by {by.name} and saved; go on with: livedqn resume={folder}")
    return Run(folder, agent, None, by)


def _tracker(config: TrainConfig, folder: Path, plain: Mapping[str, Any], steps: int) -> Tracker:
    """What the run logs to; of what an earlier part logged, only what it had done by ``steps`` counts."""
    metrics_file = MetricsFile(folder / "metrics.csv")
    metrics_file.cut_back(steps)
    loggers: list[Tracker] = [metrics_file]
    if isinstance(config.logger, WandbLogger):
        loggers.append(WandbRun(config.logger, folder, plain))
    return Trackers(loggers)


def _normalised(config: TrainConfig) -> TrainConfig:
    """Names as nodes, and a logger's name as its settings."""
    nodes = {kind: getattr(config, kind) for kind in (*plugins.PARTS, "logs")}
    nodes = {kind: {"plugin": node} if isinstance(node, str) else node for kind, node in nodes.items()}
    logger = config.logger
    if isinstance(logger, str):
        if logger not in LOGGERS:
            raise LivedqnError(f"there is no logger {logger!r}; choose one of {', '.join(LOGGERS)}")
        logger = LOGGERS[logger]()
    return replace(config, **nodes, logger=logger)


def _plain(config: TrainConfig) -> dict[str, Any]:
    """The config as checkpoints and config.yaml keep it: what a run was started from is not part of what it is."""
    plain = {**asdict(config), "init": None, "resume": None}
    path = (plain["logs"] or {}).get("path")
    if path and Path(path).exists():  # it says which logs they were wherever it is read; a reader's address stays
        plain["logs"] = {**plain["logs"], "path": str(Path(path).resolve())}
        # a resumed run may find more of them, and has learned from those it noted
        plain["logs_files"] = list(dict.fromkeys([*config.logs_files, *digests(plain["logs"])]))[:NOTED]
    return plain


def _memory(replay: Replay) -> str:
    gib = replay.capacity * replay.bytes_per_transition / 2**30
    return f"replay: {replay.capacity:,} transitions of {replay.bytes_per_transition:,} bytes, {gib:.2f} GiB when full"


def _with_speed(
    update: Callable[[int, Mapping[str, float]], None], start: int
) -> Callable[[int, dict[str, float]], None]:
    """``update`` with the mean speed since the run started or went on."""
    began = time.monotonic()

    def show(steps: int, metrics: dict[str, float]) -> None:
        update(steps, {**metrics, "steps_per_s": (steps - start) / max(time.monotonic() - began, 1e-9)})

    return show
