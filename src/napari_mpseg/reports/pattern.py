"""The point pattern of an image as one row per test, as in Table 9 of Babkauskas 2023."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_mpseg.particles.table import ParticleTable


@dataclass(frozen=True)
class PatternRow:
    """What one test says about the nearest-neighbour distances (NND) of an image.

    Attributes
    ----------
    test, title : str
        Name of the test, and the same for people.
    definition : str
        One sentence on what it does.
    unit : str
        Of the distances.
    count : int
        Points.
    expected, median, mean : float
        Mean distance of random points; median and mean of those measured.
    statistic : str
        Which figure is compared: ``"Welch's t-test"``.
    critical, value : float
        Beyond what it is significant, and what it is.
    confidence : float
        Such as 0.95.
    pattern : str
        ``"random"``, ``"clustered"`` or ``"self-avoiding"``.
    """

    test: str
    title: str
    definition: str
    unit: str
    count: int
    expected: float
    median: float
    mean: float
    statistic: str
    critical: float
    value: float
    confidence: float
    pattern: str

    def values(self) -> dict[str, Any]:
        """Return the figures by name, for a table."""
        return {
            "n": self.count,
            f"expected_{self.unit}": self.expected,
            f"median_{self.unit}": self.median,
            f"mean_{self.unit}": self.mean,
            "statistic": self.statistic,
            "critical": self.critical,
            "value": self.value,
            "confidence": self.confidence,
            "pattern": self.pattern,
        }


def test_pattern(
    table: "ParticleTable", shape: tuple[int, int] | None, tests: tuple[str, ...], notes: list[str]
) -> tuple[PatternRow, ...]:
    """Return a row per test; where one cannot be done, a note instead."""
    return ()
