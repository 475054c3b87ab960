"""How one acts by values, be it that the policy is judged or that it serves."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from livedqn.lightning import pl
from livedqn.narrowing import only
from livedqn.request import NOT_FINITE, conform, refuse_no_choice
from livedqn.types import BoolArray, FloatArray, IntArray, LivedqnError, Observation, Spec


class Actor(pl.LightningModule):
    """A policy that goes by the values of actions, of rooms on its shortlist. A subclass says where these come from.

    Args:
        spec: of the environment.
    """

    ensemble: int  # E, estimates of every value
    shortlist: int | None  # see listed
    values_rooms_apart = False  # whether a room's values depend on the viewer and itself alone
    margin: Tensor

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        self.spec = spec
        self.register_buffer("margin", torch.zeros(()))  # in the reward's own unit, see preferences

    @abstractmethod
    def q_values(self, observation: Observation | npt.NDArray[Any]) -> FloatArray:
        """Values in the reward's own unit, (E, B, K) float32; -inf outside the mask and where `bcq_threshold` bars.

        Args:
            observation: see :func:`~livedqn.request.conform`; ``spec`` names the columns of its arrays.

        Raises:
            LivedqnError: it is not what the policy has learned to read.
        """

    @abstractmethod
    def myopic_values(self, observation: Observation | npt.NDArray[Any]) -> FloatArray | None:
        """Expected immediate rewards, (B, K) float32, or None where no myopic network was trained.

        Raises:
            LivedqnError: as :meth:`q_values`.
        """

    @abstractmethod
    def discount_of(self, elapsed_s: FloatArray) -> FloatArray:
        """The discount of each step, (B,) float32: gamma, or gamma ** (seconds / unit)."""

    def policy_values(self, observation: Observation | npt.NDArray[Any]) -> FloatArray:
        """Values of what the policy chooses from, (E, B, K): :meth:`q_values`, -inf for rooms off the shortlist.

        Where rooms are valued apart, those off the shortlist are not valued at all: a third of the work for many
        viewers at a time.

        Raises:
            LivedqnError: as :meth:`q_values`, or what is expected at once is no number.
        """
        if not (self.shortlist and self.values_rooms_apart):
            return self.listed(self.q_values(observation), observation)
        seen = conform(self.spec, observation)
        on_list = self._shortlisted(seen, seen["mask"])
        if on_list is None:
            return self.q_values(seen)
        few, rows = only(seen, on_list)
        q = np.full((self.ensemble, *on_list.shape), -np.inf, np.float32)
        np.put_along_axis(q, rows[None], self.q_values(few), axis=2)
        return q

    def listed(self, q: FloatArray, observation: Observation | npt.NDArray[Any]) -> FloatArray:
        """``q``, all values (E, B, K) of ``observation``, with -inf for rooms off the shortlist; as they are without.

        On it are the ``shortlist`` rooms from which most is expected at once (null: all). Of twenty rooms the one with
        the greatest value is mostly the luckiest, since what follows a room is learned with far more noise than what it
        brings; whether to show one at all is for the values to say. Rooms that promise alike stay together.

        Raises:
            LivedqnError: what is expected at once is no number.
        """
        on_list = self._shortlisted(observation, (q != -np.inf).all(axis=0))
        return q if on_list is None else np.where(on_list, q, np.float32(-np.inf))

    def _shortlisted(self, observation: Observation | npt.NDArray[Any], allowed: BoolArray) -> BoolArray | None:
        """What of ``allowed`` (B, K) the policy chooses from, *nothing* and the shortlist; None: from all of it."""
        rooms, count = allowed.shape[1] - 1, self.shortlist
        immediate = self.myopic_values(observation) if count and count < rooms else None
        if immediate is None or not count:
            return None
        promised = np.where(allowed, immediate, -np.inf)[:, 1:]  # (B, K - 1)
        if np.isnan(promised).any():
            raise LivedqnError(NOT_FINITE)
        least = np.partition(promised, -count, axis=1)[:, -count, None]
        on_list = allowed.copy()
        on_list[:, 1:] &= promised >= least
        return on_list

    def preferences(self, q: FloatArray) -> FloatArray:
        """What the policy goes by, (B, K): the means of the values (E, B, K), that of *nothing* raised by ``margin``.

        The best of many looks better than it is (Smith and Winkler 2006, the optimizer's curse), and *nothing* is one
        of one; what that is worth is learned with an error of its own. By how much a room has to be better, or may be
        worse where ``margin`` is negative, is tuned after training.
        """
        preferred: FloatArray = q.mean(axis=0)
        preferred[:, 0] += float(self.margin)  # 0 where it was not tuned: without rooms, or without *nothing*
        return preferred

    def shown(self) -> str:
        """Which room it shows, in words."""
        margin = float(self.margin)
        how = f"at least {margin:.3g} more" if margin >= 0 else f"at most {-margin:.3g} less"
        return f"a room that is worth {how} than nothing"

    def act(self, observation: Observation | npt.NDArray[Any]) -> IntArray:
        """The policy's actions, (B,) int64: rows of the candidates, 0 for *nothing*, or actions of a game.

        Raises:
            LivedqnError: as :meth:`policy_values` and :func:`best`.
        """
        return best(self.preferences(self.policy_values(observation)))


def best(preferred: FloatArray) -> IntArray:
    """The action that is preferred in each row, (B,) int64, by what one goes by (B, K), -inf where it is not allowed.

    Raises:
        LivedqnError: a row allows no action, or what its actions are preferred by is not finite.
    """
    allowed = preferred != -np.inf
    refuse_no_choice(allowed, "the observation")
    if not np.isfinite(preferred[allowed]).all():
        raise LivedqnError(NOT_FINITE)
    return np.asarray(preferred.argmax(axis=-1), np.int64)
