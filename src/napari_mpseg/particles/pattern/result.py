"""What a test of the point pattern found."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

#: The answers: as if laid at random, nearer to each other than that, further apart than that, or no answer.
CLASSES = ("random", "clustered", "self-avoiding", "too few particles to say")
RANDOM, CLUSTERED, SELF_AVOIDING, TOO_FEW = CLASSES


@dataclass(frozen=True, eq=False)
class Curve:
    """A function of distance, and between which values it lies for random patterns.

    Attributes
    ----------
    name, axis : str
        What it is, and the title of its axis.
    distance, observed, expected, low, high : numpy.ndarray
        float64 ``(K,)``. The band from `low` to `high` is global: a random pattern leaves it anywhere with the
        probability alpha.
    """

    name: str
    axis: str
    distance: NDArray[np.float64]
    observed: NDArray[np.float64]
    expected: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PatternResult:
    """What a test of the point pattern found. Lengths are in `unit`.

    Attributes
    ----------
    pattern_class : str
        One of :data:`CLASSES`.
    test, title, distance : str
        Name of the test, the same in words, and name of the distance.
    n : int
        Number of points.
    unit : str
        Of lengths: ``"um"``, ``"px"`` ...
    area : float
        Of the region, in `unit` squared.
    region : str
        What the region is.
    theoretical : float
        Mean nearest-neighbour distance expected of a random pattern.
    mean, median, variance : float
        Of the measured distances. The variance divides by n, as BioVoxxel does.
    statistic_name, statistic, critical : str, float, float
        What was compared with what: beyond the critical value (on the side of the statistic) the pattern is not random.
    p : float
        Two-sided probability of a result at least as far from random; NaN where the test gives none.
    details : mapping
        More figures of the test (JSON values).
    notes : tuple of str
        What the user should know.
    settings : mapping
        Of the test.
    distances : numpy.ndarray
        float64 ``(n,)``.
    curve : Curve or None
        For the figure.
    """

    pattern_class: str
    test: str
    title: str
    distance: str
    n: int
    unit: str
    area: float
    region: str
    theoretical: float = math.nan
    mean: float = math.nan
    median: float = math.nan
    variance: float = math.nan
    statistic_name: str = ""
    statistic: float = math.nan
    critical: float = math.nan
    p: float = math.nan
    details: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    distances: NDArray[np.float64] = field(default_factory=lambda: np.empty(0), repr=False)
    curve: Curve | None = field(default=None, repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Return all but the single distances and the curve as JSON values; None stands for "not known"."""
        left_out = ("distances", "curve")
        values = {name: value for name, value in self.__dict__.items() if name not in left_out}
        return {name: _plain(value) for name, value in values.items()}

    def to_frame(self) -> "pd.DataFrame":
        """Return one row as in the thesis' table 9: expected, median and mean distance, n, test, critical value, class.

        The column ``statistic`` is that table's t value where the test is a t-test; ``statistic_name`` says what it is.
        """
        import pandas as pd

        kind = self.details.get("t_test")
        return pd.DataFrame(
            {
                f"theoretical_nnd_{self.unit}": [self.theoretical],
                f"median_nnd_{self.unit}": [self.median],
                f"mean_nnd_{self.unit}": [self.mean],
                "n": [self.n],
                "test": [f"{self.title}, {kind}" if kind else self.title],
                "critical_value": [self.critical],
                "statistic_name": [self.statistic_name],
                "statistic": [self.statistic],
                "p": [self.p],
                "class": [self.pattern_class],
                "distance": [self.distance],
                f"variance_nnd_{self.unit}2": [self.variance],
                f"region_{self.unit}2": [self.area],
            }
        )

    def in_words(self) -> str:
        """Return the answer as a sentence for the user."""
        if self.pattern_class == TOO_FEW:
            return f"{TOO_FEW}: {self.n:,}, and {self.details.get('fewest', 2)} are needed"
        unit = "µm" if self.unit == "um" else self.unit
        which = "median" if self.details.get("compared") == "median" else "mean"
        measured = self.median if which == "median" else self.mean
        text = (
            f"{self.pattern_class}: {which} nearest-neighbour distance {measured:.4g} {unit}, "
            f"expected {self.theoretical:.4g} {unit} if random, {self.n:,} particles"
        )
        if math.isnan(self.p):
            return f"{text}, {self.statistic_name} = {self.statistic:.3g} (critical {self.critical:.3g})"
        return f"{text}, p = {self.p:.2g}"


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    return value
