"""What every contestant's script shares: its arguments, the environment, the clock, and the line of JSON at its end."""

from __future__ import annotations

import argparse
import json
import platform
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import gymnasium
import numpy as np
from gymnasium.envs.classic_control import CartPoleEnv

from benchmarks.speed.work import WORKLOADS, Workload

ENV_ID = "benchmark/CartPole-v1"
LONGEST = 500  # steps of an episode
#: Returns of the training episodes so far, in the order in which they ended.
returns: list[float] = []


class EpisodeLog(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Notes the return of every episode that has ended; the one wrapper that all contestants get."""

    def __init__(self, env: gymnasium.Env[Any, Any]) -> None:
        super().__init__(env)
        self._sum = 0.0

    def reset(self, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        """Start an episode. One that was given up, as livedqn's are where it saves, does not count."""
        self._sum = 0.0
        return self.env.reset(**kwargs)

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Pass on."""
        taken = self.env.step(action)
        self._sum += float(taken[1])
        if taken[2] or self._sum == LONGEST:  # each step of CartPole pays 1
            returns.append(self._sum)
        return taken


def _cartpole(**kwargs: Any) -> gymnasium.Env[Any, Any]:
    return EpisodeLog(CartPoleEnv(**kwargs))


gymnasium.register(ENV_ID, entry_point=_cartpole, max_episode_steps=LONGEST, disable_env_checker=True)


@dataclass(frozen=True)
class Told:
    """What the driver asks for."""

    workload: Workload
    variant: str
    seed: int
    seeds: int = 1
    profile: str = ""


def arguments(variants: Sequence[str] = ("",)) -> Told:
    """Of this process."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--workload", choices=WORKLOADS, default="tf10")
    parser.add_argument("--variant", choices=variants, default=variants[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seeds", type=int, default=1, help="so many, from --seed on, one after another")
    parser.add_argument("--steps", type=int, help="fewer environment steps than the workload has: does it work")
    parser.add_argument("--profile", choices=("cprofile", "torch"), default="", help="livedqn alone")
    given = parser.parse_args()
    workload = WORKLOADS[given.workload]
    workload = replace(workload, steps=given.steps or workload.steps)
    return Told(workload, given.variant, given.seed, given.seeds, given.profile)


class Meter:
    """``with Meter() as meter`` around the training call: ``meter.wall_s`` and ``meter.cpu_s``."""

    def __enter__(self) -> Meter:
        self._cpu, self._wall = time.process_time(), time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self.wall_s = time.perf_counter() - self._wall
        self.cpu_s = time.process_time() - self._cpu


def greedy_return(act: Callable[[Any], Any], episodes: int = 20, seed: int = 10_000) -> float:
    """Mean return of ``act``, observation (4,) float32 -> action, on episodes that are the same for everyone."""
    env = gymnasium.make("CartPole-v1")
    total = 0.0
    for episode in range(episodes):
        observation, _ = env.reset(seed=seed + episode)
        done = False
        while not done:
            observation, reward, terminated, truncated, _ = env.step(int(act(np.asarray(observation, np.float32))))
            total += float(reward)
            done = terminated or truncated
    return total / episodes


@dataclass(frozen=True)
class Trained:
    """What a contestant's training comes to.

    Args:
        meter: of the training call.
        updates: how many there were.
        act: the greedy policy, observation (4,) float32 -> action.
        more: further columns.
    """

    meter: Meter
    updates: int
    act: Callable[[Any], Any]
    more: dict[str, Any] = field(default_factory=dict)


def run(train: Callable[[Told], Trained], told: Told, packages: Sequence[str] = ()) -> None:
    """Train each seed, and print the line that the driver reads."""
    import torch

    torch.set_num_threads(1)
    for seed in range(told.seed, told.seed + told.seeds):
        torch.manual_seed(seed)
        np.random.seed(seed)
        returns.clear()
        report(told, seed, train(replace(told, seed=seed)), packages)


def report(told: Told, seed: int, trained: Trained, packages: Sequence[str]) -> None:
    """Print the line that the driver reads; the policy is judged here."""
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # before evaluation adds to it
    meter, training = trained.meter, returns[-100:]
    line = {
        "seed": seed,
        "steps": told.workload.steps,
        "updates": trained.updates,
        "wall_s": round(meter.wall_s, 4),
        "cpu_s": round(meter.cpu_s, 4),
        "steps_per_s": round(told.workload.steps / meter.wall_s, 1),
        "peak_mib": round(peak_mib, 1),
        "training_return": round(float(np.mean(training)), 2) if training else None,
        "greedy_return": round(greedy_return(trained.act), 2),
        **trained.more,
        "versions": versions("torch", "numpy", "gymnasium", *packages),
    }
    print(json.dumps(line), flush=True)


def versions(*packages: str) -> dict[str, str]:
    """Of Python and of those packages that are installed."""
    found = {"python": platform.python_version()}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
