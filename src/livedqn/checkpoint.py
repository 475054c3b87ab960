"""Files that a run leaves: ``policy.ckpt`` and ``final.ckpt`` (weights, spec, config) and the resume point.

Everything in them is tensors and plain Python and is read with ``weights_only=True``: a file can be wrong, but it
cannot run code. They are written under a temporary name, synced and renamed, so a file is whole or not there.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from omegaconf import OmegaConf

from livedqn import __version__, device, durable, plugins
from livedqn.actor import Actor
from livedqn.agent import DQN
from livedqn.committee import Committee, members_of
from livedqn.network import EncoderFactory
from livedqn.types import LivedqnError, Spec, first_line

#: The form of each kind of file; a change of it makes older files unreadable, and says so.
FORMATS = {"policy": 4, "resume point": 9}

#: What a run itself notes beside the config that it was told, so that nothing that it has learned from judges its
#: policy: the logs behind its first weights (see :func:`learned_from`), and digests of some files of its own logs.
NOTES = ("learned_from", "logs_files")
Notes = dict[str, list[Any]]
#: name -> {"threshold": float, "max_shown_per_session": int | None}, as tuned on validation worlds.
Baselines = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Checkpoint:
    """A policy as read from a file, or to be written to one."""

    agent: Actor
    config: dict[str, Any]  # of the run; of a mean of policies that of the first
    spec: Spec
    steps: int
    baselines: Baselines
    path: Path
    member_configs: tuple[dict[str, Any], ...] = ()  # of the policies of which it is the mean

    def save(self, path: str | Path, weights: Mapping[str, Any] | None = None) -> None:
        """Write it as it is now: ``agent`` may have got another margin, say; or with other ``weights`` of its shape."""
        state = {
            "spec": self.spec.to_dict(), "config": plugins.as_yaml(self.config),
            "members": [plugins.as_yaml(config) for config in self.member_configs], "steps": self.steps,
            "baselines": self.baselines, "weights": dict(weights or self.agent.state_dict()),
        }  # fmt: skip
        write_state(Path(path), "policy", state)


def build_agent(config: Mapping[str, Any], spec: Spec, encoder: EncoderFactory | None = None) -> DQN:
    """The agent of a config (its nodes ``agent`` and ``encoder``, unless one is given), with fresh weights."""
    chosen = encoder or config["encoder"]
    agent: DQN = plugins.build("agent", config["agent"], spec, partial(plugins.build, "encoder", chosen))
    return agent


def own(config: Mapping[str, Any]) -> list[str]:
    """The kinds of which a run was given an object of its own, from Python: a config says null, since no file keeps it.

    A run from logs has no ``env`` where it says so.
    """
    return [
        kind for kind in plugins.PARTS if config.get(kind, "") is None and not (kind == "env" and config.get("logs"))
    ]


def save(
    path: Path, agent: DQN, config: Mapping[str, Any], steps: int, baselines: Baselines, weights: dict[str, Any]
) -> None:
    """Write the policy of ``weights`` (a state of ``agent``)."""
    Checkpoint(agent, dict(config), agent.spec, steps, baselines, path).save(path, weights)


def read(path: str | Path, device_name: str = "auto", encoder: EncoderFactory | None = None) -> Checkpoint:
    """The policy in a file, ready to act.

    Args:
        path: of the file.
        device_name: of the agent.
        encoder: what makes the encoder of a run that was given its own.

    Raises:
        LivedqnError: the file is missing, damaged or no policy of livedqn, a plugin that it needs is not installed, or
            its encoder was the run's own and this is none or another.
    """
    path = Path(path)
    state = read_state(path, "policy")
    try:
        spec = Spec.from_dict(state["spec"])
        config = parsed(state["config"], path)
        member_configs = tuple(parsed(text, path) for text in state["members"])
        if encoder is None and any("encoder" in own(one) for one in member_configs or [config]):
            raise LivedqnError(
                f"{path} was trained from Python with an encoder of its own, which no file keeps; give it again, from "
                f"Python: livedqn.load({str(path)!r}, encoder=...)"
            )
        agents = [build_agent(one, spec, encoder) for one in member_configs or [config]]
        agent = Committee(agents) if member_configs else agents[0]
        _load_weights(agent, state["weights"], path, encoder is None)
        agent.to(device.resolve(device_name)).eval()
        return Checkpoint(agent, config, spec, int(state["steps"]), state["baselines"], path, member_configs)
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        if encoder is not None:
            raise LivedqnError(f"{path} does not fit the encoder that was given: {first_line(error)}") from error
        raise LivedqnError(f"{path} is damaged or was changed: {first_line(error)}; restore it from its run") from None


def _load_weights(agent: Actor, weights: Mapping[str, Any], path: Path, is_plugin: bool) -> None:
    """Put ``weights`` into ``agent``, whose encoder may have become another one since they were saved."""
    try:
        agent.load_state_dict(weights)
    except RuntimeError as error:
        if is_plugin:
            raise LivedqnError(
                f"{path} does not fit its encoder as that is installed now, or is damaged: {misfit(error)}; install "
                "the version of the encoder that it was trained with, or restore the file from its run"
            ) from error
        raise LivedqnError(f"{path} does not fit the encoder that was given: {misfit(error)}") from error


def misfit(error: Exception) -> str:
    """What torch has against a ``state_dict``, on one line: what is missing, unknown or of another shape first."""
    details = [line.strip().rstrip(".") for line in str(error).splitlines()[1:]]  # the first line names nothing
    if not details:
        return first_line(error)
    first, *others = details[0].split(", ") if "key(s)" in details[0] else [details[0]]
    return f"{first.rstrip('. ')} and {len(others)} more" if others else first.rstrip(". ")


def average(found: Sequence[Checkpoint], path: Path) -> Checkpoint:
    """The policy that goes by the mean of their values (:class:`~livedqn.committee.Committee`), to be saved at
    ``path``. Its margin is the mean of theirs until it is tuned.

    Raises:
        LivedqnError: their values do not compare, being of different environments, rewards or discounts, or of a reward
            that no file keeps; or all that one of them allows others may rule out.
    """
    first, *others = found
    for other in others:
        if what := _incomparable(first, other):
            raise LivedqnError(
                f"{first.path} and {other.path} have no mean, since {what}; average policies whose runs differ by "
                "seed, encoder or other settings of the agent"
            )
    member_configs = [config for one in found for config in (one.member_configs or [one.config])]
    restricted = [config for config in member_configs if config["agent"].get("bcq_threshold")]
    if len(restricted) > 1 and not first.spec.offers_nothing:  # which all of them allow
        raise LivedqnError(
            f"{first.path} and the others have no mean: by agent.bcq_threshold each rules out some actions, which may "
            "be all of them together; average policies of which one at most has it"
        )
    agent = Committee([part for one in found for part in members_of(one.agent)])
    # a margin that was tuned for the mean of several counts as often as their values do
    margins = [float(one.agent.margin) for one in found for _ in members_of(one.agent)]
    agent.margin.fill_(sum(margins) / len(margins))
    taken_in = [*(first.config.get("learned_from") or []), *(one for of in others for one in learned_from(of.config))]
    return Checkpoint(
        agent.eval(), {**first.config, "learned_from": taken_in}, first.spec,
        sum(one.steps for one in found), {}, path, tuple(member_configs),
    )  # fmt: skip


def _incomparable(one: Checkpoint, other: Checkpoint) -> str:
    """Why the values of two policies have no mean; "" where they have."""
    if what := one.spec.difference(other.spec):
        return what
    if one.spec.has_nothing != other.spec.has_nothing:  # where it never was allowed nobody knows its value
        return "only one of them was trained where *nothing* may be shown"
    if "reward" in (*own(one.config), *own(other.config)):
        return "the reward was one of Python's own, which no file keeps"
    if one.config["reward"] != other.config["reward"]:
        return "their rewards differ"
    elapsed_s = np.array([1, 100], np.float32)  # by two times a discount a request is told from one by the clock
    had, has = (members_of(each.agent)[0].discount_of(elapsed_s) for each in (one, other))
    return "" if np.array_equal(had, has) else "their discounts differ"


def load(path: str | Path, device: str = "auto", encoder: EncoderFactory | None = None) -> Actor:
    """The agent of a ``policy.ckpt``, ready to act.

    ``agent.act(observation)`` answers which candidate it shows each viewer, (B,) int64, 0 for *nothing*, and
    ``agent.q_values(observation)`` what it expects of each, (E, B, K) float32: E estimates in the reward's own unit,
    -inf for what is masked or barred (``agent.policy_values`` has what it chooses from). They take a batch, of one
    viewer too, of what the environment shows: ``{"context": (B, C), "history": (B, T, H), "candidates": (B, K, F),
    "mask": (B, K)}``, NumPy, in the columns of ``agent.spec``, K being any number; of a game ``{"context": ...}``, or
    that array itself. Whatever is not so is a LivedqnError that names the array and the shape, or the column and the
    values, that are owed (:func:`livedqn.request.conform`).

    Args:
        path: of the file.
        device: auto, cpu, cuda ...
        encoder: of a run that was given its own: what makes it, which no file keeps.

    Raises:
        LivedqnError: as :func:`read` does.
    """
    return read(path, device, encoder).agent


def read_config(path: str | Path) -> dict[str, Any]:
    """The config of the run that wrote a policy."""
    return parsed(read_state(Path(path), "policy").get("config"), Path(path))


def learned_from(config: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A run's own logs, and those behind its first weights: of each ``logs``, ``holdout``, ``before``, ``files``."""
    said = {"holdout": float(config.get("holdout") or 0), "before": config.get("before") or ""}
    files = list(config.get("logs_files") or [])
    own = [{"logs": config["logs"], **said, "files": files}] if config.get("logs") else []
    return [*own, *(config.get("learned_from") or [])]


