"""How probability becomes particles."""

import math
from dataclasses import dataclass

from napari_mpseg.errors import SettingsError
from napari_mpseg.inference.store import PROBABILITY_SCALE


@dataclass(frozen=True)
class MaskSettings:
    """How probability becomes particles.

    Attributes
    ----------
    threshold : float
        Pixels of a higher probability are particle; 0 or more, below 1.
    min_size : int
        Particles of fewer pixels are dropped.
    connectivity : int
        2 joins pixels that touch at a corner (8 neighbours, ImageJ's rule), 1 only at an edge (4 neighbours). Means
        little for methods that tell particles apart by themselves.
    """

    threshold: float = 0.5
    min_size: int = 3
    connectivity: int = 2

    def __post_init__(self) -> None:
        if not 0 <= self.threshold < 1:
            raise SettingsError(
                f"Threshold {self.threshold} is impossible: give a probability from 0 up to, not including, 1."
            )
        if self.min_size < 0:
            raise SettingsError(
                f"Minimum size {self.min_size} is negative. Give a number of pixels; 0 keeps everything."
            )
        if self.connectivity not in (1, 2):
            raise SettingsError(f"Connectivity {self.connectivity} is unknown: 1 is 4 neighbours, 2 is 8 neighbours.")

    @property
    def lowest(self) -> int:
        """Smallest stored (quantised) probability that counts as particle: above the threshold, never 0."""
        return max(1, math.floor(self.threshold * PROBABILITY_SCALE) + 1)

    @property
    def least(self) -> float:
        """Probability from which on a pixel counts as particle once it is rounded and stored, see :attr:`lowest`."""
        return (self.lowest - 0.5) / PROBABILITY_SCALE
