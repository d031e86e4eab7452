"""Where a TIFF file can say its pixel size: one registered function per place, asked in order."""

import math
import re
import warnings
from collections.abc import Callable
from typing import Any

from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import CalibrationError
from napari_mpseg.images.image_warning import ImageWarning
from napari_mpseg.images.ome_xml import OmePixels, two_units
from napari_mpseg.registry import Registry

_SCREEN_DPI = (72.0, 96.0)
_UM_PER_INCH, _UM_PER_CM = 25400.0, 10000.0
_INCH, _CENTIMETRE = 2, 3
_NM_BELOW = 1e-7

Place = Callable[[Any, Any, OmePixels | None], Calibration | None]
tiff_places: Registry[Place] = Registry("place of a TIFF pixel size")


def tiff_calibration(tif: Any, page: Any, ome: OmePixels | None, source: str) -> Calibration:
    """Return the pixel size of a TIFF file, from the first place that holds a possible one.

    Parameters
    ----------
    tif : tifffile.TiffFile
        The open file.
    page : tifffile.TiffPage
        The first page of the image.
    ome : OmePixels or None
        Its OME-XML.
    source : str
        File name for warnings.

    Returns
    -------
    Calibration
        Uncalibrated where no place holds one. An impossible value is left out with an :class:`ImageWarning`.
    """
    for name, place in tiff_places.items():
        try:
            found = place(tif, page, ome)
        except (CalibrationError, ValueError, TypeError, KeyError, IndexError, ZeroDivisionError) as error:
            warnings.warn(f"{source}: the pixel size from {name} is left out ({error}).", ImageWarning, stacklevel=2)
            continue
        if found is not None and found.calibrated:
            return found
    return Calibration()


@tiff_places.register("OME")
def _ome(tif: Any, page: Any, ome: OmePixels | None) -> Calibration | None:
    if ome is None or (ome.size_x is None and ome.size_y is None):
        return None
    width, unit_x = (ome.size_x, ome.unit_x) if ome.size_x is not None else (ome.size_y, ome.unit_y)
    height, unit_y = (ome.size_y, ome.unit_y) if ome.size_y is not None else (width, unit_x)
    return two_units(float(str(height)), float(str(width)), unit_y, unit_x, "OME")


@tiff_places.register("ImageJ")
def _imagej(tif: Any, page: Any, ome: OmePixels | None) -> Calibration | None:
    """ImageJ keeps the unit in its description and pixels per unit in the resolution tags."""
    metadata = tif.imagej_metadata if tif.is_imagej else None
    unit = _unescaped(str((metadata or {}).get("unit", "")))
    resolution = _resolution(page)
    if not unit or resolution is None:
        return None
    per_y, per_x = resolution
    unit_y = _unescaped(str((metadata or {}).get("yunit", unit)))
    return two_units(1 / per_y, 1 / per_x, unit_y, unit, "ImageJ")


@tiff_places.register("Zeiss SEM")
def _zeiss_sem(tif: Any, page: Any, ome: OmePixels | None) -> Calibration | None:
    """Tag 34118: the named pixel size, else the fourth number of its head, in metre (as Gwyddion found out)."""
    metadata = page.tags.valueof(34118)
    if not isinstance(metadata, dict):
        return None
    for key in ("ap_image_pixel_size", "ap_pixel_size"):
        entry = metadata.get(key)
        if entry and len(entry) > 2:
            return Calibration((float(entry[1]), float(entry[1])), str(entry[2]), "Zeiss SEM")
    numbers = metadata.get("", ())
    if len(numbers) > 3 and isinstance(numbers[3], (int, float)) and numbers[3]:
        return in_metre(numbers[3], numbers[3], "Zeiss SEM")
    return None


@tiff_places.register("FEI SEM")
def _fei_sem(tif: Any, page: Any, ome: OmePixels | None) -> Calibration | None:
    """Tags 34680 and 34682 of FEI and Thermo Fisher: pixel width and height in metre."""
    for tag in (34682, 34680):
        metadata = page.tags.valueof(tag)
        for section in ("Scan", "EScan", "IScan"):
            values = metadata.get(section) if isinstance(metadata, dict) else None
            if values and "PixelWidth" in values:
                width = float(values["PixelWidth"])
                return in_metre(float(values.get("PixelHeight", width)), width, "FEI SEM")
    return None


@tiff_places.register("TIFF resolution")
def _resolution_tags(tif: Any, page: Any, ome: OmePixels | None) -> Calibration | None:
    """Pixels per inch or centimetre. 72 and 96 per inch are what programs write without knowing any better."""
    micrometres = {_INCH: _UM_PER_INCH, _CENTIMETRE: _UM_PER_CM}.get(int(page.tags.valueof("ResolutionUnit", 2)))
    resolution = _resolution(page)
    if micrometres is None or resolution is None or (tif.is_imagej and resolution == (1.0, 1.0)):
        return None
    per_y, per_x = resolution
    dots = [value * _UM_PER_INCH / micrometres for value in resolution]
    if all(any(abs(value - screen) < 0.5 for screen in _SCREEN_DPI) for value in dots):
        return None
    return Calibration((micrometres / per_y, micrometres / per_x), "um", "TIFF resolution")


def in_metre(height: float, width: float, source: str) -> Calibration:
    """Return a calibration given in metre in the unit people use for it: nm below 0.1 um, else um."""
    factor, unit = (1e9, "nm") if 0 < width < _NM_BELOW else (1e6, "um")
    return Calibration((height * factor, width * factor), unit, source)


def _resolution(page: Any) -> tuple[float, float] | None:
    """Return pixels per unit in (Y, X), None where the file does not say.

    Raises
    ------
    CalibrationError
        If a value is zero, negative or not a number.
    """
    values = []
    for name in ("YResolution", "XResolution"):
        value = page.tags.valueof(name)
        if value is None:
            return None
        top, bottom = value if isinstance(value, tuple) else (value, 1)
        number = top / bottom if bottom else math.nan
        if not (math.isfinite(number) and number > 0):
            raise CalibrationError(f"{name} is {top}/{bottom}")
        values.append(float(number))
    return values[0], values[1]


def _unescaped(unit: str) -> str:
    r"""Return a unit as text: ImageJ writes the micro sign as ``\u00B5``."""
    return re.sub(r"\\u([0-9a-fA-F]{4})", lambda match: chr(int(match[1], 16)), unit).strip()
