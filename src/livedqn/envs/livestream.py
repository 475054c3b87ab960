"""The simulator: viewers in an app's feed, and at each request the question whether to show them a live room.

A Gymnasium vector environment with autoreset disabled: every step answers one request of every row, and rows start
again by ``reset(options={"reset_mask": (B,) bool})``. Rows are independent viewers, each with a clock of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from livedqn.envs import behaviour
from livedqn.envs.arrivals import Arrivals, begin
from livedqn.envs.columns import HIGH, HISTORY_WIDTH, LOW, columns
from livedqn.envs.hidden import Hidden
from livedqn.envs.impression import SIGNALS, Outcome, respond
from livedqn.envs.listing import Listing
from livedqn.envs.observation import IDS, Seen
from livedqn.envs.recycled import Lent, Recycled
from livedqn.envs.retrieval import Race, Served
from livedqn.envs.revealed import Revealed
from livedqn.envs.rows import rows_of
from livedqn.envs.serving import serve
from livedqn.envs.sessions import Sessions
from livedqn.envs.timetable import Rooms, Timetable
from livedqn.envs.viewers import Viewers
from livedqn.types import BoolArray, FloatArray, IntArray, LivedqnError, Observation

Infos = dict[str, Any]
EPISODES = ("session", "viewer")


class LiveStream(VectorEnv[Observation, IntArray, Any]):
    """``num_envs`` viewers of ``rooms``, who behave as ``viewers`` says.

    ``step`` pays the engagement of the request: click +1, watching more than 300 s +2, like +3. Its infos hold
    ``signals`` (name -> (B,) float32), ``elapsed_s`` (B,) and ``ids``: viewer and time_s (B,), rooms and streamers
    (B, K), int64, 0 for none. ``reset`` takes the options ``reset_mask`` and, where the rooms have splits, ``split``;
    and with a seed ``distinct``: rows so many apart are the same viewers, with the same luck, until the next seed.

    Args:
        num_envs: B, the number of rows.
        rooms: where the rooms come from.
        viewers: how viewers behave.
        candidates: K, rooms that may be shown at a request, *nothing* included.
        history: T, how many past impressions are seen.
        max_requests: an episode is truncated in a visit of so many.
        episode: "session", one visit: leaving terminates; or "viewer", all visits of one to this world: leaving is
            a step whose ``elapsed_s`` covers the absence, and only whoever never comes back terminates.
        invalid: what a masked action does: "raise" an error, or count as "nothing".
        reveals: what is hidden otherwise and seen here, see :class:`~livedqn.envs.revealed.Revealed`.

    Raises:
        LivedqnError: a setting is out of its range.
    """

    def __init__(
        self, num_envs: int, rooms: Rooms, viewers: Viewers, *,
        candidates: int, history: int, max_requests: int, episode: str, invalid: str, reveals: Sequence[str] = (),
    ) -> None:  # fmt: skip
        for name, value, least in (
            ("num_envs", num_envs, 1), ("candidates", candidates, 2), ("history", history, 1),
            ("max_requests", max_requests, 1),
        ):  # fmt: skip
            if value < least:
                raise LivedqnError(f"the environment has {name}={value}; it needs at least {least}")
        if invalid not in ("raise", "nothing"):
            raise LivedqnError(f"the environment has invalid={invalid!r}; choose raise or nothing")
        if episode not in EPISODES:
            raise LivedqnError(f"the environment has episode={episode!r}; choose {' or '.join(EPISODES)}")
        self.num_envs = num_envs
        self.rooms, self.viewers, self._settings = rooms, viewers, viewers.as_record()
        self._comes_back, self._max_requests, self._invalid = episode == "viewer", max_requests, invalid
        self._revealed = Revealed(reveals)
        self._quality = behaviour.quality(rooms.streamers, viewers)
        self._sessions = Sessions.empty(num_envs, rooms.topics, rooms.streamers, (history, HISTORY_WIDTH))
        self._seed, self._split, self._distinct = -1, "", num_envs
        self._served = Served.empty(num_envs, candidates)
        self._every_row = np.arange(num_envs)
        self._timetable: Timetable
        self._arrivals: Arrivals
        self._listing: Listing
        self._race: Race

        named = columns(rooms.topics)
        seen = {array: (*own, *self._revealed.columns.get(array, ())) for array, own in named.items()}
        self.metadata = {
            "autoreset_mode": AutoresetMode.DISABLED, "signals": SIGNALS, "columns": seen, "episode": episode,
            "splits": rooms.splits, "distinct": True, "overwrites": False, "render_modes": [],
        }  # fmt: skip
        self.single_action_space = spaces.Discrete(candidates)
        self.single_observation_space = spaces.Dict(
            {
                "context": spaces.Box(LOW, HIGH, (len(seen["context"]),), np.float32),
                "history": spaces.Box(LOW, HIGH, (history, HISTORY_WIDTH), np.float32),
                "candidates": spaces.Box(LOW, HIGH, (candidates, len(seen["candidates"])), np.float32),
                "mask": spaces.Box(0, 1, (candidates,), np.bool_),
            }
        )
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        forms: dict[str, Any] = {
            "context": ((num_envs, len(named["context"])), np.float32),
            "history": ((num_envs, history, HISTORY_WIDTH), np.float32),
            "candidates": ((num_envs, candidates, len(named["candidates"])), np.float32),
            "mask": ((num_envs, candidates), np.bool_),
        }
        ids = (num_envs, candidates), np.int64
        row = (num_envs,), np.int64
        self._answers = Recycled({**forms, "viewer": row, "time_s": row, "rooms": ids, "streamers": ids})
        self._present: Lent | None = None  # what is seen now, while nobody else has it

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Observation, Infos]:
        """Start every row, or those of ``options["reset_mask"]``; a ``seed`` starts a world, from its beginning."""
        super().reset(seed=seed)
        options = options or {}
        split = options.get("split", self._split or next(iter(self.rooms.splits), ""))
        if split not in self.rooms.splits and split:
            raise ValueError(f"no split {split!r}; the rooms have {', '.join(self.rooms.splits) or 'none'}")
        rows = rows_of(options.get("reset_mask"), self.num_envs)
        if seed is None and self._seed < 0:
            seed = int(self.np_random.integers(2**31))
        if seed is not None or split != self._split:
            distinct = self._distinct if seed is None else options.get("distinct", self.num_envs)
            self._open(self._seed if seed is None else seed, split, distinct)
            rows = self._every_row
        begin(rows, self._distinct, self._sessions, self._listing, self._arrivals, self._settings)
        present = self._serve(rows)
        self._present = None
        return self._answer(present)

    def step(self, actions: IntArray) -> tuple[Observation, FloatArray, BoolArray, BoolArray, Infos]:
        """Show each viewer the candidate of their action, 0 = nothing, and let them respond."""
        ended = self._sessions.ended
        if ended.any():
            raise RuntimeError(f"row {int(ended.argmax())} has ended; reset it before the next step")
        chosen = self._allowed(actions)
        outcome = Outcome.empty(self.num_envs)
        respond(
            chosen, self._comes_back, self._max_requests, self._sessions, self._served, self._listing, self._quality,
            self._settings, outcome,
        )  # fmt: skip
        # a copy is handed out, and the original waits for a restart of a few rows
        observation, infos = self._answer(self._answers.copy(self._serve(self._every_row)))
        infos |= {"signals": dict(zip(SIGNALS, outcome.signals, strict=True)), "elapsed_s": outcome.elapsed_s}
        return observation, outcome.reward, outcome.terminated, outcome.truncated, infos

    @property
    def bytes_per_viewer(self) -> float:
        """Memory that a row takes: its session, and three of its observations.

        One is what is seen now; a copy is handed out, and the user mostly holds the one before too.
        """
        state = self._sessions.nbytes + sum(array.nbytes for array in self._served)
        return (state + 3 * self._answers.nbytes) / self.num_envs

    @property
    def hidden(self) -> Hidden:
        """The state itself since the last :meth:`reset`, for oracles that other policies are measured against."""
        return Hidden(
            self._sessions, self._served, self._listing, self._quality, self._settings, self._max_requests
        )  # fmt: skip

    def __getstate__(self) -> dict[str, Any]:
        # a copy of what is seen now would be views of one memory and the memory apart: it sees anew
        return {**self.__dict__, "_present": None}

    def state_dict(self) -> dict[str, Any]:
        """All that is needed to go on exactly: numbers, strings and tensors."""
        world = {"seed": self._seed, "split": self._split, "distinct": self._distinct}
        return {**world, "sessions": self._sessions.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where :meth:`state_dict` was taken; the current candidates follow from the state."""
        # a state from before rows could be alike does not say so
        self._open(state["seed"], state["split"], state.get("distinct", self.num_envs))
        self._sessions.load_state_dict(state["sessions"])
        self._serve(self._every_row)

    def _open(self, seed: int, split: str, distinct: int) -> None:
        if distinct < 1:
            raise ValueError(f"distinct={distinct}; at least one row is")
        self._seed, self._split, self._distinct = seed, split, distinct
        self._timetable = self.rooms.timetable(seed, split)
        self._timetable.require(self.rooms.streamers, self.rooms.topics)
        self._listing = Listing.of(self._timetable, self.viewers, seed)
        self._arrivals = Arrivals.to(seed, self._timetable, self.viewers, self.rooms.topics, self.rooms.streamers)
        self._race = Race.of(self._listing.rooms_live.shape[1])
        self._sessions.visit["episode"] = 0

    def _serve(self, rows: IntArray) -> Lent:
        """Candidates and observation of every row, of which only those of ``rows`` have changed."""
        present = self._present or self._answers.lend()
        if self._present is None:
            rows, self._present = self._every_row, present
        seen = Seen(**present.arrays)
        serve(rows, self._sessions, self._listing, self._settings, self._race, self._served, seen)
        return present

    def _answer(self, lent: Lent) -> tuple[Observation, Infos]:
        """What is handed out of these arrays: the observation, and the ids in its infos."""
        ids = {name: array for name, array in lent.arrays.items() if name in IDS}
        observation = {name: array for name, array in lent.arrays.items() if name not in IDS}
        return self._revealed.to(observation, self.hidden) if self._revealed else observation, {"ids": ids}

    def _allowed(self, actions: IntArray) -> IntArray:
        """The actions that count, (B,) int64; see ``invalid``."""
        actions = np.asarray(actions)
        if actions.shape != (self.num_envs,) or actions.dtype.kind not in "iu":
            raise ValueError(f"actions are {actions.dtype} {actions.shape}; they must be integers ({self.num_envs},)")
        valid = (actions >= 0) & (actions <= self._served.rooms)
        if self._invalid == "raise" and not valid.all():
            row = int(np.argmin(valid))
            raise ValueError(f"action {actions[row]} of row {row} is outside its mask")
        return np.where(valid, actions, 0).astype(np.int64, copy=False)
