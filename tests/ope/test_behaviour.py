"""Propensities that are guessed."""

from dataclasses import replace

import numpy as np

from livedqn.ope.behaviour import Behaviour
from livedqn.ope.features import RequestFeatures
from livedqn.testing import LOGS_SPEC, example_impressions


def test_a_policy_by_heat_is_found_out():
    logs = example_impressions([5] * 600, seed=3)
    heat = np.log1p(logs.observation["candidates"][:, :, 1])
    mask = logs.observation["mask"]
    standard = (heat - heat[mask & (heat > 0)].mean()) / heat[mask & (heat > 0)].std()
    logits = np.where(mask, np.where(np.arange(4) > 0, 1.5 * standard, 0), -np.inf)
    true = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    luck = np.random.default_rng(0).random(len(logs))[:, None]
    action = np.where(logs.acted, (true.cumsum(axis=1) < luck).sum(axis=1), -1)
    unknown = replace(logs, action=action, propensity=np.full(len(logs), np.nan, np.float32))
    guessed = Behaviour([unknown], RequestFeatures(LOGS_SPEC, [unknown]))
    found = guessed.probabilities(unknown)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)
    assert (found[~mask] == 0).all()
    assert np.abs(found - true)[mask].mean() < 0.05
    acted = unknown.acted
    np.testing.assert_allclose(guessed(unknown), np.maximum(found[acted, action[acted]], 1e-3))
    calibration = guessed.calibration([unknown])
    assert np.average(np.abs(calibration.estimated - calibration.shown), weights=calibration.candidates) < 0.03


def test_what_was_noted_stays():
    logs = example_impressions([4] * 10)
    noted = logs.propensity[logs.acted]
    np.testing.assert_allclose(Behaviour([logs], RequestFeatures(LOGS_SPEC, [logs]))(logs), noted)


def test_few_logs_are_not_read_for_every_step(monkeypatch):
    monkeypatch.setattr("livedqn.ope.behaviour.STEPS", 4)
    logs, readings = example_impressions([4] * 10), []

    class Parts:
        def __iter__(self):
            readings.append(1)
            return iter([logs])

    features = RequestFeatures(LOGS_SPEC, [logs])
    kept, read = Behaviour([logs], features), Behaviour(Parts(), features)
    assert len(readings) == 2  # to count them, and to keep them
    np.testing.assert_array_equal(kept.probabilities(logs), read.probabilities(logs))
