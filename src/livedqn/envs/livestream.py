"""The simulator: viewers in an app's feed, and at each request the question whether to show them a live room.

A Gymnasium vector environment with autoreset disabled: every step answers one request of every row, and rows start
again by ``reset(options={"reset_mask": (B,) bool})``. Rows are independent sessions, each with a clock of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space, create_empty_array

from livedqn.envs import behaviour
from livedqn.envs.arrivals import Arrivals
from livedqn.envs.impression import SIGNALS, Impression, respond
from livedqn.envs.observation import HIGH, HISTORY_WIDTH, LOW, columns, observe
from livedqn.envs.retrieval import Retrieval, Served
from livedqn.envs.sessions import Sessions
from livedqn.envs.timetable import Rooms, Timetable, at
from livedqn.envs.viewers import Viewers
from livedqn.types import BoolArray, FloatArray, IntArray, LivedqnError, Observation

Infos = dict[str, Any]


class LiveStream(VectorEnv[Observation, IntArray, Any]):
    """``num_envs`` viewers of ``rooms``, who behave as ``viewers`` says.

    ``step`` pays the engagement of the request: click +1, watching more than 300 s +2, like +3. Its infos hold
    ``signals`` (name -> (B,) float32), ``elapsed_s`` (B,) and ``ids``: viewer and time_s (B,), rooms and streamers
    (B, K), int64, 0 for none. ``reset`` takes the options ``reset_mask`` and, where the rooms have splits, ``split``.

    Args:
        num_envs: B, the number of rows.
        rooms: where the rooms come from.
        viewers: how viewers behave.
        candidates: K, rooms that may be shown at a request, *nothing* included.
        history: T, how many past impressions are seen.
        max_requests: a session is truncated after so many.
        invalid: what a masked action does: "raise" an error, or count as "nothing".

    Raises:
        LivedqnError: a setting is out of its range.
    """

    def __init__(
        self, num_envs: int, rooms: Rooms, viewers: Viewers, *,
        candidates: int, history: int, max_requests: int, invalid: str,
    ) -> None:  # fmt: skip
        for name, value, least in (
            ("num_envs", num_envs, 1), ("candidates", candidates, 2), ("history", history, 1),
            ("max_requests", max_requests, 1),
        ):  # fmt: skip
            if value < least:
                raise LivedqnError(f"the environment has {name}={value}; it needs at least {least}")
        if invalid not in ("raise", "nothing"):
            raise LivedqnError(f"the environment has invalid={invalid!r}; choose raise or nothing")
        self.num_envs = num_envs
        self._rooms, self._viewers = rooms, viewers
        self._max_requests, self._invalid = max_requests, invalid
        self._quality = behaviour.quality(rooms.streamers, viewers)
        self._sessions = Sessions.empty(num_envs, rooms.topics, rooms.streamers, (history, HISTORY_WIDTH))
        self._seed, self._split = -1, ""
        self._timetable: Timetable
        self._arrivals: Arrivals
        self._retrieval: Retrieval
        self._served: Served

        named = columns(rooms.topics)
        self.metadata = {
            "autoreset_mode": AutoresetMode.DISABLED, "signals": SIGNALS, "columns": named, "episode": "session",
            "splits": rooms.splits, "render_modes": [],
        }  # fmt: skip
        self.single_action_space = spaces.Discrete(candidates)
        self.single_observation_space = spaces.Dict(
            {
                "context": spaces.Box(LOW, HIGH, (len(named["context"]),), np.float32),
                "history": spaces.Box(LOW, HIGH, (history, HISTORY_WIDTH), np.float32),
                "candidates": spaces.Box(LOW, HIGH, (candidates, len(named["candidates"])), np.float32),
                "mask": spaces.Box(0, 1, (candidates,), np.bool_),
            }
        )
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self._num_actions = candidates
        self._observation: Observation = create_empty_array(self.single_observation_space, num_envs)  # type: ignore[assignment]

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Observation, Infos]:
        """Start every row, or those of ``options["reset_mask"]``; a ``seed`` starts a world, from its beginning."""
        super().reset(seed=seed)
        options = options or {}
        split = options.get("split", self._split or next(iter(self._rooms.splits), ""))
        if split not in self._rooms.splits and split:
            raise ValueError(f"no split {split!r}; the rooms have {', '.join(self._rooms.splits) or 'none'}")
        mask = options.get("reset_mask")
        if seed is None and self._seed < 0:
            seed = int(self.np_random.integers(2**31))
        if seed is not None or split != self._split:
            self._open(self._seed if seed is None else seed, split)
            mask = None
        rows = np.arange(self.num_envs) if mask is None else np.flatnonzero(mask)
        episode = self._sessions.episode[rows] + 1
        fresh = self._arrivals.begin(rows, episode, self._sessions)
        self._sessions.replace(rows, fresh)
        if mask is None:
            self._serve()
        else:
            self._serve_some(rows, fresh)
        return self._seen(), {"ids": self._ids()}

    def step(self, actions: IntArray) -> tuple[Observation, FloatArray, BoolArray, BoolArray, Infos]:
        """Show each viewer the candidate of their action, 0 = nothing, and let them respond."""
        chosen = self._allowed(actions)
        session = self._sessions
        if session.ended.any():
            raise RuntimeError(f"row {int(session.ended.argmax())} has ended; reset it before the next step")
        entry = self._served.entry[np.arange(self.num_envs), chosen]
        impression = Impression.of(chosen > 0, entry, self._timetable)
        signals, elapsed_s = respond(session, impression, self._quality, self._viewers)
        terminated = signals["left"] > 0
        truncated = ~terminated & (session.requests >= self._max_requests)
        truncated |= ~terminated & (session.time_s >= self._timetable.end_s)
        session.ended = terminated | truncated
        self._serve()
        reward = signals["clicked"] + 2 * (signals["watch_s"] > 300) + 3 * signals["liked"]
        infos = {"signals": signals, "elapsed_s": elapsed_s, "ids": self._ids()}
        return self._seen(), reward.astype(np.float32), terminated, truncated, infos

    def state_dict(self) -> dict[str, Any]:
        """All that is needed to go on exactly: numbers, strings and tensors."""
        return {"seed": self._seed, "split": self._split, "sessions": self._sessions.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where :meth:`state_dict` was taken; the current candidates follow from the state."""
        self._open(state["seed"], state["split"])
        self._sessions.load_state_dict(state["sessions"])
        self._serve()

    def _open(self, seed: int, split: str) -> None:
        self._seed, self._split = seed, split
        self._timetable = self._rooms.timetable(seed, split)
        self._arrivals = Arrivals(seed, self._timetable, self._viewers)
        self._retrieval = Retrieval(self._timetable, self._viewers, self._num_actions)
        self._sessions.episode[:] = 0

    def _serve(self) -> None:
        """Retrieve the candidates of every row, and observe them."""
        self._served = self._retrieval(self._sessions)
        observe(self._sessions, self._served, self._timetable, self._observation)

    def _serve_some(self, rows: IntArray, fresh: Sessions) -> None:
        """Retrieve the candidates of ``rows`` (n,), whose sessions are ``fresh``, and observe them."""
        served = self._retrieval(fresh)
        observation = {name: np.empty((len(rows), *a.shape[1:]), a.dtype) for name, a in self._observation.items()}
        observe(fresh, served, self._timetable, observation)
        for name, array in self._observation.items():
            array[rows] = observation[name]
        for ours, theirs in zip(self._served, served, strict=True):
            ours[rows] = theirs

    def _seen(self) -> Observation:
        """Copies, which nobody overwrites."""
        return {name: array.copy() for name, array in self._observation.items()}

    def _ids(self) -> dict[str, IntArray]:
        rooms = self._served.mask & (np.arange(self._served.mask.shape[1]) > 0)
        return {
            "viewer": self._sessions.viewer.copy(),
            "time_s": self._sessions.time_s.astype(np.int64),
            "rooms": np.where(rooms, at(self._timetable.room, self._served.entry), 0),
            "streamers": np.where(rooms, at(self._timetable.streamer_id, self._served.entry), 0),
        }

    def _allowed(self, actions: IntArray) -> IntArray:
        """The actions that count, (B,) int64; see ``invalid``."""
        actions = np.asarray(actions)
        if actions.shape != (self.num_envs,) or actions.dtype.kind not in "iu":
            raise ValueError(f"actions are {actions.dtype} {actions.shape}; they must be integers ({self.num_envs},)")
        within = (actions >= 0) & (actions < self._served.mask.shape[1])
        valid = within & self._served.mask[np.arange(self.num_envs), np.where(within, actions, 0)]
        if self._invalid == "raise" and not valid.all():
            row = int(np.argmin(valid))
            raise ValueError(f"action {actions[row]} of row {row} is outside its mask")
        return np.where(valid, actions, 0)
