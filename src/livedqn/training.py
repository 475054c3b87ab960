"""A training run, from its settings to what it leaves behind."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from livedqn import checkpoint, device, evaluate, plugins
from livedqn.agent import DQN
from livedqn.choice import Choice
from livedqn.config import TrainConfig, WandbLogger
from livedqn.evaluate import Evaluation
from livedqn.fitting import fit
from livedqn.given import config_of
from livedqn.live import Live, announce
from livedqn.lock import held
from livedqn.logged import LoggedExperience
from livedqn.loop import Loop, StoppedError, signals_raised
from livedqn.network import EncoderFactory
from livedqn.protocols import Exploration, Replay, Reward
from livedqn.setup import Parts, prepare
from livedqn.stage import MakeEnv, MakeStage
from livedqn.tracking import MetricsFile, Tracker, Trackers, WandbRun
from livedqn.types import FloatArray, LivedqnError, Spec


@dataclass(frozen=True)
class Run:
    """What a run leaves behind."""

    folder: Path
    #: The chosen policy; the newest where a signal stopped the run or nothing tells which is better.
    agent: DQN = field(repr=False)
    evaluation: Evaluation | None  # None where a signal stopped the run, and where there is no env to play
    stopped_by: signal.Signals | None = None


def train(
    env: str | Mapping[str, Any] | MakeEnv | None = None,
    *,
    reward: str | Mapping[str, Any] | Reward | None = None,
    encoder: str | Mapping[str, Any] | EncoderFactory | None = None,
    exploration: str | Mapping[str, Any] | Exploration | None = None,
    replay: str | Mapping[str, Any] | Callable[[Spec, int, int], Replay] | None = None,
    folder: str | Path | None = None,
    **settings: Any,
) -> Run:
    """Train from Python, without Hydra.

    Every part is the name of an installed plugin or of a preset that ships with livedqn, its settings
    (``{"plugin": "sim", "days": 2}``, laid over the preset's; without a name those of the usual plugin), or an object
    of your own, as :mod:`livedqn.protocols` has it. Experiments and presets of your own are for the command line. What
    is not said is as on the command line, but for ``env``.

    A run that was given an object keeps null in its place, in ``config.yaml`` and ``policy.ckpt``: whoever goes on with
    it (``resume``, ``init``) or loads its policy gives it again.

    Args:
        env: also a function that takes the number of parallel viewers and returns a vector environment. From logs
            (``logs={"plugin": "parquet", "path": ...}`` among the settings) it is for evaluation alone, and may be left
            out.
        reward: also a reward itself.
        encoder: also what takes a :class:`~livedqn.types.Spec` and returns a module: its class, or with settings
            ``functools.partial(Mine, units=32)``. It is held to its contract (:func:`livedqn.testing.check_encoder`).
        exploration: also an exploration itself.
        replay: also what takes a spec, the number of viewers and the length of a window, and returns a replay.
        folder: where the run shall lie; a new one below ``runs/`` where none is given.
        settings: any field of :class:`~livedqn.config.TrainConfig`: ``steps=20_000, seed=1, agent={"discount": 0.95},
            evaluation={"worlds": 10}`` ... With ``resume=folder`` a run goes on as it was: objects of its own are given
            again, and ``steps``, ``logger`` and ``compile`` may be others.

    Raises:
        LivedqnError: something cannot be built or does not fit together.
    """
    parts = {"env": env, "reward": reward, "encoder": encoder, "exploration": exploration, "replay": replay}
    config = config_of({**parts, **settings})
    if config.resume and folder and Path(folder).resolve() != Path(config.resume).resolve():
        raise LivedqnError(
            f"{config.resume} goes on where it lies, not in {folder}; leave folder= out, or copy it first"
        )
    new = datetime.now().strftime("%Y-%m-%d/%H-%M-%S-%f")
    return run(config, Path(config.resume or folder or Path("runs") / new))


def run(config: TrainConfig, folder: Path) -> Run:
    """Train, evaluate, report; everything lands in ``folder``.

    Args:
        config: of the run; ``config.resume`` goes on with the run in ``folder``.
        folder: of the run.

    Raises:
        LivedqnError: something cannot be built or does not fit together, or training diverged.
    """
    with ExitStack() as holds, ExitStack() as opened:  # so that what is refused, too, leaves no environment open
        if config.resume and folder.is_dir():  # before anything in it is read
            holds.enter_context(held(folder))
        if not config.resume:
            _refuse_taken(folder)
        parts = prepare(config, folder, opened)
        folder.mkdir(parents=True, exist_ok=True)
        if not config.resume:
            holds.enter_context(held(folder))
            _refuse_taken(folder)  # nobody else was faster
        checkpoint.write_text(folder / "config.yaml", plugins.as_yaml(parts.plain))
        try:
            with _tracked(parts) as tracker:
                with opened:
                    loop = _learn(parts, tracker)
                if loop.stopped_by:
                    return _stopped(parts, loop.stopped_by)
                said = list(parts.experience.lines()) if isinstance(parts.experience, LoggedExperience) else []
                evaluation = _finish(parts, loop.choice, said)
        except StoppedError as stopped:
            return _stopped(parts, stopped.by)
    _tell(parts, evaluation, loop.choice, said)
    return Run(folder, parts.agent, evaluation)


def _refuse_taken(folder: Path) -> None:
    if (folder / "policy.ckpt").exists():
        raise LivedqnError(
            f"{folder} holds a policy already, which this run would replace; go on with it by resume={folder}, or "
            "choose another folder (hydra.run.dir=…, from Python folder=)"
        )


def _learn(parts: Parts, tracker: Tracker) -> Loop:
    """Train to the end, or until a signal; what happened meanwhile."""
    config, make_stage = parts.config, parts.make_stage

    def validate(agent: DQN) -> FloatArray:
        assert make_stage is not None
        return evaluate.validate(evaluate.Greedy(agent), make_stage, config.evaluation, seed=config.seed)

    with Live(parts.marks.total, parts.start) as live:
        live.note(_memory(parts.replay))
        if parts.marks.total - parts.agent.warmup_steps < parts.agent.steps_per_update:
            live.note(_untrained(parts))
        parts.agent.learn_from(parts.experience, compile=config.compile, steps=parts.steps, tell=live.note)
        loop = Loop(
            parts.folder, parts.marks, parts.experience, parts.resumed,
            log=tracker.log, show=_with_speed(live.update, parts.start), evaluate=validate if make_stage else None,
            keep=partial(_keep, parts), tell=live.note,
        )  # fmt: skip
        fit(parts.agent, loop, parts.marks)
    return loop


def _keep(parts: Parts, weights: dict[str, Any], steps: int, baselines: checkpoint.Baselines | None = None) -> None:
    """Write ``weights``, the agent's at so many steps, as the run's policy."""
    checkpoint.save(parts.folder / "policy.ckpt", parts.agent, parts.plain, steps, baselines or {}, weights)


def _finish(parts: Parts, choice: Choice, said: Sequence[str]) -> Evaluation | None:
    """Keep the last weights, give the agent the chosen ones, evaluate it if there is an environment, and report.

    Raises:
        StoppedError: a signal came while it evaluated or reported.
    """
    folder, agent, config = parts.folder, parts.agent, parts.config
    agent.to(device.resolve(config.device))  # Lightning takes the module back to the CPU when it is done
    checkpoint.save(folder / "final.ckpt", agent, parts.plain, parts.experience.steps, {}, agent.state_dict())
    # evaluation chose among the policy's weights; its myopic twin is a regression that only gains by learning on
    last = {name: value.clone() for name, value in agent.state_dict().items() if name.startswith("myopic.")}
    agent.load_weights(choice.weights | last)
    evaluation = None
    with signals_raised():
        if parts.make_stage is not None:
            evaluation = _evaluated(agent, parts.make_stage, config, parts.experience.steps)
            _keep(parts, agent.state_dict(), choice.steps, evaluation.baselines)
            evaluate.write_json(evaluation, folder / "evaluation.json")
        from livedqn import report  # Matplotlib's import takes time, and only what ends needs pictures

        report.write(
            folder, evaluation, folder / "metrics.csv", agent.spec, parts.plain, chosen=choice.steps, said=said
        )
    return evaluation


def _evaluated(agent: DQN, make_stage: MakeStage, config: TrainConfig, steps: int) -> Evaluation:
    """What ``agent`` is worth, with the margin that is best on validation worlds."""
    tell = announce()
    if agent.spec.offers_nothing:
        margin = evaluate.tuned_margin(agent, make_stage, config.evaluation, seed=config.seed, notify=tell)
        agent.margin.fill_(margin)
    return evaluate.final_evaluation(
        agent, make_stage, config.evaluation, seed=config.seed, steps=steps, notify=tell
    )  # fmt: skip


def _tell(parts: Parts, evaluation: Evaluation | None, choice: Choice, said: Sequence[str]) -> None:
    """What was learned, and where everything lies."""
    for line in said:
        print(line)
    policy, page = parts.folder / "policy.ckpt", parts.folder / "report.html"
    if evaluation is None:
        print(f"policy.ckpt: the newest weights, at step {choice.steps:,}")
        print(f"not evaluated; report: {page}; judge it: livedqn evaluate checkpoint={policy} logs=…")
        return
    evaluate.show(evaluation, sys.stdout)
    print(f"policy.ckpt: chosen by {choice.of} in-training evaluations, from step {choice.steps:,}")
    if parts.agent.spec.offers_nothing:
        print(f"it shows {parts.agent.shown()}")
    if not parts.agent.updates:
        print(_untrained(parts))
    print(f"report: {page}; evaluate again: livedqn evaluate checkpoint={policy}")


def _stopped(parts: Parts, by: signal.Signals) -> Run:
    print(f"stopped by {by.name} and saved; go on with: livedqn resume={parts.folder}")
    return Run(parts.folder, parts.agent, None, by)


@contextmanager
def _tracked(parts: Parts) -> Iterator[Tracker]:
    """What the run logs to, told at the end whether an error ended it; of what an earlier part logged, only what it had
    done counts."""
    metrics_file = MetricsFile(parts.folder / "metrics.csv")
    metrics_file.cut_back(parts.resumed["steps"] if parts.resumed else 0)
    loggers: list[Tracker] = [metrics_file]
    if isinstance(parts.config.logger, WandbLogger):
        loggers.append(WandbRun(parts.config.logger, parts.folder, parts.plain))
    tracker, has_failed = Trackers(loggers), True
    try:
        yield tracker
        has_failed = False
    except StoppedError:  # the run goes on some day
        has_failed = False
        raise
    finally:
        tracker.finish(parts.folder, has_failed=has_failed)


def _untrained(parts: Parts) -> str:
    steps, warmup, every = parts.marks.total, parts.agent.warmup_steps, parts.agent.steps_per_update
    return (
        f"nothing is learned: all {steps:,} steps are warm-up, since agent.warmup_steps={warmup} and "
        f"agent.steps_per_update={every}; lower these, or make steps= greater"
    )


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
