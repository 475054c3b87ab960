"""Tianshou 2's DQN with its off-policy trainer."""

from __future__ import annotations

import logging
from typing import Any

import gymnasium
import torch
from tianshou.algorithm import DQN
from tianshou.algorithm.modelfree.dqn import DiscreteQLearningPolicy
from tianshou.algorithm.optim import AdamOptimizerFactory
from tianshou.data import Collector, VectorReplayBuffer
from tianshou.env import DummyVectorEnv
from tianshou.trainer import OffPolicyTrainerParams
from tianshou.utils.net.common import Net

from benchmarks.speed import contest, work


class CountedDQN(DQN):  # type: ignore[misc]
    """Counts its updates, which the trainer does not tell."""

    updates = 0

    def _update_with_batch(self, batch: Any) -> Any:
        self.updates += 1
        return super()._update_with_batch(batch)


def train(told: contest.Told) -> contest.Trained:
    """Train."""
    logging.disable(logging.WARNING)
    workload = told.workload
    envs = DummyVectorEnv([lambda: gymnasium.make(contest.ENV_ID)] * workload.num_envs)
    envs.seed(told.seed)
    spaces = gymnasium.make(contest.ENV_ID)
    net = Net(state_shape=(work.OBSERVED,), action_shape=work.ACTIONS, hidden_sizes=work.HIDDEN)
    policy = DiscreteQLearningPolicy(
        model=net, eps_training=work.EPSILON_START,
        action_space=spaces.action_space, observation_space=spaces.observation_space,
    )  # fmt: skip
    agent = CountedDQN(
        policy=policy, optim=AdamOptimizerFactory(lr=work.LEARNING_RATE), gamma=work.DISCOUNT, is_double=False,
        target_update_freq=work.SYNC_STEPS // workload.steps_per_update,
    )  # fmt: skip
    replay = VectorReplayBuffer(work.CAPACITY, workload.num_envs)
    collector = Collector(agent, envs, replay, exploration_noise=True)
    plan = OffPolicyTrainerParams(
        training_collector=collector, test_collector=None, max_epochs=1, batch_size=work.BATCH_SIZE,
        epoch_num_steps=workload.steps - work.WARMUP_STEPS, test_in_training=False, verbose=False, show_progress=False,
        collection_step_num_env_steps=workload.block * workload.steps_per_update,
        update_step_num_gradient_steps_per_sample=1 / workload.steps_per_update,
        training_fn=lambda _, step: policy.set_eps_training(workload.epsilon(step)),
    )  # fmt: skip
    with contest.Meter() as meter:
        collector.reset()
        collector.collect(n_step=work.WARMUP_STEPS, random=True)
        agent.run_training(plan)

    def act(observation: Any) -> int:
        with torch.no_grad():
            return int(net(observation[None])[0].argmax())

    return contest.Trained(meter, agent.updates, act)


if __name__ == "__main__":
    contest.run(train, contest.arguments(), ["tianshou"])
