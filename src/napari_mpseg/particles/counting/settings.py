"""All choices of counting in clutter, as one dataclass, and what they are in pixels."""

from dataclasses import dataclass

from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import SettingsError
from napari_mpseg.particles.instances.settings import InstanceSettings


@dataclass(frozen=True)
class CountSettings:
    """How particles are counted: one box for each outer contour of a mask whose broken strands were joined.

    Attributes
    ----------
    threshold : float
        Probability above which a pixel is particle; for probabilities only.
    dilate, erode : float
        Sides of the squares by which the mask is dilated and then eroded, in `unit`; 15 and 9 px in Badillo-Cardenas et
        al. Pieces up to ``dilate - 1`` px apart become one, and boxes are larger than their particles by half of the
        difference on each side. Equal sides grow nothing; 0 and 0 join nothing,
        and then each label of labels is one particle.
    erode_first : bool
        Erode before dilating: artefacts that the first square does not fit into are gone, and so are fibres that are
        thinner.
    fill_holes : float or None
        A particle inside another one's hole of up to this area, in `unit` squared, is a part of that one. None: of any
        area, as where only outer contours count; 0: never. Of labels it does nothing where nothing is joined.
    connectivity : int
        Which pixels touch: 2 with sides or corners (8 neighbours), 1 with sides (4 neighbours).
    min_size : float
        Fewest own pixels of a box that is counted, as an area in `unit` squared, inclusive.
    unit : str
        ``"px"``, or a length such as ``"um"``, which needs a pixel size.

    Raises
    ------
    SettingsError
        If a value is impossible.
    """

    threshold: float = 0.5
    dilate: float = 15.0
    erode: float = 9.0
    erode_first: bool = False
    fill_holes: float | None = None
    connectivity: int = 2
    min_size: float = 0.0
    unit: str = "px"

    def __post_init__(self) -> None:
        if not isinstance(self.erode_first, bool):
            raise SettingsError(f"erode_first is {self.erode_first!r}; give true or false.")
        object.__setattr__(self, "unit", self._checked().unit)

    def _checked(self) -> InstanceSettings:
        """Return the same for telling particles apart, which knows what is possible and what a unit is in pixels."""
        return InstanceSettings(
            threshold=self.threshold,
            join_dilate=self.dilate,
            join_erode=self.erode,
            fill_holes=self.fill_holes,
            connectivity=self.connectivity,
            min_size=self.min_size,
            unit=self.unit,
        )

    def sizes(self, calibration: Calibration | None = None) -> "CountSizes":
        """Return all sizes in pixels.

        Raises
        ------
        SettingsError
            If they are in a unit of length and there is no pixel size; or in pixels, and a side is even.
        """
        calibration, same = calibration or Calibration(), self._checked()
        dilate = same.sides_px(self.dilate, calibration) if self.dilate else (1, 1)
        erode = same.sides_px(self.erode, calibration) if self.erode else (1, 1)
        hole = None if self.fill_holes is None else same.area_px(self.fill_holes, calibration)
        return CountSizes(dilate, erode, hole, same.area_px(self.min_size, calibration))


@dataclass(frozen=True)
class CountSizes:
    """The sizes of :class:`CountSettings` in pixels.

    Attributes
    ----------
    dilate, erode : tuple of int
        Height and width, odd; ``(1, 1)`` changes nothing.
    largest_hole : float or None
        Pixels of the largest hole that is filled.
    least : float
        Fewest own pixels.
    """

    dilate: tuple[int, int]
    erode: tuple[int, int]
    largest_hole: float | None
    least: float

    @property
    def reach(self) -> int:
        """How far away a pixel can matter."""
        return max(one // 2 + other // 2 for one, other in zip(self.dilate, self.erode, strict=True))

    @property
    def growth(self) -> tuple[int, int]:
        """By how many pixels a box is larger than its particle at the top (and bottom), and left (and right)."""
        down, right = ((one - other) // 2 for one, other in zip(self.dilate, self.erode, strict=True))
        return down, right

    @property
    def joins(self) -> bool:
        """Whether pixels are joined or dropped at all."""
        return self.dilate != (1, 1) or self.erode != (1, 1)

    @property
    def fills(self) -> bool:
        """Whether holes matter."""
        return self.largest_hole is None or self.largest_hole >= 1
