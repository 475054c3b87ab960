"""Training and evaluation from logs, in words: what they do without, and what makes no sense then."""

from __future__ import annotations

from collections.abc import Sequence

from livedqn.types import LivedqnError

#: Settings of whoever plays.
PLAYED = ("exploration", "exploration_floor")
#: Settings of an evaluation from logs, and of one that plays.
JUDGING, PLAYING = ("logs", "ope", "gate", "allow_overlap"), ("env", "evaluation", "cap")
#: Takes an option out of the composition; a user cannot say it.
NO_ENV = "~env"


def from_logs(overrides: Sequence[str]) -> list[str]:
    """The overrides of a training; where it reads logs it has no environment but one that is named.

    Raises:
        LivedqnError: a setting is of a part that the run does not have.
    """
    keys = [override.partition("=")[0] for override in overrides]
    if "logs" not in keys:
        if inner := next((key for key in keys if key.startswith("logs.")), None):
            raise LivedqnError(f"{inner} belongs to a reader of logs; add logs=parquet, or another")
        return list(overrides)
    for key in keys:
        if key.partition(".")[0] in PLAYED:
            raise LivedqnError(f"logs were explored by whoever made them, so {key} cannot be set; leave it out")
    if "env" in keys:
        return list(overrides)
    if inner := next((key for key in keys if key.startswith("env.")), None):
        raise LivedqnError(f"{inner} belongs to an environment; add env=<name> to evaluate in it, or leave it out")
    return [*overrides, NO_ENV]


def judged(overrides: Sequence[str]) -> list[str]:
    """The overrides of an evaluation; where logs judge nothing is played.

    Raises:
        LivedqnError: a setting is of the other way to evaluate.
    """
    keys = [override.partition("=")[0] for override in overrides]
    if "logs" not in keys:
        if inner := next((key for key in keys if key.partition(".")[0] in JUDGING), None):
            raise LivedqnError(f"{inner} belongs to an evaluation from logs; add logs=parquet, or another reader")
        return list(overrides)
    if inner := next((key for key in keys if key.partition(".")[0] in PLAYING), None):
        raise LivedqnError(f"logs judge and nothing is played, so {inner} cannot be set; leave it out")
    return [*overrides, NO_ENV]
