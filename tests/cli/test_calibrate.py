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
    assert live["found_is_met"] == str(0.059 <= float(live["found"]) <= 0.099)
    assert by_name["gift_q99"]["found"] == by_name["gift_q99"]["found_is_met"] == ""  # 4,000 requests bring few gifts
    met = sum(row["found_is_met"] == "True" for row in rows)
    known = sum(row["found"] != "" for row in rows)
    assert f"{met} of {known} are met; {len(rows) - known} need more rooms, days or clicks (-)" in outcome.out
    assert "channels that are live, share" in outcome.out
    assert "tail: 16,595 Twitch channels, July 2019; top: 100 popular French channels" in outcome.out
    assert Path("run/calibration.png").stat().st_size > 10_000
    assert "streamers: 400" in Path("run/config.yaml").read_text()


def test_own_data_become_a_preset(livedqn, own_data):
    own_data(Path())
    words = ["env.days=8", "env.streamers=60", "env.history=7", "requests=20000", "num_envs=200", "hydra.run.dir=a run"]
    outcome = livedqn("calibrate", "+env=sim", "data.rooms=rooms.csv.gz", "data.impressions=log.csv.gz", *words)
    assert outcome.code == 0, outcome.err
    assert outcome.out.splitlines()[-2:] == ["a run", "fitted: livedqn --config-dir 'a run' env=fitted"]
    fits = {row["setting"]: row for row in csv.DictReader(Path("a run/fit.csv").read_text().splitlines())}
    assert float(fits["viewers.click_bias"]["fitted"]) == pytest.approx(-1.0, abs=0.3)
    assert float(fits["viewers.feed_median_s"]["fitted"]) == pytest.approx(20, rel=0.1)
    assert fits["viewers.gift_share"]["why_not"] == "there is no column gift_value"
    assert "viewers.leave_bias" in outcome.out  # and why not
    rows = list(csv.DictReader(Path("a run/calibration.csv").read_text().splitlines()))
    met = {label: sum(row[f"{label}_is_met"] == "True" for row in rows) for label in ("before", "after")}
    assert met["after"] > 1.5 * met["before"]
    assert "env/fitted.yaml" not in outcome.out and Path("a run/calibration.png").exists()
    for words in (["env=fitted"], ["calibrate", "env=fitted"]):
        again = livedqn(*words, "--config-dir", "a run", "--cfg", "job")
        assert again.code == 0, again.err
        assert f"click_bias: {fits['viewers.click_bias']['fitted']}\n" in again.out
        assert "history: 7" in again.out and "plugin: sim" in again.out


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["env=gym", "env.id=CartPole-v1"], "env gym is no livedqn.envs.LiveStream"),
        (["reward=watchtime"], "calibrate trains no policy, so reward cannot be set; only env can be chosen"),
        (["popular=0"], "popular=0.0 is no share"),
        (["requests=0"], "requests=0 must be 1 or more"),
        (["seed=-1"], "seed=-1 is out of range"),
        (["nosuch=1"], "there is no setting 'nosuch'; it has: seed, num_envs, requests, popular, data, env"),
        (
            ["data.rooms=none.csv"],
            "data.rooms=none.csv cannot be read ([Errno 2] No such file or directory: 'none.csv')",
        ),
        (["data.impressions=none.csv"], "data.impressions=none.csv cannot be read"),
        (["data.rooms="], "data.rooms= has no value"),
        (["data.tolerated=1"], "data.tolerated=1.0 is no share"),
    ],
)
def test_refusals(livedqn, words, why):
    outcome = livedqn("calibrate", *words)
    assert why in outcome.error
    assert not list(Path().iterdir())


def test_rows_with_times_of_their_own_are_no_snapshots(livedqn):
    lines = ["snapshot_time_utc,stream_id,streamer_id,game_id,started_at_utc,viewer_count"]
    lines += [f"2020-01-01T12:{half * 15:02}:{room:02},{room},{room},chat,2020-01-01T12:00:00,7"
              for half in range(4) for room in range(1, 40)]  # fmt: skip
    Path("rooms.csv").write_text("\n".join(lines))
    outcome = livedqn("calibrate", "data.rooms=rooms.csv")
    assert "data.rooms=rooms.csv has snapshots 1 s apart, as if each row were one; give all rows" in outcome.error


LOG = "viewer,time_s,room,clicked,watch_s"


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ([], "has no rows; name a CSV of impressions"),
        ([LOG], "has no rows"),
        (
            [LOG.replace("watch_s", "watched")],
            "lacks the columns watch_s; it owes viewer, time_s, room, clicked, watch_s",
        ),
        ([LOG, "7,1,3,yes,0"], "line 2: clicked='yes' is neither 0 nor 1; correct or remove this row"),
        ([LOG, '7,1,"3,0,0', "8,1,3,0,0"], "cannot be read (from line 2 on: unexpected end of data)"),
        ([LOG, "7,1,3,0,0", '8,1,"Best "stream" ever",0,0'], "line 3: ',' expected after '\"'"),
        ([LOG, f"7,1,{1_001 * 'r'},0,0"], "line 2: room='rrrr"),
        ([LOG, "7,1,3,1,-4"], "line 2: watch_s='-4' is no number that is finite and not below 0"),
        ([LOG, "7,1,,1,4"], "line 2: clicked='1' though room is empty: nothing was shown"),
        ([LOG, "7,1,3,0,4"], "line 2: watch_s='4' of a room that was not clicked"),
        ([LOG, ",1,3,0,0"], "line 2: viewer='' is empty; correct or remove this row"),
        ([f"{LOG},session", "7,1,3,0,0,"], "line 2: session='' is empty"),
        ([LOG, "7,1,3,0"], "line 2: watch_s is missing, for the row ends before it"),
        ([f"{LOG},gift_value,gift_delay_s", "7,1,3,1,4,0,9"], "line 2: gift_delay_s='9' without a gift_value"),
        ([LOG, *2 * ["7,1,3,0,0"]], "line 3: viewer='7' has this room at this time_s already, in line 2"),
    ],
)
def test_impressions_that_cannot_be_true(livedqn, lines, why):
    Path("log.csv").write_text("\n".join(lines))
    outcome = livedqn("calibrate", "data.impressions=log.csv", "requests=1")
    assert f"data.impressions=log.csv{', ' if why.startswith('line') else ' '}{why}" in outcome.error
    assert [path.name for path in Path().iterdir()] == ["log.csv"]


def test_a_few_wrong_rows_are_counted_and_shown(livedqn):
    rows = [f"{viewer},{time},3,{int(time == 30)},{int(time == 30)}" for viewer in range(50) for time in (0, 30, 60)]
    Path("log.csv").write_text("\n".join([LOG, "7,x,3,0,0", *rows]))
    words = ["env.days=1", "env.streamers=60", "requests=1000", "num_envs=100", "hydra.run.dir=run"]
    outcome = livedqn("calibrate", "data.impressions=log.csv", *words)
    assert "data.impressions: 1 of 151 rows are wrong and left out; the first: line 2: time_s='x'" in outcome.out
    refused = livedqn("calibrate", "data.impressions=log.csv", "data.tolerated=0", *words)
    assert "line 2: time_s='x' is no number" in refused.error
