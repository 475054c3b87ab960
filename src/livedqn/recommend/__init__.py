"""``livedqn recommend``: a policy that answers lines of JSON, for trying it out and for pipes."""

from livedqn.recommend.command import answer, run
from livedqn.recommend.request import observe, parse

__all__ = ["answer", "observe", "parse", "run"]
