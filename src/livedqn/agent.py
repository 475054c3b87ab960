"""The DQN agent: online and target network, the update, the sync (Mnih et al. 2015)."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from livedqn.actor import Actor
from livedqn.agent_settings import SETTLED, STEPS_PER_UPDATE, WARMUP_STEPS, check, check_trainer
from livedqn.distributions import distribution as form_of
from livedqn.experience import Experience
from livedqn.exploration import Schedule
from livedqn.features import Transform
from livedqn.learner import Learner
from livedqn.network import EncoderFactory, QNetwork
from livedqn.noisy import Noise
from livedqn.objective import Munchausen, Objective
from livedqn.practice import Practice
from livedqn.protocols import Batch, Later
from livedqn.request import conform
from livedqn.transitions import Shared, Transitions, tensors
from livedqn.types import FloatArray, LivedqnError, Observation, Spec
from livedqn.watchdog import Watchdog, are_numbers, diverged


class DQN(Actor):
    """Deep Q-learning over candidate sets or fixed actions; supplied: ``spec, encoder_factory``.

    Args:
        spec: of the environment.
        encoder_factory: builds an encoder for a spec.
        discount: gamma. 1 / (1 - gamma) requests are looked ahead; a session, of 7 to 40 as a rule, counts as a whole.
        discount_time_unit_s: None: gamma a request; else gamma ** (seconds to the next request / unit).
        learning_rate: of Adam, at the first update.
        learning_rate_end: of Adam, from update ``learning_rate_updates`` on; between the two it falls linearly. Late
            small steps average over the noise of rewards that one batch cannot tell from a signal.
        learning_rate_updates: from the one to the other; null: all that a run makes, and outside of one it stays.
        batch_size: N.
        n_step: transitions in a window; keep it small where ``retrace`` does not correct it for exploration.
        retrace: lambda of Retrace (https://arxiv.org/abs/1606.02647), by which a window counts as far as the policy
            that is learned would have played it; 0: as it was played.
        double: the online network chooses, the target network values (https://arxiv.org/abs/1509.06461).
        munchausen: reward an action for being likely, and look ahead by the target network's soft policy instead of
            by a choice, so ``double`` plays no part (https://arxiv.org/abs/2007.14430).
        munchausen_temperature: of that policy, in scaled rewards.
        munchausen_alpha: how much of the logarithm of its probability is added to the first reward of a window.
        munchausen_clip: at least this is, before alpha.
        dueling: value and advantage apart (https://arxiv.org/abs/1511.06581).
        layer_norm: normalise the hidden layers (https://arxiv.org/abs/1607.06450), which steadies larger steps.
        distribution: "c51" learns probabilities of returns (https://arxiv.org/abs/1707.06887), "quantile" quantiles of
            the return (https://arxiv.org/abs/1710.10044), "none" its mean alone. Whoever acts sees the mean. Where
            rewards are estimated, what is spread is what follows them.
        atoms: how many quantiles, or returns.
        kappa: errors of quantiles are squared up to here, in scaled rewards.
        support: about the least and the greatest return of "c51", in scaled rewards; what lies outside is cut.
        resolution: smaller returns than this lie about evenly in "c51", greater ones in equal ratios, so that there is
            room for a heavy tail; null: all lie evenly, as in the paper.
        ensemble: E estimates of every value, for ``ucb`` and ``thompson``.
        noisy: the heads' weights are noisy by as much as they learn (https://arxiv.org/abs/1706.10295), drawn anew for
            every update and every step of all viewers, and are their means where a policy is judged or serves. Such a
            network explores by itself: choose ``exploration=greedy``.
        noisy_sigma: how noisy they are at first, in units of 1 / sqrt(a layer's inputs).
        hidden: width of a candidate head's hidden layer.
        huber_delta: of the mean's loss, in scaled rewards. Wide: watch time is so heavy-tailed that a narrow one learns
            medians. null: the squared error.
        gradient_clip: greatest norm of a network's gradient; null: any.
        sync_every: updates between two syncs of the target network.
        sync_tau: how far a sync goes: 1 copies ("hard"), less averages parameters ("soft", with sync_every=1).
        steps_per_update: environment steps for each update; null: 128, or what fits where logs say how long a run is.
        warmup_steps: environment steps with uniform actions before the first update; their data fix the feature
            transforms and the reward's scale. null: 8,192, or a tenth of a shorter run from logs.
        standardise: fit the feature transforms; off, numbers pass as they are and counts as logarithms.
        scale_rewards: learn rewards in units of their root mean square; off, as they are, as a game's literature does.
        myopic: train a second network of the same shape with discount 0 on the same batches, the baseline that does
            not look ahead, and by which ``shortlist`` goes; only where there are rooms.
        estimate_rewards: learn from what ``myopic`` expects of an action instead of from its own reward, the first of a
            window, which varies much about that (https://arxiv.org/abs/1805.03359); only where there is such a twin.
        shortlist: so many rooms a policy that is judged, serves or collects chooses from, those from which ``myopic``
            expects most (:meth:`Actor.listed`); null, or without ``myopic``: all. What learns chooses from all.
        cql_alpha: from logs, how much it counts that all actions together promise more than the one that was logged, in
            scaled rewards (https://arxiv.org/abs/2006.04779); 0: not at all; null: 0, or what logs ask for.
        bcq_threshold: from logs, choose no action that is less likely there than this times the likeliest, by a network
            that imitates them (https://arxiv.org/abs/1910.01708); *nothing* is always allowed; 0: choose any.
    """

    reward_scale: Tensor
    is_fitted: Tensor

    def __init__(
        self, spec: Spec, encoder_factory: EncoderFactory, *, discount: float = 0.998,
        discount_time_unit_s: float | None = None, learning_rate: float = 2e-3, learning_rate_end: float = 5e-5,
        learning_rate_updates: int | None = None, batch_size: int = 256, n_step: int = 1, retrace: float = 0.0,
        double: bool = True, munchausen: bool = False, munchausen_temperature: float = 0.03,
        munchausen_alpha: float = 0.9, munchausen_clip: float = -1.0, dueling: bool = False, layer_norm: bool = False,
        distribution: str = "c51", atoms: int = 51, kappa: float = 1.0, support: tuple[float, float] = (-20.0, 200.0),
        resolution: float | None = 0.02, ensemble: int = 1, noisy: bool = False, noisy_sigma: float = 0.5,
        hidden: int = 64, huber_delta: float | None = 10.0, gradient_clip: float | None = 10.0, sync_every: int = 100,
        sync_tau: float = 1.0, steps_per_update: int | None = None, warmup_steps: int | None = None,
        standardise: bool = True, scale_rewards: bool = True, myopic: bool = True, estimate_rewards: bool = True,
        shortlist: int | None = 1, cql_alpha: float | None = None, bcq_threshold: float = 0.0,
    ) -> None:  # fmt: skip
        check(locals())
        form = form_of(
            distribution, atoms=atoms, kappa=kappa, support=support, resolution=resolution, huber_delta=huber_delta
        )
        network = partial(QNetwork, spec, encoder_factory, hidden=hidden, is_dueling=dueling, layer_norm=layer_norm)
        online = network(numbers=form.numbers, ensemble=ensemble, noisy_sigma=noisy_sigma if noisy else None)
        noise = Noise.of(online) if noisy else None  # draws, as networks do: a seed is this order
        super().__init__(spec)
        self.online = online
        self.myopic = network(numbers=form.numbers, ensemble=ensemble) if myopic and spec.has_rooms else None
        # a value of the state, in all its logits alike, is nothing to a softmax: rounding alone would move it
        self.behaviour = network(numbers=1, ensemble=1, is_dueling=False) if bcq_threshold else None
        self.values_rooms_apart = online.values_rooms_apart and self.behaviour is None  # who imitates weighs all rooms
        self.register_buffer("reward_scale", torch.ones(()))  # times which rewards are learned
        self.automatic_optimization = False  # one clock: our counters (Lightning's global_step stays 0)
        self.target = copy.deepcopy(online).requires_grad_(False).eval()
        self.transform, self.distribution, self._noise = Transform(spec, standardises=standardise), form, noise
        self.register_buffer("is_fitted", torch.zeros((), dtype=torch.bool))  # reward scale and transforms are fixed

        self.discount, self.discount_time_unit_s = discount, discount_time_unit_s
        self.batch_size, self.n_step, self.ensemble, self.shortlist = batch_size, n_step, ensemble, shortlist
        self.warmup_steps, self.steps_per_update = warmup_steps or WARMUP_STEPS, steps_per_update or STEPS_PER_UPDATE
        self.learning_rate_updates = learning_rate_updates
        self.cql_alpha = cql_alpha or 0.0
        self.retrace = retrace if n_step > 1 else 0.0  # a single transition leaves nothing to correct
        self._standardise, self._scale_rewards = standardise, scale_rewards
        self._make_schedule = partial(Schedule, learning_rate, learning_rate_end)
        self._make_objective = partial(
            Objective, is_double=double, narrows=online.values_rooms_apart, estimates_rewards=estimate_rewards,
            munchausen=Munchausen(munchausen_temperature, munchausen_alpha, munchausen_clip) if munchausen else None,
            bcq_threshold=bcq_threshold, has_nothing=spec.has_nothing, retrace=self.retrace,
        )  # fmt: skip
        self._make_learner = partial(Learner, gradient_clip=gradient_clip, sync_every=sync_every, sync_tau=sync_tau)

        self._tensors = Shared()
        self.rescales = False  # whether the reward's scale is of another reward, until the warm-up is over
        self.is_compiled: bool | None = None  # None = not decided yet; kept in the learner's state
        self.watchdog = Watchdog()
        self.eval()

    @property
    def objective(self) -> Objective:
        """What is minimised, on the device where the agent now is; it says what values are, too."""
        return self._make_objective(self.transform, self.reward_scale, self.distribution, cql_alpha=self.cql_alpha)

    # ---- values -----------------------------------------------------------------------------------------------------

    def q_values(self, observation: Observation | npt.NDArray[Any]) -> FloatArray:
        """As :meth:`Actor.q_values`, with E = ``ensemble``."""
        return self._values(self.online, conform(self.spec, observation), self.behaviour)

    def myopic_values(self, observation: Observation | npt.NDArray[Any]) -> FloatArray | None:
        """As :meth:`Actor.myopic_values`."""
        return None if self.myopic is None else self._values(self.myopic, conform(self.spec, observation)).mean(axis=0)

    def discount_of(self, elapsed_s: FloatArray) -> FloatArray:
        """As :meth:`Actor.discount_of`."""
        discount, unit = np.empty(elapsed_s.shape, np.float32), self.discount_time_unit_s  # np.full takes much longer
        discount[...] = self.discount if unit is None else self.discount ** (elapsed_s / unit)
        return discount

    @torch.inference_mode()
    def _values(
        self, network: QNetwork, observation: Observation, behaviour: QNetwork | None = None,
        noise: Tensor | None = None,
    ) -> FloatArray:  # fmt: skip
        """As :meth:`~livedqn.objective.Objective.values`, (E, B, K), but NumPy in and out."""
        seen = tensors(observation, self.reward_scale.device)
        return self.objective.values(network, seen, behaviour, noise).cpu().numpy()

    # ---- learning ---------------------------------------------------------------------------------------------------

    def learn_from(
        self, experience: Experience, *, compile: str = "false", steps: int = 0, tell: Callable[[str], None] = print
    ) -> None:
        """Whom the training step asks for transitions, and how it computes: see :class:`Practice`."""
        self._practice = Practice(experience, compile=compile, steps=steps, tell=tell)

    def configure_optimizers(self) -> None:
        """Get ready to learn, on the device where the agent now is, Adam from its beginning; updates go on counting."""
        self._tensors = Shared()
        self.learner = self._make_learner(
            self.online, self.target, self.myopic, self.objective,
            behaviour=self.behaviour, noise=self._noise, updates=self.updates,
            learning_rate=self._make_schedule(self.learning_rate_updates or math.inf),
        )  # fmt: skip

    def train(self, mode: bool = True) -> DQN:
        """Training mode for the networks that learn; the target network stays in eval mode."""
        self.training = mode
        for network in (self.online, self.myopic, self.behaviour):
            if network is not None:
                network.train(mode)
        return self

    def on_fit_start(self) -> None:
        """Refuse what manual optimisation would ignore in silence; Lightning itself refuses clipping and the like."""
        check_trainer(self.trainer)

    def on_train_start(self) -> None:
        """A tick begins with acting, which is done in eval mode, whatever mode the agent came in."""
        self.eval()

    def training_step(self, until: int, batch_idx: int) -> None:
        """Play up to ``until`` environment steps, with the updates that they owe."""
        self._practice.until(self, until)

    def acting_values(self, observation: Observation) -> FloatArray:
        """As :meth:`q_values`, by a compiled graph if there is one; of a noisy network with noise that is drawn anew.

        Raises:
            DivergenceError: they are no numbers. Nobody can act on such, nor wait until the loss is looked at.
        """
        graphs, noise = self.learner.graphs, self.learner.draw(1)
        if graphs is None:
            q = self._values(self.online, observation, self.behaviour, noise)
        else:
            q = graphs.values(observation, noise)
        if not are_numbers(q):
            conform(self.spec, observation)  # which names what is no number where the environment shows it
            raise diverged(self.updates, "its values are not numbers")
        return q

    def fit_transforms(self, experience: Experience) -> None:
        """Fix the feature transforms and the reward's scale from what the warm-up brought; once in an agent's life, but
        for the scale of another reward than its weights were trained for (``rescales``)."""
        if self._scale_rewards and (self.rescales or not self.is_fitted):
            self.reward_scale.fill_(1 / experience.reward_rms())
        if self._standardise and not self.is_fitted:
            seen = experience.sample(min(max(self.warmup_steps, len(experience.replay)), 4_096)).observation
            self.transform.fit(tensors(seen, self.reward_scale.device))
        self.is_fitted.fill_(True)
        self.rescales = False

    @property
    def updates(self) -> int:
        """How many updates were made; 0 before the agent got ready to learn."""
        return self.learner.updates if "learner" in vars(self) else 0

    def update(self, batch: Batch, later: Later | None = None) -> Tensor:
        """One step of Adam on the loss of the n-step errors; returns their sizes, (N,), for priorities.

        ``later`` is what the windows hold behind their first transition, which ``retrace`` needs.
        """
        error, measures = self.learner.update(self.transitions(batch, later))
        self.watchdog.watch(measures)
        return error

    def transitions(self, batch: Batch, later: Later | None = None) -> Transitions:
        """As tensors, on the agent's device."""
        return self._tensors.of(batch, later, self.reward_scale.device)

    # ---- saving -----------------------------------------------------------------------------------------------------

    def load_weights(self, weights: Mapping[str, Any]) -> None:
        """Networks, transforms and reward scale of another agent of the same shape.

        Raises:
            LivedqnError: it is of another shape.
        """
        try:
            self.load_state_dict(dict(weights))
        except RuntimeError:
            raise LivedqnError("those weights are of a network of another shape (encoder= or agent= differ)") from None

    def learner_state(self) -> dict[str, Any]:
        """All that learning goes on from: tensors and plain Python."""
        return {
            "weights": self.state_dict(), "learner": self.learner.state_dict(),
            "is_compiled": self.is_compiled, "rescales": self.rescales, "watchdog": self.watchdog.state_dict(),
            "settled": {name: getattr(self, name) for name in SETTLED},
        }  # fmt: skip

    def load_learner_state(self, state: dict[str, Any]) -> None:
        """The inverse of :meth:`learner_state`, once the learner exists."""
        self.load_state_dict(state["weights"])
        self.learner.load_state_dict(state["learner"])
        self.is_compiled, self.rescales = state["is_compiled"], state["rescales"]
        self.watchdog.load_state_dict(state["watchdog"])
