"""How much can a platform know of its viewers' tastes? Asked of the simulator, whose tags claim to tell just that.

python -m benchmarks.learning.tags
python -m benchmarks.learning.tags --env sim_hard

A hundred viewers come again and again and are shown rooms at random. After so many sessions of each their tastes are
estimated as well as anybody could who knows the simulator's equations and settings, boredom and streamers' quality
included, but neither tastes nor openness: the most probable ones, given all clicks and minutes (a Gaussian prior, the
logistic chance of a click, the lognormal time watched; Newton's method). The table has the correlation of that
estimate with the tastes beside that of the tags, sqrt(n / (n + tag_sessions)).
"""

from __future__ import annotations

import argparse

import numpy as np

from benchmarks.learning.schedules import composed
from livedqn import plugins
from livedqn.envs.behaviour import sigmoid
from livedqn.envs.columns import AFFINITY
from livedqn.envs.sessions import TASTE
from livedqn.envs.viewers import Viewers
from livedqn.types import FloatArray, IntArray

SESSIONS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
ROWS, VIEWERS = 512, 100
#: Of an impression.
VIEWER, TOPIC, LOGIT, CLICKED, EXCESS, EARLIER = range(6)
NEWTON_STEPS = 25


def impressions(env: str, steps: int) -> tuple[FloatArray, FloatArray, Viewers]:
    """Rooms shown at random, and what came of them.

    Returns:
        (n, 6): whose, of which topic, the log-odds of a click for a taste and an openness of 0, whether it was clicked,
        ln seconds watched beyond those for a taste of 0, and how many sessions of the viewer had begun before; the
        tastes (viewers, topics); and the settings.
    """
    config = composed([f"+env={env}", f"env.viewers.population={VIEWERS}"])["env"]
    sim = plugins.build("env", config, ROWS)
    v, rng, each = sim.viewers, np.random.default_rng(0), np.arange(ROWS)
    tastes, begun, found = np.full((VIEWERS, sim.rooms.topics), np.nan), np.zeros(VIEWERS), []
    earlier = np.zeros(ROWS)

    def begin(rows: IntArray, whose: IntArray) -> None:
        """Several rows may have the same viewer at once: sessions are numbered as they begin, not as they end."""
        for row in rows:
            earlier[row] = begun[whose[row]]
            begun[whose[row]] += 1

    seen, infos = sim.reset(seed=5)
    quality = sim.hidden.quality
    begin(each, infos["ids"]["viewer"])
    for _ in range(steps):
        hidden, whose = sim.hidden, infos["ids"]["viewer"]
        visit = hidden.sessions.visit
        tastes[whose] = hidden.sessions.tastes[:, TASTE, 1:]
        action = (rng.random(ROWS) * seen["mask"].sum(axis=1)).astype(int)
        place, last = hidden.served.place[each, action], hidden.listing.live[visit["bin"]] - 1
        room = hidden.listing.rooms_live[visit["bin"], place]
        fit = quality[room["streamer"]] + v.familiarity * np.log1p(seen["candidates"][each, action, AFFINITY] / 10)
        crowd = (last - place) / np.maximum(last, 1) - 0.5
        logit = v.click_bias + v.click_fit * fit + v.click_crowd * crowd - v.click_boredom * visit["boredom"]
        topic = room["topic"]
        seen, _, terminated, truncated, infos = sim.step(action)
        signals = infos["signals"]
        excess = np.log(np.maximum(signals["watch_s"], 1e-3) / v.watch_median_s) - v.watch_fit * fit
        rows = np.stack([whose, topic - 1.0, logit, signals["clicked"], excess, earlier], axis=1)
        found.append(rows[action > 0])
        ended = terminated | truncated
        if ended.any():
            seen, infos = sim.reset(options={"reset_mask": ended})
            begin(np.flatnonzero(ended), infos["ids"]["viewer"])
    return np.concatenate(found), tastes, v


def most_probable(rows: FloatArray, topics: int, v: Viewers) -> FloatArray:
    """The tastes (topics,) of one viewer, given the impressions (n, 6)."""
    clicked, topic = rows[:, CLICKED] > 0, rows[:, TOPIC].astype(int)
    one = np.eye(topics + 1)
    to_click = v.click_fit * one[topic] + one[topics]
    to_watch = v.watch_fit * one[topic[clicked]] / v.watch_log_sd
    excess = rows[clicked, EXCESS] / v.watch_log_sd
    precision = np.diag([*np.ones(topics), v.click_openness_sd**-2])
    x = np.zeros(topics + 1)
    for _ in range(NEWTON_STEPS):
        chance = sigmoid(rows[:, LOGIT] + to_click @ x)
        slope = to_click.T @ (rows[:, CLICKED] - chance) + to_watch.T @ (excess - to_watch @ x) - precision @ x
        bend = to_click.T @ (to_click * (chance * (1 - chance))[:, None]) + to_watch.T @ to_watch + precision
        x = x + np.linalg.solve(bend, slope)
    return np.asarray(x[:topics])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--env", default="sim", help="sim or a preset of it")
    parser.add_argument("--steps", type=int, default=3_000, help=f"requests of each of {ROWS} rows")
    told = parser.parse_args()
    rows, tastes, v = impressions(told.env, told.steps)
    mine = [rows[rows[:, VIEWER] == viewer] for viewer in range(VIEWERS)]
    print(f"{told.env}: tag_sessions={v.tag_sessions:g}\nsessions  viewers  could be known  tags tell")
    for n in SESSIONS:
        known = [i for i, own in enumerate(mine) if len(own) and own[:, EARLIER].max() >= n]
        if len(known) < VIEWERS // 2:
            break
        estimates = [most_probable(own[own[:, EARLIER] < n], tastes.shape[1], v) for own in (mine[i] for i in known)]
        correlation = np.corrcoef(np.ravel(estimates), tastes[known].ravel())[0, 1]
        tags = np.sqrt(n / (n + v.tag_sessions))
        print(f"{n:8}  {len(known):7}  {correlation:14.2f}  {tags:9.2f}", flush=True)


if __name__ == "__main__":
    main()
