"""The same work for everyone: DQN on CartPole, the settings that every contestant is given.

Strict order (act, step, update) but in ``blocks``, which is another algorithm and stands on a line of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

HIDDEN = (120, 84)  # ReLU between, a linear layer to the two actions
LEARNING_RATE = 1e-3  # Adam, constant
BATCH_SIZE = 128
CAPACITY = 10_000  # transitions
WARMUP_STEPS = 1_000  # environment steps with uniform actions, before the first update
DISCOUNT = 0.99
SYNC_STEPS = 500  # environment steps between two hard syncs of the target network
EPSILON_START, EPSILON_END, EPSILON_SHARE = 1.0, 0.05, 0.5  # linear, over this share of all steps
OBSERVED, ACTIONS = 4, 2


@dataclass(frozen=True)
class Workload:
    """How long, and how often it learns.

    Args:
        steps: environment steps, over all environments.
        steps_per_update: environment steps for each update.
        num_envs: environments side by side.
        block: so many steps, then the updates that they owe in a row.
    """

    name: str
    steps: int
    steps_per_update: int
    num_envs: int = 1
    block: int = 1
    about: str = ""

    @property
    def epsilon_steps(self) -> int:
        """Environment steps from the first epsilon to the last."""
        return int(EPSILON_SHARE * self.steps)

    def epsilon(self, step: int) -> float:
        """Of the action at environment step ``step``."""
        return EPSILON_START + min(step / self.epsilon_steps, 1.0) * (EPSILON_END - EPSILON_START)


WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload("tf1", 20_000, 1, about="an update per step"),
        Workload("tf10", 50_000, 10, about="an update per 10 steps"),
        Workload("vec10", 50_000, 10, num_envs=10, about="an update per 10 steps, 10 environments"),
        Workload("blocks", 20_000, 1, block=8, about="8 steps, then 8 updates"),
    )
}
