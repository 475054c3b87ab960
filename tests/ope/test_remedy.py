"""What to do where logs overlap too little: of sessions of known length, judged by a policy that is certain."""

from dataclasses import replace

import numpy as np
import pytest

from livedqn.ope.diagnostics import overlap
from livedqn.ope.estimators import session_weights
from livedqn.ope.evidence import Evidence, Judged
from livedqn.ope.remedy import answerable, most_exploration, remedies, softer
from livedqn.ope.verdict import lacks

SESSIONS, ALLOWED = 4_000, 4


def logged(length, explored, epsilon=0.0, sessions=SESSIONS, cut=0):
    """Sessions of so many requests by (1 - ``explored``) x always the same + ``explored`` x uniform; ``it`` always
    does the same, but for ``epsilon``."""
    chosen, other = 1 - explored + explored / ALLOWED, explored / ALLOWED
    is_same = np.random.default_rng(0).random(sessions * length) < chosen
    propensity = np.where(is_same, chosen, other)
    judged = np.where(is_same, 1 - epsilon + epsilon / ALLOWED, epsilon / ALLOWED)
    none, session = np.zeros(len(is_same)), np.repeat(np.arange(sessions), length)
    targets = {"it": judged / propensity, "random": 1 / (ALLOWED * propensity)}
    return Evidence(
        session=session, position=np.tile(np.arange(length), sessions), viewer=np.arange(sessions), reward=none,
        uniform=targets["random"], logged=np.zeros(sessions), cut=cut, unknown=0, gamma=1.0,
        policies={name: Judged(rho, none, none, none, none, none, none) for name, rho in targets.items()},
    )  # fmt: skip


def test_softer_is_what_judging_with_that_epsilon_says():
    for had in (0.0, 0.2):
        asked = logged(6, 0.5, 0.4)
        rho = asked.policies["it"].rho
        found, expected = softer(logged(6, 0.5, had), "it", had, 0.4), overlap(rho, session_weights(asked, rho))
        np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_the_least_epsilon_that_overlaps():
    evidence = logged(10, 0.5)
    assert lacks(softer(evidence, "it", 0.0, 0.0))  # a session agrees in (1/2 + 1/8)^10 = 0.9 % of cases
    wanted = answerable(evidence, "it", 0.0)
    assert wanted == 0.1
    assert not lacks(softer(evidence, "it", 0.0, wanted))
    assert answerable(logged(100, 0.5), "it", 0.0) == pytest.approx(0.4, abs=0.1)
    assert answerable(logged(2, 0.0, 1.0), "it", 0.99) is None  # nobody explored


def test_the_most_exploration():
    # 0.9^44 is 1 %
    assert most_exploration(logged(44, 0.1)) == pytest.approx(0.1, abs=0.002)
    # of 300 sessions 30 have to count, and 0.9^22 is a tenth
    assert most_exploration(logged(22, 0.1, sessions=300)) == pytest.approx(0.1, abs=0.002)


def test_in_words():
    lines = list(remedies(logged(10, 0.5), "it", 0.0))
    assert [line.split()[0] for line in lines] == ["ope.epsilon=0.1", "ope.unit=request", "log"]
    assert "an epsilon of 0.37 at most" in lines[2]
    assert list(remedies(logged(10, 0.5), "random", 0.0)) == [
        "what is judged is a uniform choice: log with more exploration"
    ]


def test_of_single_requests_no_session_is_told_of():
    alone = logged(1, 0.1)
    unlike = replace(alone.policies["it"], rho=np.where(np.arange(SESSIONS) < 5, 700.0, 0.0))
    *_, last = remedies(replace(alone, policies={"it": unlike}), "it", 0.0)
    assert last == "log around it (livedqn collect, exploration=steady): with an epsilon of 0.99 at most"


def test_nothing_is_advised_where_it_would_not_help():
    assert not list(remedies(logged(2, 0.1), "it", 0.0))  # enough as it is
    assert not list(remedies(logged(10, 0.5, sessions=150), "it", 0.0))  # too few sessions, whoever is judged
    assert not list(remedies(logged(10, 0.5, cut=2_000), "it", 0.0))
    wrong = logged(10, 0.5)
    small = replace(wrong, policies={"it": replace(wrong.policies["it"], rho=3 * wrong.policies["it"].rho)})
    assert not list(remedies(small, "it", 0.0))  # propensities that cannot be
