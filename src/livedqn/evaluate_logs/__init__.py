"""``livedqn evaluate ... logs=...``: what a policy is worth, from logs of others, before it goes live."""

from livedqn.evaluate_logs.command import run

__all__ = ["run"]
