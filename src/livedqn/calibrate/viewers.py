"""Statistics of what viewers do, from impressions of a policy that chooses uniformly, *nothing* included."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from livedqn.calibrate.rooms import ENOUGH, quantile
from livedqn.envs import LiveStream
from livedqn.types import FloatArray

_READ = ("watch_s", "liked", "commented", "gift_value", "gift_delay_s")


def statistics(env: LiveStream, requests: int, seed: int, notify: Callable[[str, int, int], None]) -> dict[str, float]:
    """By the names of :data:`~livedqn.calibrate.published.FIGURES`, over the clicks of ``requests`` or a few more.

    Args:
        env: whose viewers are asked.
        requests: in all.
        seed: of their world, and of what is shown.
        notify: takes what is being done, and how many steps of how many are done.
    """
    rng = np.random.default_rng(seed)
    observation, _ = env.reset(seed=seed)
    clicks: list[FloatArray] = []
    steps = -(-requests // env.num_envs)
    for step in range(steps):
        allowed = observation["mask"].sum(axis=1)
        observation, _, terminated, truncated, infos = env.step((rng.random(env.num_envs) * allowed).astype(np.int64))
        signals = infos["signals"]
        clicks.append(np.stack([signals[name] for name in _READ])[:, signals["clicked"] > 0])
        ended = terminated | truncated
        if ended.any():
            observation, _ = env.reset(options={"reset_mask": ended})
        notify("asking viewers", step, steps)
    notify("asking viewers", steps, steps)
    return of_clicks(*np.concatenate(clicks, axis=1).astype(np.float64))


def of_clicks(
    watch_s: FloatArray, liked: FloatArray, commented: FloatArray, gift_value: FloatArray, gift_delay_s: FloatArray
) -> dict[str, float]:
    """The statistics of C clicks, (C,) each; NaN where they are too few."""
    gifts = gift_value[gift_value > 0]
    median = quantile(watch_s, 50)
    means = {"like": liked, "comment": commented, "gift": gift_value > 0}
    return {
        # thirty events, or their share says little
        **{name: float(values.mean()) if values.sum() >= ENOUGH else math.nan for name, values in means.items()},
        "watch_q50": median, "watch_q99_to_q50": quantile(watch_s, 99) / median,
        **{f"gift_q{percent}": quantile(gifts, percent) for percent in (50, 90, 99)},
        "gift_delay_q50": quantile(gift_delay_s[gift_delay_s > 0], 50),
    }  # fmt: skip
