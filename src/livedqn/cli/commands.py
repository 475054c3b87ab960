"""The commands: what the command line has to know of each to read its words. What each does is in ``jobs``."""

from __future__ import annotations

from typing import NamedTuple

from livedqn import config
from livedqn.plugins.discover import KINDS


class Command(NamedTuple):
    """The first word of a command line."""

    help: str  # what it is for
    schema: type | None = None  # its settings; None: it takes none
    options: tuple[str, ...] = ()  # what is chosen by name
    paths: tuple[str, ...] = ()  # settings whose values are paths
    why_not: str = "takes the policy as it was trained"  # why it does without an option
    needs_policy: bool = False
    can_sweep: bool = True


COMMANDS = {
    "train": Command(
        "learn a policy (the word may be left out)", config.TrainConfig,
        options=(*KINDS, "logger", "experiment"), paths=("resume", "init"),
    ),
    "evaluate": Command(
        "compare a checkpoint with the baselines on worlds that it never saw", config.EvaluateConfig,
        options=("env", "reward", "logs"), paths=("checkpoint",), needs_policy=True,
    ),
    "collect": Command(
        "write logs of a policy that plays an environment", config.CollectConfig,
        options=("env", "exploration"), paths=("checkpoint", "out"), why_not="trains no policy", can_sweep=False,
    ),
    "recommend": Command(
        "answer observations, one JSON object a line", config.RecommendConfig,
        paths=("checkpoint", "input"), needs_policy=True, can_sweep=False,
    ),
    "calibrate": Command(
        "compare an environment with published numbers, or fit it to your own data", config.CalibrateConfig,
        options=("env",), paths=("data.rooms", "data.impressions"), why_not="trains no policy",
    ),
    "check-logs": Command(
        "say what is wrong with logs, before anything is learned from them", config.CheckLogsConfig,
        options=("logs",), why_not="reads logs alone",
    ),
    "join": Command(
        "make logs of events, whenever they come", config.JoinConfig,
        paths=("events", "spec", "out", "state"), why_not="reads events alone", can_sweep=False,
    ),
    "plugins": Command("list what is installed, or show what a plugin can be told"),
}  # fmt: skip
