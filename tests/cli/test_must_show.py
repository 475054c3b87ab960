"""Where a room always has to be shown, from the command line: an environment and its logs, and others' that have it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from livedqn import checkpoint, plugins
from livedqn.logs import join
from livedqn.logs.parquet import Parquet
from livedqn.testing import check_env, check_logs

SOURCE = """
    import gymnasium
    import numpy as np
    from gymnasium.vector import AutoresetMode, VectorEnv

    class MustShow(VectorEnv):
        '''Three rooms of heats 1, 2 and 3, the first of them closed at the first request; a room pays its heat, and a
        session has three requests. Whoever is shown nothing, where that may be, pays 10.

        Args:
            has_nothing: whether it may be.
        '''

        def __init__(self, num_envs, *, has_nothing: bool = False):
            self.num_envs, self.has_nothing = num_envs, has_nothing
            self.metadata = {
                "autoreset_mode": AutoresetMode.DISABLED, "signals": ("clicked",), "has_nothing": has_nothing,
                "columns": {
                    "context": [{"name": "hour"}], "history": [{"name": "real"}],
                    "candidates": [{"name": "heat", "kind": "count", "role": "heat"}],
                },
            }
            box = gymnasium.spaces.Box
            self.single_observation_space = gymnasium.spaces.Dict(
                context=box(-np.inf, np.inf, (1,)), history=box(-np.inf, np.inf, (1, 1)),
                candidates=box(-np.inf, np.inf, (4, 1)), mask=box(0, 1, (4,), np.bool_),
            )
            self.single_action_space = gymnasium.spaces.Discrete(4)

        def reset(self, *, seed=None, options=None):
            rows = (options or {}).get("reset_mask", np.ones(self.num_envs, bool))
            if seed is not None:
                self.seed, self.session = seed, np.full(self.num_envs, -1)
                self.request, self.clock = np.zeros((2, self.num_envs), np.int64)
            self.session = self.session + rows
            self.request = np.where(rows, 0, self.request)
            return self.observed()

        def observed(self):
            place = 31 * np.arange(self.num_envs) + 7 * self.session + self.request
            turn = np.random.default_rng(self.seed).integers(3, size=997)[place % 997]
            self.heat = np.insert(1 + (turn[:, None] + np.arange(3)) % 3, 0, 0, axis=1).astype(np.float32)
            self.mask = np.ones((self.num_envs, 4), bool)
            self.mask[:, 0] = self.has_nothing
            self.mask[self.request == 0, 1] = False
            ids = np.tile(np.arange(4), (self.num_envs, 1))
            infos = {"viewer": np.arange(self.num_envs), "time_s": 60 * self.clock, "rooms": ids, "streamers": ids}
            return {
                "context": (self.clock[:, None] % 24).astype(np.float32),
                "history": np.zeros((self.num_envs, 1, 1), np.float32),
                "candidates": self.heat[..., None], "mask": self.mask,
            }, {"ids": infos}

        def step(self, actions):
            rows = np.arange(self.num_envs)
            if not self.mask[rows, actions].all():
                raise ValueError("an action is outside its mask")
            reward = np.where(actions > 0, self.heat[rows, actions], 10.0)
            self.request, self.clock = self.request + 1, self.clock + 1
            observation, infos = self.observed()
            infos["signals"] = {"clicked": (self.clock % 2).astype(np.float32)}
            infos["elapsed_s"] = np.full(self.num_envs, 60.0)
            over = self.request >= 3
            return observation, reward, over, np.zeros_like(over), infos
