"""All choices on the way from a mask to instances, as one dataclass."""

import math
import numbers
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from napari_mpseg.calibration import Calibration, normalise_unit
from napari_mpseg.errors import CalibrationError, SettingsError
from napari_mpseg.particles.instances.way import Way
from napari_mpseg.particles.instances.ways import INSTANCES
from napari_mpseg.settings import to_dict

JOINED_KEEP = ("joined", "own")


@dataclass(frozen=True)
class InstanceSettings:
    """How a mask becomes instances. The steps are done in the order of the attributes.

    Attributes
    ----------
    threshold : float
        Probability above which a pixel is particle; for probabilities only.
    within_labels : bool
        For labels only: split each label by itself, so that borders that are there already stay. Otherwise labels are
        taken as a mask, and touching labels are one piece.
    join_dilate, join_erode : float
        To join broken strands: sides of the squares by which the mask is dilated and then eroded, in `unit`. 0 joins
        nothing. Badillo-Cardenas et al. join strands with 15 and 9 px; as that erodes less than it dilates, particles
        grow by 3 px on each side. Equal sides close gaps and grow nothing.
    join_keeps : str
        ``"joined"``: what dilating and eroding gives is the particle, as in that paper. ``"own"``: pieces that it joins
        are one particle, but only their own pixels belong to it; such a particle may lie in several pieces.
    fill_holes : float or None
        Largest area of a hole that is filled, in `unit` squared; 0 fills none, None all. A hole is background that does
        not reach the image's border (4-connected where particles are 8-connected, and the other way round).
    connectivity : int
        Which pixels touch: 2 with sides or corners (8 neighbours), 1 with sides (4 neighbours).
    way : str
        How touching particles are split, see :data:`~napari_mpseg.particles.instances.INSTANCES`.
    options : mapping
        Settings of that way; the way's own dataclass is taken too.
    exclude_on_edges : bool
        Drop particles that touch the image's border.
    min_size, max_size : float
        Smallest and largest area that is kept, in `unit` squared, both inclusive; `max_size` None has no limit.
    unit : str
        ``"px"``, or a length such as ``"um"``, which needs a pixel size.

    Raises
    ------
    SettingsError
        If a value is impossible or unknown.

    Examples
    --------
    >>> InstanceSettings(way="imagej-watershed", options={"tolerance": 1.0}).way_settings
    ImageJWatershed(tolerance=1.0)
    """

    threshold: float = 0.5
    within_labels: bool = False
    join_dilate: float = 0.0
    join_erode: float = 0.0
    join_keeps: str = "joined"
    fill_holes: float | None = 0.0
    connectivity: int = 2
    way: str = "components"
    options: Mapping[str, Any] = field(default_factory=dict)
    exclude_on_edges: bool = False
    min_size: float = 0.0
    max_size: float | None = None
    unit: str = "px"

    def __post_init__(self) -> None:
        self._check_kinds()
        try:
            object.__setattr__(self, "unit", normalise_unit(self.unit))
        except CalibrationError as error:
            raise SettingsError(str(error)) from None
        if not 0 <= self.threshold < 1:
            raise SettingsError(f"Threshold {self.threshold} is impossible: give a probability from 0 up to 1.")
        if self.connectivity not in (1, 2):
            raise SettingsError(f"Connectivity {self.connectivity!r} is neither 1 (sides) nor 2 (sides and corners).")
        self._check_join()
        self._check_sizes()
        chosen = self.entry.settings_from(self.options)
        object.__setattr__(self, "options", to_dict(chosen))

    @property
    def entry(self) -> Way:
        """The way's entry in the registry."""
        return INSTANCES[self.way]

    @property
    def way_settings(self) -> Any:
        """The options as the way's own dataclass."""
        return self.entry.settings_from(self.options)

    @property
    def joins(self) -> bool:
        """Whether broken strands are joined."""
        return self.join_dilate > 0

    def area_px(self, value: float, calibration: Calibration) -> float:
        """Return an area of these settings in pixels.

        Raises
        ------
        SettingsError
            If they are in a unit of length, and the image has no pixel size.
        """
        height, width = self._pixel(calibration)
        return value / (height * width)

    def sides_px(self, value: float, calibration: Calibration) -> tuple[int, int]:
        """Return the height and width in pixels of a square of these settings: the nearest odd numbers.

        Raises
        ------
        SettingsError
            If they are in a unit of length, and the image has no pixel size; or in pixels, and not odd.
        """
        height, width = self._pixel(calibration)
        if self.unit == "px" and value % 2 != 1:
            odd = 2 * int(value / 2) + 1
            raise SettingsError(
                f"A square of {value:g} px has no pixel in its middle. Give an odd number, such as {odd}."
            )
        return _odd(value / height), _odd(value / width)

    def _pixel(self, calibration: Calibration) -> tuple[float, float]:
        if self.unit == "px":
            return 1.0, 1.0
        if not calibration.calibrated:
            raise SettingsError(
                f"Sizes are in {self.unit}, but the image has no pixel size. Give one, such as 2.5um, or sizes in px."
            )
        return calibration.converted(self.unit).pixel_size

    def _check_kinds(self) -> None:
        """Refuse what is no number where one is needed: texts, and true and false, which Python takes as 1 and 0."""
        for name in ("threshold", "join_dilate", "join_erode", "fill_holes", "connectivity", "min_size", "max_size"):
            value = getattr(self, name)
            if value is None and name in ("fill_holes", "max_size"):
                continue
            if isinstance(value, bool) or not isinstance(value, numbers.Real):
                every = " To fill all holes give None." if name == "fill_holes" else ""
                raise SettingsError(f"{name} is {value!r}; give a number.{every}")
        for name in ("within_labels", "exclude_on_edges"):
            if not isinstance(getattr(self, name), bool):
                raise SettingsError(f"{name} is {getattr(self, name)!r}; give true or false.")
        if not isinstance(self.unit, str):
            raise SettingsError(f"The unit is {self.unit!r}; give a text, such as px or um.")

    def _check_join(self) -> None:
        if self.join_keeps not in JOINED_KEEP:
            raise SettingsError(f"join_keeps is {self.join_keeps!r}; it must be one of {', '.join(JOINED_KEEP)}.")
        for name in ("join_dilate", "join_erode"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise SettingsError(f"{name} is {value}; give a length of 0 or more.")
        if self.join_erode > self.join_dilate:
            raise SettingsError(
                f"Joining that erodes by {self.join_erode:g} {self.unit} but dilates by {self.join_dilate:g} would "
                "eat particles away. Dilate by at least as much as you erode."
            )
        if self.joins and self.within_labels:
            raise SettingsError(
                "Strands of different labels cannot be joined while each label is split by itself. "
                "Take the labels as a mask, or switch joining off."
            )

    def _check_sizes(self) -> None:
        for name in ("fill_holes", "min_size", "max_size"):
            value = getattr(self, name)
            if value is not None and not (value >= 0 and math.isfinite(value)):
                raise SettingsError(f"{name} is {value}; give an area of 0 or more.")
        if self.max_size is not None and self.max_size < self.min_size:
            raise SettingsError(
                f"The largest size, {self.max_size:g}, is below the smallest, {self.min_size:g}: nothing would be left."
            )


def _odd(pixels: float) -> int:
    return 2 * math.floor(max(pixels - 1, 0) / 2 + 0.5) + 1
