"""A training of another length than its preset's: what its configuration counts in steps or updates keeps its share."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from omegaconf import OmegaConf

from livedqn.config import STEPS


def composed(words: Sequence[str]) -> dict[str, Any]:
    """The whole configuration that the words of a training come to."""
    command = [sys.executable, "-m", "livedqn", *words, "--cfg", "job"]
    done = subprocess.run(command, text=True, capture_output=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr}")
    found: dict[str, Any] = OmegaConf.to_container(OmegaConf.create(done.stdout))  # type: ignore[assignment]
    return found


def of_length(config: Mapping[str, Any], steps: int) -> list[str]:
    """The overrides that make a training of ``config`` one of ``steps`` environment steps."""

    def part(of: int) -> int:
        return max(1, round(of * steps / (config["steps"] or STEPS)))

    words = [f"steps={steps}"]
    if updates := config["agent"]["learning_rate_updates"]:  # else they are all that the training makes
        words.append(f"agent.learning_rate_updates={part(updates)}")
    if "steps" in config["exploration"]:
        words.append(f"exploration.steps={part(config['exploration']['steps'])}")
    return words