def write_state(path: Path, kind: str, state: dict[str, Any]) -> None:
    """Write tensors and plain Python, atomically and durably."""
    _write(path, partial(torch.save, {"format": FORMATS[kind], "kind": kind, "livedqn": __version__, **state}))


def write_text(path: Path, text: str) -> None:
    """Write a text, atomically and durably."""
    _write(path, lambda file: file.write(text.encode()))


def _write(path: Path, write: Callable[[BinaryIO], object]) -> None:
    temporary = path.with_name(path.name + ".part")
    try:
        with temporary.open("wb") as file:
            write(file)
        durable.replace(temporary, path)
    except (OSError, RuntimeError) as error:  # torch, which cannot finish a file on a full disk, hides that it is full
        temporary.unlink(missing_ok=True)  # else it goes on filling the disk
        cause = error.__context__ if isinstance(error, RuntimeError) else error
        if not isinstance(cause, OSError):
            raise
        raise OSError(cause.errno, cause.strerror, str(path)) from error  # which says of which file it speaks


def read_state(path: Path, kind: str) -> dict[str, Any]:
    """What :func:`write_state` wrote; executes nothing.

    Raises:
        LivedqnError: the file is missing, unreadable, or of another kind or format.
    """
    if not path.is_file():
        what = "is no file" if path.exists() else "does not exist"
        raise LivedqnError(f"{path} {what}; a run leaves policy.ckpt in its folder")
    try:
        with warnings.catch_warnings(action="ignore"):  # torch has advice for what is no file of its own
            state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises whatever the bytes make it stumble on, with advice to load it unsafely
        raise LivedqnError(f"{path} cannot be read: it is truncated, or no file of livedqn") from error
    if not isinstance(state, dict) or state.get("kind") != kind:
        raise LivedqnError(f"{path} holds no {kind} of livedqn; a run leaves policy.ckpt in its folder")
    if state.get("format") != FORMATS[kind]:
        raise LivedqnError(
            f"{path} has format {state.get('format')}, this livedqn {__version__} reads {FORMATS[kind]}; train anew, "
            "or read it with the livedqn that wrote it"
        )
    return state


def parsed(text: Any, path: Path) -> dict[str, Any]:
    """The config whose text a file at ``path`` holds.

    Raises:
        LivedqnError: livedqn wrote no such text.
    """
    try:
        # our own text refers to nothing: a reference can only have been put there
        config = plugins.unescaped(OmegaConf.to_container(OmegaConf.create(text))) if isinstance(text, str) else None
    except Exception:  # whatever yaml or omegaconf stumbles on
        config = None
    if not isinstance(config, dict):
        raise LivedqnError(f"{path} is damaged or was changed: its config is none that livedqn writes")
    return {str(key): value for key, value in config.items()}
