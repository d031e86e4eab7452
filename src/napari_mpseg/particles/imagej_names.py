"""The particle table's columns under ImageJ's names, in ImageJ's order and coordinates."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import SettingsError

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class ImageJColumn:
    """One column of ImageJ's Results table.

    Attributes
    ----------
    name : str
        ImageJ's heading.
    stems : tuple of str
        Our columns it is made of, without unit and channel.
    kind : str
        ``"length"``: in the calibrated unit where there is one; ``"area"``: likewise; ``"per channel"``;
        ``"per channel and area"``; ``"plain"``.
    make : callable
        Takes the columns named by `stems`, height and width of a pixel in the table's unit, and returns the values.
    """

    name: str
    stems: tuple[str, ...]
    kind: str
    make: Callable[..., Numbers]


def _same(values: Numbers, height: float, width: float) -> Numbers:
    return values


def _side(factor: Callable[[float, float], float], shift: float = 0.0) -> Callable[..., Numbers]:
    """Return what scales one pixel coordinate, or the difference of two."""

    def scaled(*values: float) -> Numbers:
        *places, height, width = values
        size = factor(height, width)
        return np.asarray((places[0] - sum(places[1:]) + shift) * size)

    return scaled


def _down(shift: float = 0.0) -> Callable[..., Numbers]:
    return _side(lambda height, width: height, shift)


def _across(shift: float = 0.0) -> Callable[..., Numbers]:
    return _side(lambda height, width: width, shift)


def _plain(name: str, stem: str) -> ImageJColumn:
    return ImageJColumn(name, (stem,), "plain", _same)


def _length(name: str, stem: str) -> ImageJColumn:
    return ImageJColumn(name, (stem,), "length", _same)


def _channel(name: str, stem: str) -> ImageJColumn:
    return ImageJColumn(name, (stem,), "per channel", _same)


#: All columns in ImageJ's order. ImageJ counts places from the image's corner, so the middle of the first pixel is 0.5;
#: it gives FeretX, FeretY, XStart and YStart in pixels, whatever the calibration.
COLUMNS = (
    ImageJColumn("Area", ("area",), "area", _same),
    _channel("Mean", "intensity_mean"),
    _channel("StdDev", "intensity_std"),
    _channel("Min", "intensity_min"),
    _channel("Max", "intensity_max"),
    ImageJColumn("X", ("centroid_x_px",), "plain", _across(0.5)),
    ImageJColumn("Y", ("centroid_y_px",), "plain", _down(0.5)),
    ImageJColumn("XM", ("centre_of_mass_x_px",), "per channel", _across(0.5)),
    ImageJColumn("YM", ("centre_of_mass_y_px",), "per channel", _down(0.5)),
    _length("Perim.", "perimeter"),
    ImageJColumn("BX", ("bbox_x0",), "plain", _across()),
    ImageJColumn("BY", ("bbox_y0",), "plain", _down()),
    ImageJColumn("Width", ("bbox_x1", "bbox_x0"), "plain", _across()),
    ImageJColumn("Height", ("bbox_y1", "bbox_y0"), "plain", _down()),
    _length("Major", "major_axis"),
    _length("Minor", "minor_axis"),
    _plain("Angle", "orientation_deg"),
    _plain("Circ.", "circularity"),
    _length("Feret", "feret_max"),
    ImageJColumn("IntDen", ("integrated_density",), "per channel and area", _same),
    _channel("Skew", "intensity_skewness"),
    _channel("Kurt", "intensity_kurtosis"),
    _channel("%Area", "area_fraction"),
    _channel("RawIntDen", "intensity_sum"),
    _plain("FeretX", "feret_start_x_px"),
    _plain("FeretY", "feret_start_y_px"),
    _plain("FeretAngle", "feret_angle_deg"),
    _length("MinFeret", "feret_min"),
    _plain("AR", "aspect_ratio"),
    _plain("Round", "roundness"),
    _plain("Solidity", "solidity"),
    _plain("XStart", "first_x"),
    _plain("YStart", "first_y"),
)


def imagej_columns(
    frame: pd.DataFrame, calibration: Calibration | None = None, channel: str | None = None
) -> pd.DataFrame:
    """Return the table under ImageJ's column names, in ImageJ's order, as far as it was measured.

    Parameters
    ----------
    frame : pandas.DataFrame
        A particle table's frame, best with the set ``"imagej"``, measured with the perimeter estimator ``"imagej"``.
    calibration : Calibration, optional
        That of the table. With a unit, lengths and areas are in it, as in a calibrated image in ImageJ.
    channel : str, optional
        Which channel's intensities, as it ends the column names. ImageJ measures one at a time. Without, the only one;
        of several, the first.

    Returns
    -------
    pandas.DataFrame
        One row per particle, with the index of `frame`; without the label.

    Raises
    ------
    SettingsError
        If there is no such channel.
    """
    calibration = calibration or Calibration()
    height, width = calibration.pixel_size if calibration.calibrated else (1.0, 1.0)
    ending = _channel_ending(frame, channel)
    found: dict[str, Numbers] = {}
    for column in COLUMNS:
        names = [_full_name(stem, column.kind, calibration.unit, ending) for stem in column.stems]
        if all(name in frame.columns for name in names):
            found[column.name] = column.make(*(frame[name].to_numpy() for name in names), height, width)
    return pd.DataFrame(found, index=frame.index)


def _full_name(stem: str, kind: str, unit: str, ending: str) -> str:
    if kind == "length":
        return f"{stem}_{unit}"
    if kind in ("area", "per channel and area"):
        stem += ending if kind != "area" else ""
        return f"{stem}_{unit}{'2' if unit != 'px' else ''}"
    return stem + ending if kind == "per channel" else stem


def _channel_ending(frame: pd.DataFrame, channel: str | None) -> str:
    """Return how the columns of the channel end: an underscore and its name, or nothing where there is only one."""
    endings = list(_endings(frame))
    if channel is None:
        return endings[0] if endings else ""
    if f"_{channel}" not in endings:
        known = ", ".join(ending.removeprefix("_") for ending in endings if ending) or "only one, without a name"
        raise SettingsError(f"The table has no channel {channel!r}. Its channels: {known}.")
    return f"_{channel}"


def _endings(frame: pd.DataFrame) -> Iterator[str]:
    for stem in ("intensity_mean", "intensity_sum", "intensity_min", "intensity_max", "intensity_std"):
        names = [str(name) for name in frame.columns if str(name) == stem or str(name).startswith(f"{stem}_")]
        if names:
            return iter([name.removeprefix(stem) for name in names])
    return iter(())
