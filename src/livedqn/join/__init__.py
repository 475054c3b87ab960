"""From event streams to impressions with their signals, whatever order events arrive in. ``docs/joining.md`` says how.

Neither torch nor Arrow is needed: a server feeds a :class:`Joiner` and hands what is finished to a writer of logs.
"""

from livedqn.join.events import Event, Impression, Signal
from livedqn.join.joiner import Joiner
from livedqn.join.kinds import KINDS, LEAVE

__all__ = ["KINDS", "LEAVE", "Event", "Impression", "Joiner", "Signal"]
