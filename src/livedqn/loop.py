"""What happens between the ticks of a training run: logging, evaluation, saving, and stopping on a signal.

One clock drives it all: the marks, counts of environment steps that are fixed before the run starts. The loader yields
them, the training step plays up to each, and this callback does what is due there.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from livedqn import checkpoint, resume
from livedqn.agent import DQN
from livedqn.choice import Choice
from livedqn.experience import Experience
from livedqn.lightning import pl
from livedqn.types import FloatArray, LivedqnError

#: Environment steps a tick: Lightning costs 0.2 ms a tick, and a signal is heeded at its end.
TICK = 256
#: What a run is cut into at most, however long it is.
MOST_TICKS = 1_000_000
#: Rows of metrics.csv in a run; fewer where there are fewer ticks, or fewer steps of all viewers.
LOG_ROWS = 100

#: Signals that stop a run cleanly.
HEEDED = (signal.SIGINT, signal.SIGTERM)

Metrics = dict[str, float]
Weights = dict[str, Any]


@dataclass(frozen=True)
class Marks:
    """The marks of a run of ``total`` steps, as a loader: sized, and yielding those that are ``due``."""

    total: int
    log: frozenset[int]
    evaluate: frozenset[int]
    save: frozenset[int]
    due: tuple[int, ...]

    @classmethod
    def of(cls, steps: int, start: int, *, num_envs: int, points: int, save_every: int) -> Marks:
        """Evaluate at ``points`` evenly spaced marks, log at ``LOG_ROWS``, save every ``save_every`` steps, and do all
        three at the end.

        All rows step together, so a mark is the next multiple of ``num_envs``.
        """

        def up(marks: Iterable[int]) -> frozenset[int]:
            return frozenset(-(-mark // num_envs) * num_envs for mark in marks)

        tick = max(TICK, -(-steps // MOST_TICKS))
        rows = min(LOG_ROWS, -(-steps // tick))
        log = up(steps * (i + 1) // rows for i in range(rows))
        evaluate = up(steps * (i + 1) // points for i in range(points)) - {0}
        save = up({*range(save_every, steps, save_every), steps})
        ticks = rows * -(-steps // (rows * tick))  # as many to every row, so that each row is at the end of one
        due = {*up(steps * (i + 1) // ticks for i in range(ticks)), *log, *evaluate, *save}
        return cls(max(due), log, evaluate, save, due=tuple(sorted(mark for mark in due if mark > start)))

    def __len__(self) -> int:
        return len(self.due)

    def __iter__(self) -> Iterator[int]:
        return iter(self.due)


class StoppedError(BaseException):
    """A signal asked to stop while no step was under way.

    Like KeyboardInterrupt no ``Exception``: an environment's ``except Exception`` (Gymnasium's own checker has one)
    would swallow it, and the run would go on.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.by = signal.Signals(number)


