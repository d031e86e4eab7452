"""How a filter looks under the fluorescence microscope: settings and ready-made looks."""

from dataclasses import dataclass
from typing import Annotated

from napari_mpseg.errors import SettingsError
from napari_mpseg.registry import Registry
from napari_mpseg.synthesis.camera import RGB
from napari_mpseg.synthesis.setting import Range, check_ranges


@dataclass(frozen=True)
class FluorescenceLook:
    """Light, optics and camera of a Nile-red fluorescence picture; all levels are 8-bit grey levels.

    Attributes
    ----------
    background : tuple of float
        Red, green and blue of the evenly lit membrane.
    surround : tuple of float
        Red, green and blue outside the membrane.
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
    uneven : float
        Relative unevenness of the light over the whole filter, as of a lamp that drifts during the scan.
    saturation : float
        Grey level at which the sensor is full: brighter light looks the same.

    Raises
    ------
    SettingsError
        If a value cannot be.
    """

    background: Annotated[tuple[float, float, float], Range("Background", "grey", 0, 150, 1, RGB, most=255)] = (
        38.0,
        8.0,
        7.0,
    )
    surround: Annotated[tuple[float, float, float], Range("Outside", "grey", 0, 100, 1, RGB, most=255)] = (
        2.0,
        2.0,
        5.0,
    )
    outline: Annotated[float, Range("Outline", "grey", 10, 220, 5)] = 150.0
    brightness: Annotated[float, Range("Brightness", "", 0, 3, 0.1, basic=True, most=20)] = 0.8
    tint: Annotated[tuple[float, float], Range("Tint", "", 0, 1, 0.05, ("green", "blue"), most=20)] = (0.45, 0.18)
    blur: Annotated[float, Range("Blur", "px", 0.2, 3, 0.1, basic=True)] = 0.8
    halo: Annotated[float, Range("Halo", "", 0, 3, 0.1, basic=True, most=20)] = 0.7
    texture: Annotated[float, Range("Texture", "", 0, 0.5, 0.01, most=5)] = 0.08
    clouds: Annotated[float, Range("Clouds", "", 0, 3, 0.05, most=20)] = 0.35
    clutter_per_mm2: Annotated[float, Range("Organic clutter", "per mm2", 0, 20, 0.2, basic=True, most=1e9)] = 0.6
    specks_per_mm2: Annotated[float, Range("Dim specks", "per mm2", 0, 50, 1, most=1e9)] = 4.0
    noise: Annotated[tuple[float, float, float], Range("Noise", "grey", 0, 20, 0.2, RGB, most=255)] = (4.0, 2.4, 3.8)
    shot: Annotated[float, Range("Shot noise", "", 0, 2, 0.05, most=20)] = 0.25
    field: Annotated[
        tuple[int, int], Range("Stitched picture", "px", 64, 10_000, 64, ("height", "width"), most=10_000_000)
    ] = (
        960,
        1280,
    )
    seams: Annotated[float, Range("Seams", "", 0, 0.3, 0.01, basic=True, most=1)] = 0.04
    compression: Annotated[int, Range("JPEG quality (0: none)", "", 0, 100, 5)] = 90
    uneven: Annotated[float, Range("Uneven light", "", 0, 0.5, 0.01, most=5)] = 0.0
    saturation: Annotated[float, Range("Saturation", "grey", 100, 255, 5, least=1)] = 255.0

    def __post_init__(self) -> None:
        check_ranges(self)
        if not self.saturation >= 1.1 * self.outline:
            raise SettingsError(
                f"Saturation {self.saturation!r} is too low for an outline level of {self.outline!r}: particles would "
                "not stand out. Give a saturation of at least 1.1 times the outline level."
            )


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
