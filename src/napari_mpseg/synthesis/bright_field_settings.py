"""How a filter looks in bright field: settings and ready-made looks."""

from dataclasses import dataclass, field
from typing import Annotated

from napari_mpseg.errors import SettingsError
from napari_mpseg.registry import Registry
from napari_mpseg.synthesis.appearances import APPEARANCES
from napari_mpseg.synthesis.camera import RGB
from napari_mpseg.synthesis.filter_settings import MOST_PIECES, MOST_POINTS, FilterPlan, ShapeShare, check_crowding
from napari_mpseg.synthesis.setting import Range, check_ranges

INSIDE, OUTSIDE = 1.1, 0.85  # density of a particle relative to the outline's: at least inside, at most outside


@dataclass(frozen=True)
class AppearanceShare:
    """One way in which particles look.

    Attributes
    ----------
    appearance : str
        A name in :data:`napari_mpseg.synthesis.appearances.APPEARANCES`.
    share : float
        Part of all particles that looks so; shares are scaled to sum to 1.
    contrast : float
        Median optical density of such particles against the membrane: 0.3 leaves half of the light. The nearer it
        comes to the outline density, the better they are camouflaged.
    """

    appearance: str
    share: Annotated[float, Range("share", "", 0, 1, 0.05, most=1e6)]
    contrast: Annotated[float, Range("optical density", "", 0, 2, 0.05, most=4)]

    def __post_init__(self) -> None:
        APPEARANCES[self.appearance]
        check_ranges(self)


_MIXTURE = (
    AppearanceShare("dark", 0.3, 0.5),
    AppearanceShare("coloured", 0.35, 0.35),
    AppearanceShare("transparent", 0.25, 0.18),
    AppearanceShare("white", 0.1, 0.09),
)
_SHAPES = (
    ShapeShare("fragment", 0.45),
    ShapeShare("bead", 0.1, 0.8),
    ShapeShare("fibre", 0.35, 4.0),
    ShapeShare("film", 0.1, 1.5),
)


@dataclass(frozen=True)
class BrightFieldLook:
    """Light, optics, camera and clutter of a bright-field picture; levels are 8-bit grey levels.

    Attributes
    ----------
    membrane : tuple of float
        Red, green and blue of the evenly lit membrane.
    surround : tuple of float
        Red, green and blue of the holder outside the membrane.
    outline : float
        Optical density at which a particle ends, in the colour channel in which it is strongest: more inside its truth,
        less outside. 0.05 is a tenth less light, or a tenth more.
    appearances : tuple of AppearanceShare
        How particles look, and their shares.
    blur : float
        Standard deviation of the point-spread function in pixels.
    shadow : float
        Optical density of the soft shadow beside particles and grains, where light falls in obliquely.
    shadow_angle : float
        Direction in which shadows fall, in degree, clockwise from the right.
    texture : float
        Relative unevenness of the membrane.
    stains : float
        Strength of broad brown patches of organic matter.
    sediment_per_mm2 : float
        Mineral grains, which are not particles: clear quartz, ochre, dark minerals.
    sediment_um : float
        Median length of the grains.
    plant_per_mm2 : float
        Fibres and shreds of plants, which are not particles.
    specks_per_mm2 : float
        Dust that is too faint to be counted.
    noise : tuple of float
        Standard deviation of the camera's noise for red, green and blue.
    shot : float
        Noise that grows with the square root of the light.
    field : tuple of int
        Height and width in pixels of the pictures that were stitched.
    seams : float
        Relative difference of brightness between stitched pictures, and their fall-off to the corners.
    uneven : float
        Relative unevenness of the light over the whole filter.
    saturation : float
        Grey level at which the sensor is full: brighter light looks the same.
    compression : int
        JPEG quality of the camera's files, 1 to 100; 0 is uncompressed.

    Raises
    ------
    SettingsError
        If a value cannot be.
    """

    membrane: Annotated[tuple[float, float, float], Range("Membrane", "grey", 60, 230, 1, RGB, most=255)] = (
        205.0,
        201.0,
        192.0,
    )
    surround: Annotated[tuple[float, float, float], Range("Outside", "grey", 0, 255, 1, RGB)] = (34.0, 33.0, 36.0)
    outline: Annotated[float, Range("Outline density", "", 0.02, 0.3, 0.01)] = 0.05
    appearances: tuple[AppearanceShare, ...] = _MIXTURE
    blur: Annotated[float, Range("Blur", "px", 0.2, 3, 0.1, basic=True)] = 0.8
    shadow: Annotated[float, Range("Shadow", "", 0, 0.3, 0.01, basic=True, most=4)] = 0.06
    shadow_angle: Annotated[float, Range("Shadow falls", "degree", 0, 360, 15, least=-360)] = 45.0
    texture: Annotated[float, Range("Texture", "", 0, 0.3, 0.01, most=5)] = 0.025
    stains: Annotated[float, Range("Stains", "", 0, 3, 0.1, most=20)] = 0.6
    sediment_per_mm2: Annotated[float, Range("Sediment grains", "per mm2", 0, 100, 1, basic=True, most=1e9)] = 6.0
    sediment_um: Annotated[float, Range("Length of grains", "um", 2, 300, 5, least=1, most=1e5)] = 35.0
    plant_per_mm2: Annotated[float, Range("Plant debris", "per mm2", 0, 20, 0.2, basic=True, most=1e9)] = 1.0
    specks_per_mm2: Annotated[float, Range("Faint dust", "per mm2", 0, 100, 1, most=1e9)] = 15.0
    noise: Annotated[tuple[float, float, float], Range("Noise", "grey", 0, 20, 0.2, RGB, most=255)] = (1.2, 1.0, 1.6)
    shot: Annotated[float, Range("Shot noise", "", 0, 2, 0.05, most=20)] = 0.12
    field: Annotated[
        tuple[int, int], Range("Stitched picture", "px", 64, 10_000, 64, ("height", "width"), most=10_000_000)
    ] = (
        960,
        1280,
    )
    seams: Annotated[float, Range("Seams", "", 0, 0.3, 0.01, basic=True, most=1)] = 0.03
    uneven: Annotated[float, Range("Uneven light", "", 0, 0.5, 0.01, most=5)] = 0.03
    saturation: Annotated[float, Range("Saturation", "grey", 100, 255, 5, least=1)] = 255.0
    compression: Annotated[int, Range("JPEG quality (0: none)", "", 0, 100, 5)] = 88

    def __post_init__(self) -> None:
        check_ranges(self)
        if not sum(item.share for item in self.appearances) > 0:
            raise SettingsError("No appearance has a share above 0: give at least one AppearanceShare.")
        brightest = max(self.membrane) * 10 ** (INSIDE * self.outline)
        if brightest > self.saturation:
            most = self.saturation / 10 ** (INSIDE * self.outline)
            raise SettingsError(
                f"Membrane {self.membrane!r} is impossible: give levels from 60 to {most:.0f}. On a brighter one an "
                f"outline density of {self.outline:g} is lost in rounding or saturation."
            )


