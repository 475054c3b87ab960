"""The command ``collect``: play, and write down what a policy shows and what comes of it."""

from __future__ import annotations

import signal
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
import torch

from livedqn import plugins
from livedqn.collect.behaviour import baseline, learned
from livedqn.collect.recorder import Recorder, Take
from livedqn.config import CollectConfig
from livedqn.exploration import draw, require_estimates
from livedqn.live import announce
from livedqn.loop import HEEDED, is_main_thread, signals_given_back
from livedqn.stage import Stage, staged, world_seed
from livedqn.types import FloatArray, IntArray, LivedqnError, Observation

#: Chooses an action of every row: observation and steps so far -> actions (B,), propensities (B,).
Act = Callable[[Observation, int], tuple[IntArray, FloatArray]]


def run(config: CollectConfig) -> signal.Signals | None:
    """Play ``config.steps`` requests and write them to ``config.out``; say what lies there.

    Returns:
        The signal that ended it early, if one did; what was played till then is written.

    Raises:
        LivedqnError: something cannot be built or does not fit together, or ``out`` holds logs already.
    """
    try:
        from livedqn.logs.writer import Writer
    except ImportError:
        raise LivedqnError("logs need pyarrow, which is not installed: pip install 'livedqn[logs]'") from None
    torch.set_num_threads(config.threads)
    out = Path(config.out)
    if next(out.rglob("*.parquet"), None):
        raise LivedqnError(f"out={out} holds logs already; choose another folder, or remove them")
    exploration = plugins.build("exploration", config.exploration)
    make_env, native = partial(plugins.build, "env", config.env), plugins.build("reward", "native")
    with closing(staged(make_env, config.num_envs, native, config.cap)) as stage:
        if config.checkpoint:
            values, estimates, version = learned(config.checkpoint, config.device, stage)
        else:
            values, estimates, version = baseline(config.policy, stage), 1, config.policy
        remedy = f"{version} has one, so take a checkpoint that was trained with agent.ensemble=5"
        require_estimates(exploration, estimates, remedy)
        rng = np.random.default_rng((config.seed, 0))

        def act(observation: Observation, steps: int) -> tuple[IntArray, FloatArray]:
            probabilities = exploration(values(observation), observation["mask"], steps)
            return draw(probabilities, observation["mask"], config.exploration_floor, rng)

        source = {key: value for key, value in asdict(config).items() if key not in ("out", "device", "threads")}
        recorder = Recorder(stage.spec, config.num_envs, zlib.crc32(repr((source, version)).encode()) >> 1, version)
        with Writer(out, stage.spec, {**source, "version": version}) as writer, _heeded() as stopped:
            for sessions in play(stage, act, recorder, seed=config.seed, steps=config.steps, stopped=stopped):
                writer.add_later(sessions)
    size = sum(path.stat().st_size for path in out.rglob("*.parquet"))
    if stopped:
        print(f"stopped by {stopped[0].name}; what was played till then is written")
    print(f"{out}: {writer.rows:,} impressions of {version}, {size / max(writer.rows, 1):,.0f} bytes each")
    print(f"look at them: livedqn check-logs logs=parquet logs.path={out}")
    return stopped[0] if stopped else None


def play(
    stage: Stage, act: Act, recorder: Recorder, *, seed: int, steps: int, stopped: list[signal.Signals]
) -> Iterator[Take]:
    """Whole sessions of the training world of ``seed``, as they end, many at a time; what is open at the end is cut.

    Args:
        stage: where it is played. act: who plays. recorder: of the steps.
        seed: of the run.
        steps: requests over all rows; all rows step together, so it is rounded up to a multiple of them.
        stopped: no step is begun once there is something in it.
    """
    tell = partial(announce(), "collecting")
    rounds = -(-steps // stage.num_envs)
    observation, ids = stage.reset(world_seed("train", seed), "train"), stage.ids
    for done in range(rounds):
        if stopped:
            break
        if done % max(rounds // 100, 1) == 0:
            tell(done, rounds)
        action, propensity = act(observation, done * stage.num_envs)
        step = stage.step(action)
        recorder.add(observation, ids, action, propensity, step)
        observation, ids = stage.restart(step.ended), stage.ids
        if (sessions := recorder.finished()) is not None:
            yield sessions
    tell(rounds, rounds)
    recorder.cut(observation, ids)
    if (sessions := recorder.finished(least=1)) is not None:
        yield sessions


@contextmanager
def _heeded() -> Iterator[list[signal.Signals]]:
    """The signals that came while it lasts: they end nothing, but say that it should end."""
    came: list[signal.Signals] = []
    with signals_given_back():
        if is_main_thread():
            for number in HEEDED:
                signal.signal(number, lambda number, frame: came.append(signal.Signals(number)))
        yield came
