"""Size classes: how many particles lie between which sizes."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from napari_mpseg.calibration import Calibration, normalise_unit
from napari_mpseg.errors import CalibrationError, SettingsError
from napari_mpseg.particles.table import ParticleTable


@dataclass(frozen=True)
class SizeClasses:
    """Borders of size classes. A class holds its lower border: 20 um belongs to ``20-50 um``.

    Attributes
    ----------
    edges : tuple of float
        Rising positive borders; n borders make n + 1 classes.
    unit : str
        Unit of the borders.
    by : str
        Property of kind length that is the size: ``"feret_max"``, ``"equivalent_diameter"`` ...

    Raises
    ------
    SettingsError
        If the borders are not positive and rising.

    Examples
    --------
    >>> SizeClasses((10, 100), "um").names
    ('<10 um', '10-100 um', '>=100 um')
    """

    edges: tuple[float, ...] = (20.0, 50.0, 100.0, 500.0)
    unit: str = "um"
    by: str = "feret_max"

    def __post_init__(self) -> None:
        edges = tuple(float(edge) for edge in self.edges)
        if not edges or not all(np.isfinite(edges)) or edges[0] <= 0 or any(a >= b for a, b in pairwise(edges)):
            raise SettingsError(f"Size class borders {self.edges!r} must be positive and rising, such as 20, 50, 100.")
        object.__setattr__(self, "edges", edges)
        object.__setattr__(self, "unit", normalise_unit(self.unit))

    @classmethod
    def default_for(cls, calibration: Calibration) -> "SizeClasses":
        """Return <20, 20-50, 50-100, 100-500, >=500 um; the same numbers in nm for pixels smaller than 100 nm.

        Without a pixel size the borders are 10, 20, 50 and 200 px.
        """
        pixel = calibration.pixel_size_um
        if pixel is None:
            return cls((10.0, 20.0, 50.0, 200.0), "px")
        return cls(unit="nm") if pixel < 0.1 else cls()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the classes, smallest first."""
        inner = tuple(f"{low:g}-{high:g} {self.unit}" for low, high in pairwise(self.edges))
        return (f"<{self.edges[0]:g} {self.unit}", *inner, f">={self.edges[-1]:g} {self.unit}")


def size_class(table: ParticleTable, classes: SizeClasses | None = None) -> pd.Series:
    """Return each particle's size class as an ordered categorical column.

    Parameters
    ----------
    table : ParticleTable
        Measured particles, with the property `classes.by`.
    classes : SizeClasses, optional
        Without, :meth:`SizeClasses.default_for` the table's calibration.

    Raises
    ------
    SettingsError
        If the table lacks the size, or has no pixel size while the classes are in a unit.
    """
    classes = classes or SizeClasses.default_for(table.calibration)
    number = np.asarray(np.digitize(_sizes(table, classes), classes.edges), np.int64)
    values = pd.Categorical.from_codes(number, categories=pd.Index(classes.names), ordered=True)
    return pd.Series(values, index=table.frame.index, name="size_class")


def count_by_size(table: ParticleTable, classes: SizeClasses | None = None) -> pd.Series:
    """Return the number of particles per size class (int64, named ``count``), empty classes included.

    Parameters and errors are those of :func:`size_class`.
    """
    return size_class(table, classes).value_counts(sort=False).astype("int64").rename("count")


def _sizes(table: ParticleTable, classes: SizeClasses) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    unit = table.calibration.unit if classes.unit != "px" else "px"
    column, factor = f"{classes.by}_{unit}", 1.0
    if classes.unit != unit:
        try:
            factor = Calibration((1.0, 1.0), unit).converted(classes.unit).pixel_size[0]
        except CalibrationError:
            raise SettingsError(
                f"Size classes are in {classes.unit}, but the table has no pixel size. "
                "Measure with a pixel size (such as 2.5um), or choose size classes in px."
            ) from None
    if column not in table.frame.columns:
        raise SettingsError(
            f"The table has no column {column!r} to sort into size classes. Measure {classes.by!r} too."
        )
    return table.frame[column].to_numpy(np.float64) * factor
