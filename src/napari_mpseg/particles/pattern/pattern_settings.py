"""What a user can choose about a test of the point pattern."""

import math
from dataclasses import dataclass

from napari_mpseg.errors import SettingsError

STATISTICS = ("median", "mean")


@dataclass(frozen=True)
class PatternSettings:
    """Settings of a test of the point pattern.

    Attributes
    ----------
    alpha : float
        Share of completely random patterns that may be called something else, 0 to 0.5.
    simulations : int
        Random patterns to compare with, where the test compares with any.
    seed : int
        Start of the random numbers: the same seed gives the same result.
    non_overlapping : bool
        Random patterns are discs of the particles' areas that do not overlap, since particles cannot lie in each
        other. False: points, which may lie anywhere. Where no areas are known, points are laid in any case.
    separation : float
        How many empty pixels must lie between discs: particles that touch are one in a mask. Where labels are given of
        which a tenth or more touch another, 0 is taken, and a note says so.
    fewest : int
        With fewer particles, the answer is "too few particles to say" (but not in the test ``"biovoxxel"``).
    statistic : str
        ``"median"`` or ``"mean"``: which the test ``"biovoxxel"`` compares with the expected mean.
    curve : bool
        Also compute the distribution of distances with its random envelope, for the figure.

    Raises
    ------
    SettingsError
        If a value makes no sense.
    """

    alpha: float = 0.05
    simulations: int = 999
    seed: int = 0
    non_overlapping: bool = True
    separation: float = 1.0
    fewest: int = 10
    statistic: str = "median"
    curve: bool = True

    def __post_init__(self) -> None:
        if not 0 < self.alpha < 0.5:
            raise SettingsError(f"A level alpha of {self.alpha!r} makes no sense: give one above 0 and below 0.5.")
        if self.simulations < 1:
            raise SettingsError(f"{self.simulations} simulations make no sense: give 1 or more, such as 999.")
        if not 0 <= self.separation < math.inf:
            raise SettingsError(f"A separation of {self.separation!r} pixels makes no sense: give 0 or more.")
        if self.fewest < 2:
            raise SettingsError(f"The fewest particles for a test are 2 or more, not {self.fewest}.")
        if self.statistic not in STATISTICS:
            raise SettingsError(f"The statistic {self.statistic!r} is neither {' nor '.join(STATISTICS)}.")
        if self.seed < 0:
            raise SettingsError(f"The seed {self.seed} is negative: give 0 or more.")

    def check_simulations(self) -> None:
        """Raise SettingsError if no p-value could be as small as `alpha` with so few simulations."""
        needed = math.ceil(2 / self.alpha - 1e-9) - 1
        if self.simulations < needed:
            raise SettingsError(
                f"{self.simulations} simulations can never reach a p-value of {self.alpha:g}: give {needed} or more."
            )
