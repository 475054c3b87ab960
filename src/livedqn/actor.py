"""How one acts by Q-networks, be it that the policy is judged or that it serves."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from livedqn.lightning import pl
from livedqn.network import QNetwork
from livedqn.objective import Objective
from livedqn.transitions import tensors
from livedqn.types import FloatArray, IntArray, LivedqnError, Observation, Spec, refuse_no_choice


class Actor(pl.LightningModule):
    """Q-networks, and the policy that goes by their values. A subclass says by its ``objective`` what these are.

    Args:
        spec: of the environment.
        online: whose values the policy goes by.
        myopic: expects immediate rewards; None: there is no such network.
        behaviour: rules out what is not plausible, see :class:`~livedqn.objective.Networks`; None: all is.
        discount: gamma.
        discount_time_unit_s: None: gamma a request; else gamma ** (seconds to the next request / unit).
    """

    reward_scale: Tensor
    margin: Tensor

    def __init__(
        self, spec: Spec, online: QNetwork, myopic: QNetwork | None, behaviour: QNetwork | None, *,
        discount: float, discount_time_unit_s: float | None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.spec, self.online, self.myopic, self.behaviour = spec, online, myopic, behaviour
        self.discount, self.discount_time_unit_s = discount, discount_time_unit_s
        self.register_buffer("reward_scale", torch.ones(()))  # times which rewards are learned
        self.register_buffer("margin", torch.zeros(()))  # in the reward's own unit, see preferences

    @property
    @abstractmethod
    def objective(self) -> Objective:
        """What is minimised, on the device where the agent now is; it says what values are, too."""

    def q_values(self, observation: Observation) -> FloatArray:
        """Values in the reward's own unit, (E, B, K) float32; -inf outside the mask and where `bcq_threshold` bars."""
        return self._values(self.online, observation, self.behaviour)

    def myopic_values(self, observation: Observation) -> FloatArray | None:
        """Expected immediate rewards, (B, K) float32, or None where no myopic network was trained."""
        return None if self.myopic is None else self._values(self.myopic, observation).mean(axis=0)

    def preferences(self, q: FloatArray) -> FloatArray:
        """What the policy goes by, (B, K): the means of the values (E, B, K), that of *nothing* raised by ``margin``.

        The best of many looks better than it is (Smith and Winkler 2006, the optimizer's curse), and *nothing* is one
        of one. By how much a room has to be better is tuned after training.
        """
        preferred: FloatArray = q.mean(axis=0)
        preferred[:, 0] += float(self.margin)  # 0 where it was not tuned: without rooms, or without *nothing*
        return preferred

    def act(self, observation: Observation) -> IntArray:
        """The policy's actions, (B,) int64; LivedqnError where the mask of a row allows none."""
        preferred = self.preferences(self.q_values(observation))
        refuse_no_choice(preferred != -np.inf, "the observation")
        return np.asarray(preferred.argmax(axis=-1), np.int64)

    def discount_of(self, elapsed_s: FloatArray) -> FloatArray:
        """The discount of each step, (B,) float32: gamma, or gamma ** (seconds / unit)."""
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

    def load_weights(self, weights: Mapping[str, Any]) -> None:
        """Networks, transforms and reward scale of another agent of the same shape.

        Raises:
            LivedqnError: it is of another shape.
        """
        try:
            self.load_state_dict(dict(weights))
        except RuntimeError:
            raise LivedqnError("those weights are of a network of another shape (encoder= or agent= differ)") from None
