"""``check_env`` names the promise that is broken: environments that break one each."""

from typing import Any

import gymnasium
import numpy as np
import pytest

from livedqn.envs import LiveStream
from livedqn.envs.sim import sim
from livedqn.testing import ContractError, check_env


class Broken(LiveStream):
    """The simulator with one promise broken."""

    def __init__(self, fault: str) -> None:
        whole = sim(4, streamers=20)
        vars(self).update(vars(whole))
        self.fault = fault
        if fault == "signals":
            self.metadata = {**self.metadata, "signals": ("clicked", "applause")}
        if fault == "columns":
            self.metadata = {**self.metadata, "columns": {"context": ()}}
        if fault == "invalid":
            self._invalid = "nothing"

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        if self.fault == "reset_mask" and seed is None:
            options = None
        if self.fault == "seed" and seed is not None:
            seed = int(np.random.default_rng().integers(2**31))  # as the clock would have it
        if self.fault == "constant" and seed is not None:
            seed = 0
        observation, infos = super().reset(seed=seed, options=options)
        if self.fault == "row 0":
            observation["candidates"][:, 0] = 1
        if self.fault == "mask":
            observation["mask"][:, 0] = False
        if self.fault == "dtype":
            observation["context"] = observation["context"].astype(np.float64)
        if self.fault == "history":
            observation["history"][:, 0, 1] = 1
        return observation, infos

    def step(self, actions: Any) -> Any:
        observation, reward, terminated, truncated, infos = super().step(actions)
        if self.fault == "elapsed":
            infos["elapsed_s"][:] = 0
        if self.fault == "flags":
            terminated = terminated.astype(np.float32)
        if self.fault == "reward":
            reward[0] = np.nan
        if self.fault == "actions":
            actions[:] = 0
        if self.fault == "ids":
            infos["ids"]["rooms"] = infos["ids"]["rooms"].astype(np.float64)
        return observation, reward, terminated, truncated, infos

    def state_dict(self) -> dict[str, Any]:
        state = super().state_dict()
        if self.fault == "numpy state":
            state["extra"] = np.arange(3)
        if self.fault == "half a state":
            state["sessions"]["boredom"] = state["sessions"]["boredom"] + 9
            state["sessions"]["requests"] = state["sessions"]["requests"] + 1
        return state


@pytest.mark.parametrize(
    ("fault", "what"),
    [
        ("signals", "applause"),
        ("columns", "columns"),
        ("invalid", "mask closes"),
        ("reset_mask", "mask does not name"),
        ("seed", "same seed"),
        ("constant", "start the same run"),
        ("row 0", "it is nothing"),
        ("mask", "nothing is always allowed"),
        ("dtype", "float64"),
        ("history", "unused row"),
        ("elapsed", "elapsed_s is not above 0"),
        ("flags", "terminated is float32"),
        ("reward", "not finite"),
        ("actions", "array of actions"),
        ("ids", "'rooms'"),
        ("numpy state", "numbers, strings and tensors"),
        ("half a state", "lead elsewhere"),
    ],
)
def test_faults_are_named(fault: str, what: str) -> None:
    with pytest.raises(ContractError, match=what):
        check_env(Broken(fault))


def test_the_whole_one_passes() -> None:
    check_env(Broken("none"))


def test_environments_that_reset_themselves_are_refused() -> None:
    with pytest.raises(ContractError, match="autoreset_mode"):
        check_env(gymnasium.make_vec("CartPole-v1", 2))
