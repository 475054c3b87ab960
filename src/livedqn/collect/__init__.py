"""``livedqn collect``: logs of a policy that plays an environment."""

from livedqn.collect.command import run

__all__ = ["run"]
