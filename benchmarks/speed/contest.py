"""What every contestant's script shares: its arguments, the environment, the clock, and the line of JSON at its end."""

from __future__ import annotations

import argparse
import json
import platform
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import gymnasium
import numpy as np
from gymnasium.envs.classic_control import CartPoleEnv
from work import WORKLOADS, Workload

ENV_ID = "benchmark/CartPole-v1"
#: Returns of the training episodes so far, in the order in which they ended.
returns: list[float] = []


class EpisodeLog(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Notes the return of every episode when the next one starts; the one wrapper that all contestants get."""

    def __init__(self, env: gymnasium.Env[Any, Any]) -> None:
        super().__init__(env)
        self._sum = 0.0

    def reset(self, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        """Start an episode."""
        if self._sum:
            returns.append(self._sum)
        self._sum = 0.0
        return self.env.reset(**kwargs)

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Pass on."""
        taken = self.env.step(action)
        self._sum += float(taken[1])
        return taken


def _cartpole() -> gymnasium.Env[Any, Any]:
    return EpisodeLog(CartPoleEnv())


gymnasium.register(ENV_ID, entry_point=_cartpole, max_episode_steps=500, disable_env_checker=True)


@dataclass(frozen=True)
class Told:
    """What the driver asks for."""

    workload: Workload
    variant: str
    seed: int
    profile: str = ""


def arguments(variants: Sequence[str] = ("",)) -> Told:
    """Of this process. Threads and the global seeds are set here, and torch is imported."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--workload", choices=WORKLOADS, default="tf10")
    parser.add_argument("--variant", choices=variants, default=variants[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, help="fewer environment steps than the workload has: does it work")
    parser.add_argument("--profile", choices=("cprofile", "torch"), default="", help="livedqn alone")
    given = parser.parse_args()
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(given.seed)
    np.random.seed(given.seed)
    workload = WORKLOADS[given.workload]
    return Told(replace(workload, steps=given.steps or workload.steps), given.variant, given.seed, given.profile)


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


def report(
    told: Told, meter: Meter, updates: int, act: Callable[[Any], Any], packages: Sequence[str] = (), **more: Any
) -> None:
    """Print the line that the driver reads; ``act`` is judged here."""
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # before evaluation adds to it
    training = returns[-100:]
    line = {
        "steps": told.workload.steps,
        "updates": updates,
        "wall_s": round(meter.wall_s, 4),
        "cpu_s": round(meter.cpu_s, 4),
        "steps_per_s": round(told.workload.steps / meter.wall_s, 1),
        "peak_mib": round(peak_mib, 1),
        "training_return": round(float(np.mean(training)), 2) if training else None,
        "greedy_return": round(greedy_return(act), 2),
        **more,
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
