"""Experience: where transitions come from, and a stage on which an exploring agent plays, written into a replay.

reset -> observation -> Q -> exploration -> action, propensity -> step -> signals -> reward -> replay
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from livedqn.exploration import draw
from livedqn.progress import Progress, RootMeanSquare
from livedqn.protocols import Batch, Exploration, Replay
from livedqn.stage import Stage, world_seed
from livedqn.types import BoolArray, FloatArray, IntArray, Observation

QValues = Callable[[Observation], FloatArray]


class Experience(ABC):
    """Where transitions come from: played by the agent (:class:`PlayedExperience`), or read from logs.

    Args:
        replay: where transitions go.
        num_envs: rows.
        seed: of whatever is drawn.
    """

    def __init__(self, replay: Replay, *, num_envs: int, seed: int) -> None:
        self.replay, self.steps = replay, 0  # the clock of the whole run: transitions, over all rows
        self.observation: Observation = {}
        self.progress = Progress(num_envs)
        self._rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence((seed, 0))))
        self._reward_size = RootMeanSquare()  # of the warm-up alone: it fixes the reward's scale

    @abstractmethod
    def collect(self, q_values: QValues | None, discount_of: Callable[[FloatArray], FloatArray]) -> None:
        """One step of every row, written into the replay; None warms up."""

    @abstractmethod
    def measures(self) -> dict[str, float]:
        """Numbers of its own for the log."""

    @abstractmethod
    def save_point(self) -> None:
        """Get ready to be saved."""

    def valued(self, q_mean: float) -> str | None:
        """Told the mean value of what was learned lately, says why it cannot be; playing finds that out by itself."""
        return None

    def sample(self, batch_size: int) -> Batch:
        """``batch_size`` windows from the replay."""
        return self.replay.sample(batch_size, self._rng)

    def reward_rms(self) -> float:
        """Root of the mean squared reward of the warm-up so far; 1 where there was none."""
        return self._reward_size.root()

    def state_dict(self) -> dict[str, Any]:
        """Tensors and plain Python: counter, generator, replay."""
        return {
            "steps": self.steps, "reward_size": self._reward_size.state_dict(), "rng": self._rng.bit_generator.state,
            "replay": self.replay.state_dict(), "progress": self.progress.state_dict(),
            "observation": saved(self.observation),
        }  # fmt: skip

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """The inverse of :meth:`state_dict`, once it has begun."""
        self.steps = int(state["steps"])
        self._reward_size.load_state_dict(state["reward_size"])
        self._rng.bit_generator.state = state["rng"]
        self.replay.load_state_dict(state["replay"])
        self.progress.load_state_dict(state["progress"])
        self.observation = restored(state["observation"])


class PlayedExperience(Experience):
    """Plays one step of every row at a time, and counts: ``steps`` is the clock of the whole run.

    Args:
        stage: environment, reward and cap.
        exploration: from values to probabilities.
        replay: where transitions go.
        seed: of actions and samples, and of restarts where the environment cannot be saved.
        floor: uniform exploration mixed into the plugin's probabilities.
    """

    def __init__(self, stage: Stage, exploration: Exploration, replay: Replay, *, seed: int, floor: float) -> None:
        super().__init__(replay, num_envs=stage.num_envs, seed=seed)
        self.stage, self.exploration = stage, exploration
        self.saves = 0
        self._seed, self._floor = seed, floor

    def begin(self, env_seed: int) -> None:
        """Start every row in the world of ``env_seed``."""
        self.observation = self.stage.reset(env_seed, "train")
        self.replay.begin(self.observation, np.ones(self.stage.num_envs, np.bool_))

    def collect(self, q_values: QValues | None, discount_of: Callable[[FloatArray], FloatArray]) -> None:
        """One step of every row; without ``q_values`` the actions are uniform over the mask."""
        action, propensity = self._choose(q_values)
        step = self.stage.step(action)
        if q_values is None:
            self._reward_size.add(step.reward)
        discount = discount_of(step.elapsed_s)
        some_ended = np.count_nonzero(step.ended) > 0  # a quarter of the time of any()
        if some_ended:
            discount[step.terminated] = 0
        self.replay.add(action, propensity, step.reward, discount, step.observation)
        self.steps += self.stage.num_envs
        self.progress.add(step, discount)
        self.observation = step.observation
        if some_ended:
            self._restart(step.ended)

    def measures(self) -> dict[str, float]:
        """``epsilon`` or ``temperature``, if the exploration has it."""
        schedules = {name: getattr(self.exploration, name, None) for name in ("epsilon", "temperature")}
        return {name: schedule(self.steps) for name, schedule in schedules.items() if callable(schedule)}

    def _choose(self, q_values: QValues | None) -> tuple[IntArray, FloatArray]:
        mask = self.observation["mask"]
        if q_values is None:
            return draw(mask / mask.sum(axis=1, keepdims=True), mask, 0.0, self._rng)
        probabilities = self.exploration(q_values(self.observation), mask, self.steps)
        return draw(probabilities, mask, self._floor, self._rng)

    def _restart(self, ended: BoolArray) -> None:
        self.progress.end(ended)
        self.replay.end(ended)
        self.observation = self.stage.restart(ended)
        self.replay.begin(self.observation, ended)

    # ---- saving -----------------------------------------------------------------------------------------------------

    @property
    def env_can_be_saved(self) -> bool:
        """Whether the environment offers ``state_dict``."""
        return hasattr(self.stage.env, "state_dict")

    def save_point(self) -> None:
        """Get ready to be saved, the same in a run that is never interrupted.

        An environment without ``state_dict`` cannot be saved in mid-episode: all its rows end here as truncated and
        start again from a seed of (run seed, save number), so that a resumed run meets the very same episodes.
        """
        self.saves += 1
        if not self.env_can_be_saved:
            rows = np.ones(self.stage.num_envs, np.bool_)
            self.replay.end(rows)
            self.progress.forget(rows)
            self.observation = self.stage.reset(self._restart_seed(), "train")
            self.replay.begin(self.observation, rows)

    def state_dict(self) -> dict[str, Any]:
        """Tensors and plain Python: counters, generators, environment, replay."""
        return {
            **super().state_dict(), "saves": self.saves,
            "env": self.stage.env.state_dict() if self.env_can_be_saved else None,  # type: ignore[attr-defined]
            "stage": saved(self.stage.state_dict()), "ids": saved(self.stage.ids),
        }  # fmt: skip

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """The inverse of :meth:`state_dict`, after :meth:`begin`."""
        super().load_state_dict(state)
        self.saves = int(state["saves"])
        if self.env_can_be_saved:
            self.stage.env.load_state_dict(state["env"])  # type: ignore[attr-defined]
        else:
            self.stage.reset(self._restart_seed(), "train")
        self.stage.load_state_dict(restored(state["stage"]), self.observation, restored(state["ids"]))

    def _restart_seed(self) -> int:
        drawn = np.random.SeedSequence((self._seed, 1, self.saves)).generate_state(1)[0]
        return world_seed("train", int(drawn))  # no other split has it


def saved(arrays: dict[str, Any]) -> dict[str, torch.Tensor]:
    """Copies as tensors, as a state holds them."""
    return {name: torch.from_numpy(np.array(array)) for name, array in arrays.items()}


def restored(tensors: dict[str, torch.Tensor]) -> dict[str, Any]:
    """The inverse of :func:`saved`, sharing memory."""
    return {name: tensor.numpy() for name, tensor in tensors.items()}
