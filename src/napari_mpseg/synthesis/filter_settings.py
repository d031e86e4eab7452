"""What a synthetic filter is made from."""

from dataclasses import dataclass, field

from napari_mpseg.errors import SettingsError
from napari_mpseg.synthesis.blocks import checked_size
from napari_mpseg.synthesis.look import FluorescenceLook
from napari_mpseg.synthesis.shapes import SHAPES


@dataclass(frozen=True)
class ShapeShare:
    """One kind of particle.

    Attributes
    ----------
    shape : str
        A name in :data:`napari_mpseg.synthesis.shapes.SHAPES`.
    share : float
        Part of all particles; shares are scaled to sum to 1.
    elongation : float
        Median length of this kind relative to ``FilterSettings.median_length_um``.
    """

    shape: str
    share: float
    elongation: float = 1.0

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
class FilterSettings:
    """Everything a synthetic filter is made from; equal settings give equal bytes.

    Attributes
    ----------
    size : tuple of int
        Height and width in pixels.
    seed : int
        Zero or above.
    pixel_size_um : float
        Micrometre per pixel.
    density_per_mm2 : float
        Mean number of particles per square millimetre of membrane.
    median_length_um, length_sigma : float
        Log-normal distribution of the particles' lengths (longest extent): median, and standard deviation of the
        natural logarithm. Lengths are kept between 1 and 500 pixels.
    shapes : tuple of ShapeShare
        Kinds of particles and their shares.
    membrane : bool
        Whether the round membrane's edge and the dark around it are drawn; without, the membrane fills the image.
    membrane_centre : tuple of float
        Centre ``(Y, X)`` relative to height and width.
    membrane_radius : float
        Relative to the shorter side.
    look : FluorescenceLook
        Light, optics and camera.

    Raises
    ------
    SettingsError
        If a value cannot be.
    """

    size: tuple[int, int] = (4096, 4096)
    seed: int = 0
    pixel_size_um: float = 2.5
    density_per_mm2: float = 5.0
    median_length_um: float = 11.0
    length_sigma: float = 0.75
    shapes: tuple[ShapeShare, ...] = _MIXTURE
    membrane: bool = True
    membrane_centre: tuple[float, float] = (0.5, 0.5)
    membrane_radius: float = 0.49
    look: FluorescenceLook = field(default_factory=FluorescenceLook)

    def __post_init__(self) -> None:
        checked_size(self.size, self.seed, self.pixel_size_um)
        for name in ("median_length_um", "length_sigma", "membrane_radius"):
            if not getattr(self, name) > 0:
                raise SettingsError(f"{name} {getattr(self, name)!r} is impossible: give a positive number.")
        if not self.density_per_mm2 >= 0:
            raise SettingsError(f"density_per_mm2 {self.density_per_mm2!r} is impossible: give zero or more.")
        if not sum(item.share for item in self.shapes) > 0:
            raise SettingsError("No shape has a share above 0: give at least one ShapeShare.")
