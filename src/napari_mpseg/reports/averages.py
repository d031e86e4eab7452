"""Averages of particle properties over an image, as in Table 8 of Babkauskas 2023."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.particles.classes.columns import property_of

if TYPE_CHECKING:
    from napari_mpseg.particles.table import ParticleTable

_ALSO = ("intensity_mean",)  # averaged although no shape


@dataclass(frozen=True)
class Average:
    """Mean of one column over the particles of an image.

    Attributes
    ----------
    column : str
        Name in the table.
    stem : str
        The name without its unit: ``"feret_max"``.
    unit : str
        ``"um"``, ``"px2"``, ``"deg"``, ``""`` for plain numbers.
    mean, sd : float
        Mean and sample standard deviation (n - 1). Of directions, which are the same again after 180 degrees, those of
        :func:`axial_mean`. NaN where there is none.
    median : float
        NaN for directions, which have none.
    count : int
        Particles with a value.
    alignment : float
        Of directions: 0 where they cancel out, so that the mean says nothing, 1 where all are the same. Else NaN.
    """

    column: str
    stem: str
    unit: str
    mean: float
    sd: float
    median: float
    count: int
    alignment: float = float("nan")


def averages(table: "ParticleTable") -> tuple[Average, ...]:
    """Return the mean of every shape property, of the intensity and of the confidence, in the table's order.

    Lengths and areas are taken in the table's unit of length, or in pixels where it has none.
    """
    found = []
    for column in table.frame.columns:
        named = _averaged_as(column, table)
        if named is None:
            continue
        stem, axial = named
        values = table.frame[column].to_numpy(np.float64, na_value=np.nan)
        values = values[np.isfinite(values)]
        numbers = _axial(values) if axial else _plain(values)
        found.append(Average(column, stem, table.units.get(column, ""), *numbers))
    return tuple(found)


def axial_mean(degrees: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return mean, standard deviation and alignment of directions that are the same again after 180 degrees.

    The angles are doubled, averaged as unit vectors, and halved again; with R the length of the mean vector, the
    standard deviation is sqrt(-2 ln R) / 2 (Fisher 1993, Statistical Analysis of Circular Data).

    Parameters
    ----------
    degrees : numpy.ndarray
        float64 ``(N,)``.

    Returns
    -------
    mean : float
        Degrees, 0 to 180; NaN if the directions cancel out.
    sd : float
        Degrees.
    alignment : float
        R, 0 to 1.

    Examples
    --------
    >>> [round(number, 6) + 0 for number in axial_mean(np.array([170.0, 10.0]))[:1]]
    [0.0]
    """
    if not len(degrees):
        return float("nan"), float("nan"), float("nan")
    doubled = np.deg2rad(2.0 * degrees)
    vector = complex(np.cos(doubled).mean(), np.sin(doubled).mean())
    alignment = min(1.0, abs(vector))
    if alignment < 1e-12:
        return float("nan"), float("nan"), 0.0
    mean = float(np.rad2deg(np.angle(vector)) / 2.0) % 180.0
    return (0.0 if 180.0 - mean < 1e-9 else mean), float(np.rad2deg(np.sqrt(-2.0 * np.log(alignment)) / 2.0)), alignment


def _plain(values: NDArray[np.float64]) -> tuple[float, float, float, int]:
    nan = float("nan")
    mean, median = (float(values.mean()), float(np.median(values))) if len(values) else (nan, nan)
    return mean, float(values.std(ddof=1)) if len(values) > 1 else nan, median, len(values)


def _axial(values: NDArray[np.float64]) -> tuple[float, float, float, int, float]:
    mean, sd, alignment = axial_mean(values)
    return mean, sd, float("nan"), len(values), alignment


def _averaged_as(column: str, table: "ParticleTable") -> tuple[str, bool] | None:
    """Return the column's name without its unit and whether it is a direction, or None if it is not averaged."""
    if column == "confidence":
        return column, False
    entry = property_of(column)
    if entry is None or not ("shape" in entry.sets or entry.name in _ALSO) or entry.kind in ("pixels", "flag"):
        return None
    if entry.kind not in ("length", "area"):
        return column.removesuffix("_deg"), entry.kind == "angle"
    ending = table.calibration.unit + ("2" if entry.kind == "area" and table.calibration.calibrated else "")
    return (column.removesuffix(f"_{ending}"), False) if column.endswith(f"_{ending}") else None
