"""What the recorder hands on, compared with plain lists that copy everything."""

import numpy as np
import pytest

from livedqn import plugins
from livedqn.collect.recorder import Recorder
from livedqn.config import CapConfig
from livedqn.envs.gym import gym
from livedqn.envs.sim import sim
from livedqn.exploration import draw
from livedqn.logs import faults, join
from livedqn.stage import Stage

ROWS = 5


def played(env, *, cap=None, steps=80, least=1):
    """Everything that was seen and done by plain lists, and what the recorder made of it."""
    stage = Stage(env, plugins.build("reward", "native"), cap or CapConfig())
    recorder, rng = Recorder(stage.spec, ROWS, run=3, policy="random"), np.random.default_rng(0)
    observation, ids = stage.reset(0, "train"), stage.ids
    visits, open_visits, takes, parts = [], [[] for _ in range(ROWS)], [], []

    def copied(observation, ids, row):
        return {name: array[row].copy() for name, array in (observation | ids).items()}

    for _ in range(steps):
        mask = observation["mask"]
        action, propensity = draw(mask / mask.sum(axis=1, keepdims=True), mask, 0.0, rng)
        step = stage.step(action)
        recorder.add(observation, ids, action, propensity, step)
        for row in range(ROWS):
            done = {"action": action[row], "propensity": np.float32(propensity[row])}
            done |= {name: values[row] for name, values in step.signals.items()}
            done |= {"terminated": step.terminated[row], "truncated": step.truncated[row]}
            open_visits[row].append((copied(observation, ids, row), done))
            if step.visit_over[row]:
                if not step.terminated[row]:
                    open_visits[row].append((copied(step.observation, step.ids, row), None))
                visits.append(open_visits[row])
                open_visits[row] = []
        observation, ids = stage.restart(step.terminated | step.truncated), stage.ids
        if (take := recorder.finished(least)) is not None:
            parts += [earlier() for earlier in takes]  # one behind, as a thread of its own may be
            takes = [take]
    recorder.cut(observation, ids)
    for row in range(ROWS):
        if open_visits[row]:
            open_visits[row][-1][1]["truncated"] = True
            visits.append([*open_visits[row], (copied(observation, ids, row), None)])
    takes += filter(None, [recorder.finished(least=1)])
    return stage.spec, visits, join(parts + [take() for take in takes])


def expect_equal(visits, made):
    ends = np.flatnonzero(made.begins)[1:]
    found = np.split(np.arange(len(made)), ends)
    assert sorted(map(len, found)) == sorted(map(len, visits))
    # a visit is known by its first observation
    by_first = {made.observation["context"][rows[0]].tobytes(): rows for rows in found}
    for visit in visits:
        rows = by_first[visit[0][0]["context"].tobytes()]
        assert len(rows) == len(visit)
        for row, (seen, done) in zip(rows, visit, strict=True):
            for name, array in made.observation.items():
                np.testing.assert_array_equal(array[row], seen[name])
            for name in {"viewer", "time_s", "rooms", "streamers"} & set(seen):
                np.testing.assert_array_equal(getattr(made, name)[row], seen[name])
            if done is None:
                assert made.action[row] == -1
                assert np.isnan(
                    [made.propensity[row], made.native[row], *(s[row] for s in made.signals.values())]
                ).all()
                continue
            for name in ("action", "propensity", "native", "elapsed_s", "terminated", "truncated"):
                assert getattr(made, name)[row] == done[name], name
            for name, signal in made.signals.items():
                assert signal[row] == done[name]


@pytest.mark.parametrize("episode", ["session", "viewer"])
@pytest.mark.parametrize("least", [1, 60])
def test_sessions_are_what_was_played(episode, least):
    env = sim(ROWS, streamers=60, days=2, max_requests=12, episode=episode)
    spec, visits, made = played(env, cap=CapConfig(max_shown_per_session=3), least=least)
    assert len(visits) > 2 * ROWS
    expect_equal(visits, made)
    assert list(faults(made, spec)) == []
    assert made.acted.sum() == 80 * ROWS
    usable = made.terminated | (made.successor >= 0)
    assert usable[made.acted].all()
    if episode == "viewer":
        left = np.flatnonzero(made.signals["left"] == 1)
        assert len(left)
        away = made.elapsed_s[left] > 3600
        assert away.any()  # the absence, covered by the last action of a visit
        assert not made.terminated[left][away].any()


def test_an_environment_without_ids_and_clock():
    env = gym(ROWS, id="CartPole-v1")
    spec, visits, made = played(env)
    expect_equal(visits, made)
    assert list(faults(made, spec)) == []
    assert set(made.viewer.tolist()) == set(range(ROWS))
    rows = np.flatnonzero(made.session == made.session[0])
    assert made.time_s[rows].tolist() == list(range(len(rows)))


def test_names_are_unlike_in_a_run_and_between_runs():
    _, _, made = played(sim(ROWS, streamers=60, days=1, max_requests=6))
    assert len(np.unique(made.request)) == len(made)
    assert (made.request >> 32 == 3).all()
    assert (np.diff(made.session)[made.begins[1:]] != 0).all()
    assert made.row.min() == 0
