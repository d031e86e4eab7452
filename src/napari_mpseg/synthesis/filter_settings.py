"""What a synthetic filter is made from."""

from dataclasses import dataclass, field
from typing import Annotated

from napari_mpseg.errors import SettingsError
from napari_mpseg.synthesis.blocks import checked_size
from napari_mpseg.synthesis.look import FluorescenceLook
from napari_mpseg.synthesis.setting import Range
from napari_mpseg.synthesis.shapes import SHAPES


@dataclass(frozen=True)
class ShapeShare:
    """One kind of particle.

    Attributes
    ----------
    shape : str
        A name in :data:`napari_mpseg.synthesis.shapes.SHAPES`.
    share : float
        Part of all particles that has this shape; shares are scaled to sum to 1.
    elongation : float
        Median length of this shape relative to the median length of all particles.
    """

    shape: str
    share: Annotated[float, Range("share", "", 0, 1, 0.05)]
    elongation: Annotated[float, Range("relative length", "x", 0.1, 20, 0.1)] = 1.0

    def __post_init__(self) -> None:
        SHAPES[self.shape]
        if not self.share >= 0 or not self.elongation > 0:
            raise SettingsError(f"Shape {self.shape!r} needs a share of 0 or more and a positive elongation.")


_MIXTURE = (
    ShapeShare("fragment", 0.5),
    ShapeShare("bead", 0.25, 0.9),
    ShapeShare("fibre", 0.17, 5.0),
    ShapeShare("film", 0.08, 2.5),
)


@dataclass(frozen=True)
class FilterPlan:
    """What lies on a filter, and where: everything but how it looks under a microscope.

    Attributes
    ----------
    size : tuple of int
        Height and width in pixels.
    seed : int
        Zero or above; another seed makes another filter of the same kind.
    pixel_size_um : float
        Micrometre per pixel.
    density_per_mm2 : float
        Mean number of particles per square millimetre of membrane.
    median_length_um : float
        Median of the particles' lengths (longest extents). Lengths follow a log-normal distribution, and are kept
        between 1 and 500 pixels.
    length_sigma : float
        Spread of the lengths: standard deviation of their natural logarithm.
    shapes : tuple of ShapeShare
        Kinds of particles and their shares.
    membrane : bool
        Whether the round membrane's edge and the dark around it are drawn; without, the membrane fills the image.
    membrane_centre : tuple of float
        Centre ``(Y, X)`` of the membrane relative to height and width of the image.
    membrane_radius : float
        Radius of the membrane relative to the shorter side of the image.
    fibre_bend : float
        How far the direction of a fibre wanders over its length, in radian: the standard deviation of its curvature
        times its length. 0 makes straight fibres.
    fibre_width : float
        Mean width of a fibre relative to its length; widths are kept between 1.5 and 6 pixels.

    Raises
    ------
    SettingsError
        If a value cannot be.
    """

    size: Annotated[tuple[int, int], Range("Size", "px", 1, 200_000, 256, ("height", "width"), basic=True)] = (
        4096,
        4096,
    )
    seed: Annotated[int, Range("Seed", "", 0, 2**31 - 1, 1, basic=True)] = 0
    pixel_size_um: Annotated[float, Range("Pixel size", "um", 0.1, 50, 0.1, basic=True)] = 2.5
    density_per_mm2: Annotated[float, Range("Particles", "per mm2", 0, 500, 1, basic=True)] = 5.0
    median_length_um: Annotated[float, Range("Median length", "um", 0.5, 500, 1, basic=True)] = 11.0
    length_sigma: Annotated[float, Range("Spread of lengths", "", 0.05, 2, 0.05, basic=True)] = 0.75
    shapes: tuple[ShapeShare, ...] = _MIXTURE
    membrane: Annotated[bool, Range("Round edge", basic=True)] = True
    membrane_centre: Annotated[tuple[float, float], Range("Centre", "", 0, 1, 0.05, ("down", "right"))] = (0.5, 0.5)
    membrane_radius: Annotated[float, Range("Radius", "", 0.1, 1, 0.01)] = 0.49
    fibre_bend: Annotated[float, Range("Bend of fibres", "rad", 0, 4, 0.1)] = 1.2
    fibre_width: Annotated[float, Range("Width of fibres", "", 0.01, 0.3, 0.01)] = 0.06

    def __post_init__(self) -> None:
        checked_size(self.size, self.seed, self.pixel_size_um)
        for name in ("median_length_um", "length_sigma", "membrane_radius", "fibre_width"):
            if not 0 < getattr(self, name) < float("inf"):
                raise SettingsError(f"{name} {getattr(self, name)!r} is impossible: give a positive number.")
        for name in ("density_per_mm2", "fibre_bend"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise SettingsError(f"{name} {getattr(self, name)!r} is impossible: give zero or more.")
        if not sum(item.share for item in self.shapes) > 0:
            raise SettingsError("No shape has a share above 0: give at least one ShapeShare.")


@dataclass(frozen=True)
class FilterSettings(FilterPlan):
    """Everything a filter under the fluorescence microscope is made from; equal settings give equal bytes.

    Attributes
    ----------
    look : FluorescenceLook
        Light, optics and camera.

    Raises
    ------
    SettingsError
        If a value cannot be.
    """

    look: FluorescenceLook = field(default_factory=FluorescenceLook)
