"""What a synthetic filter is made from."""

from dataclasses import dataclass, field
from typing import Annotated

from napari_mpseg.errors import SettingsError
from napari_mpseg.synthesis.blocks import checked_size
from napari_mpseg.synthesis.look import FluorescenceLook
from napari_mpseg.synthesis.setting import SEED, SIZE, Range, check_ranges
from napari_mpseg.synthesis.shapes import SHAPES

MOST_PIECES, MOST_POINTS = 5_000.0, 50_000.0  # of clutter, per million pixels


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
    share: Annotated[float, Range("share", "", 0, 1, 0.05, most=1e6)]
    elongation: Annotated[float, Range("relative length", "x", 0.1, 20, 0.1, least=1e-3, most=1e3)] = 1.0

    def __post_init__(self) -> None:
        SHAPES[self.shape]
        check_ranges(self)


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
        Mean number of particles per square millimetre of membrane. Particles keep clear of the membrane's edge and of
        the image's border, large ones more, so that fewer lie there: over all about 4 per cent fewer on a round
        membrane in 3000 x 3000 pixels, 13 per cent in 1024 x 1024, and about half of that where the round edge is not
        drawn.
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

    size: SIZE = (4096, 4096)
    seed: SEED = 0
    pixel_size_um: Annotated[float, Range("Pixel size", "um", 0.1, 50, 0.1, basic=True, least=1e-4, most=1e4)] = 2.5
    density_per_mm2: Annotated[float, Range("Particles", "per mm2", 0, 500, 1, basic=True, most=1e9)] = 5.0
    median_length_um: Annotated[float, Range("Median length", "um", 0.5, 500, 1, basic=True, least=1e-3, most=1e5)] = (
        11.0
    )
    length_sigma: Annotated[float, Range("Spread of lengths", "", 0.05, 2, 0.05, basic=True, least=1e-3, most=5)] = 0.75
    shapes: tuple[ShapeShare, ...] = _MIXTURE
    membrane: Annotated[bool, Range("Round edge", basic=True)] = True
    membrane_centre: Annotated[
        tuple[float, float], Range("Centre", "", 0, 1, 0.05, ("down", "right"), least=-100, most=100)
    ] = (
        0.5,
        0.5,
    )
    membrane_radius: Annotated[float, Range("Radius", "", 0.1, 1, 0.01, least=1e-3, most=100)] = 0.49
    fibre_bend: Annotated[float, Range("Bend of fibres", "rad", 0, 4, 0.1, most=100)] = 1.2
    fibre_width: Annotated[float, Range("Width of fibres", "", 0.01, 0.3, 0.01, least=1e-4, most=1)] = 0.06

    def __post_init__(self) -> None:
        check_ranges(self)
        checked_size(self.size, self.seed, self.pixel_size_um)
        if not sum(item.share for item in self.shapes) > 0:
            raise SettingsError("No shape has a share above 0: give at least one ShapeShare.")


def check_crowding(pixel_size_um: float, most: float, **per_mm2: float) -> None:
    """Raise :class:`~napari_mpseg.errors.SettingsError` if more of some clutter is asked for than can be told apart.

    Parameters
    ----------
    pixel_size_um : float
        Micrometre per pixel.
    most : float
        Pieces per million pixels.
    **per_mm2 : float
        Pieces per square millimetre, by the setting's name.
    """
    limit = most / pixel_size_um**2  # a million pixels of 1 um are 1 mm2
    for name, number in per_mm2.items():
        if number > limit:
            raise SettingsError(
                f"look.{name} {number:g} is too dense at {pixel_size_um:g} um per pixel: its pieces would cover each "
                f"other, and take very long to draw. Give at most {limit:.3g} per mm2, or a smaller pixel size."
            )


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

    def __post_init__(self) -> None:
        super().__post_init__()
        check_crowding(self.pixel_size_um, MOST_PIECES, clutter_per_mm2=self.look.clutter_per_mm2)
        check_crowding(self.pixel_size_um, MOST_POINTS, specks_per_mm2=self.look.specks_per_mm2)
