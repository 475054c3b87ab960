"""The command ``calibrate``: what it prints, what it leaves, what it refuses."""

import csv
from pathlib import Path

import pytest

from livedqn.calibrate import FIGURES


def test_table_file_and_picture(livedqn):
    outcome = livedqn("calibrate", "+env=sim", "env.days=2", "env.streamers=400", "requests=4000", "hydra.run.dir=run")
    assert outcome.code == 0, outcome.err
    assert outcome.out.splitlines()[-1] == "run"
    assert "asking viewers" in outcome.err
    rows = list(csv.DictReader(Path("run/calibration.csv").read_text().splitlines()))
    assert [row["name"] for row in rows] == [figure.name for figure in FIGURES]
    by_name = {row["name"]: row for row in rows}
    live = by_name["live"]
    assert (float(live["published"]), float(live["low"]), float(live["high"])) == (0.079, 0.059, 0.099)
    assert live["is_met"] == str(0.059 <= float(live["found"]) <= 0.099)
    assert by_name["gift_q99"]["found"] == by_name["gift_q99"]["is_met"] == ""  # 4,000 requests bring few gifts
    met = sum(row["is_met"] == "True" for row in rows)
    known = sum(row["found"] != "" for row in rows)
    assert f"{met} of {known} are met; {len(rows) - known} need more rooms, days or clicks (-)" in outcome.out
    assert "channels that are live, share" in outcome.out
    assert "tail: 16,595 Twitch channels, July 2019; top: 100 popular French channels" in outcome.out
    assert Path("run/calibration.png").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["env=gym", "env.id=CartPole-v1"], "env gym is no livedqn.envs.LiveStream"),
        (["reward=watchtime"], "calibrate asks no policy, so reward cannot be set; only env can be chosen"),
        (["popular=0"], "popular=0.0 is no share"),
        (["requests=0"], "requests=0 must be 1 or more"),
        (["seed=-1"], "seed=-1 is out of range"),
        (["nosuch=1"], "there is no setting 'nosuch'; it has: seed, num_envs, requests, popular, env"),
    ],
)
def test_refusals(livedqn, words, why):
    outcome = livedqn("calibrate", *words)
    assert why in outcome.error
    assert not list(Path().iterdir())
