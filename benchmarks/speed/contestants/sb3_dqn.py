"""Stable-Baselines3's DQN."""

from __future__ import annotations

from types import SimpleNamespace

import gymnasium
import stable_baselines3.dqn.dqn as sb3
from stable_baselines3.common.vec_env import DummyVecEnv
from torch.nn import functional

from benchmarks.speed import contest, work

# its loss is Huber's with delta 1 and no setting says otherwise; the same equation for everyone, at the same cost
sb3.F = SimpleNamespace(smooth_l1_loss=functional.mse_loss)  # type: ignore[attr-defined, assignment]


def train(told: contest.Told) -> contest.Trained:
    """Train."""
    workload = told.workload
    env = DummyVecEnv([lambda: gymnasium.make(contest.ENV_ID)] * workload.num_envs)
    model = sb3.DQN(
        "MlpPolicy", env, seed=told.seed, device="cpu", policy_kwargs={"net_arch": list(work.HIDDEN)},
        learning_rate=work.LEARNING_RATE, batch_size=work.BATCH_SIZE, buffer_size=work.CAPACITY,
        learning_starts=work.WARMUP_STEPS, gamma=work.DISCOUNT, target_update_interval=work.SYNC_STEPS,
        train_freq=workload.block * workload.steps_per_update // workload.num_envs, gradient_steps=workload.block,
        exploration_initial_eps=work.EPSILON_START, exploration_final_eps=work.EPSILON_END,
        exploration_fraction=work.EPSILON_SHARE, max_grad_norm=float("inf"),
    )  # fmt: skip
    with contest.Meter() as meter:
        model.learn(workload.steps, log_interval=workload.steps)
    return contest.Trained(meter, model._n_updates, lambda x: model.predict(x, deterministic=True)[0])


if __name__ == "__main__":
    contest.run(train, contest.arguments(), ["stable-baselines3"])
