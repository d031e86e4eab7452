"""Pixel size and unit: the way from pixels to micrometres and back."""

import math
import re
from dataclasses import dataclass

from napari_mpseg.errors import CalibrationError

_UNITS_IN_METRE = {
    "nm": 1e-9,
    "um": 1e-6,
    "mm": 1e-3,
    "cm": 1e-2,
    "m": 1.0,
    "pm": 1e-12,
    "angstrom": 1e-10,
    "in": 0.0254,
}
_NAMES = {
    "µm": "um",
    "μm": "um",
    "micron": "um",
    "microns": "um",
    "micrometer": "um",
    "micrometre": "um",
    "micrometers": "um",
    "micrometres": "um",
    "nanometer": "nm",
    "nanometre": "nm",
    "millimeter": "mm",
    "millimetre": "mm",
    "centimeter": "cm",
    "centimetre": "cm",
    "meter": "m",
    "metre": "m",
    "picometer": "pm",
    "inch": "in",
    "inches": "in",
    "å": "angstrom",
    "pixel": "px",
    "pixels": "px",
    "": "px",
}
_LONG = {"um": "micrometer", "nm": "nanometer", "mm": "millimeter", "cm": "centimeter", "m": "meter", "px": "pixel"}


def normalise_unit(unit: str) -> str:
    """Return the short ASCII form of a length unit: ``"um"``, ``"nm"``, ``"mm"``, ``"px"`` ...

    Raises
    ------
    CalibrationError
        If the unit is not a length this package knows.
    """
    text = str(unit).strip()
    short = _NAMES.get(text.lower(), text.lower())
    if short != "px" and short not in _UNITS_IN_METRE:
        raise CalibrationError(f"Unit {unit!r} is not a length. Use nm, um, mm, cm, m or px.")
    return short


@dataclass(frozen=True)
class Calibration:
    """Size of one pixel.

    Attributes
    ----------
    pixel_size : tuple of float
        Height and width of a pixel, ``(Y, X)``, in `unit`.
    unit : str
        Short unit: ``"um"``, ``"nm"``, ``"mm"`` or ``"px"`` when the image is not calibrated.
    source : str
        Where the numbers come from: ``"OME"``, ``"TIFF resolution"``, ``"given"`` ...

    Raises
    ------
    CalibrationError
        If a pixel size is zero, negative or not finite, or the unit is unknown.

    Examples
    --------
    >>> Calibration.parse("2.5um").pixel_size
    (2.5, 2.5)
    """

    pixel_size: tuple[float, float] = (1.0, 1.0)
    unit: str = "px"
    source: str = "none"

    def __post_init__(self) -> None:
        try:
            size = tuple(float(value) for value in self.pixel_size)
        except (TypeError, ValueError):
            raise CalibrationError(f"Pixel size {self.pixel_size!r} is not two numbers (height, width).") from None
        if len(size) != 2 or not all(math.isfinite(value) and value > 0 for value in size):
            raise CalibrationError(
                f"Pixel size {self.pixel_size!r} is impossible: give two positive numbers, such as 2.5 um per pixel."
            )
        object.__setattr__(self, "pixel_size", size)
        object.__setattr__(self, "unit", normalise_unit(self.unit))

    @classmethod
    def parse(cls, text: str) -> "Calibration":
        """Read ``"2.5um"``, ``"0.65 µm"``, ``"10nm"`` or ``"2.5x2.4um"`` (height x width).

        ``"1px"`` stands for no pixel size, whatever the image's file says.
        """
        number = r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
        match = re.fullmatch(rf"\s*({number})(?:\s*[x×]\s*({number}))?\s*([^\d\s.+-]*)\s*", str(text))
        if not match or not match[3]:
            raise CalibrationError(f"Pixel size {text!r} is not a number and a unit. Write for example 2.5um or 10nm.")
        height = float(match[1])
        width = float(match[2]) if match[2] else height
        if not all(math.isfinite(size) and size > 0 for size in (height, width)):
            raise CalibrationError(f"Pixel size {text!r} is impossible: it must be above zero, such as 2.5um.")
        if normalise_unit(match[3]) == "px" and (height, width) != (1.0, 1.0):
            raise CalibrationError(f"Pixel size {text!r} says nothing: give it in a unit of length, such as 2.5um.")
        return cls((height, width), match[3], "given")

    @property
    def calibrated(self) -> bool:
        """Whether a physical unit is known."""
        return self.unit != "px"

    @property
    def isotropic(self) -> bool:
        """Whether pixels are square (to one part in a million)."""
        height, width = self.pixel_size
        return abs(height - width) <= 1e-6 * max(height, width)

    @property
    def area_suffix(self) -> str:
        """Column suffix of an area: ``"um2"``."""
        return f"{self.unit}2"

    @property
    def unit_name(self) -> str:
        """Long unit name as OME and napari use it: ``"micrometer"``."""
        return _LONG.get(self.unit, self.unit)

    @property
    def pixel_size_um(self) -> float | None:
        """Geometric mean pixel size in micrometre, or None where no unit is known."""
        if not self.calibrated:
            return None
        height, width = self.pixel_size
        return math.sqrt(height * width) * _UNITS_IN_METRE[self.unit] / _UNITS_IN_METRE["um"]

    def same_size(self, other: "Calibration") -> bool:
        """Return whether pixels are as large as those of another calibration, in whatever unit; never without one."""
        if not (self.calibrated and other.calibrated):
            return False
        sizes = zip(self.converted(other.unit).pixel_size, other.pixel_size, strict=True)
        return all(math.isclose(own, theirs, rel_tol=1e-6) for own, theirs in sizes)

    def converted(self, unit: str) -> "Calibration":
        """Return the same pixel size in another unit."""
        target = normalise_unit(unit)
        if not self.calibrated or target == "px":
            raise CalibrationError(f"Cannot turn {self.unit} into {target}: one of them is not a physical length.")
        factor = _UNITS_IN_METRE[self.unit] / _UNITS_IN_METRE[target]
        return Calibration((self.pixel_size[0] * factor, self.pixel_size[1] * factor), target, self.source)

    def __str__(self) -> str:
        height, width = self.pixel_size
        if not self.calibrated:
            return "not calibrated (1 px)"
        size = f"{height:g}" if self.isotropic else f"{height:g} x {width:g}"
        return f"{size} {self.unit} per pixel"
