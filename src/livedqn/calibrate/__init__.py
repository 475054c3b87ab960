"""Is the simulator like the world? Its statistics beside published ones."""

from livedqn.calibrate.command import run
from livedqn.calibrate.published import FIGURES, Figure

__all__ = ["FIGURES", "Figure", "run"]
