"""Experience from logs: sessions that another policy played, written into a replay as if they were played now."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from livedqn.experience import Experience, QValues, restored, saved
from livedqn.logs.passes import Passes
from livedqn.protocols import Logs, Replay, Reward
from livedqn.scoring import require_native, require_signals
from livedqn.shard import Shard, signals_of
from livedqn.stage import Step
from livedqn.types import BoolArray, FloatArray, IntArray
from livedqn.watchdog import runaway

#: Rows of the logs that are in memory together, and whose sessions are shuffled.
ROWS = 1 << 16


class LoggedExperience(Experience):
    """Plays one logged impression of every row at a time, of as many sessions side by side, and counts: ``steps`` is
    the clock of the whole run, impressions taken in.

    Sessions come in shards of about ``ROWS`` rows, in the order of the logs, and of each shard in a random order; when
    the logs are through, again from their beginning. In memory are a shard, and 8 bytes for each session of the logs.

    Args:
        logs: of sessions.
        reward: what an impression is worth.
        replay: where transitions go.
        num_envs: sessions side by side.
        seed: of the order of sessions, and of samples.
        holdout: share of viewers that are left out. before: day from which on sessions are. tolerated: share of rows
            that may be at fault; see :class:`Passes`.

    Raises:
        LivedqnError: the reward reads a signal that the logs do not have, or ``before`` is no day.
    """

    def __init__(
        self, logs: Logs, reward: Reward, replay: Replay, *,
        num_envs: int, seed: int, holdout: float, before: str, tolerated: float,
    ) -> None:  # fmt: skip
        require_signals(reward, logs.spec, "the log")
        super().__init__(replay, num_envs=num_envs, seed=seed)
        self.spec = logs.spec
        self._logs, self._reward, self._num_envs = logs, reward, num_envs
        self._passes = Passes(logs, holdout=holdout, before=before, tolerated=tolerated)
        self._q_mean = 0.0  # of what was learned, when it was looked at last
        self._shard = Shard({}, np.zeros((0, 2), np.int64))
        self._waiting: IntArray = self._shard.sessions  # of the shard, those that nobody plays yet, (S, 2)
        #: rows of the shard, of each row that is played: the impression that comes next, and the end of its session
        self._at: IntArray = np.zeros(num_envs, np.int64)
        self._end: IntArray = np.zeros(num_envs, np.int64)

    def begin(self) -> None:
        """Start a session in every row.

        Raises:
            LivedqnError: there is nothing to learn from, or too much of the first shard is at fault.
        """
        everywhere = np.ones(self._num_envs, np.bool_)
        self._refill()  # first: it says what is wrong with logs that hold nothing at all
        if "native" in self._reward.signals:
            require_native(self._reward, any(np.nan_to_num(part.native).any() for part in self._logs))
        self._start(everywhere)
        self.observation = self._shard.observation(self._at)
        self.replay.begin(self.observation, everywhere)

    def collect(self, q_values: QValues | None, discount_of: Callable[[FloatArray], FloatArray]) -> None:
        """The next impression of every row; nobody asks ``q_values`` for an action, and None says that it warms up."""
        done = self._shard.rows(self._at)
        terminated, ended = done["terminated"], done["last"]
        if q_values is None:
            self._reward_size.add(done["reward"])
        discount = discount_of(done["elapsed_s"])
        discount[terminated] = 0
        following = self._shard.observation(np.where(terminated, self._at, self._at + 1))
        self.replay.add(done["action"], done["propensity"], done["reward"], discount, following)
        self.steps += self._num_envs
        signals = signals_of(done)
        step = Step(  # whatever an episode is, a session of logs is one visit
            following, done["reward"], terminated, done["truncated"], ended, ended, signals, done["elapsed_s"], {}
        )  # fmt: skip
        self.progress.add(step, discount)
        self._at += 1
        self.observation = following
        if ended.any():
            self._restart(ended)

    def measures(self) -> dict[str, float]:
        """``epochs``: whole passes, see :meth:`passes`."""
        return {"epochs": int(self.passes())}

    def passes(self) -> float:
        """How often the logs were gone through: impressions taken in, by those that a pass has. 0 until it is known how
        many these are. Of few sessions, or of many rows, some impressions come more often than others."""
        return self.steps / self._passes.counts.transitions if self._passes.done else 0.0

    def valued(self, q_mean: float) -> str | None:
        """Why it cannot be what policies are worth: see :func:`~livedqn.watchdog.runaway`."""
        self._q_mean = q_mean
        return runaway(q_mean, self.progress.usual_return())

    def lines(self) -> Iterator[str]:
        """What a user has to know of the logs: what is in them as far as they were read, what was left out, and
        whether what was learned of them can be."""
        yield from self._passes.counts.lines()
        yield f"passes: {self.passes():.3g}" if self._passes.done else "training has not come to their end yet"
        if warning := self.valued(self._q_mean):
            yield warning

    def _restart(self, ended: BoolArray) -> None:
        self.progress.end(ended)
        self.replay.end(ended)
        self._start(ended)
        for name, fresh in self._shard.observation(self._at[ended]).items():
            self.observation[name][ended] = fresh
        self.replay.begin(self.observation, ended)

    def _start(self, rows: BoolArray) -> None:
        """Give each of ``rows`` (B,) a session."""
        self._at[rows] = self._end[rows] = 0  # plays none
        free = np.flatnonzero(rows)
        while len(free):
            if not len(self._waiting):
                self._refill()
            now, free = free[: len(self._waiting)], free[len(self._waiting) :]
            self._at[now], self._end[now] = self._waiting[: len(now)].T
            self._waiting = self._waiting[len(now) :]

    def _refill(self) -> None:
        """The next shard, and in front of it what is left of the sessions that are being played."""
        new = Shard.of(self._passes.take(ROWS), self.spec, self._reward)
        left = self._end - self._at
        starts = np.cumsum(left) - left
        if left.any():
            kept = np.repeat(self._at - starts, left) + np.arange(left.sum())
            new = new.after(kept, self._shard)
        self._at, self._end = np.where(left > 0, starts, 0), np.where(left > 0, starts + left, 0)
        self._shard = new
        self._waiting = self._rng.permutation(new.sessions)

    # ---- saving -----------------------------------------------------------------------------------------------------

    def save_point(self) -> None:
        """Nothing: logs can be read again from where they were left."""

    def state_dict(self) -> dict[str, Any]:
        """Tensors and plain Python: counters, generator, the shard, the place in the logs, replay."""
        return {
            **super().state_dict(),
            "passes": self._passes.state_dict(), "q_mean": self._q_mean,
            "shard": saved(self._shard.arrays),
            "sessions": saved({"waiting": self._waiting, "at": self._at, "end": self._end}),
        }  # fmt: skip

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """The inverse of :meth:`state_dict`, after :meth:`begin`, of the same logs."""
        super().load_state_dict(state)
        self._passes.load_state_dict(state["passes"])
        self._q_mean = float(state["q_mean"])
        found: dict[str, IntArray] = restored(state["sessions"])
        self._waiting, self._at, self._end = found["waiting"], found["at"], found["end"]
        self._shard = Shard(restored(state["shard"]), self._waiting)
