"""The command ``evaluate`` with ``logs=``: estimate what policies earn from what another policy has logged."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import partial
from itertools import count
from pathlib import Path

import torch

from livedqn import plugins, report
from livedqn.config import EvaluateConfig
from livedqn.evaluate import check_fit
from livedqn.evaluate.command import AVERAGE, read_from, read_policies, refuse_run
from livedqn.evaluate_logs.contestants import targets
from livedqn.evaluate_logs.reading import Judging, holdout
from livedqn.evaluate_logs.result import Result
from livedqn.evaluate_logs.table import cell, lines
from livedqn.live import announce
from livedqn.logs import Impressions
from livedqn.ope.behaviour import Behaviour
from livedqn.ope.estimators import doubt, estimates, logged, unit
from livedqn.ope.evidence import gather
from livedqn.ope.features import RequestFeatures
from livedqn.ope.logged import ROWS
from livedqn.ope.remedy import remedies
from livedqn.protocols import Logs, Reward
from livedqn.scoring import require_native, require_signals
from livedqn.types import FloatArray, LivedqnError


def run(config: EvaluateConfig, folder: Path) -> bool:
    """Print the report, write ``evaluation.json`` and pictures into ``folder``; answer whether the gate stays shut.

    Raises:
        LivedqnError: logs or a checkpoint cannot be read or do not fit, propensities are missing, or a policy was
            trained on what is to judge it.
    """
    if not config.checkpoint:
        raise LivedqnError("evaluate needs a policy: checkpoint=<run>/policy.ckpt, or checkpoint=[a.ckpt,b.ckpt]")
    refuse_run(folder)
    torch.set_num_threads(config.threads)
    found = read_policies(config, folder)
    logs: Logs = plugins.build("logs", config.logs)
    reward = plugins.build("reward", config.reward)
    require_signals(reward, logs.spec, "the logs")
    for one in read_from(found):
        check_fit(one, logs.spec, "these logs")
    ope = config.ope
    share = holdout(read_from(found), config.logs, ope.holdout, since=ope.since, allow_overlap=config.allow_overlap)
    parts = Judging(logs, holdout=share, since=ope.since, by_request=ope.unit == "request")
    agents = {name: one.agent for name, one in found.items()}
    contestants = targets(agents, logs.spec, config.policies, ope.epsilon)

    # the first reading: what is missing is said before anything is computed
    features = RequestFeatures(logs.spec, parts)
    _require(parts, share, config.tolerated, reward, is_estimated=ope.estimate_propensities)
    tell, read = partial(announce(), "reading"), count()
    guessed = Behaviour(parts, features) if ope.estimate_propensities and parts.missing else None
    evidence = gather(
        parts, features, reward, contestants, guessed or noted, ope.discount,
        lambda: tell(min(next(read) * ROWS, 2 * parts.impressions), 2 * parts.impressions),
    )  # fmt: skip
    viewers = int(evidence.viewer.max()) + 1
    judged = {name: estimates(evidence, name, config.seed) for name in contestants}
    warnings = [f"estimated propensities: {parts.missing:,} of {parts.impressions:,} were not noted"] if guessed else []
    if config.allow_overlap:
        warnings.append("allow_overlap: these logs may hold what the policies learned from, which flatters them")
    result = Result(
        unit=unit(evidence), sessions=len(evidence.viewer), viewers=viewers,
        requests=len(evidence.session), cut=evidence.cut, unknown=evidence.unknown, at_fault=parts.at_fault,
        holdout=share, logged=logged(evidence, config.seed), policies=judged,
        why_not={name: doubt(evidence, one) for name, one in judged.items()},
        next={name: tuple(remedies(evidence, name, ope.epsilon)) for name in judged},
        warnings=tuple(warnings), calibration=None if guessed is None else guessed.calibration(parts),
    )  # fmt: skip
    for line in lines(result):
        print(line)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "evaluation.json").write_text(json.dumps(result.to_dict(), indent=2, allow_nan=False) + "\n")
    (folder / "config.yaml").write_text(plugins.as_yaml(asdict(config)))
    report.write_ope(folder, result.to_dict())
    if config.average:  # with the mean of the margins: only playing tells which is best
        found[AVERAGE].save(found[AVERAGE].path)
        print(f"{AVERAGE}: {found[AVERAGE].path}")
    is_shut = [gate for name in found if (gate := _gate(result, name, config.gate.min_lower_bound))]
    for line in is_shut:
        print(line)
    print(folder)
    return bool(is_shut)


def noted(part: Impressions) -> FloatArray:
    """The logged propensities of what was answered."""
    return part.propensity[part.acted].astype("float64")


def _gate(result: Result, name: str, least: float | None) -> str:
    """Why a policy may not go live; "" where it may, or nobody asked."""
    if least is None:
        return ""
    if result.why_not[name]:
        return f"gate: {name} is not shown to be better: these logs cannot answer"
    found = result.difference(name)
    if found.low > least:
        return ""
    return f"gate: {name} is not shown to be better by more than {least:g}: {cell(found)} a {result.unit}"


def _require(parts: Judging, share: float, tolerated: float, reward: Reward, *, is_estimated: bool) -> None:
    if parts.rows_at_fault > tolerated:
        raise LivedqnError(  # what is left would be what was not at fault: another population, with other returns
            f"{parts.rows_at_fault:.1%} of the rows that are to judge belong to sessions with a fault, more than "
            f"tolerated={tolerated}; look: livedqn check-logs"
        )
    if not parts.impressions:
        raise LivedqnError(
            f"nothing is left to judge by: {share:.0%} of viewers judge, {parts.at_fault:,} sessions were at fault; "
            "look: livedqn check-logs, and at ope.holdout and ope.since"
        )
    if parts.missing and not is_estimated:
        raise LivedqnError(
            f"{parts.missing:,} of {parts.impressions:,} impressions have no propensity; log it when an action is "
            "chosen, or say ope.estimate_propensities=true, and every report will say so"
        )
    require_native(reward, parts.has_native)
