"""What is hidden otherwise, as further columns of the observation: is it the observation that a policy lacks?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from livedqn.envs.hidden import Hidden
from livedqn.envs.moments import is_moment, window_bits
from livedqn.envs.sessions import TASTE
from livedqn.kernel import kernel
from livedqn.types import Column, FloatArray, LivedqnError, Observation

#: Of the viewer, and of each room: their taste for its topic, its streamer's quality, and whether it has a moment.
OF_VIEWER, OF_ROOM = ("boredom", "openness", "patience"), ("taste", "quality", "moment")


class Revealed:
    """Adds ``names`` to observations, those of the viewer to ``context`` and those of rooms to ``candidates``.

    Raises:
        LivedqnError: nothing that is hidden has such a name.
    """

    def __init__(self, names: Sequence[str]) -> None:
        unknown = [name for name in names if name not in (*OF_VIEWER, *OF_ROOM)]
        if unknown:
            known = ", ".join((*OF_VIEWER, *OF_ROOM))
            raise LivedqnError(f"the environment has reveals={unknown[0]}; what it can reveal are {known}")
        self._of_viewer = [name for name in OF_VIEWER if name in names]
        self._of_room = [i for i, name in enumerate(OF_ROOM) if name in names]

    def __bool__(self) -> bool:
        return bool(self._of_viewer or self._of_room)

    @property
    def columns(self) -> dict[str, tuple[Column, ...]]:
        """Those that are added to each array."""
        return {
            "context": tuple(Column(name) for name in self._of_viewer),
            "candidates": tuple(Column(OF_ROOM[i]) for i in self._of_room),
        }

    def to(self, observation: Observation, hidden: Hidden) -> Observation:
        """``observation`` (B, ...) with its further columns, in arrays of their own."""
        shape = observation["mask"].shape
        rooms = np.zeros((*shape, len(OF_ROOM)), np.float32)
        _look(hidden, rooms)
        viewer = [hidden.sessions.visit[name].astype(np.float32)[:, None] for name in self._of_viewer]
        return {
            **observation,
            "context": np.concatenate([observation["context"], *viewer], axis=1),
            "candidates": np.concatenate([observation["candidates"], rooms[..., self._of_room]], axis=2),
        }


@kernel
def _look(hidden: Hidden, out: FloatArray) -> None:
    """Write what is OF_ROOM, (B, K, 3); *nothing*, and what is no room, keeps its zeros."""
    session, served, listing, quality, viewers, _ = hidden
    v = viewers[0]
    for row in range(len(out)):
        s = session.visit[row]
        for k in range(1, served.rooms[row] + 1):
            room = listing.rooms_live[s.bin, served.place[row, k]]
            out[row, k, 0] = session.tastes[row, TASTE, room.topic]
            out[row, k, 1] = quality[room.streamer]
            out[row, k, 2] = is_moment(window_bits(listing.rooms[room.room], s.time_s, v), v)
