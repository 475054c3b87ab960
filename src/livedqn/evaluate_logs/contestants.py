"""Who is judged by logs: policies of checkpoints, and baselines that show their best room at every request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from livedqn.actor import Actor
from livedqn.evaluate.policies import favourite, hottest
from livedqn.ope.evidence import Target
from livedqn.ope.targets import certain, greedy, mixed, uniform
from livedqn.types import LivedqnError, Spec, did_you_mean


def targets(agents: Mapping[str, Actor], spec: Spec, named: Sequence[str], epsilon: float) -> dict[str, Target]:
    """Name -> probabilities, ``epsilon`` x uniform over the mask mixed into each.

    Args:
        agents: ours, by the names that the table shows.
        spec: of the logs.
        named: which baselines to judge, too (ours always are); empty = all that go by what these logs show.
        epsilon: from 0 to 1.

    Raises:
        LivedqnError: there is no policy of a name.
    """
    found = {name: certain(agent.act) for name, agent in agents.items()}
    scores = {"hottest": hottest(spec), "favourite": favourite(spec)} if spec.has_rooms else {}
    baselines = {name: greedy(score) for name, score in scores.items() if score is not None}
    known = [*dict.fromkeys(["policy", *agents, "random", *baselines])]
    for name in named:
        if name not in known:
            raise LivedqnError(
                f"there is no policy {name!r} here{did_you_mean(name, known)}; choose from {', '.join(known)}"
            )
    chosen = {name: target for name, target in baselines.items() if not named or name in named}
    mixtures = {name: mixed(target, epsilon) for name, target in (found | chosen).items()}
    return mixtures | ({"random": uniform} if not named or "random" in named else {})
