"""A live-stream environment that one can work out by hand, and an agent that knows it."""

from types import SimpleNamespace

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, VectorEnv

from livedqn.config import CapConfig
from livedqn.stage import Stage


class TinyRooms(VectorEnv):
    """Two rooms, one hot, one by the viewer's favourite streamer; who sees more than two rooms leaves.

    Row b, in its e-th session, has b + e sessions behind it; a session lasts 2 + (b + e) % 3 requests. The hot room
    brings 1 + (world % 2) and a click, the favourite 0.5 and 30 s; the third room shown terminates the session.
    """

    def __init__(self, num_envs, truncates=False):
        self.num_envs, self.truncates = num_envs, truncates
        self.metadata = {
            "autoreset_mode": AutoresetMode.DISABLED,
            "signals": ("clicked", "watch_s"),
            "splits": ("train", "validation", "test"),
            "columns": {
                "context": [
                    {"name": "activity", "kind": "count", "role": "activity"},
                    {"name": "hour", "role": "hour"},
                    {"name": "shown"},
                ],
                "history": [{"name": "real"}],
                "candidates": [
                    {"name": "heat", "kind": "count", "role": "heat"},
                    {"name": "affinity", "kind": "count", "role": "affinity"},
                    {"name": "novelty", "kind": "count", "role": "novelty"},
                ],
            },
        }
        box = gym.spaces.Box
        self.single_observation_space = gym.spaces.Dict(
            context=box(-np.inf, np.inf, (3,)), history=box(-np.inf, np.inf, (1, 1)),
            candidates=box(-np.inf, np.inf, (3, 3)), mask=gym.spaces.MultiBinary(3),
        )  # fmt: skip
        self.single_action_space = gym.spaces.Discrete(3)
        self.closed_times = 0

    def reset(self, *, seed=None, options=None):
        rows = (options or {}).get("reset_mask", np.ones(self.num_envs, bool))
        if seed is not None:
            self.world, self.split = seed, options["split"]
            self.session = np.full(self.num_envs, -1)
            self.request, self.shown = np.zeros((2, self.num_envs), int)
        self.session = self.session + rows
        self.request[rows] = self.shown[rows] = 0
        return self.observe(), {}

    def observe(self):
        past = np.arange(self.num_envs) + self.session
        candidates = np.zeros((self.num_envs, 3, 3), np.float32)
        candidates[:, 1], candidates[:, 2] = (100, 0, 50), (10, 7, 2)
        return {
            "context": np.stack([past, past % 24, self.shown], axis=1).astype(np.float32),
            "history": np.zeros((self.num_envs, 1, 1), np.float32),
            "candidates": candidates,
            "mask": np.ones((self.num_envs, 3), bool),
        }

    def step(self, actions):
        self.request += 1
        self.shown += actions > 0
        over = self.request >= 2 + (np.arange(self.num_envs) + self.session) % 3
        left = self.shown > 2
        reward = np.array([0, 1 + self.world % 2, 0.5])[actions]
        signals = {"clicked": (actions == 1).astype(float), "watch_s": 30.0 * (actions == 2)}
        infos = {"signals": signals, "elapsed_s": np.full(self.num_envs, 60.0)}
        terminated, truncated = (left, over & ~left) if self.truncates else (over | left, np.zeros_like(left))
        return self.observe(), reward, terminated, truncated, infos

    def close(self, **kwargs):
        self.closed_times += 1


class Native:
    signals = ("native",)

    def __call__(self, signals):
        return signals["native"]


class Knowing:
    """Values 4, 3, 2 for hot, favourite, nothing until two rooms were shown; then nothing is best."""

    def policy_values(self, observation):
        tired = observation["context"][:, 2] >= 2
        values = np.where(tired[:, None], [3.0, 1, 0], [2.0, 4, 3])[None]
        return np.where(observation["mask"], values, -np.inf).astype(np.float32)

    def preferences(self, q):
        return q.mean(axis=0)

    def myopic_values(self, observation):
        return np.tile(np.float32([0, 1, 0.5]), (len(observation["mask"]), 1))

    def discount_of(self, elapsed_s):
        return np.full_like(elapsed_s, 0.5)


@pytest.fixture(scope="session")
def tiny():
    def make_stage(rows, truncates=False, cap=None):
        return Stage(TinyRooms(rows, truncates), Native(), cap or CapConfig())

    return SimpleNamespace(stage=make_stage, agent=Knowing())


@pytest.fixture
def game():
    """CartPole, as the platform sees it."""

    def make_stage(rows):
        env = gym.vector.SyncVectorEnv([lambda: gym.make("CartPole-v1")] * rows, autoreset_mode=AutoresetMode.DISABLED)
        return Stage(env, Native(), CapConfig())

    return make_stage
