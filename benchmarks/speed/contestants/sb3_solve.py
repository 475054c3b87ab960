"""Stable-Baselines3 with its published settings: rl-baselines3-zoo, hyperparams/dqn.yml, CartPole-v1."""

from __future__ import annotations

import gymnasium
from stable_baselines3 import DQN
from stable_baselines3.common.callbacks import ConvertCallback, EveryNTimesteps

from benchmarks.speed import finish

STEPS = 50_000


def main() -> None:
    """Train until it is solved."""
    told = finish.arguments()
    model = DQN(
        "MlpPolicy", gymnasium.make("CartPole-v1"), seed=told.seed, device="cpu",
        learning_rate=2.3e-3, batch_size=64, buffer_size=100_000, learning_starts=1_000, gamma=0.99,
        target_update_interval=10, train_freq=256, gradient_steps=128, exploration_fraction=0.16,
        exploration_final_eps=0.04, policy_kwargs={"net_arch": [256, 256]},
    )  # fmt: skip
    goal = finish.Finish(told.began)

    def evaluate(*_: object) -> bool:
        goal.evaluate(lambda x: model.predict(x, deterministic=True)[0], model.num_timesteps)
        return True

    steps, often = told.steps or STEPS, EveryNTimesteps(finish.EVERY_STEPS, ConvertCallback(evaluate))
    model.learn(steps, often, log_interval=steps)
    goal.end(None, model.num_timesteps)


if __name__ == "__main__":
    main()
