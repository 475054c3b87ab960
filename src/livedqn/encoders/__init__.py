"""Encoders: from what is observed to a state, (B, D), or (B, K, D) where the candidates are looked at too.

Each is built with a dense :class:`~livedqn.types.Spec` (every column a number of moderate size) and reads the
observation as tensors. Padded rows of the history are exact zeros, and its column 0 is 1 for a real impression.
"""

from livedqn.encoders.attention import Attention
from livedqn.encoders.conv import Conv
from livedqn.encoders.gru import GRU
from livedqn.encoders.mlp import MLP

__all__ = ["GRU", "MLP", "Attention", "Conv"]
