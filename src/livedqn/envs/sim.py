"""The plugin ``env=sim``: simulated viewers of simulated rooms."""

from __future__ import annotations

from livedqn.envs.livestream import LiveStream
from livedqn.envs.platform import MEASURED, Platform
from livedqn.envs.rooms import SimulatedRooms
from livedqn.envs.viewers import TYPICAL, Viewers


def sim(
    num_envs: int, *, streamers: int = 300, topics: int = 8, days: int = 7, topic_changes: float = 1.0,
    popular: float = 1.0, past_broadcasts: float = 60.0, candidates: int = 20, history: int = 10,
    max_requests: int = 200, episode: str = "session", platform: Platform = MEASURED,
    viewers: Viewers = TYPICAL, invalid: str = "raise", reveals: tuple[str, ...] = (),
) -> LiveStream:  # fmt: skip
    """Simulated viewers of simulated live rooms.

    Args:
        num_envs: viewers at once.
        streamers: who broadcast, the same in every world; about one in twelve is live at a time.
        topics: topics of rooms, and of viewers' tastes.
        days: length of a world.
        topic_changes: how often rooms change their topic, times as often as was measured; 0 = never.
        popular: the streamers are this most popular share of a platform's; 1 = they are all there are.
        past_broadcasts: of a streamer, before the world begins, in the median.
        candidates: rooms that may be shown at a request, *nothing* included.
        history: how many past impressions are seen.
        max_requests: an episode is truncated in a visit of so many.
        episode: session (one visit; leaving ends it), or viewer (visit after visit, until they never come back).
        platform: when streamers go live and for how long, and how many watch them.
        viewers: how viewers behave.
        invalid: what a masked action does: raise (an error), or nothing (it counts as *nothing*).
        reveals: what is hidden otherwise and seen here, to find out what it would be worth: any of boredom, openness
            and patience of the viewer, and taste, quality and moment of each room.
    """
    rooms = SimulatedRooms(
        streamers=streamers, topics=topics, days=days, topic_changes=topic_changes,
        popular=popular, past_broadcasts=past_broadcasts, platform=platform,
    )  # fmt: skip
    return LiveStream(
        num_envs, rooms, viewers,
        candidates=candidates, history=history, max_requests=max_requests, episode=episode, invalid=invalid,
        reveals=reveals,
    )  # fmt: skip
