"""Environments: simulated live streams, and every Gymnasium environment with discrete actions.

Importing this package registers the simulator with Gymnasium, as one viewer and as many::

    gymnasium.make("livedqn.envs:livedqn/LiveStream-v0")
    gymnasium.make_vec("livedqn.envs:livedqn/LiveStream-v0", num_envs=64, vectorization_mode="vector_entry_point")

Other libraries know no masks, so there a masked action counts as *nothing* instead of raising an error.

To build an environment of your own rooms, hand :class:`LiveStream` anything that is :class:`Rooms`, and
:class:`Viewers` for how viewers behave.
"""

from gymnasium.envs.registration import register

from livedqn.envs.livestream import LiveStream
from livedqn.envs.platform import MEASURED, Platform
from livedqn.envs.rooms import SimulatedRooms
from livedqn.envs.snapshots import Snapshots
from livedqn.envs.timetable import Rooms, Timetable
from livedqn.envs.viewers import TYPICAL, Viewers

__all__ = [
    "MEASURED", "TYPICAL", "LiveStream", "Platform", "Rooms", "SimulatedRooms", "Snapshots", "Timetable", "Viewers",
]  # fmt: skip

register(
    id="livedqn/LiveStream-v0",
    entry_point="livedqn.envs.single:SingleViewer",
    vector_entry_point="livedqn.envs.sim:sim",
    kwargs={"invalid": "nothing"},
)
