"""The particles of one image as a test of their pattern sees them."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import ImageError, SettingsError
from napari_mpseg.particles.pattern.distances import DISTANCES, Found
from napari_mpseg.particles.pattern.region import Region


@dataclass(frozen=True, eq=False)
class Pattern:
    """Points in a region, with what is known of the particles they stand for.

    Attributes
    ----------
    found : Found
        Points in pixels and the particles' sizes.
    region : Region
        Where they could have lain.
    calibration : Calibration
        Pixel size.
    distance : str
        Name of the distance in the registry ``DISTANCES``.
    labels : numpy.ndarray or None
        ``(Y, X)``, where the particles' pixels are known.
    notes : tuple of str
        What the user should know.
    """

    found: Found
    region: Region
    calibration: Calibration = field(default_factory=Calibration)
    distance: str = "centroid"
    labels: NDArray[Any] | None = None
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.found.points)

    @property
    def points(self) -> NDArray[np.float64]:
        """Points (y, x) in the calibration's unit, float64 ``(N, 2)``."""
        return self.found.points * self.calibration.pixel_size

    @property
    def radius(self) -> NDArray[np.float64] | None:
        """Radii of discs as large as the particles, in the calibration's unit, or None where not known."""
        if self.found.radius is None:
            return None
        return self.found.radius * self.pixel

    @property
    def pixel(self) -> float:
        """Side of a square as large as a pixel, in the calibration's unit."""
        height, width = self.calibration.pixel_size
        return float(np.sqrt(height * width))

    @property
    def area(self) -> float:
        """Area of the region in the calibration's unit squared."""
        return self.region.area(self.calibration.pixel_size)

    @cached_property
    def distances(self) -> NDArray[np.float64]:
        """Distance of each particle to its nearest neighbour in the calibration's unit, float64 ``(N,)``."""
        return DISTANCES[self.distance].nearest(self.found, self.labels, self.calibration.pixel_size)

    def in_region(self) -> "Pattern":
        """Return the pattern without the particles whose point lies outside the region."""
        inside = self.region.holds(self.found.points)
        outside = len(inside) - int(inside.sum())
        if not outside:
            return self
        note = (
            f"{outside:,} of {len(inside):,} particles lie outside the region ({self.region.name}) and were left out."
        )
        found = self.found.chosen(inside)
        return Pattern(found, self.region, self.calibration, self.distance, self.labels, (*self.notes, note))


def region_of(given: Any, labels: NDArray[Any] | None) -> Region:
    """Return the region that the user gave: a Region, a shape, a mask, or None for the whole of the labels.

    Raises
    ------
    SettingsError
        If there is neither a region nor labels.
    ImageError
        If a region has another shape than the labels.
    """
    if given is None:
        if labels is None:
            raise SettingsError(
                "Where could the particles have lain? Give the region: the height and width of the image, a mask, "
                "or the labels."
            )
        return Region.rectangle(labels.shape)
    if isinstance(given, Region):
        region = given
    elif np.ndim(given) == 1:
        region = Region.rectangle(given)
    else:
        region = Region.of_mask(given)
    if labels is not None and region.shape != labels.shape:
        raise ImageError(
            f"The region has {region.shape[0]} x {region.shape[1]} pixels, the labels {labels.shape[0]} x "
            f"{labels.shape[1]}. Make the region on the same image."
        )
    return region
