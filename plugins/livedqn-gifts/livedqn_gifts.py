"""A reward for livedqn: what the viewer gave to the streamer who was recommended."""

import numpy as np


class Gift:
    """Log of the gifts' value: scale x log(1 + gift_value).

    Args:
        scale: points for a gift of value e - 1, about 1.7.
    """

    signals = ("gift_value",)

    def __init__(self, *, scale: float = 1.0) -> None:
        self.scale = scale

    def __call__(self, signals):
        """(B,) float32 points from the value of the gifts of each viewer."""
        # a few viewers give thousands: the log keeps them from deciding what everybody is shown
        return (self.scale * np.log1p(signals["gift_value"])).astype(np.float32)
