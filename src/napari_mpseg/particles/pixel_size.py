"""The pixel size behind a table that has its lengths both in pixels and in a unit."""

import numpy as np
import pandas as pd

from napari_mpseg.calibration import Calibration
from napari_mpseg.particles.classes.columns import LENGTH_UNITS, property_of


def pixel_size_in(frame: pd.DataFrame) -> Calibration | None:
    """Return the pixel size that the columns of a particle table agree on, or None.

    Places give height and width of a pixel. Where they give one side only, as with all particles in the first row, the
    areas give the other; without places the areas give both, if pixels are square.

    Parameters
    ----------
    frame : pandas.DataFrame
        Particle table or features, such as from a CSV file, which does not hold the pixel size itself.

    Examples
    --------
    >>> pixel_size_in(pd.DataFrame({"area_px": [3.0, 5.0], "area_um2": [12.0, 20.0]})).pixel_size
    (2.0, 2.0)
    """
    unit = next((unit for unit in LENGTH_UNITS if any(_is_length(column, unit) for column in frame.columns)), None)
    if unit is None:
        return None
    height, width = (_ratio(frame, f"centroid_{axis}_{unit}", f"centroid_{axis}_px") for axis in "yx")
    if height is None or width is None:
        area = _ratio(frame, f"area_{unit}2", "area_px")
        height, width = _sides(height, width, area) if area is not None else (None, None)
    return Calibration((height, width), unit, "table") if height and width else None


def _is_length(column: str, unit: str) -> bool:
    entry = property_of(str(column))
    return entry is not None and entry.kind in ("length", "area") and str(column).endswith((f"_{unit}", f"_{unit}2"))


def _sides(height: float | None, width: float | None, area: float) -> tuple[float, float]:
    """Return height and width of a pixel from its area and one of them, or those of a square one."""
    if height:
        return height, _rounded(area / height)
    if width:
        return _rounded(area / width), width
    return (_rounded(np.sqrt(area)),) * 2


def _ratio(frame: pd.DataFrame, calibrated: str, pixels: str) -> float | None:
    if calibrated not in frame or pixels not in frame:
        return None
    above, below = (frame[name].to_numpy(np.float64, na_value=np.nan) for name in (calibrated, pixels))
    usable = np.isfinite(above) & (np.abs(below) > 0)
    if not usable.any():
        return None
    largest = np.argmax(np.where(usable, np.abs(below), -1.0))
    return _rounded(above[largest] / below[largest])


def _rounded(value: float) -> float:
    """Return the value without the last digits, which the division made up."""
    return float(f"{value:.12g}")
