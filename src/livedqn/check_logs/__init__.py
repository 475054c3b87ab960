"""``livedqn check-logs``: what is wrong with logs, before anything is learned from them."""

from livedqn.check_logs.command import run

__all__ = ["run"]
