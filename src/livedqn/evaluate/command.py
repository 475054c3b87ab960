"""The command ``evaluate``: checkpoints against baselines, on worlds that training never saw."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from livedqn import checkpoint, plugins
from livedqn.checkpoint import Checkpoint
from livedqn.config import EvaluateConfig
from livedqn.evaluate.compare import compare, tuned_margin
from livedqn.evaluate.contestants import BANDITS, OURS
from livedqn.evaluate.evaluation import Evaluation
from livedqn.evaluate.policies import Rule
from livedqn.evaluate.staging import check_fit, stages
from livedqn.evaluate.table import show
from livedqn.live import announce
from livedqn.types import LivedqnError, Spec

#: What a baseline's rule, and an agent's margin, were tuned for.
TUNED_FOR = ("env", "reward", "cap")
#: What tables call the mean of several policies.
AVERAGE = f"{OURS}:average"


def run(config: EvaluateConfig, folder: Path) -> None:
    """Print the table, write ``evaluation.json`` and ``config.yaml`` into ``folder``, and name it in the last line.

    Raises:
        LivedqnError: a checkpoint cannot be read, or does not fit the environment; there is no policy of a name.
    """
    if not config.checkpoint:
        raise LivedqnError("evaluate needs a policy: checkpoint=<run>/policy.ckpt, or checkpoint=[a.ckpt,b.ckpt]")
    refuse_run(folder)
    torch.set_num_threads(config.threads)
    found = read_policies(config, folder)

    def check(spec: Spec) -> None:
        for one in read_from(found):
            check_fit(one, spec)

    make_stage = stages(config.env, plugins.build("reward", config.reward), config.cap, check)
    for one in found.values():
        if one.spec.offers_nothing and not _is_tuned(one, config):
            margin = tuned_margin(one.agent, make_stage, config.evaluation, seed=config.seed, notify=announce())
            one.agent.margin.fill_(margin)
    evaluation = compare(
        {name: one.agent for name, one in found.items()}, make_stage, config.evaluation,
        seed=config.seed, steps=min(int(one.config["steps"]) for one in found.values()),
        names=config.policies, rules=known_rules(found, config), notify=announce(),
    )  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    write_json(evaluation, folder / "evaluation.json")
    (folder / "config.yaml").write_text(plugins.as_yaml(asdict(config)))
    show(evaluation, sys.stdout)
    for name, one in found.items():
        if one.spec.offers_nothing:
            print(f"{name} shows {one.agent.shown()}")
    if config.average:
        _keep(found[AVERAGE], config, evaluation)
    print(folder)


def refuse_run(folder: Path) -> None:
    """Raise LivedqnError where ``folder`` is that of a run, or of a mean: its files have the names of those to come."""
    if (path := folder / "policy.ckpt").exists():
        raise LivedqnError(
            f"{path} is there already, and config.yaml and evaluation.json beside it would be replaced; use another "
            "folder"
        )


def read_policies(config: EvaluateConfig, folder: Path) -> dict[str, Checkpoint]:
    """The policies of a config, by the names that tables show; first, with ``average``, their mean, of ``folder``.

    Raises:
        LivedqnError: one of them cannot be read, or they have no mean, or its name or place is taken.
    """
    read = [checkpoint.read(path, config.device) for path in config.checkpoint]
    found = dict(zip(agent_names([str(one.path) for one in read]), read, strict=True))
    if config.average:
        if len(read) < 2:
            raise LivedqnError("average=true is of several policies: checkpoint=[a/policy.ckpt,b/policy.ckpt]")
        if AVERAGE in found:
            raise LivedqnError(f"{found[AVERAGE].path} has the name under which the mean is told, {AVERAGE}; rename it")
        return {AVERAGE: checkpoint.average(read, folder / "policy.ckpt"), **found}
    return found


def read_from(found: Mapping[str, Checkpoint]) -> list[Checkpoint]:
    """Those that lie in files; their mean reads what they read, and has learned what they have."""
    return [one for name, one in found.items() if name != AVERAGE]


def _keep(average: Checkpoint, config: EvaluateConfig, evaluation: Evaluation) -> None:
    """Write a mean of policies with the margin and the rules that were tuned for it here, but for those of bandits,
    whom every evaluation has learn anew."""
    of_average = {AVERAGE.replace(OURS, "myopic", 1): "myopic"}
    rules = {of_average.get(name, name): rule for name, rule in evaluation.baselines.items()}
    world = {part: asdict(config)[part] for part in (*TUNED_FOR, "evaluation")}
    own = {name: rule for name, rule in rules.items() if ":" not in name and name not in BANDITS}
    replace(average, config=average.config | world, baselines=own).save(average.path)
    print(f"{AVERAGE}: {average.path}")


def write_json(evaluation: Evaluation, path: Path) -> None:
    """``{policy: {metric: {mean, low, high, n}}}``; null where too few worlds say anything."""
    path.write_text(json.dumps(evaluation.to_dict(), indent=2, allow_nan=False) + "\n")


def agent_names(paths: Sequence[str]) -> list[str]:
    """``policy`` for one; for several ``policy:<the shortest end of its path that tells it from the others>``."""
    if len(paths) == 1:
        return [OURS]
    files = [Path(path).absolute() for path in paths]
    if len({file.resolve() for file in files}) < len(files):
        raise LivedqnError("checkpoint names one file twice; name each once")
    stems = [file.with_suffix("") for file in files]
    parts = [file.parts for file in (stems if len(set(stems)) == len(stems) else files)]
    for depth in range(1, max(map(len, parts)) + 1):
        ends = ["/".join(one[-depth:]) for one in parts]
        if len(set(ends)) == len(ends):
            break
    return [f"{OURS}:{end}" for end in ends]


def known_rules(found: Mapping[str, Checkpoint], config: EvaluateConfig) -> dict[str, Rule]:
    """The rules that the runs' own tuning found, where that would find them here too (:func:`_is_tuned`)."""
    rules: dict[str, Rule] = {}
    for agent, one in found.items():
        if _is_tuned(one, config):
            for name, state in one.baselines.items():
                rules.setdefault(agent.replace(OURS, name, 1) if name == "myopic" else name, Rule.from_dict(state))
    return rules


def _is_tuned(one: Checkpoint, config: EvaluateConfig) -> bool:
    """Whether its run had come to the tuning, for what it is evaluated on and on no fewer worlds and episodes."""
    is_same = all(_plain(getattr(config, part)) == _plain(one.config.get(part)) for part in TUNED_FOR)
    had, wanted = one.config.get("evaluation", {}), config.evaluation
    is_enough = all(had.get(name, 0) >= getattr(wanted, name) for name in ("validation_worlds", "tuning_episodes"))
    return bool(one.baselines) and is_same and is_enough


def _plain(node: Any) -> Any:
    return dict(node) if isinstance(node, Mapping) else getattr(node, "__dict__", node)
