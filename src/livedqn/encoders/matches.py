"""Past impressions that have something in common with a candidate: its topic, say, or its streamer."""

from __future__ import annotations

import torch
from torch import Tensor

from livedqn.types import Spec


class Matches:
    """What the impressions of a room's own topic, of its own streamer and so on add up to.

    The hard search of search-based interest models (Pi et al. 2020, https://arxiv.org/abs/2006.05639), and their sum,
    not their mean, so that two clicks say more than one (as Zhou et al. 2018, https://arxiv.org/abs/1706.06978). That
    equals belong together need not be learned: from rewards as noisy as clicks and watch time it hardly can be.

    Args:
        spec: dense; what history and candidates share is matched.
    """

    def __init__(self, spec: Spec) -> None:
        self._shared = spec.shared
        #: G, how much is matched.
        self.count = len(self._shared)

    def __call__(self, candidates: Tensor, history: Tensor, values: Tensor) -> Tensor:
        """(B, K, F), (B, T, H) and (B, T, U), values of the impressions -> their sums (B, K, G U)."""
        sums = [self._which(candidates[..., of], history[..., past]) @ values for past, of in self._shared]
        return torch.cat(sums, dim=-1)

    @staticmethod
    def _which(room: Tensor, past: Tensor) -> Tensor:
        """(B, K, E) and (B, T, E) -> (B, K, T), 1 where they are equal and not zeros: none, or padding."""
        same = (room[:, :, None] == past[:, None]).all(dim=-1) & (room != 0).any(dim=-1, keepdim=True)
        return same.to(room.dtype)
