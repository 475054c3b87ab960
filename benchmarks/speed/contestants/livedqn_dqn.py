"""livedqn as a user runs it: ``livedqn.train`` with metrics.csv and progress on, timed from the start of
``Trainer.fit`` to its end; in-training evaluation and the final table, which the peers have not, are cut off.

Its loss is the squared error, halved; Adam does not see a constant factor but in its epsilon.
"""

from __future__ import annotations

import cProfile
import pstats
import statistics
import tempfile
import time
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import torch

import livedqn
from benchmarks.speed import contest, work
from benchmarks.speed import parts_of_livedqn as parts
from livedqn import training
from livedqn.agent import DQN
from livedqn.lightning import pl

#: Variant -> ``compile``. "outside": the same ticks without a Trainer, a log and progress; "sim": what is
#: profiled on the simulator, with the encoder ``attention``.
VARIANTS = {"compile": "true", "eager": "false", "auto": "auto", "outside": "true", "sim": "true"}


def settings(told: contest.Told) -> dict[str, Any]:
    """The workload in livedqn's words."""
    workload = told.workload
    return {
        "env": {"plugin": "gym", "id": contest.ENV_ID},
        "num_envs": max(workload.num_envs, workload.block),  # its block is a step of every row
        "exploration": {
            "plugin": "epsilon_greedy", "steps": workload.epsilon_steps,
            "start": work.EPSILON_START, "end": work.EPSILON_END,
        },
        "replay": {"plugin": "uniform", "capacity": work.CAPACITY},
        "evaluation": {"points": 1},
        **parts.agent_settings(
            sync_every=work.SYNC_STEPS // workload.steps_per_update, steps_per_update=workload.steps_per_update
        ),
    }  # fmt: skip


class Ticks(pl.Callback):
    """Times every tick, so that what the first update compiles can be told from training.

    ``profiler`` sees the ticks behind that.
    """

    def __init__(self, profiler: AbstractContextManager[Any]) -> None:
        self.profiler = profiler
        self.spent: list[tuple[float, float]] = []  # wall and CPU seconds of the ticks that updated

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: Any, batch: Any, batch_idx: int) -> None:
        """Begin."""
        self._began = time.perf_counter(), time.process_time(), pl_module.updates

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        """End."""
        wall, cpu, updates = self._began
        if pl_module.updates > updates:
            self.spent.append((time.perf_counter() - wall, time.process_time() - cpu))
            if len(self.spent) == 1:
                self.profiler.__enter__()

    def on_train_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        """Stop looking."""
        if self.spent:
            self.profiler.__exit__(None, None, None)

    def compiling(self) -> tuple[float, float]:
        """Wall and CPU seconds that the first of them took beyond the next ones."""
        first, others = self.spent[0], self.spent[1:20]
        wall, cpu = (max(0.0, first[i] - statistics.median(tick[i] for tick in others)) for i in (0, 1))
        return wall, cpu


class Fitted(BaseException):
    """Training is over; carries the agent past the rest of the run."""

    def __init__(self, agent: DQN, meter: contest.Meter, ticks: Ticks) -> None:
        self.agent, self.meter, self.ticks = agent, meter, ticks


def fitted(told: contest.Told, profiler: AbstractContextManager[Any], **more: Any) -> Fitted:
    """Run ``livedqn.train`` up to the end of ``Trainer.fit``."""
    fit, ticks, more = pl.Trainer.fit, Ticks(profiler), {**more, "compile": VARIANTS[told.variant]}

    def timed(trainer: pl.Trainer, agent: DQN, marks: Any) -> None:
        trainer.callbacks.append(ticks)  # type: ignore[attr-defined]
        with contest.Meter() as meter:
            if told.variant == "outside":
                outside(agent, marks, ticks)
            else:
                fit(trainer, agent, marks)
        raise Fitted(agent, meter, ticks)

    pl.Trainer.fit = timed  # type: ignore[assignment, method-assign]
    training.evaluate.validate = lambda *_, **__: np.zeros(1)  # type: ignore[attr-defined]
    with tempfile.TemporaryDirectory() as folder:
        try:
            livedqn.train(**more, folder=f"{folder}/run", seed=told.seed, steps=told.workload.steps, device="cpu")
        except Fitted as done:
            return done
        finally:
            pl.Trainer.fit = fit  # type: ignore[method-assign]
    raise RuntimeError("livedqn.train() did not call Trainer.fit")


def outside(agent: DQN, marks: Any, ticks: Ticks) -> None:
    """The ticks of a run, with nothing between them."""
    agent.configure_optimizers()
    agent.on_train_start()
    for i, until in enumerate(marks):
        ticks.on_train_batch_start(None, agent, until, i)  # type: ignore[arg-type]
        agent.training_step(until, i)
        ticks.on_train_batch_end(None, agent, None, until, i)  # type: ignore[arg-type]
    ticks.on_train_end(None, agent)  # type: ignore[arg-type]


def show_profile(told: contest.Told) -> None:
    """The top ten of a stretch of training behind its first update, by the time of a function or an operator itself."""
    sim = {"env": "sim", "reward": "watchtime", "encoder": "attention"}
    more = sim if told.variant == "sim" else settings(told)
    if told.profile == "torch":
        operators = torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU])
        fitted(told, operators, **more)
        print(operators.key_averages().table(sort_by="self_cpu_time_total", row_limit=10, max_name_column_width=60))
        return
    calls = cProfile.Profile()
    fitted(told, calls, **more)
    pstats.Stats(calls).strip_dirs().sort_stats("tottime").print_stats(10)


def train(told: contest.Told) -> contest.Trained:
    """Train."""
    done = fitted(told, nullcontext(), **settings(told))
    wall_s, cpu_s = done.ticks.compiling() if told.variant != "eager" else (0.0, 0.0)
    done.meter.wall_s -= wall_s
    done.meter.cpu_s -= cpu_s
    agent = done.agent
    return contest.Trained(
        done.meter, agent.updates, lambda x: agent.act(observed(x))[0], {"compile_s": round(wall_s, 2)}
    )


def observed(context: Any) -> dict[str, Any]:
    """One observation as the agent takes it."""
    return {"context": context[None], "mask": torch.ones(1, work.ACTIONS, dtype=torch.bool).numpy()}


def main() -> None:
    """Train, or show where its time goes."""
    told = contest.arguments(list(VARIANTS))
    if told.profile:
        show_profile(told)
    else:
        contest.run(train, told, ["pytorch-lightning", "livedqn"])


if __name__ == "__main__":
    main()
