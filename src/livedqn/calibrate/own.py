"""A user's own data: what was measured in it, and what the environment's settings become by it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from livedqn import plugins
from livedqn.calibrate import rooms
from livedqn.calibrate.fit_heat import is_of_15_min, spacing
from livedqn.calibrate.fit_rooms import of_rooms
from livedqn.calibrate.fit_viewers import ROUNDS, of_impressions
from livedqn.calibrate.fits import Fit, Fits, LeftOpen, laid
from livedqn.calibrate.impressions import RequestLog
from livedqn.calibrate.published import FIGURES, OF_IMPRESSIONS, Figure
from livedqn.config import CalibrateConfig, DataConfig
from livedqn.envs import LiveStream, SimulatedRooms, Snapshots, Timetable
from livedqn.envs.rooms import BIN_S
from livedqn.types import LivedqnError, Notify

#: Statistics of steps of 15 minutes.
_STEPS = ("top_new", "top_gone", "top_jaccard", "top_change", "top_doubles", "top_ar1", "top_topic_changes")
#: Nobody asks a platform for all its rooms more often: such times are those of single rows.
LEAST_APART_S = 30.0
EnvConfig = Mapping[str, Any]


@dataclass(frozen=True)
class RoomsData:
    """Snapshots of real rooms."""

    table: Timetable
    channels: int
    found: dict[str, float]
    notes: list[str]

    @classmethod
    def read(cls, data: DataConfig, path: str, popular: float) -> RoomsData:
        """Of a CSV; snapshots that are closer than 10 minutes are thinned to one in 15.

        Raises:
            LivedqnError: it cannot be read, or speaks of too few rooms.
        """
        snapshots = Snapshots.read(path, "data.rooms", data.tolerated)
        notes = bad_rows("data.rooms", snapshots.bad, len(snapshots.snapshot))
        if len(snapshots.times_s) < 2 or len(np.unique(snapshots.columns["stream_id"])) < rooms.ENOUGH:
            raise LivedqnError(f"data.rooms={path} has {len(snapshots.times_s)} snapshots of "
                               f"{len(np.unique(snapshots.columns['stream_id']))} rooms; it takes 2 of "
                               f"{rooms.ENOUGH}, and says more with thousands")  # fmt: skip
        apart_s = float(np.median(np.diff(snapshots.times_s)))
        if apart_s < LEAST_APART_S:
            raise LivedqnError(f"data.rooms={path} has snapshots {apart_s:.3g} s apart, as if each row were one; "
                               "give all rows of a snapshot the same snapshot_time_utc")  # fmt: skip
        if apart_s < BIN_S / 1.5:
            snapshots = snapshots.every(BIN_S)
            notes.append("data.rooms: one snapshot in 15 min is taken, as simulated rooms have")
        channels = snapshots.streamers  # of those that were never live nothing is known, and nothing shows them
        categories = len(np.unique(snapshots.columns["game_id"]))
        table = snapshots.timetable(snapshots.topics(categories + 1))
        found = rooms.statistics(table, channels, popular)
        if not is_of_15_min(table):
            notes.append(f"data.rooms: snapshots are {spacing(table) / 60:.0f} min apart, so nothing is said of 15 min")
            found |= {name: math.nan for name in found if name.startswith(_STEPS)}
        return cls(table, channels, found, notes)


def bad_rows(name: str, bad: tuple[str, ...], good: int) -> list[str]:
    """A line that counts the wrong rows beside the ``good`` ones, and shows the first."""
    of = len(bad) + good
    return [f"{name}: {len(bad):,} of {of:,} rows are wrong and left out; the first: {bad[0]}"] if bad else []


def figures(found: Mapping[str, float]) -> list[Figure]:
    """What the data say, as figures."""
    known = {name: value for name, value in found.items() if not math.isnan(value)}
    return [figure.of(known[figure.name], "data") for figure in (*FIGURES, *OF_IMPRESSIONS) if figure.name in known]


def simulated_rooms(env: EnvConfig, config: CalibrateConfig, popular: float) -> dict[str, float]:
    """The statistics of simulated rooms."""
    built = build(env, 1)
    return rooms.statistics(built.rooms.timetable(config.seed, ""), built.rooms.streamers, popular)


def fitted_to_rooms(env: EnvConfig, data: RoomsData) -> Fits:
    """What the rooms say of the settings of ``env``.

    Raises:
        LivedqnError: its rooms are not simulated.
    """
    simulated = build(env, 1).rooms
    if not isinstance(simulated, SimulatedRooms) or "platform" not in env:
        raise LivedqnError(f"env {env['plugin']} has rooms of its own, so data.rooms could fit nothing; leave it out")
    return of_rooms(data.table, data.channels, simulated.platform)


def fitted_to_impressions(
    env: EnvConfig, data: RequestLog, asked: RequestLog, config: CalibrateConfig, notify: Notify
) -> tuple[Fits, RequestLog]:
    """What the impressions say of the settings of ``env``, and what viewers with these settings do.

    Args:
        env: its settings.
        data: what real viewers did.
        asked: what its own did.
        config: how many requests there are, and their seed.
        notify: takes what is being done, and how many steps of how many are done.

    Raises:
        LivedqnError: it has no settings of viewers.
    """
    if "viewers" not in env:
        raise LivedqnError(f"env {env['plugin']} has no settings named viewers, which impressions could fit")
    fits: Fits = []
    for _ in range(ROUNDS):
        fits = _settled(fits, of_impressions(data, asked, build(laid(env, fits), 1).viewers))
        asked = RequestLog.played(build(laid(env, fits), config.num_envs), config.requests, config.seed, notify)
    return fits, asked


def _settled(earlier: Fits, now: Fits) -> Fits:
    """``now``, but the ``earlier`` fit of what has become so rare among simulated viewers that they say no more."""
    fitted = {one.setting: one for one in earlier if isinstance(one, Fit)}
    settled: Fits = []
    for one in now:
        if isinstance(one, LeftOpen) and fitted.keys() >= set(one.settings):
            settled += [fitted[name] for name in one.settings]
        else:
            settled.append(one)
    return settled


def build(env: EnvConfig, num_envs: int) -> LiveStream:
    """The environment of these settings.

    Raises:
        LivedqnError: it has no rooms, or cannot be built.
    """
    built = plugins.build("env", env, num_envs)
    if not isinstance(built, LiveStream):
        raise LivedqnError(f"env {env['plugin']} is no livedqn.envs.LiveStream, whose rooms could be compared")
    return built
