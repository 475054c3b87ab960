"""``check_env`` names the promise that is broken: environments that break one each."""

from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from livedqn.config import CapConfig
from livedqn.envs import LiveStream
from livedqn.envs.sim import sim
from livedqn.rewards import Native
from livedqn.stage import Stage
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
        if fault in ("open", "empty", "maybe"):
            self.metadata = {**self.metadata, "has_nothing": "no" if fault == "maybe" else False}
        if fault == "no metadata":
            self.metadata = None  # type: ignore[assignment]
        if fault == "one name":
            self.metadata = {**self.metadata, "signals": "clicked"}
        if fault == "start":
            self.single_action_space = gymnasium.spaces.Discrete(20, start=1)
        if fault == "one action less":
            self.single_action_space = gymnasium.spaces.Discrete(19)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        if self.fault == "reset_mask" and seed is None:
            options = None
        if self.fault == "seed" and seed is not None:
            seed = int(np.random.default_rng().integers(2**31))  # as the clock would have it
        if self.fault == "constant" and seed is not None:
            seed = 0
        if self.fault == "distinct":
            options = None if seed is not None else options
        if self.fault == "restarts nothing" and "reset_mask" in (options or {}):
            return super().reset(options={"reset_mask": np.zeros(self.num_envs, np.bool_)})
        if self.fault == "secret" and seed is None:
            before, _ = super().reset(options={"reset_mask": np.zeros(self.num_envs, np.bool_)})
        observation, infos = super().reset(seed=seed, options=options)
        if self.fault == "own luck" and "distinct" in (options or {}):
            self._sessions.visit["key"] += np.arange(self.num_envs, dtype=np.uint64)
        if self.fault == "secret" and "reset_mask" in (options or {}):
            rest = ~options["reset_mask"]  # type: ignore[index]
            super().reset(options={"reset_mask": rest})
            observation = {
                name: np.where(rest.reshape(-1, *[1] * (a.ndim - 1)), before[name], a)
                for name, a in observation.items()
            }
        if self.fault == "reset infos":
            infos = None  # type: ignore[assignment]
        if self.fault == "no ids at reset":
            infos = {}
        if self.fault == "no observation":
            observation = None  # type: ignore[assignment]
        if self.fault == "reset raises":
            raise AttributeError("rooms")
        if self.fault == "row 0":
            observation["candidates"][:, 0] = 1
        if self.fault == "mask":
            observation["mask"][:, 0] = False
        if self.fault == "empty":
            observation["mask"][:] = False
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
        if self.fault.startswith("without "):
            infos["ids"].pop(self.fault.removeprefix("without "), None)
            infos.pop(self.fault.removeprefix("without "), None)
        if self.fault == "no infos":
            infos = None  # type: ignore[assignment]
        if self.fault == "key":
            del observation["history"]
        return observation, reward, terminated, truncated, infos

    def state_dict(self) -> dict[str, Any]:
        state = super().state_dict()
        if self.fault == "numpy state":
            state["extra"] = np.arange(3)
        if self.fault == "half a state":
            state["sessions"]["boredom"] = state["sessions"]["boredom"] + 9
            state["sessions"]["requests"] = state["sessions"]["requests"] + 1
        if self.fault == "late state":
            state["sessions"]["episode"] = state["sessions"]["episode"] + 1  # seen once a row restarts, not before
        if self.fault == "no seed":
            del state["seed"]
        return state

    def load_state_dict(self, state: Any) -> None:
        super().load_state_dict({"seed": self._seed, **state})


