"""How long a run is where nobody says it, and how far it keeps to its logs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from functools import partial
from typing import Any

import pytest

from livedqn import checkpoint, plugins, sources
from livedqn.config import STEPS, CapConfig, TrainConfig
from livedqn.logs import Impressions
from livedqn.rewards import WatchTime
from livedqn.stage import Stage
from livedqn.testing import LOGS_SPEC, example_impressions
from livedqn.types import LivedqnError


class InMemory:
    """Logs of sessions of such lengths, read ``passes`` times."""

    def __init__(self, *lengths: int) -> None:
        self.spec, self.source, self.passes = LOGS_SPEC, dict[str, Any](), 0
        self._all = example_impressions(lengths)

    def __iter__(self) -> Iterator[Impressions]:
        self.passes += 1
        yield self._all


def length(logs: InMemory, **settings: Any) -> tuple[int, list[str]]:
    told: list[str] = []
    config = TrainConfig(logs={"plugin": "mine"}, holdout=0.0, **settings)
    return sources.FromLogs(logs, WatchTime(), config, told.append).steps(), told


def test_steps_that_are_said_are_taken_and_nothing_is_read() -> None:
    logs = InMemory(2)
    assert length(logs, steps=7) == (7, [])
    assert logs.passes == 0
    with closing(Stage(plugins.build("env", "sim", 1), WatchTime(), CapConfig())) as stage:
        assert [sources.FromEnv(stage, TrainConfig(steps=steps)).steps() for steps in (None, 7)] == [STEPS, 7]


def test_of_logs_a_run_takes_in_so_many_steps_but_all_once_and_none_too_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "LOGGED_STEPS", 20)
    monkeypatch.setattr(sources, "MOST_EPOCHS", 5)
    assert length(InMemory(1, 2))[0] == 15  # five times 3
    assert length(InMemory(3, 5))[0] == 20  # two and a half times 8
    assert length(InMemory(9, 20))[0] == 29  # once
    assert length(InMemory(1, 2), epochs=1.5)[0] == 5
    assert length(InMemory(3, 5))[1][-1] == "steps=20: 2.5 times the 8 impressions that there are to learn from"


@pytest.mark.parametrize(
    ("steps", "settings", "pace"),
    [
        (8_670, {}, {"warmup_steps": 867, "steps_per_update": 15, "learning_rate_updates": 520}),
        (80_000, {}, {"warmup_steps": 8_000, "steps_per_update": 128, "learning_rate_updates": 562}),
        (400_000, {}, {"warmup_steps": 8_192, "steps_per_update": 128, "learning_rate_updates": 3_061}),
        (1_000_000, {}, {"warmup_steps": 8_192, "steps_per_update": 320, "learning_rate_updates": 3_099}),
        (8_670, {"epochs": 1}, {"warmup_steps": 867, "steps_per_update": 128, "learning_rate_updates": 60}),
        (1_000_000, {"agent": {"steps_per_update": 500}},
         {"warmup_steps": 8_192, "steps_per_update": 500, "learning_rate_updates": 1_983}),
        (1_000_000, {"agent": {"learning_rate_updates": 9, "warmup_steps": 2_000}},
         {"warmup_steps": 2_000, "steps_per_update": 320, "learning_rate_updates": 9}),
        (8_670, {"steps": 8_670}, {"warmup_steps": 867, "steps_per_update": 128, "learning_rate_updates": 60}),
        (1_000_000, {"steps": 1_000_000},
         {"warmup_steps": 8_192, "steps_per_update": 128, "learning_rate_updates": 7_748}),
    ],
)  # fmt: skip
def test_the_pace_fits_the_logs_and_what_is_told_stays(steps, settings, pace) -> None:
    node = {"plugin": "dqn", **settings.get("agent", {})}
    agent = checkpoint.build_agent({"agent": node, "encoder": {"plugin": "mlp"}}, LOGS_SPEC)
    config = TrainConfig(**{"logs": {"plugin": "mine"}, **settings, "agent": node})
    told: list[str] = []
    assert sources.pace(agent, config, steps, None, told.append) == pace
    assert told == [f"{(steps - agent.warmup_steps) // agent.steps_per_update:,} updates"]
    assert {name: getattr(agent, name) for name in pace} == pace
    again = checkpoint.build_agent({"agent": node, "encoder": {"plugin": "mlp"}}, LOGS_SPEC)
    assert sources.pace(again, config, 9_000_000, pace, told.append) == pace  # a run that goes on


@pytest.mark.parametrize(
    ("steps", "num_envs", "warmup"), [(2_048, 4, 2_000), (2_048, 1_024, 1_500), (1_024, 1_024, None)]
)
def test_a_run_that_would_make_no_update_is_refused(steps: int, num_envs: int, warmup: int | None) -> None:
    node = {"plugin": "dqn", "warmup_steps": warmup}
    agent = checkpoint.build_agent({"agent": node, "encoder": {"plugin": "mlp"}}, LOGS_SPEC)
    config = TrainConfig(logs={"plugin": "mine"}, agent=node, num_envs=num_envs, steps=steps)
    why = (
        f"{steps:,} steps of logs make no update, since agent.warmup_steps={warmup or 102}, agent.steps_per_update=128"
    )
    with pytest.raises(LivedqnError, match=f"^{why} and num_envs={num_envs}: make these smaller, or epochs= or"):
        sources.pace(agent, config, steps, None, print)


def caution(logs: InMemory, before: dict[str, Any] | None = None, **settings: Any) -> tuple[dict[str, float], Any]:
    node = {"plugin": "dqn", **settings}
    agent = checkpoint.build_agent({"agent": node, "encoder": {"plugin": "mlp"}}, LOGS_SPEC)
    config = TrainConfig(logs={"plugin": "mine"}, holdout=0.0, agent=node)
    survey = partial(sources.survey, logs, WatchTime(), config, lambda _: None)
    return sources.caution(agent, config, survey, before, lambda _: None), agent


@pytest.mark.parametrize(
    ("settings", "before", "found", "alpha", "passes"),
    [
        ({}, None, {"cql_alpha": 0.03}, 0.03, 1),
        ({}, {"cql_alpha": 0.5}, {"cql_alpha": 0.5}, 0.5, 0),
        ({"cql_alpha": 0.2}, {"cql_alpha": 0.5}, {}, 0.2, 0),
        ({"cql_alpha": 0.0}, None, {}, 0.0, 0),
        ({"bcq_threshold": 0.3}, None, {"cql_alpha": 0.0}, 0.0, 0),
    ],
)
def test_logs_are_asked_where_nobody_says_how_far_they_are_kept_to(settings, before, found, alpha, passes) -> None:
    logs = InMemory(3)  # of one viewer, so they are kept to
    chosen, agent = caution(logs, before, **settings)
    assert (chosen, agent.cql_alpha, logs.passes) == (found, alpha, passes)


def test_an_agent_without_such_settings_is_not_given_any(install) -> None:
    install("own", "agent", "Own", """
        from livedqn.agent import DQN

        class Own(DQN):
            def __init__(self, spec, encoder_factory, *, discount: float = 0.9):
                super().__init__(spec, encoder_factory, discount=discount, cql_alpha=0.7)
    """)  # fmt: skip
    chosen, agent = caution(InMemory(3), plugin="own")
    assert (chosen, agent.cql_alpha) == ({}, 0.7)
    config = TrainConfig(logs={"plugin": "mine"}, agent={"plugin": "own"})
    assert sources.pace(agent, config, 1_000_000, None, lambda _: None) == {}
    assert (agent.warmup_steps, agent.steps_per_update, agent.learning_rate_updates) == (8_192, 128, None)


@pytest.mark.parametrize(
    ("told", "steps", "updates"),
    [({}, 1_000_000, 7_748), ({}, 20_000, 92), ({}, 100, 1), ({"steps_per_update": 10}, 20_000, 1_180),
     ({"learning_rate_updates": 9}, 20_000, 9)],
)  # fmt: skip
def test_the_learning_rate_falls_over_all_updates_of_a_run_that_plays(told, steps, updates) -> None:
    node = {"plugin": "dqn", **told}
    with closing(Stage(plugins.build("env", "sim", 1), WatchTime(), CapConfig())) as stage:
        agent = checkpoint.build_agent({"agent": node, "encoder": {"plugin": "mlp"}}, stage.spec)
        source = sources.FromEnv(stage, TrainConfig(agent=node))
        assert source.settle(agent, steps, None) == (
            {} if told.get("learning_rate_updates") else {"learning_rate_updates": updates}
        )
        assert agent.learning_rate_updates == updates
        source.settle(agent, 9_000_000, {"learning_rate_updates": updates})  # a run that goes on
        assert agent.learning_rate_updates == updates


def test_what_another_agent_has_by_default_is_said(install) -> None:
    install("cautious", "agent", "Cautious", """
        from livedqn.agent import DQN

        class Cautious(DQN):
            def __init__(self, spec, encoder_factory, *, cql_alpha: float = 0.7, steps_per_update: int = 64):
                super().__init__(spec, encoder_factory, cql_alpha=cql_alpha, steps_per_update=steps_per_update)
    """)  # fmt: skip
    logs = InMemory(3)
    chosen, agent = caution(logs, plugin="cautious")
    assert (chosen, agent.cql_alpha, logs.passes) == ({}, 0.7, 0)
    config = TrainConfig(logs={"plugin": "mine"}, agent={"plugin": "cautious"})
    assert sources.pace(agent, config, 1_000_000, None, lambda _: None) == {"steps_per_update": 64}
