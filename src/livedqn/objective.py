"""What DQN minimises, as a function of networks and a batch, in tensors alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

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


class Targets(NamedTuple):
    """What an action's return is compared with: see :meth:`~livedqn.distributions.Distribution.compare`."""

    r_t: Tensor
    discount_t: Tensor
    z_t: Tensor
    share: Tensor | None = None


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
        retrace: lambda, see :meth:`retraced`; 0 = windows are not corrected.
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
    retrace: float = 0.0

    def targets(self, networks: Networks, batch: Transitions) -> Targets:
        """What the returns of the actions of ``batch`` are compared with, by networks in eval mode."""
        follow = self.retraced if self.retrace else self.uncorrected
        return follow(networks, batch, batch.reward * self.reward_scale)

    def losses(self, networks: Networks, batch: Transitions, targets: Targets) -> Losses:
        """The losses of ``batch``, by networks in training mode."""
        reward = batch.reward * self.reward_scale
        r_t, discount_t, z_t, share = targets
        seen, action = self._asked(batch.observation, batch.action.unsqueeze(0))
        observation = self.transform(seen)
        immediate_loss: Tensor | float = 0.0
        if networks.myopic is not None:
            immediate = losses.chosen(networks.myopic(observation), action)
            whatever = z_t if share is None else z_t[0]  # as nothing follows
            each, _ = self.distribution.compare(immediate, reward[:, 0], torch.zeros_like(reward[:, 0]), whatever)
            immediate_loss = losses.weighted_mean(each, batch.weight)
            if self.estimates_rewards:
                r_t = r_t - reward[:, 0] + self.distribution.expectation(immediate.detach())
        z_tm1, logged_loss = self._of_logged(networks, batch)
        if z_tm1 is None:
            z_tm1 = losses.chosen(networks.online(observation), action)
        each, error = self.distribution.compare(z_tm1, r_t, discount_t, z_t, share)
        loss = losses.weighted_mean(each, batch.weight)
        total = loss + immediate_loss + logged_loss
        with torch.no_grad():
            q_tm1 = self.distribution.expectation(z_tm1)
            measures = torch.stack([loss.detach(), q_tm1.mean(), q_tm1.abs().amax(), total.detach()])
            return Losses(total, error.abs().mean(dim=0), measures)

    @torch.no_grad()
    def uncorrected(self, networks: Networks, batch: Transitions, reward: Tensor) -> Targets:
        """The return of a window as it was played, and what follows it, by the policy that is learned.

        With ``munchausen`` y = R + alpha [tau log pi(a|s)]_clip^0 + D sum_a' pi(a'|s') (q(s', a') - tau log pi(a'|s'))
        (Vieillard et al. 2020, eq. 1 and 2).
        """
        r_t, discount_t = losses.n_step_return(reward, batch.discount)
        if self.munchausen is None:
            return Targets(r_t, discount_t, self.following(networks, self.transform(batch.next_observation)))
        _, log_policy = self._softly(networks, batch.observation, self.munchausen)
        z, log_next = self._softly(networks, batch.next_observation, self.munchausen)
        bonus = losses.munchausen_bonus(_of(log_policy, batch.action), *self.munchausen)
        entropy = discount_t * self.munchausen.temperature * losses.entropy(log_next)
        return Targets(r_t + (bonus + entropy), discount_t, self.distribution.mixture(z, log_next.exp()))

    @torch.no_grad()
    def retraced(self, networks: Networks, batch: Transitions, reward: Tensor) -> Targets:
        """The return of a window as far as the policy pi that is learned would have played it (Munos et al. 2016,
        Retrace(lambda), https://arxiv.org/abs/1606.02647), with q the target network's:

        y = q(s_0, a_0) + sum_k c_1 ... c_k D_{k-1} (r_k + discount_k sum_a pi(a|s_{k+1}) q(s_{k+1}, a) - q(s_k, a_k))

        with D_k the product of the discounts up to step k. Sorted by how far rewards are followed, that is a mixture of
        returns, with R_k of :func:`~livedqn.losses.returns`, C_k = c_1 ... c_k and C_n = 0:

        y = sum_k C_k (R_k + D_k sum_a pi(a|s_{k+1}) q(s_{k+1}, a)) - C_{k+1} (R_k + D_k q(s_{k+1}, a_{k+1}))

        As such it holds for distributions as it does for means (Gruslys et al. 2018, Reactor,
        https://arxiv.org/abs/1704.04651). A greedy pi takes a single action: c is lambda where that was taken, whatever
        its propensity, and 0 elsewhere, so both terms have the same q and y is Watkins's Q(lambda). With ``munchausen``
        pi is soft, propensities count, and every reward has its bonus.
        """
        assert batch.later is not None, "Retrace takes what windows hold behind their first transition: replay.later"
        later, rows = batch.later, len(batch.action)
        names = batch.observation
        following = {name: torch.cat([later.observation[name], batch.next_observation[name]]) for name in names}

        def by_step(of_rows: Tensor) -> Tensor:  # (E, n * N, ...) -> (n, E, N, ...)
            return torch.unflatten(of_rows, 1, (-1, rows)).transpose(0, 1)

        def products(policy: Tensor) -> Tensor:
            return losses.trace_products(losses.traces(policy, later.propensity.unsqueeze(1), self.retrace))

        r_t, discount_t = reward.T.unsqueeze(1), batch.discount.T.unsqueeze(1)
        if self.munchausen is None:
            best, z_t = map(by_step, self._greedily(networks, self.transform(following)))
            product = products((best[:-1] == later.action.unsqueeze(1)).to(reward))
            share = product - torch.cat([product[1:], torch.zeros_like(product[:1])])
            return Targets(*losses.returns(r_t, discount_t), z_t, share)
        of, taken = self.munchausen, later.action.reshape(-1)
        _, log_first = self._softly(networks, batch.observation, of)
        z, log_policy = self._softly(networks, following, of)
        log_taken = by_step(_of(log_policy[:, :-rows], taken))
        product = products(log_taken.exp())
        bonus = losses.munchausen_bonus(torch.cat([_of(log_first, batch.action).unsqueeze(0), log_taken]), *of)
        r_t, discount_t = losses.returns(r_t + bonus, discount_t)
        entropy = discount_t * of.temperature * by_step(losses.entropy(log_policy))
        z_t = by_step(self.distribution.mixture(z, log_policy.exp()))
        z_taken = by_step(losses.chosen(z[:, :-rows], taken.unsqueeze(0)))
        return Targets(
            torch.cat([r_t + entropy, r_t[:-1]]), torch.cat([discount_t, discount_t[:-1]]),
            torch.cat([z_t, z_taken]), torch.cat([product, -product[1:]]),
        )  # fmt: skip

    @torch.no_grad()
    def following(self, networks: Networks, following: TensorObservation) -> Tensor:
        """The target network's numbers, (E, N, A), for what would be done next; ``following`` is transformed."""
        return self._greedily(networks, following)[1]

    def _greedily(self, networks: Networks, following: TensorObservation) -> tuple[Tensor, Tensor]:
        """What would be done next, (E, N), and the target network's numbers for it, (E, N, A)."""
        if self.is_double:  # y = R + D q_target(argmax_a q_online(a)), van Hasselt et al. 2016, eq. 4
            chooser = networks.chooser or networks.online
            best = self._open(networks, following, chooser(following)).argmax(dim=-1)
            following, at = self._asked(following, best)
            return best, losses.chosen(networks.target(following), at)
        z = networks.target(following)  # y = R + D max_a q_target(a), Mnih et al. 2015
        best = self._open(networks, following, z).argmax(dim=-1)
        return best, losses.chosen(z, best)

    def _softly(self, networks: Networks, observation: TensorObservation, of: Munchausen) -> tuple[Tensor, Tensor]:
        """The target network's numbers (E, N, K, A), and log pi (E, N, K), the softmax of q / tau over the mask."""
        seen = self.transform(observation)
        z = networks.target(seen)
        return z, losses.log_soft_policy(self._open(networks, seen, z), of.temperature)

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


def _of(values: Tensor, action: Tensor) -> Tensor:
    """(E, N) of ``action`` (N,) among ``values`` (E, N, K)."""
    return losses.chosen(values.unsqueeze(-1), action.unsqueeze(0)).squeeze(-1)


def _rooms_first(mask: Tensor) -> Tensor:
    """``mask`` (N, K) with *nothing* closed wherever a room is open."""
    rooms = mask[:, 1:]
    return torch.cat([mask[:, :1] & ~rooms.any(dim=1, keepdim=True), rooms], dim=1)
