"""The report, drawn from a real run of the simulator by a policy that has learned nothing yet."""

import re

import numpy as np
import pytest

from livedqn import report
from livedqn.config import CapConfig, EvaluationConfig
from livedqn.envs.gym import gym
from livedqn.envs.sim import sim
from livedqn.evaluate import final_evaluation
from livedqn.report import style
from livedqn.report.curves import curves
from livedqn.rewards import Engagement, Native
from livedqn.stage import Stage
from livedqn.tracking import MetricsFile

FEW = EvaluationConfig(worlds=2, episodes=3, validation_worlds=1, validation_episodes=3, tuning_episodes=3)
CONFIG = {"env": {"plugin": "sim"}, "reward": {"plugin": "engagement"}, "note": "<b>"}


class Untaught:
    """Any values: the sums of what it sees."""

    def policy_values(self, observation):
        seen = observation["candidates"] if "candidates" in observation else observation["context"][:, None, :2]
        values = seen.sum(axis=-1) if "candidates" in observation else seen[:, 0]
        return np.where(observation["mask"], values, -np.inf).astype(np.float32)[None]

    def preferences(self, q):
        return q.mean(axis=0)

    def myopic_values(self, observation):
        return None

    def discount_of(self, elapsed_s):
        return np.full_like(elapsed_s, 0.9)


def written(folder, make_stage):
    found = final_evaluation(Untaught(), make_stage, FEW, seed=0, steps=100)
    metrics = MetricsFile(folder / "metrics.csv")
    metrics.log(50, {"return": 1.0, "loss": 2.0})
    metrics.log(100, {"validation_return": 1.5, "q_mean": 3.0})
    path = report.write(folder, found, folder / "metrics.csv", make_stage(1).spec, CONFIG)
    return path.read_text(), {picture.stem for picture in (folder / "pictures").iterdir()}


def test_a_report_holds_every_picture_and_needs_no_other_file(tmp_path):
    page, pictures = written(tmp_path, lambda rows: Stage(sim(rows, streamers=60, days=1), Engagement(), CapConfig()))
    assert pictures == {"curves", "comparison", "audience", "nothing", "slices", "calibration"}
    assert page.count("data:image/png;base64,") == len(pictures)
    assert not re.search(r"(src|href)=\"(?!data:)", page)
    for word in ("favourite", "short run", "&lt;b&gt;", "return, new viewers"):
        assert word in page


def test_a_star_marks_the_policy_that_was_kept(tmp_path):
    found = final_evaluation(Untaught(), lambda rows: Stage(gym(rows), Native(), CapConfig()), FEW, seed=0, steps=30)
    metrics = MetricsFile(tmp_path / "metrics.csv")
    for step, value in ((10, 1.0), (20, 9.0), (30, 8.0)):
        metrics.log(step, {"validation_return": value})
    (star,) = (
        line for line in curves(found, tmp_path / "metrics.csv", 30).axes[0].get_lines() if line.get_marker() == "*"
    )
    assert (star.get_xdata(), star.get_ydata()) == ([30], [8])


def test_a_game_has_fewer_pictures(tmp_path):
    _, pictures = written(tmp_path, lambda rows: Stage(gym(rows), Native(), CapConfig()))
    assert pictures == {"curves", "comparison", "calibration"}


def test_drawing_changes_no_style_of_others(tmp_path):
    matplotlib = pytest.importorskip("matplotlib")
    before = dict(matplotlib.rcParams)
    written(tmp_path, lambda rows: Stage(gym(rows), Native(), CapConfig()))
    assert dict(matplotlib.rcParams) == before


def test_dollars_in_names_are_no_mathematics(tmp_path):
    with style.look():
        made, (axis,) = style.figure(3, 2)
        axis.set_title("policy:$5_$/policy")
        made.savefig(tmp_path / "picture.png")