@contextmanager
def signals_raised() -> Iterator[None]:
    """Signals that would end the process raise :class:`StoppedError` instead."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise StoppedError(number)

    with signals_given_back():
        if is_main_thread():
            for number in HEEDED:
                signal.signal(number, stop)
        yield


@contextmanager
def signals_given_back() -> Iterator[None]:
    """What signals do is afterwards as it was before, whoever took them over meanwhile: we do, and Lightning does."""
    before = {number: signal.getsignal(number) for number in HEEDED}
    try:
        yield
    finally:
        if is_main_thread():
            for number, handler in before.items():
                signal.signal(number, handler)


def is_main_thread() -> bool:
    """Elsewhere Python takes no signal handlers."""
    return threading.current_thread() is threading.main_thread()


_WAITING = "stopping once this evaluation is over; another signal stops it, too"


class Loop(pl.Callback):
    """Does what is due at each mark.

    Args:
        folder: of the run.
        marks: when.
        experience: the clock, and what is saved.
        resumed: the state to go on from, or None.
        log: takes (steps, metrics).
        show: takes (steps, metrics) after every tick.
        evaluate: the agent's returns, one a validation world; None: there is no telling, and the newest is kept.
        keep: writes ``policy.ckpt``; takes weights and the steps at which they were the agent's.
        tell: takes a line on what goes wrong, once.
    """

    def __init__(
        self,
        folder: Path,
        marks: Marks,
        experience: Experience,
        resumed: dict[str, Any] | None,
        *,
        log: Callable[[int, Metrics], None],
        show: Callable[[int, Metrics], None],
        evaluate: Callable[[DQN], FloatArray] | None,
        keep: Callable[[Weights, int], None],
        tell: Callable[[str], None] = print,
    ) -> None:
        self._folder, self._marks, self._experience, self._resumed = folder, marks, experience, resumed
        self._log, self._show, self._evaluate, self._keep = log, show, evaluate, keep
        self._tell, self._warned = tell, False
        self.choice: Choice = resumed["choice"] if resumed else Choice()
        self.stopped_by: signal.Signals | None = None
        self._evaluating = False

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Take over the signals, and restore a resumed run once its optimiser exists."""
        assert isinstance(pl_module, DQN)
        if is_main_thread():
            for number in HEEDED:
                signal.signal(number, self._on_signal)
        if self._resumed:
            self.restore(pl_module)
        else:  # so that there is a last good policy, and a point to go on from, before the first step
            self._choose(pl_module, 0)
            self._save(0, pl_module)

    def restore(self, agent: DQN) -> None:
        """Go on from where the run was saved, once the agent has an optimiser."""
        assert self._resumed is not None
        resume.restore(self._folder, self._resumed, agent, self._experience)
        try:
            kept = checkpoint.read_state(self._folder / "policy.ckpt", "policy")["steps"]
        except LivedqnError:
            kept = None
        if kept != self.choice.steps:  # of a future that is not to be; one of that step may have been tuned since
            self._keep(self.choice.weights, self.choice.steps)

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: int, batch_idx: int
    ) -> None:
        """Restore the global generators before the first step."""
        if self._resumed and batch_idx == 0:
            resume.restore_generators(self._resumed)

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: int, batch_idx: int
    ) -> None:
        """Evaluate, log, save, stop: in this order, so that what is saved knows what was found."""
        assert isinstance(pl_module, DQN)
        steps, metrics, returns = self._experience.steps, {}, None
        is_due = batch in self._marks.evaluate
        if is_due and self._evaluate is not None:
            returns = self._returns(pl_module, self._evaluate)
            if returns is None:  # this mark is not done: it is due again when the run goes on
                self._save(batch - 1, pl_module)
                trainer.should_stop = True
                return
        if batch in self._marks.log:
            metrics = self._metrics(pl_module)
        if returns is not None:
            metrics["validation_return"] = float(returns.mean())
        # what nobody has fitted yet, before the warm-up is over, is no candidate: its numbers mean something else
        is_candidate = is_due and (bool(pl_module.is_fitted) or batch == self._marks.total)
        if is_candidate and (returns is None or self.choice.prefers(returns)):
            self._choose(pl_module, steps)
        if metrics:
            self._log(steps, metrics)
        self._show(steps, metrics)
        if batch in self._marks.save or self.stopped_by:
            self._save(batch, pl_module)
        trainer.should_stop = self.stopped_by is not None

    def _returns(self, agent: DQN, evaluate: Callable[[DQN], FloatArray]) -> FloatArray | None:
        """Of an evaluation; None where a second signal did not wait for its end."""
        if self.stopped_by:
            self._tell(_WAITING)
        try:
            self._evaluating = True
            return evaluate(agent)
        except StoppedError:
            return None
        finally:
            self._evaluating = False

    def _choose(self, agent: DQN, steps: int) -> None:
        self.choice.weights = {name: value.detach().clone() for name, value in agent.state_dict().items()}
        self.choice.steps = steps
        self._keep(self.choice.weights, steps)

    def _save(self, mark: int, agent: DQN) -> None:
        self._experience.save_point()
        is_evaluated = self._evaluate is not None
        resume.save(self._folder, mark, agent, self._experience, self.choice, is_evaluated=is_evaluated)

    def _metrics(self, agent: DQN) -> Metrics:
        experience = self._experience
        metrics = {**experience.progress.means(agent.spec), **agent.watchdog.means(), "updates": agent.updates}
        metrics |= experience.measures()
        if "q_scaled" in metrics:
            metrics["q_mean"] = metrics.pop("q_scaled") / float(agent.reward_scale)
            warning = experience.valued(metrics["q_mean"])
            if warning and not self._warned:
                self._tell(warning)
            self._warned |= warning is not None
        return metrics

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        is_second, self.stopped_by = self.stopped_by is not None, signal.Signals(number)
        if self._evaluating and is_second:
            raise StoppedError(number)
        if self._evaluating:
            self._tell(_WAITING)
