"""``livedqn recommend``: a policy that answers lines of JSON, for trying it out and for pipes."""

from livedqn.recommend.command import answer, run

__all__ = ["answer", "run"]
