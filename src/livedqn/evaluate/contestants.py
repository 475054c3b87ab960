"""Who takes part in a comparison: every policy that the environment and the agents allow, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from livedqn.evaluate.linear import lin_ts, lin_ucb
from livedqn.evaluate.oracle import Lookahead, is_known, oracle
from livedqn.evaluate.policies import Agent, Greedy, Random, Rule, Score, ShowIf, always, favourite, hottest, myopic
from livedqn.protocols import Policy
from livedqn.stage import Stage, world_seed
from livedqn.types import LivedqnError, did_you_mean

OURS = "policy"
#: Whom a table has where none is named; the others take longer.
USUAL = (OURS, "random", "hottest", "favourite", "myopic")
#: Baselines that learn before they are tuned, by what they explore with.
BANDITS = {"linucb": lambda seed: lin_ucb(), "lints": lin_ts}
#: The score of a baseline, made for the stage on which it plays.
MakeScore = Callable[[Stage], Score]


class Contestants:
    """Of one environment and these ``agents``.

    Args:
        agents: ours, by the names that the table shows.
        stage: any of the environment.
        seed: of the run.
        first_world: the run's first world, to ask agents for what they have.
        bandit_seeds: how many times each bandit is trained; where that is more than once, the i-th is ``linucb:<i>``.
    """

    def __init__(
        self, agents: Mapping[str, Agent], stage: Stage, seed: int, first_world: int, bandit_seeds: int = 1
    ) -> None:  # fmt: skip
        self._agents, self._seed = agents, seed
        #: Baselines whose rule is tuned; bandits are added when they have learned.
        self.scores: dict[str, MakeScore] = {}
        #: Bandits that may learn: name -> which it is, and how far its seed lies behind the run's.
        self.bandits: dict[str, tuple[str, int]] = {}
        self._always: dict[str, Agent] = {}
        names = [*agents]
        if stage.spec.has_rooms:
            self._always = {name.replace(OURS, "always", 1): agent for name, agent in agents.items()}
            observation = stage.reset(world_seed("validation", first_world), "validation")
            rules = {"hottest": hottest(stage.spec), "favourite": favourite(stage.spec)}
            rules |= {name.replace(OURS, "myopic", 1): myopic(agent, observation) for name, agent in agents.items()}
            self.scores = {name: _everywhere(score) for name, score in rules.items() if score is not None}
            self.bandits = {
                name if bandit_seeds == 1 else f"{name}:{i}": (name, i) for name in BANDITS for i in range(bandit_seeds)
            }
            names += [*self._always, "random", *self.scores, *self.bandits]
            if is_known(stage):
                self.scores["oracle"] = oracle
                names += ["oracle", "lookahead"]
        else:
            names.append("random")
        self.names = names

    def chosen(self, named: Sequence[str]) -> list[str]:
        """Those that are ``named``, the usual ones where none is; ``policy`` names that of every agent, and so on.

        Raises:
            LivedqnError: there is no policy of a name.
        """
        for name in named:
            if not any(name in (one, one.split(":")[0]) for one in self.names):
                hint, known = did_you_mean(name, self.names), ", ".join(self.names)
                raise LivedqnError(f"there is no policy {name!r} here{hint}; choose from {known}")
        return [one for one in self.names if one in (named or USUAL) or one.split(":")[0] in (named or USUAL)]

    def add(self, bandit: str, score: Score) -> None:
        """A bandit that has learned."""
        self.scores[bandit] = _everywhere(score)

    def ruled(self, chosen: Sequence[str]) -> list[str]:
        """Those that need a rule if ``chosen`` are to play: a look-ahead goes on by the oracle's."""
        return [name for name in self.scores if name in chosen or (name == "oracle" and "lookahead" in chosen)]

    def policy(self, name: str, stage: Stage, rules: Mapping[str, Rule]) -> Policy:
        """To play on ``stage``."""
        if name in self._agents:
            return Greedy(self._agents[name])
        if name == "random":
            return Random(self._seed)
        if name == "lookahead":
            return Lookahead(stage, rules["oracle"], self._seed)
        if name in self._always:
            return ShowIf(always(self._always[name]), [Rule()] * stage.num_envs)
        return ShowIf(self.scores[name](stage), [rules[name]] * stage.num_envs)


def _everywhere(score: Score) -> MakeScore:
    """A score that asks an observation for all it needs."""
    return lambda stage: score