@pytest.mark.parametrize(
    ("fault", "what"),
    [
        ("signals", "applause"),
        ("columns", "columns"),
        ("invalid", "mask closes"),
        ("reset_mask", "mask does not name"),
        ("seed", "same seed"),
        ("constant", "start the same run"),
        ("distinct", "{'distinct': 2}.* rows 2 apart, .* differ in .*context"),
        ("own luck", "{'distinct': 2}.* rows 2 apart, .* differ in .*reward"),
        ("row 0", "it is nothing"),
        ("mask", "nothing is always allowed"),
        ("open", r"mask\[:, 0\] is True somewhere, though metadata\['has_nothing'\] is False"),
        ("empty", "the mask allows no action in some row; without nothing a room is owed in every observation"),
        ("maybe", r"metadata\['has_nothing'\] is 'no'; it owes a bool"),
        ("dtype", "float64"),
        ("history", "unused row"),
        ("elapsed", "elapsed_s is not above 0"),
        ("flags", "terminated is float32"),
        ("reward", "not finite"),
        ("actions", "array of actions"),
        ("ids", "'rooms'"),
        ("numpy state", "numbers, strings and tensors"),
        ("half a state", "lead elsewhere"),
        ("late state", "lead elsewhere"),
        ("no seed", "when stepped with actions that its masks allow, after load_state_dict"),
        ("no metadata", "metadata is a NoneType; it owes a dict"),
        ("one name", r"metadata\['signals'\] is 'clicked'; it owes a tuple"),
        ("start", r"it owes Discrete\(20\), from 0"),
        ("one action less", "K being the 19 actions"),
        ("restarts nothing", "Broken raised RuntimeError: row . has ended.* after reset"),
        (
            "secret",
            r"is outside its mask when stepped with actions that its masks allow, after reset\(options=.*of rows",
        ),
        ("reset infos", "infos is a NoneType; it owes a dict"),
        ("no infos", "infos is a NoneType; it owes a dict"),
        ("no ids at reset", r"reset delivers no infos\['ids'\] of viewer, time_s, rooms, streamers"),
        ("no observation", "the observation is a NoneType; its space is a Dict"),
        ("reset raises", r"Broken raised AttributeError: rooms when reset\(seed=1"),
        ("without ids", r"step delivers no infos\['ids'\] of viewer"),
        ("without rooms", "step delivers no .* of rooms;"),
        ("without streamers", "step delivers no .* of streamers;"),
        ("without viewer", "step delivers no .* of viewer;"),
        ("without time_s", "step delivers no .* of time_s;"),
        ("without elapsed_s", r"step delivers no infos\['elapsed_s'\]"),
        ("key", "the observation lacks history"),
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


def test_a_class_and_a_single_environment_are_told_what_to_do() -> None:
    with pytest.raises(ContractError, match=r"given the class LiveStream; it takes an instance: check_env\(LiveStream"):
        check_env(LiveStream)
    with pytest.raises(ContractError, match=r"has no num_envs, .*SyncVectorEnv\(\[make\] \* rows"):
        check_env(gymnasium.make("CartPole-v1"))


class Line(gymnasium.Env[Any, Any]):
    """A walk on a line, to the left or to the right, which ends 3 steps away from the middle."""

    observation_space = gymnasium.spaces.Box(-9, 9, (1,), np.float32)
    action_space = gymnasium.spaces.Discrete(2)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        super().reset(seed=seed)
        self.place = self.np_random.normal(size=1).astype(np.float32)
        return self.place, {}

    def step(self, action: Any) -> Any:
        self.place = np.clip(self.place + 2 * np.float32(action) - 1, -9, 9)
        return self.place, 1.0, bool(abs(self.place[0]) > 3), False, {}


class Lines(SyncVectorEnv):
    """Three walks whose restarts may be faulty."""

    def __init__(self, fault: str = "") -> None:
        super().__init__([Line] * 3, autoreset_mode=AutoresetMode.DISABLED, copy=fault != "same arrays")
        self.fault = fault

    def reset(self, *, seed: Any = None, options: dict[str, Any] | None = None) -> Any:
        if self.fault == "restarts nothing" and options is not None:
            self._autoreset_envs[:] = False  # so that steps go on behind the end
            return self._observations.copy(), {}
        return super().reset(seed=seed, options=options)


def test_a_restart_that_restarts_nothing_is_named_even_where_steps_go_on() -> None:
    with pytest.raises(ContractError, match="left the observation of the rows that it names as it was"):
        check_env(Lines("restarts nothing"))


@pytest.mark.parametrize("fault", ["", "same arrays"])
def test_gymnasiums_own_ways_are_met(fault: str) -> None:
    """It pops reset_mask, refuses an all-False mask, and with copy=False answers the same arrays at every step."""
    check_env(Lines(fault))


def one_viewer() -> Any:
    return gymnasium.make("livedqn.envs:livedqn/LiveStream-v0", invalid="raise", streamers=20)


def test_single_environments_with_rooms_are_ours_through_sync_vector_env() -> None:
    check_env(SyncVectorEnv([one_viewer] * 3, autoreset_mode=AutoresetMode.DISABLED))


def test_the_stage_keeps_the_ids_alone_of_what_gymnasium_adds() -> None:
    env: Any = SyncVectorEnv([one_viewer] * 3, autoreset_mode=AutoresetMode.DISABLED)
    stage = Stage(env, Native(), CapConfig())
    names = {"viewer", "time_s", "rooms", "streamers"}
    stage.reset(0, "train")
    assert stage.ids.keys() == names
    step = stage.step(np.zeros(3, np.int64))
    stage.restart(np.array([True, False, False]))
    assert step.ids.keys() == stage.ids.keys() == names
    assert stage.ids["viewer"][1:].tolist() == step.ids["viewer"][1:].tolist()
    assert (stage.ids["viewer"] > 0).all()


class SameArrays(LiveStream):
    """The simulator, answering in the same arrays at every call, infos in float64."""

    def __init__(self, overwrites: bool) -> None:
        vars(self).update(vars(sim(4, streamers=20)))
        self.metadata = {**self.metadata, "overwrites": overwrites}
        self.kept: dict[str, Any] = {}

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        observation, infos = super().reset(seed=seed, options=options)
        return self._same("observation", observation), self._same("infos", infos)

    def step(self, actions: Any) -> Any:
        observation, reward, terminated, truncated, infos = super().step(actions)
        infos["signals"] = {name: values.astype(np.float64) for name, values in infos["signals"].items()}
        answer = {"reward": reward, "terminated": terminated, "truncated": truncated}
        return (
            self._same("observation", observation),
            *self._same("answer", answer).values(),
            self._same("infos", infos),
        )

    def _same(self, name: str, fresh: dict[str, Any]) -> dict[str, Any]:
        return {key: self._same(f"{name} {key}", v) if isinstance(v, dict) else self._held(f"{name} {key}", v)
                for key, v in fresh.items()}  # fmt: skip

    def _held(self, name: str, fresh: Any) -> Any:
        held = self.kept.setdefault(name, fresh)
        held[...] = fresh
        return held


def test_what_the_next_call_overwrites_was_copied() -> None:
    check_env(SameArrays(overwrites=True))


def test_who_overwrites_must_not_deny_it() -> None:
    with pytest.raises(ContractError, match=r"step wrote to .*candidates.*; metadata\['overwrites'\] is False"):
        check_env(SameArrays(overwrites=False))
