"""Quick, seeded proof that it learns: a game solved halfway, and a simulator on which looking pays."""

from __future__ import annotations

import pytest

import livedqn

pytestmark = pytest.mark.usefixtures("no_pictures")


def test_a_pole_is_balanced_longer_than_by_chance(tmp_path) -> None:
    run = livedqn.train(
        {"plugin": "gym", "id": "CartPole-v1"}, folder=tmp_path / "run", steps=8_000, num_envs=8,
        encoder={"plugin": "mlp", "hidden": [64, 64]}, exploration={"plugin": "epsilon_greedy", "steps": 4_000},
        agent={"plugin": "dqn", "discount": 0.99, "learning_rate": 2e-3, "learning_rate_end": 2e-3, "batch_size": 64,
               "n_step": 3, "sync_every": 25, "steps_per_update": 4, "warmup_steps": 500, "standardise": False},
        evaluation={"worlds": 4, "episodes": 5, "validation_worlds": 1, "validation_episodes": 5, "points": 4},
    )  # fmt: skip
    assert run.evaluation is not None
    assert run.evaluation.intervals["policy"]["return"].mean > 100  # by chance a pole stands for 22 steps


def test_viewers_are_shown_what_they_like_better_than_by_chance_or_heat(tmp_path) -> None:
    run = livedqn.train(
        {"plugin": "sim", "days": 1, "streamers": 100}, reward="engagement", folder=tmp_path / "run", steps=40_000,
        num_envs=128, encoder={"plugin": "mlp", "hidden": [32]},
        exploration={"plugin": "epsilon_greedy", "steps": 20_000},
        agent={"plugin": "dqn", "learning_rate": 1e-3, "steps_per_update": 40, "discount": 0.9, "sync_every": 100,
               "myopic": False},
        evaluation={"worlds": 16, "episodes": 128, "validation_worlds": 1, "validation_episodes": 64, "points": 2},
    )  # fmt: skip
    assert run.evaluation is not None
    assert run.evaluation.advantage("random").low > 0
    assert run.evaluation.advantage("hottest").low > 0
