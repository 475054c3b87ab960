"""The parts that an ablation switches, one at a time: on where the default has it off, and off where it has it on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

#: What a part that is a number becomes where the default does without it.
N_STEP, ENSEMBLE = 3, 5

Config = Mapping[str, Any]
#: Row of the table -> overrides.
Rows = dict[str, list[str]]


def _flag(name: str) -> Callable[[Config], Rows]:
    """A truth value of the agent."""

    def rows(config: Config) -> Rows:
        is_on = config["agent"][name]
        return {f"{'without' if is_on else 'with'} {name}": [f"agent.{name}={'false' if is_on else 'true'}"]}

    return rows


def _number(name: str, other: int) -> Callable[[Config], Rows]:
    """A number of the agent, of which 1 is none."""

    def rows(config: Config) -> Rows:
        value = 1 if config["agent"][name] > 1 else other
        return {f"{name} {value}": [f"agent.{name}={value}"]}

    return rows


def _estimate_rewards(config: Config) -> Rows:
    if config["env"]["plugin"] != "sim":  # a game has no myopic twin, which estimates them
        return {}
    return _flag("estimate_rewards")(config)


def _shortlist(config: Config) -> Rows:
    if config["env"]["plugin"] != "sim":  # nor does a game have rooms
        return {}
    is_on = config["agent"]["shortlist"]
    return {"without shortlist": ["agent.shortlist=null"]} if is_on else {"shortlist 1": ["agent.shortlist=1"]}


def _distribution(config: Config) -> Rows:
    others = [name for name in ("none", "quantile", "c51") if name != config["agent"]["distribution"]]
    return {f"distribution {name}": [f"agent.distribution={name}"] for name in others}


def _retrace(config: Config) -> Rows:
    agent = config["agent"]
    if agent["retrace"]:
        return {"without retrace": ["agent.retrace=0"]}
    n_step = max(agent["n_step"], N_STEP)  # a single transition leaves nothing to correct
    return {f"n_step {n_step} with retrace": [f"agent.n_step={n_step}", "agent.retrace=1"]}


def _noisy(config: Config) -> Rows:
    if config["agent"]["noisy"]:
        return {"without noisy": ["agent.noisy=false", "exploration=epsilon_greedy"]}
    return {"with noisy": ["agent.noisy=true", "exploration=greedy"]}  # which explores by itself


def _prioritised(config: Config) -> Rows:
    other = "uniform" if config["replay"]["plugin"] == "prioritised" else "prioritised"
    return {f"{other} replay": [f"replay={other}"]}


def _soft_sync(config: Config) -> Rows:
    agent = config["agent"]
    if agent["sync_tau"] < 1:
        return {"hard sync": [f"agent.sync_every={round(1 / agent['sync_tau'])}", "agent.sync_tau=1"]}
    # as far behind in the mean: a copy of every n-th update is followed for n updates
    return {"soft sync": ["agent.sync_every=1", f"agent.sync_tau={1 / agent['sync_every']:.3g}"]}


PARTS: dict[str, Callable[[Config], Rows]] = {
    "double": _flag("double"), "dueling": _flag("dueling"), "n_step": _number("n_step", N_STEP), "retrace": _retrace,
    "prioritised": _prioritised, "distribution": _distribution, "layer_norm": _flag("layer_norm"),
    "munchausen": _flag("munchausen"), "estimate_rewards": _estimate_rewards, "shortlist": _shortlist,
    "ensemble": _number("ensemble", ENSEMBLE), "noisy": _noisy, "soft_sync": _soft_sync,
}  # fmt: skip
DEFAULT = "default"


def rows(config: Config, parts: list[str]) -> Rows:
    """The default first, then a row or more a part that applies here."""
    found: Rows = {DEFAULT: []}
    for part in parts:
        found |= PARTS[part](config)
    return found
