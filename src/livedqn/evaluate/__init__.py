"""What is a policy worth? Whole episodes on worlds of their own, tuned baselines, paired intervals."""

from livedqn.evaluate.command import run, write_json
from livedqn.evaluate.compare import final_evaluation, tuned_margin, validate
from livedqn.evaluate.evaluation import Evaluation
from livedqn.evaluate.intervals import Interval
from livedqn.evaluate.play import Episodes
from livedqn.evaluate.policies import Greedy, Random, Rule, ShowIf
from livedqn.evaluate.staging import check_fit, stages
from livedqn.evaluate.table import show

__all__ = [
    "Episodes",
    "Evaluation",
    "Greedy",
    "Interval",
    "Random",
    "Rule",
    "ShowIf",
    "check_fit",
    "final_evaluation",
    "run",
    "show",
    "stages",
    "tuned_margin",
    "validate",
    "write_json",
]