"""
TINY = [
    "steps=1000", "num_envs=8", "agent.warmup_steps=200", "agent.batch_size=32", "agent.steps_per_update=8",
    "evaluation.worlds=2", "evaluation.episodes=8", "evaluation.validation_worlds=1",
    "evaluation.validation_episodes=8", "evaluation.tuning_episodes=8", "evaluation.points=1", "reward=native",
    "agent.distribution=none", "agent.learning_rate_updates=100",
]  # fmt: skip


@pytest.fixture
def mustshow(livedqn, install, no_pictures):
    install("mustshow", "env", "MustShow", SOURCE)
    return livedqn


@pytest.mark.parametrize("has_nothing", [True, False])
def test_the_environment_keeps_what_it_owes(mustshow, has_nothing):
    check_env(plugins.build("env", {"plugin": "mustshow", "has_nothing": has_nothing}, 4))


def evaluation(folder):
    return json.loads(Path(folder, "evaluation.json").read_text())


def test_nobody_chooses_nothing_from_training_to_judging(mustshow):
    outcome = mustshow("env=mustshow", *TINY, "exploration.steps=500", "hydra.run.dir=run")
    assert outcome.code == 0, outcome.err
    assert "more than nothing" not in outcome.out
    found = evaluation("run")
    assert {"policy", "random", "hottest", "myopic"} <= found.keys()
    assert all(found[name]["share_nothing"]["mean"] == 0 for name in ("policy", "random", "hottest", "myopic"))
    # two requests at which the hottest is 3, and one at which it is closed by one in three
    assert found["hottest"]["return"]["mean"] == pytest.approx(3 + 3 + 8 / 3, abs=0.25)
    policy = checkpoint.read("run/policy.ckpt")
    assert not policy.spec.has_nothing and float(policy.agent.margin) == 0
    assert all(rule == {"threshold": -np.inf, "max_shown_per_session": None} for rule in policy.baselines.values())
    named = "policies=[policy,always,linucb,lints]"
    outcome = mustshow("evaluate", "checkpoint=run/policy.ckpt", named, "hydra.run.dir=named")
    assert outcome.code == 0, outcome.err
    found = evaluation("named")
    assert found["policy"]["return"] == found["always"]["return"]  # there is nothing that it could leave out
    assert found["lints"]["share_nothing"]["mean"] == 0

    outcome = mustshow("collect", "checkpoint=run/policy.ckpt", "num_envs=8", "steps=4000", "out=logs")
    assert outcome.code == 0, outcome.err
    logs = Parquet(path="logs")
    assert not logs.spec.has_nothing
    check_logs(logs)
    whole = join(list(logs))
    assert (whole.action[whole.acted] > 0).all() and not whole.observation["mask"][:, 0].any()
    assert mustshow("check-logs", "logs=parquet", "logs.path=logs").code == 0
    words = ["logs=parquet", "logs.path=logs"]
    outcome = mustshow(*words, *TINY, "agent.bcq_threshold=0.01", "hydra.run.dir=learned")
    assert outcome.code == 0, outcome.err
    assert not checkpoint.read("learned/policy.ckpt").spec.has_nothing
    outcome = mustshow(
        "evaluate", "checkpoint=learned/policy.ckpt", *words, "ope.holdout=1", "allow_overlap=true",
        "hydra.run.dir=judged",
    )  # fmt: skip
    assert outcome.code == 0, outcome.err
    judged = evaluation("judged")["policies"]
    assert judged.keys() == {"policy", "hottest", "random"}
    # every choice of theirs could have been logged: ratios have a mean of 1
    assert all(abs(one["overlap"]["supported"] - 1) < 0.2 for one in judged.values())


def test_who_learned_with_nothing_does_without_and_the_other_way_round(mustshow):
    for name, has_nothing in (("with", "true"), ("without", "false")):
        outcome = mustshow(
            "env=mustshow", f"env.has_nothing={has_nothing}", *TINY, "exploration.steps=500", f"hydra.run.dir={name}"
        )
        assert outcome.code == 0, outcome.err
    assert evaluation("with")["policy"]["share_nothing"]["mean"] == 1  # it pays most
    for name, has_nothing in (("with", "false"), ("without", "true")):
        outcome = mustshow(
            "evaluate", f"checkpoint={name}/policy.ckpt", f"env.has_nothing={has_nothing}", "hydra.run.dir=crossed"
        )
        assert outcome.code == 0, outcome.err
        found = evaluation("crossed")
        assert found["policy"]["share_nothing"]["mean"] == 0
        assert bool(re.search("more than nothing", outcome.out)) == (name == "with")
        outcome = mustshow(
            "collect", "env=mustshow", f"env.has_nothing={has_nothing}", f"checkpoint={name}/policy.ckpt", "num_envs=8",
            "steps=1000", f"out=logs_{name}", "exploration=boltzmann",
        )  # fmt: skip
        assert outcome.code == 0, outcome.err
        outcome = mustshow(
            "evaluate", f"checkpoint={name}/policy.ckpt", "logs=parquet", f"logs.path=logs_{name}",
            "hydra.run.dir=by_logs",
        )  # fmt: skip
        assert outcome.code == 0, outcome.err


def test_a_cap_has_nothing_to_fall_back_on(mustshow):
    outcome = mustshow("env=mustshow", "cap.max_shown_per_session=1", *TINY)
    assert outcome.error == (
        "in this environment a room always has to be shown (has_nothing=False), so there can be no cap on injections; "
        "leave cap out, or take it back: cap.max_share_shown=1 cap.max_shown_per_session=null"
    )
