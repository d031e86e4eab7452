"""Size classes: how many particles lie between which sizes."""

import os
import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from napari_mpseg.calibration import Calibration, normalise_unit
from napari_mpseg.errors import CalibrationError, SettingsError
from napari_mpseg.particles.classes.columns import values_in
from napari_mpseg.particles.classes.files import load_json, save_json
from napari_mpseg.particles.table import ParticleTable

_WHAT = "size classes"


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

    @classmethod
    def parse(cls, text: str, by: str = "feret_max") -> "SizeClasses":
        """Read ``"20,50,100,500 um"``: rising borders, then their unit.

        Borders are separated by commas, semicolons or spaces; ``20um`` without a space is fine too.

        Raises
        ------
        SettingsError
            If a border is not a number, the unit is missing, or the borders do not rise.

        Examples
        --------
        >>> SizeClasses.parse("20, 50, 100 µm").edges
        (20.0, 50.0, 100.0)
        """
        match = re.fullmatch(r"([-+\d.,;\seE]*\d[.,;\s]*)([^\d\s.,;+-]+)\s*", text.strip())
        try:
            if match is None:
                raise ValueError
            edges = tuple(float(part) for part in re.split(r"[,;\s]+", match[1].strip(" ,;")))
        except ValueError:
            raise SettingsError(
                f"{text!r} are no size classes. Write rising borders and their unit, such as 20, 50, 100, 500 um."
            ) from None
        try:
            return cls(edges, match[2], by)
        except CalibrationError as error:
            raise SettingsError(f"Size classes {text!r}: {error}") from None

    @property
    def text(self) -> str:
        """The borders and their unit, as :meth:`parse` reads them: ``"20, 50, 100, 500 um"``."""
        return f"{', '.join(f'{edge:.15g}' for edge in self.edges)} {self.unit}"

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


def save_size_classes(classes: SizeClasses, path: str | os.PathLike[str], *, overwrite: bool = True) -> Path:
    """Write size classes as JSON.

    Raises
    ------
    StoreError
        If the place cannot be written, or is taken and `overwrite` is False.
    """
    return save_json(classes, _WHAT, path, overwrite=overwrite)


def load_size_classes(path: str | os.PathLike[str]) -> SizeClasses:
    """Read size classes that :func:`save_size_classes` wrote, perhaps edited since.

    Raises
    ------
    StoreError
        If the file cannot be read.
    SettingsError
        If it holds no size classes, or impossible ones.
    """
    return load_json(SizeClasses, _WHAT, path)


def _sizes(table: ParticleTable, classes: SizeClasses) -> "np.ndarray[Any, np.dtype[np.float64]]":
    return values_in(table, classes.by, classes.unit)
