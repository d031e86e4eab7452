"""How a filter looks under the fluorescence microscope: settings and ready-made looks."""

from dataclasses import dataclass

from napari_mpseg.errors import SettingsError
from napari_mpseg.registry import Registry


@dataclass(frozen=True)
class FluorescenceLook:
    """Light, optics and camera of a Nile-red fluorescence picture; all levels are 8-bit grey levels.

    Attributes
    ----------
    background : tuple of float
        Red, green and blue of the evenly lit membrane.
    surround : tuple of float
        The same outside the membrane.
    outline : float
        Red level at which a particle ends: its own light is above inside and below outside its truth.
    brightness : float
        How far particles rise above `outline`; large ones saturate from about 1 on.
    tint : tuple of float
        Green and blue of a particle's light relative to its red.
    blur : float
        Standard deviation of the point-spread function in pixels.
    halo : float
        Strength of the red glow around bright particles; 0 is none.
    texture : float
        Relative unevenness of the membrane.
    clouds : float
        Strength of broad glowing patches of organic matter.
    clutter_per_mm2 : float
        Dim threads and smears of organic matter, which are not particles.
    specks_per_mm2 : float
        Points that are too dim to be counted, some of them blue.
    noise : tuple of float
        Standard deviation of the camera's noise for red, green and blue.
    shot : float
        Noise that grows with the square root of the light.
    field : tuple of int
        Height and width in pixels of the pictures that were stitched.
    seams : float
        Relative difference of brightness between stitched pictures, and their fall-off to the corners.
    compression : int
        JPEG quality of the camera's files, 1 to 100; 0 is uncompressed.

    Raises
    ------
    SettingsError
        If a value cannot be.
    """

    background: tuple[float, float, float] = (38.0, 8.0, 7.0)
    surround: tuple[float, float, float] = (2.0, 2.0, 5.0)
    outline: float = 150.0
    brightness: float = 0.8
    tint: tuple[float, float] = (0.45, 0.18)
    blur: float = 0.8
    halo: float = 0.7
    texture: float = 0.08
    clouds: float = 0.35
    clutter_per_mm2: float = 0.6
    specks_per_mm2: float = 4.0
    noise: tuple[float, float, float] = (4.0, 2.4, 3.8)
    shot: float = 0.25
    field: tuple[int, int] = (960, 1280)
    seams: float = 0.04
    compression: int = 90

    def __post_init__(self) -> None:
        if not 10 <= self.outline <= 220:
            raise SettingsError(f"Outline level {self.outline!r} is impossible: give a red level from 10 to 220.")
        if not 0.2 <= self.blur <= 3:
            raise SettingsError(f"Blur {self.blur!r} is impossible: give 0.2 to 3 pixels.")
        if not 0 <= self.compression <= 100:
            raise SettingsError(f"Compression {self.compression!r} is impossible: give a JPEG quality, 0 to 100.")
        if min(self.field) < 64:
            raise SettingsError(
                f"Field {self.field!r} is impossible: stitched pictures have at least 64 pixels a side."
            )
        names = ("brightness", "halo", "texture", "clouds", "clutter_per_mm2", "specks_per_mm2", "shot", "seams")
        for name in names:
            if not getattr(self, name) >= 0:
                raise SettingsError(f"{name} {getattr(self, name)!r} is impossible: give zero or more.")


LOOKS: Registry[FluorescenceLook] = Registry("filter look")
LOOKS.add("stitched", FluorescenceLook())
LOOKS.add(
    "red",
    FluorescenceLook(
        background=(66.0, 5.0, 3.0),
        tint=(0.38, 0.1),
        halo=1.2,
        brightness=1.1,
        noise=(3.0, 1.3, 1.2),
        clouds=0.1,
        outline=190.0,
        compression=95,
    ),
)
LOOKS.add(
    "dim",
    FluorescenceLook(
        background=(29.0, 9.0, 11.0),
        tint=(0.6, 0.38),
        halo=0.12,
        outline=130.0,
        noise=(4.5, 3.2, 5.2),
        clouds=0.5,
        compression=91,
    ),
)
LOOKS.add(
    "bare",
    FluorescenceLook(
        background=(0.0, 0.0, 0.0),
        surround=(0.0, 0.0, 0.0),
        halo=0.0,
        texture=0.0,
        clouds=0.0,
        clutter_per_mm2=0.0,
        specks_per_mm2=0.0,
        noise=(0.0, 0.0, 0.0),
        shot=0.0,
        seams=0.0,
        compression=0,
    ),
)
