"""TorchRL's DQN from its parts: collector (the frames of one update at a time), replay, loss, target updater."""

from __future__ import annotations

import gymnasium
import torch
from tensordict.nn import TensorDictSequential
from torchrl.collectors import Collector
from torchrl.data import LazyTensorStorage, TensorDictReplayBuffer
from torchrl.envs import EnvBase, GymWrapper, SerialEnv
from torchrl.modules import MLP, EGreedyModule, QValueActor
from torchrl.objectives import DQNLoss, HardUpdate

from benchmarks.speed import contest, work


def make_env() -> EnvBase:
    """One CartPole."""
    return GymWrapper(gymnasium.make(contest.ENV_ID), categorical_action_encoding=True)


def train(told: contest.Told) -> contest.Trained:
    """Train."""
    workload = told.workload
    env = make_env() if workload.num_envs == 1 else SerialEnv(workload.num_envs, make_env)
    env.set_seed(told.seed)
    actions = make_env().action_spec
    mlp = MLP(work.OBSERVED, work.ACTIONS, num_cells=list(work.HIDDEN), activation_class=torch.nn.ReLU)
    actor = QValueActor(mlp, in_keys=["observation"], spec=actions, action_space="categorical")
    explore = EGreedyModule(
        spec=actions, eps_init=work.EPSILON_START, eps_end=work.EPSILON_END, annealing_num_steps=workload.epsilon_steps
    )
    loss = DQNLoss(actor, loss_function="l2", delay_value=True, double_dqn=False, action_space="categorical")
    loss.make_value_estimator(gamma=work.DISCOUNT)
    target = HardUpdate(loss, value_network_update_interval=work.SYNC_STEPS // workload.steps_per_update)
    optimizer = torch.optim.Adam(loss.parameters(), lr=work.LEARNING_RATE)
    replay = TensorDictReplayBuffer(storage=LazyTensorStorage(work.CAPACITY), batch_size=work.BATCH_SIZE)
    collector = Collector(
        env, TensorDictSequential(actor, explore), device="cpu", total_frames=workload.steps,
        frames_per_batch=workload.block * workload.steps_per_update, init_random_frames=work.WARMUP_STEPS,
    )  # fmt: skip
    seen = updates = 0
    with contest.Meter() as meter:
        for frames in collector:
            explore.step(frames.numel())
            replay.extend(frames.reshape(-1))
            seen += frames.numel()
            while updates < (seen - work.WARMUP_STEPS) // workload.steps_per_update:
                loss(replay.sample())["loss"].backward()
                optimizer.step()
                optimizer.zero_grad()
                target.step()
                updates += 1

    def act(observation: object) -> int:
        with torch.no_grad():
            return int(mlp(torch.as_tensor(observation)).argmax())

    return contest.Trained(meter, updates, act)


if __name__ == "__main__":
    contest.run(train, contest.arguments(), ["torchrl", "tensordict"])
