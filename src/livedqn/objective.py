"""What DQN minimises, as a function of networks and a batch, in tensors alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor

from livedqn import losses
from livedqn.distributions import Distribution
from livedqn.features import Transform
from livedqn.narrowing import narrowed
from livedqn.transitions import Transitions
from livedqn.types import TensorObservation

#: Transformed observation -> numbers (E, N, K, A); of a noisy one ``noise`` is a second argument.
Network = Callable[..., Tensor]


class Networks(NamedTuple):
    """Who learns, whom it follows, and if there are such, the twin that does not look ahead, and who imitates."""

    online: Network
    target: Network
    myopic: Network | None
    behaviour: Network | None = None  # a number for every action, the logit of its being chosen where data come from
    chooser: Network | None = None  # of what would be done next, instead of ``online``

    def perturbed(self, noise: Tensor) -> Networks:
        """With ``noise`` (3, M): of the network that learns, of its target, and of the choice of what would be done.

        Each is drawn apart, so that no error of one is mistaken for the other's (Fortunato et al. 2018, section 3.1).
        """
        own, followed, choosing = noise
        return self._replace(
            online=partial(self.online, noise=own), target=partial(self.target, noise=followed),
            chooser=partial(self.online, noise=choosing),
        )  # fmt: skip


class Losses(NamedTuple):
    """What an update is about; all but ``total`` without a gradient."""

    total: Tensor  # (), of all networks
    error: Tensor  # (N,), sizes of the errors of the online network's expectations, the mean over its estimates
    measures: Tensor  # (4,): its loss, its mean value, its greatest |value| in the batch, and the total


class Munchausen(NamedTuple):
    """How actions are rewarded for being likely: see :func:`~livedqn.losses.munchausen_bonus`."""

    temperature: float
    alpha: float
    clip: float


@dataclass(frozen=True)
class Objective:
    """The loss of n-step errors, in scaled rewards.

    Args:
        transform: from what was observed to what networks read.
        reward_scale: (), times which a reward is learned.
        distribution: what the numbers of the networks say.
        is_double: the online network chooses, the target network values.
        narrows: networks value a room by itself, so they are shown no rooms but those whose values are needed.
        estimates_rewards: what the myopic network expects of an action takes the place of the first reward of its
            window, which varies about that (Romoff et al. 2018, https://arxiv.org/abs/1805.03359).
        munchausen: the target network's soft policy takes the place of the choice, and what it says of the action taken
            is added to the reward; None = it does not.
        cql_alpha: how much :func:`~livedqn.losses.conservative_gap` counts.
        bcq_threshold: the next action is chosen among the :func:`~livedqn.losses.plausible`, where ``behaviour`` says
            which these are. *Nothing* always is: every rule, margin and cap falls back on it, and it imposes no room.
        has_nothing: masks may allow *nothing*. Where they never did while this was learned, nobody knows its value, and
            it is closed to whoever acts on :meth:`values` as long as a room is open.
    """

    transform: Transform
    reward_scale: Tensor
    distribution: Distribution
    is_double: bool
    narrows: bool
    estimates_rewards: bool
    munchausen: Munchausen | None
    cql_alpha: float = 0.0
    bcq_threshold: float = 0.0
    has_nothing: bool = True

    def __call__(self, networks: Networks, batch: Transitions, learning: Callable[[bool], Any]) -> Losses:
        """The losses of a batch; ``learning(True)`` and ``(False)`` enclose the forward passes in training mode."""
        reward = batch.reward * self.reward_scale
        r_t, discount_t = losses.n_step_return(reward, batch.discount)
        if self.munchausen is None:
            z_t = self.following(networks, self.transform(batch.next_observation))
        else:
            bonus, z_t = self.softly_following(networks, batch, discount_t, self.munchausen)
            r_t = r_t + bonus
        seen, action = self._asked(batch.observation, batch.action.unsqueeze(0))
        observation = self.transform(seen)
        learning(True)
        immediate_loss: Tensor | float = 0.0
        if networks.myopic is not None:
            immediate = losses.chosen(networks.myopic(observation), action)
            nothing_follows = torch.zeros_like(discount_t)
            each, _ = self.distribution.compare(immediate, reward[:, 0], nothing_follows, z_t)
            immediate_loss = losses.weighted_mean(each, batch.weight)
            if self.estimates_rewards:
                r_t = r_t - reward[:, 0] + self.distribution.expectation(immediate.detach())
        z_tm1, logged_loss = self._of_logged(networks, batch)
        if z_tm1 is None:
            z_tm1 = losses.chosen(networks.online(observation), action)
        each, error = self.distribution.compare(z_tm1, r_t, discount_t, z_t)
        loss = losses.weighted_mean(each, batch.weight)
        total = loss + immediate_loss + logged_loss
        learning(False)
        with torch.no_grad():
            q_tm1 = self.distribution.expectation(z_tm1)
            measures = torch.stack([loss.detach(), q_tm1.mean(), q_tm1.abs().amax(), total.detach()])
            return Losses(total, error.abs().mean(dim=0), measures)

    @torch.no_grad()
    def following(self, networks: Networks, following: TensorObservation) -> Tensor:
        """The target network's numbers, (E, N, A), for what would be done next; ``following`` is transformed."""
        if self.is_double:  # y = R + D q_target(argmax_a q_online(a)), van Hasselt et al. 2016, eq. 4
            chooser = networks.chooser or networks.online
            best = self._open(networks, following, chooser(following)).argmax(dim=-1)
            following, best = self._asked(following, best)
            return losses.chosen(networks.target(following), best)
        z = networks.target(following)  # y = R + D max_a q_target(a), Mnih et al. 2015
        return losses.chosen(z, self._open(networks, following, z).argmax(dim=-1))

    @torch.no_grad()
    def softly_following(
        self, networks: Networks, batch: Transitions, discount_t: Tensor, of: Munchausen
    ) -> tuple[Tensor, Tensor]:
        """What is added to the return of a window, and the numbers that follow, mixed over what may be done.

        y = R + alpha [tau log pi(a|s)]_clip^0 + D sum_a' pi(a'|s') (q(s', a') - tau log pi(a'|s')), with pi the softmax
        of the target network's q / tau over the mask (Vieillard et al. 2020, eq. 1 and 2).
        """

        def soft(observation: TensorObservation) -> tuple[Tensor, Tensor]:
            seen = self.transform(observation)
            z = networks.target(seen)
            return z, losses.log_soft_policy(self._open(networks, seen, z), of.temperature)

        _, log_policy = soft(batch.observation)
        taken = losses.chosen(log_policy.unsqueeze(-1), batch.action.unsqueeze(0)).squeeze(-1)
        z, log_next = soft(batch.next_observation)
        bonus = losses.munchausen_bonus(taken, *of)
        bonus = bonus + discount_t * of.temperature * losses.entropy(log_next)
        return bonus, self.distribution.mixture(z, log_next.exp())

    def values(
        self, network: Network, observation: TensorObservation, behaviour: Network | None = None,
        noise: Tensor | None = None,
    ) -> Tensor:  # fmt: skip
        """Values in the reward's own unit, (E, B, K), of an observation as it was seen; -inf outside the mask, and for
        what is not plausible under ``behaviour``. With one draw of ``noise``, (1, M); None: by the means of weights."""
        seen = self.transform(observation)
        if not self.has_nothing and "candidates" in seen:
            seen["mask"] = _rooms_first(seen["mask"])
        z = network(seen) if noise is None else network(seen, noise=noise[0])
        return self._open(Networks(network, network, None, behaviour), seen, z) / self.reward_scale

    def _of_logged(self, networks: Networks, batch: Transitions) -> tuple[Tensor | None, Tensor | float]:
        """What is learned of the whole set, and not of the action taken alone: its loss, and the online network's
        numbers (E, N, A) for the action taken if they are known by it."""
        loss: Tensor | float = 0.0
        z_tm1 = None
        if networks.behaviour is None and not self.cql_alpha:
            return z_tm1, loss
        whole = self.transform(batch.observation)
        if networks.behaviour is not None:
            each = losses.behaviour_loss(self._logits(networks.behaviour, whole), batch.action)
            loss = losses.weighted_mean(each, batch.weight)
        if self.cql_alpha:
            z = networks.online(whole)
            z_tm1 = losses.chosen(z, batch.action.unsqueeze(0))
            gap = losses.conservative_gap(self._expected(z, whole), self.distribution.expectation(z_tm1))
            loss = loss + self.cql_alpha * losses.weighted_mean(gap, batch.weight)
        return z_tm1, loss

    def _open(self, networks: Networks, seen: TensorObservation, z: Tensor) -> Tensor:
        """The expectations of ``z`` (E, N, K, A), -inf for what may not be chosen."""
        q = self._expected(z, seen)
        if networks.behaviour is None:
            return q
        open_ = losses.plausible(self._logits(networks.behaviour, seen), self.bcq_threshold)
        if "candidates" in seen:
            open_ = torch.cat([torch.ones_like(open_[:, :1]), open_[:, 1:]], dim=1)
        return q.masked_fill(~open_, -torch.inf)

    def _logits(self, behaviour: Network, seen: TensorObservation) -> Tensor:
        """(N, K), -inf outside the mask."""
        z = behaviour(seen)[0, ..., 0]
        return z.masked_fill(~seen["mask"], -torch.inf) if "candidates" in seen else z

    def _expected(self, z: Tensor, observation: TensorObservation) -> Tensor:
        q = self.distribution.expectation(z)
        masks = "candidates" in observation  # a game allows every action
        return q.masked_fill(~observation["mask"], -torch.inf) if masks else q

    def _asked(self, observation: TensorObservation, actions: Tensor) -> tuple[TensorObservation, Tensor]:
        """What a network has to be shown for the numbers of ``actions`` (M, N), and where in it they stand."""
        return narrowed(observation, actions) if self.narrows else (observation, actions)


def _rooms_first(mask: Tensor) -> Tensor:
    """``mask`` (N, K) with *nothing* closed wherever a room is open."""
    rooms = mask[:, 1:]
    return torch.cat([mask[:, :1] & ~rooms.any(dim=1, keepdim=True), rooms], dim=1)
