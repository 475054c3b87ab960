"""The DQN agent: online and target network, the update, the sync (Mnih et al. 2015)."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from livedqn import losses
from livedqn.experience import Experience
from livedqn.exploration import Schedule
from livedqn.features import Transform
from livedqn.network import EncoderFactory, QNetwork
from livedqn.protocols import Batch
from livedqn.types import FloatArray, IntArray, LivedqnError, Observation, Spec, TensorObservation
from livedqn.watchdog import Watchdog, diverged


class DQN(pl.LightningModule):
    """Deep Q-learning over candidate sets or fixed actions; supplied: ``spec, encoder_factory``.

    Args:
        spec: of the environment.
        encoder_factory: builds an encoder for a spec.
        discount: gamma. 1 / (1 - gamma) requests are looked ahead, 20 like a session has; for games take 0.99.
        discount_time_unit_s: None: gamma a request; else gamma ** (seconds to the next request / unit).
        learning_rate: of Adam, at the first update.
        learning_rate_end: of Adam, from update ``learning_rate_updates`` on; between the two it falls linearly. Late
            small steps average over the noise of rewards that one batch cannot tell from a signal.
        learning_rate_updates: updates that it takes from the one to the other.
        batch_size: N.
        n_step: transitions in a window; what lies between is not corrected for exploration, so keep it small.
        double: the online network chooses, the target network values (https://arxiv.org/abs/1509.06461).
        dueling: value and advantage apart (https://arxiv.org/abs/1511.06581).
        ensemble: E estimates of every value, for ``ucb`` and ``thompson``.
        hidden: width of a candidate head's hidden layer.
        huber_delta: in scaled rewards. Wide: watch time is so heavy-tailed that a narrow one learns medians.
        gradient_clip: greatest norm of a network's gradient.
        sync_every: updates between two syncs of the target network.
        sync_tau: how far a sync goes: 1 copies ("hard"), less averages parameters ("soft", with sync_every=1).
        steps_per_update: environment steps for each update.
        warmup_steps: environment steps with uniform actions before the first update; their data fix the feature
            transforms and the reward's scale.
        standardise: fit the feature transforms; off, numbers pass as they are and counts as logarithms.
        myopic: train a second network of the same shape with discount 0 on the same batches, the baseline that does
            not look ahead; only where there are rooms.
    """

    reward_scale: Tensor
    is_fitted: Tensor

    def __init__(
        self, spec: Spec, encoder_factory: EncoderFactory, *, discount: float = 0.95,
        discount_time_unit_s: float | None = None, learning_rate: float = 1e-3, learning_rate_end: float = 5e-5,
        learning_rate_updates: int = 3_100, batch_size: int = 256, n_step: int = 1,
        double: bool = True, dueling: bool = True, ensemble: int = 1, hidden: int = 64, huber_delta: float = 10.0,
        gradient_clip: float = 10.0, sync_every: int = 100, sync_tau: float = 1.0, steps_per_update: int = 64,
        warmup_steps: int = 1_500, standardise: bool = True, myopic: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        self.automatic_optimization = False  # one clock: our counters (Lightning's global_step stays 0)
        positive = {
            "learning_rate": learning_rate, "learning_rate_end": learning_rate_end, "batch_size": batch_size,
            "n_step": n_step, "ensemble": ensemble, "hidden": hidden, "huber_delta": huber_delta,
            "gradient_clip": gradient_clip, "sync_every": sync_every,
            "steps_per_update": steps_per_update, "warmup_steps": warmup_steps,
            "discount_time_unit_s": 1.0 if discount_time_unit_s is None else discount_time_unit_s,
        }  # fmt: skip
        for name, value in positive.items():
            if not value > 0:
                raise LivedqnError(f"agent.{name}={value} must be above 0")
        if not 0 <= discount <= 1 or not 0 < sync_tau <= 1:
            raise LivedqnError("agent.discount lies in [0, 1] and agent.sync_tau in (0, 1]")
        self.spec = spec
        self.discount, self.discount_time_unit_s = discount, discount_time_unit_s
        self.batch_size, self.n_step, self.ensemble = batch_size, n_step, ensemble
        self.steps_per_update, self.warmup_steps = steps_per_update, warmup_steps
        self._learning_rate = Schedule(learning_rate, learning_rate_end, learning_rate_updates)
        self._double, self._huber_delta = double, huber_delta
        self._gradient_clip, self._sync_every, self._sync_tau = gradient_clip, sync_every, sync_tau
        self._standardise = standardise

        self.transform = Transform(spec)

        def network() -> QNetwork:
            return QNetwork(spec, encoder_factory, hidden=hidden, is_dueling=dueling, ensemble=ensemble)

        self.online = network()
        self.target = copy.deepcopy(self.online).requires_grad_(False).eval()
        self.myopic = network() if myopic and spec.has_rooms else None
        self.register_buffer("reward_scale", torch.ones(()))
        self.register_buffer("is_fitted", torch.zeros((), dtype=torch.bool))  # reward scale and transforms are fixed
        self.updates = 0
        self.watchdog = Watchdog()
        self.eval()

    # ---- acting -----------------------------------------------------------------------------------------------------

    def q_values(self, observation: Observation) -> FloatArray:
        """Values in the reward's own unit, (E, B, K) float32, -inf outside the mask."""
        return self._values(self.online, observation)

    def myopic_values(self, observation: Observation) -> FloatArray | None:
        """Expected immediate rewards, (B, K) float32, or None where no myopic network was trained."""
        return None if self.myopic is None else self._values(self.myopic, observation).mean(axis=0)

    def act(self, observation: Observation) -> IntArray:
        """The greedy actions, (B,) int64."""
        return np.asarray(self.q_values(observation).mean(axis=0).argmax(axis=-1), np.int64)

    @torch.inference_mode()
    def _values(self, network: nn.Module, observation: Observation) -> FloatArray:
        q: Tensor = network(self._transformed(observation)) / self.reward_scale
        return q.cpu().numpy()

    # ---- learning ---------------------------------------------------------------------------------------------------

    def discount_of(self, elapsed_s: FloatArray) -> FloatArray:
        """The discount of each step, (B,) float32: gamma, or gamma ** (seconds / unit)."""
        unit = self.discount_time_unit_s
        power = np.ones_like(elapsed_s) if unit is None else elapsed_s / unit
        return np.asarray(self.discount**power, np.float32)

    def learn_from(self, experience: Experience) -> None:
        """Whom the training step asks for transitions."""
        self._experience = experience

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Adam over all networks that learn."""
        parameters = [p for p in self.parameters() if p.requires_grad]
        self.optimizer = torch.optim.Adam(parameters, lr=self._learning_rate(0), fused=True)
        return self.optimizer

    def train(self, mode: bool = True) -> DQN:
        """Training mode for the networks that learn; the target network stays in eval mode."""
        self.training = mode
        for network in (self.online, self.myopic):
            if network is not None:
                network.train(mode)
        return self

    def on_fit_start(self) -> None:
        """Refuse what manual optimisation would ignore in silence; Lightning itself refuses clipping and the like."""
        if self.trainer.max_steps != -1:
            raise LivedqnError(
                "Trainer(max_steps=...) has no effect on DQN, which updates by its own clock; leave it out"
            )
        if self.trainer.precision != "32-true":
            raise LivedqnError(
                f"Trainer(precision={self.trainer.precision!r}) does not fit: DQN computes in float32; leave it out"
            )

    def on_train_start(self) -> None:
        """A tick begins with acting, which is done in eval mode, whatever mode the agent came in."""
        self.eval()

    def training_step(self, until: int, batch_idx: int) -> None:
        """Play up to ``until`` environment steps, with the updates that they owe."""
        experience = self._experience
        while experience.steps < until:
            warming = experience.steps < self.warmup_steps or not len(experience.replay)
            experience.collect(None if warming else self._acting_values, self.discount_of)
            if warming:
                if experience.steps >= self.warmup_steps and len(experience.replay):
                    self.fit_transforms(experience)
                continue
            while self.updates < (experience.steps - self.warmup_steps) // self.steps_per_update:
                self._learn_once(experience)
        if self.updates:
            self.watchdog.expect(experience.returns.quantile() * float(self.reward_scale))
            self.watchdog.check(self.updates)

    def _learn_once(self, experience: Experience) -> None:
        batch = experience.sample(self.batch_size)
        errors = self.update(batch)
        if experience.replay.is_prioritised:
            sizes = errors.cpu().numpy()
            if not np.isfinite(sizes).all():  # before they become priorities
                raise diverged(self.updates, "the loss is not finite")
            experience.replay.update_priorities(batch.slots, sizes)

    def _acting_values(self, observation: Observation) -> FloatArray:
        q = self.q_values(observation)
        if not (q < np.inf).all():  # nobody can act on these; the loss will be looked at only when the tick is over
            raise diverged(self.updates, "its values are not numbers")
        return q

    def fit_transforms(self, experience: Experience) -> None:
        """Fix the feature transforms and the reward's scale from what the warm-up brought; once in an agent's life."""
        if self.is_fitted:
            return
        self.is_fitted.fill_(True)
        self.reward_scale.fill_(1 / experience.reward_rms())
        if self._standardise:
            sample = experience.sample(min(self.warmup_steps, 4_096)).observation
            self.transform.fit({name: self._tensor(array) for name, array in sample.items()})

    def update(self, batch: Batch) -> Tensor:
        """One step of Adam on the Huber loss of the n-step errors; returns their sizes, (N,), for priorities."""
        r_t, discount_t = self._tensor(batch.reward) * self.reward_scale, self._tensor(batch.discount)
        a_tm1, weight = self._tensor(batch.action), self._tensor(batch.weight)
        observation, following = self._transformed(batch.observation), self._transformed(batch.next_observation)

        target = self._target(r_t, discount_t, following)
        self.train()  # the only forward passes that are not in eval mode
        q_tm1 = losses.chosen(self.online(observation), a_tm1)
        error = target - q_tm1
        total = loss = self._loss(error, weight)
        if self.myopic is not None:
            total = loss + self._loss(r_t[:, 0] - losses.chosen(self.myopic(observation), a_tm1), weight)

        self.eval()
        self.optimizer.zero_grad()
        torch.autograd.backward(total)
        for network in (self.online, self.myopic):
            if network is not None:
                nn.utils.clip_grad_norm_(network.parameters(), self._gradient_clip)
        for group in self.optimizer.param_groups:
            group["lr"] = self._learning_rate(self.updates)
        self.optimizer.step()
        self.updates += 1
        if self.updates % self._sync_every == 0:
            self.sync()
        self.watchdog.watch(loss.detach(), q_tm1.detach(), total.detach())
        return error.detach().abs().mean(dim=0)

    def _loss(self, error: Tensor, weight: Tensor) -> Tensor:
        return losses.weighted_mean(losses.huber(error, self._huber_delta), weight)

    @torch.no_grad()
    def _target(self, r_t: Tensor, discount_t: Tensor, following: TensorObservation) -> Tensor:
        """What the values of the actions taken should be, (E, N), in scaled rewards."""
        window_return, window_discount = losses.n_step_return(r_t, discount_t)
        q_target = self.target(following)
        if not self._double:
            return losses.q_learning_target(window_return, window_discount, q_target)
        return losses.double_q_target(window_return, window_discount, self.online(following), q_target)

    @torch.no_grad()
    def sync(self) -> None:
        """Move the target's parameters towards the online network's by ``sync_tau``, and copy its buffers."""
        for kept, new in zip(self.target.parameters(), self.online.parameters(), strict=True):
            kept.lerp_(new, self._sync_tau) if self._sync_tau < 1 else kept.copy_(new)
        for kept_buffer, new_buffer in zip(self.target.buffers(), self.online.buffers(), strict=True):
            kept_buffer.copy_(new_buffer)

    def _transformed(self, observation: Observation) -> TensorObservation:
        transformed: TensorObservation = self.transform({n: self._tensor(array) for n, array in observation.items()})
        return transformed

    def _tensor(self, array: Any) -> Tensor:
        return torch.from_numpy(array).to(self.device)

    # ---- saving -----------------------------------------------------------------------------------------------------

    def load_weights(self, weights: Mapping[str, Any]) -> None:
        """Networks, transforms and reward scale of another agent of the same shape.

        Raises:
            LivedqnError: it is of another shape.
        """
        try:
            self.load_state_dict(dict(weights))
        except RuntimeError:
            raise LivedqnError(
                "those weights belong to a network of another shape (encoder= or agent= differ)"
            ) from None

    def learner_state(self) -> dict[str, Any]:
        """All that learning goes on from: tensors and plain Python."""
        return {
            "weights": self.state_dict(), "optimizer": self.optimizer.state_dict(), "updates": self.updates,
            "watchdog": self.watchdog.state_dict(),
        }  # fmt: skip

    def load_learner_state(self, state: dict[str, Any]) -> None:
        """The inverse of :meth:`learner_state`, once the optimiser exists."""
        self.load_state_dict(state["weights"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.updates = int(state["updates"])
        self.watchdog.load_state_dict(state["watchdog"])