@dataclass(frozen=True)
class BrightFieldSettings(FilterPlan):
    """Everything a filter in bright field is made from; equal settings give equal bytes.

    Attributes
    ----------
    look : BrightFieldLook
        Light, optics, camera and clutter.

    Raises
    ------
    SettingsError
        If a value cannot be.
    """

    density_per_mm2: Annotated[float, Range("Particles", "per mm2", 0, 500, 0.5, basic=True, most=1e9)] = 2.0
    median_length_um: Annotated[float, Range("Median length", "um", 0.5, 500, 1, basic=True, least=1e-3, most=1e5)] = (
        30.0
    )
    length_sigma: Annotated[float, Range("Spread of lengths", "", 0.05, 2, 0.05, basic=True, least=1e-3, most=5)] = 0.6
    shapes: tuple[ShapeShare, ...] = _SHAPES
    look: BrightFieldLook = field(default_factory=BrightFieldLook)

    def __post_init__(self) -> None:
        super().__post_init__()
        pieces = {name: getattr(self.look, name) for name in ("sediment_per_mm2", "plant_per_mm2")}
        check_crowding(self.pixel_size_um, MOST_PIECES, **pieces)
        check_crowding(self.pixel_size_um, MOST_POINTS, specks_per_mm2=self.look.specks_per_mm2)


BRIGHT_FIELD_LOOKS: Registry[BrightFieldLook] = Registry("bright-field look")
BRIGHT_FIELD_LOOKS.add("sediment", BrightFieldLook())
BRIGHT_FIELD_LOOKS.add(
    "clean", BrightFieldLook(stains=0.1, sediment_per_mm2=0.3, plant_per_mm2=0.1, specks_per_mm2=4.0)
)
BRIGHT_FIELD_LOOKS.add(
    "camouflage",
    BrightFieldLook(
        appearances=(
            AppearanceShare("dark", 0.2, 0.12),
            AppearanceShare("coloured", 0.3, 0.12),
            AppearanceShare("transparent", 0.4, 0.1),
            AppearanceShare("white", 0.1, 0.07),
        ),
        stains=1.2,
        sediment_per_mm2=25.0,
        plant_per_mm2=4.0,
    ),
)
BRIGHT_FIELD_LOOKS.add(
    "bare",
    BrightFieldLook(
        membrane=(200.0, 200.0, 200.0),
        shadow=0.0,
        texture=0.0,
        stains=0.0,
        sediment_per_mm2=0.0,
        plant_per_mm2=0.0,
        specks_per_mm2=0.0,
        noise=(0.0, 0.0, 0.0),
        shot=0.0,
        seams=0.0,
        uneven=0.0,
        compression=0,
    ),
)
