"""What is compiled is what is written: kernels against the same functions in plain Python, and against NumPy."""

from typing import Any

import numpy as np
import pytest

from livedqn.envs import arrivals, impression, keyed, livestream, observation, serving
from livedqn.envs.impression import Outcome
from livedqn.envs.observation import Seen
from livedqn.envs.retrieval import LANES, _line
from livedqn.envs.sim import sim
from livedqn.envs.viewers import Viewers
from livedqn.kernel import viewing_kernel

KERNELS = {"begin": arrivals.begin, "respond": impression.respond, "serve": serving.serve}


@viewing_kernel
def drawn(key: Any, uniform: Any, halves: Any, normal: Any, exponential: Any) -> None:
    for index in range(len(uniform)):
        bits = keyed.bits_at(key, index)
        uniform[index] = keyed.share_of(bits)
        halves[index] = keyed.shares_of(bits)
        normal[index] = keyed.normals_of(bits)
    states = np.empty(len(exponential) // 2, np.uint64)
    keyed.begin_stream(states, 0, len(states), key)
    keyed.finalise(states, len(states))
    for index, half in enumerate(states.view(np.uint32)):
        exponential[index] = keyed.exponential_of(half)


def test_a_kernel_draws_the_numbers_of_whole_arrays() -> None:
    key = keyed.key(3, 4)
    uniform, halves, normal, exponential = np.empty(5), np.empty((5, 2)), np.empty((5, 2)), np.empty(6, np.float32)
    drawn(key[0], uniform, halves, normal, exponential)
    assert np.array_equal(uniform, keyed.uniform(key, 5)[0])
    assert halves[:3].ravel() == pytest.approx(np.exp(-exponential), rel=1e-6)  # the same bits, lower half first
    u, w = halves.T
    radius = np.sqrt(-2 * np.log(u))  # Box and Muller
    assert normal == pytest.approx(
        np.stack([radius * np.cos(2 * np.pi * w), radius * np.sin(2 * np.pi * w)], 1), abs=1e-6
    )
    assert exponential == pytest.approx(keyed.exponential(key, 6)[0], rel=1e-6)
    with np.errstate(over="ignore"):  # NumPy's own scalars warn of what the hash lives on
        assert keyed.hashed(keyed.hashed(np.uint64(0), np.uint64(3)), np.uint64(4)) == key[0]
        assert keyed.request_key(np.uint64(3), np.uint64(4), np.uint64(5)) == keyed.key(3, 4, 5)[0]


def test_the_line_lets_as_many_through_as_are_wanted() -> None:
    rng = np.random.default_rng(0)
    for rooms in (2, 7, 32, 33):
        finish = rng.exponential(size=rooms + LANES).astype(np.float32)
        finish[rooms::2] = 0  # what comes after the rooms is another viewer's, and does not count
        own = finish[:rooms]
        for wanted in range(1, rooms):
            crossed = own.view(np.int32) <= _line(finish.view(np.int32), rooms, wanted)
            assert set(own[crossed]) == set(np.sort(own)[:wanted])
    same = np.ones(5 + LANES, np.float32)  # nobody is before the others: all have crossed
    assert (same.view(np.int32) <= _line(same.view(np.int32), 5, 2)).all()


def played(compiled: bool, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    if not compiled:
        for name, function in KERNELS.items():
            monkeypatch.setattr(livestream, name, getattr(function, "py_func", function))
    viewers = Viewers(acquaintance=1.0)  # who know many, so that some are forgotten
    sizes = {"streamers": 300, "candidates": 5, "history": 2, "max_requests": 4}
    env, answers = sim(3, **sizes, viewers=viewers, invalid="nothing"), []  # type: ignore[arg-type]
    seen, infos = env.reset(seed=1)
    for step in range(8):
        answers.append((seen, infos["ids"]))
        seen, reward, terminated, truncated, infos = env.step(np.full(3, step % 3))
        answers.append((infos["signals"], {"reward": reward, "elapsed_s": infos["elapsed_s"]}))
        ended = terminated | truncated
        seen, infos = env.reset(options={"reset_mask": ended})
    return answers


def test_plain_python_plays_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = played(True, monkeypatch)
    with np.errstate(over="ignore"):
        plain = played(False, monkeypatch)
    for one, other in zip(compiled, plain, strict=True):
        for a, b in zip(one, other, strict=True):
            assert a.keys() == b.keys()
            for name in a:
                assert np.allclose(a[name], b[name], rtol=1e-5, atol=1e-5), name


def test_a_restart_sees_what_a_step_has_shown() -> None:
    """The rows that are not restarted are written twice, by the step and for the restart."""
    env = sim(40)
    env.reset(seed=2)
    for _ in range(5):
        seen, _, terminated, truncated, infos = env.step(np.zeros(40, np.int64))
        ended = terminated | truncated
        mask = ended | (np.arange(40) < 3)
        once, first = env.reset(options={"reset_mask": mask})
        twice, second = env.reset(options={"reset_mask": np.zeros(40, np.bool_)})  # which has to look again
        for name in seen:
            assert np.array_equal(seen[name][~mask], once[name][~mask])
            assert np.array_equal(once[name], twice[name])
        for name in first["ids"]:
            assert np.array_equal(infos["ids"][name][~mask], first["ids"][name][~mask])
            assert np.array_equal(first["ids"][name], second["ids"][name])


def test_fields_of_what_is_written() -> None:
    assert set(observation.IDS) < set(Seen._fields)
    assert Outcome.empty(4).signals.shape == (len(impression.SIGNALS), 4)
