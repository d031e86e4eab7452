"""All ways of splitting touching particles, and their settings. Loads none of the work."""

import math
from dataclasses import dataclass

from napari_mpseg.particles.instances.way import Way, check_limits, setting
from napari_mpseg.registry import Registry

_HERE = "napari_mpseg.particles.instances"


@dataclass(frozen=True)
class Components:
    """No settings: connected pixels are one particle."""


@dataclass(frozen=True)
class ImageJWatershed:
    """Settings of ImageJ's binary watershed.

    Attributes
    ----------
    tolerance : float
        How far in pixels a maximum of the distance map must stand out; 0.5 in ImageJ.
    """

    tolerance: float = setting(
        0.5,
        "Tolerance",
        "How much thicker than the neck a part must be, in pixels. 0.5 is ImageJ's; larger values split less.",
        unit="px",
        most=1000.0,
    )

    def __post_init__(self) -> None:
        check_limits(self)


@dataclass(frozen=True)
class DistanceWatershed:
    """Settings of the watershed on the distance map.

    Attributes
    ----------
    prominence : float
        How far in pixels a maximum of the distance map must stand out over the saddle to a higher one.
    min_distance : float
        How far apart in pixels two maxima must lie; of two that are closer the higher stays.
    line : bool
        Leave a line of background between parts.
    """

    prominence: float = setting(
        0.75,
        "Prominence",
        "How much thicker than the neck a part must be, in pixels (the h of h-maxima). Larger values split less.",
        unit="px",
        most=1000.0,
    )
    min_distance: float = setting(
        0.0, "Least distance", "Two centres that are closer, in pixels, become one.", unit="px", most=10_000.0
    )
    line: bool = setting(False, "Dividing line", "Leave a line of background between the parts.")

    def __post_init__(self) -> None:
        check_limits(self)


@dataclass(frozen=True)
class IntensityWatershed:
    """Settings of the watershed on grey values or the probability.

    Attributes
    ----------
    prominence : float
        How far a peak must stand out over the saddle to a higher one, as a share of the range of grey values inside
        the particles (after smoothing).
    smoothing : float
        Standard deviation in pixels of the Gaussian with which the image is smoothed first.
    min_distance : float
        How far apart in pixels two peaks must lie.
    dark : bool
        Middles of particles are darker than the valleys between them.
    line : bool
        Leave a line of background between parts.
    """

    prominence: float = setting(
        0.1,
        "Prominence",
        "How much brighter than the valley a part must be, as a share of the range of brightness of all particles. "
        "Larger values split less.",
        most=1.0,
    )
    smoothing: float = setting(
        1.0, "Smoothing", "Gaussian (standard deviation in pixels) against noise; 0 for none.", unit="px", most=100.0
    )
    min_distance: float = setting(
        0.0, "Least distance", "Two peaks that are closer, in pixels, become one.", unit="px", most=10_000.0
    )
    dark: bool = setting(False, "Dark middles", "Particles are darker in the middle than where they touch.")
    line: bool = setting(False, "Dividing line", "Leave a line of background between the parts.")

    def __post_init__(self) -> None:
        check_limits(self)


INSTANCES: Registry[Way] = Registry("way of splitting")
INSTANCES.add(
    "components",
    Way("Connected pixels", "Splits nothing: pixels that touch are one particle.", Components),
)
INSTANCES.add(
    "imagej-watershed",
    Way(
        "ImageJ watershed",
        "Cuts at necks exactly as ImageJ's binary watershed does, and leaves its dividing lines.",
        ImageJWatershed,
        f"{_HERE}.imagej_watershed",
        corners=True,
    ),
)
INSTANCES.add(
    "distance-watershed",
    Way(
        "Distance watershed",
        "Cuts at necks; how deep a neck must be is yours to choose. Keeps every pixel. Takes seeds.",
        DistanceWatershed,
        f"{_HERE}.distance_watershed",
        takes_seeds=True,
    ),
)
INSTANCES.add(
    "intensity-watershed",
    Way(
        "Intensity watershed",
        "Cuts along valleys of brightness, or of the probability. Keeps every pixel. Takes seeds.",
        IntensityWatershed,
        f"{_HERE}.intensity_watershed",
        margin=lambda settings: 1 + math.ceil(4 * settings.smoothing),
        needs_image=True,
        takes_seeds=True,
    ),
)
