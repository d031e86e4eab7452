"""Synthetic scanning electron micrographs of nanoparticles with exact truth of every particle."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.calibration import Calibration
from napari_mpseg.images.image import Image
from napari_mpseg.synthesis.blocks import BLOCK, Window, block_window, checked_size, lazy_image
from napari_mpseg.synthesis.fields import smooth_field
from napari_mpseg.synthesis.made_image import SyntheticImage
from napari_mpseg.synthesis.sem_particles import count_particles, paint_sem_labels, paint_sem_particles
from napari_mpseg.synthesis.setting import SEED, SIZE, Range, check_ranges
from napari_mpseg.synthesis.streams import generator, uniform


@dataclass(frozen=True)
class SemSettings:
    """Everything a synthetic SEM picture is made from; equal settings give equal bytes.

    Attributes
    ----------
    size : tuple of int
        Height and width in pixels.
    seed : int
        Zero or above; another seed makes another image of the same kind.
    pixel_size_nm : float
        Nanometre per pixel.
    median_diameter_nm : float
        Median of the diameters. They follow a log-normal distribution, and are kept between 4 and 36 pixels. Particles
        that find no room shrink, and touching ones hide a little of each other: measured, it is about 8 per cent less.
    diameter_sigma : float
        Spread of the diameters: standard deviation of their natural logarithm.
    coverage : float
        Share of the picture that particles would cover if all found room, 0 to 0.5. About 0.85 of it is covered where
        they are scattered (clustering 0), about 0.65 in agglomerates (clustering 0.8), and 0.55 of the largest share.
    clustering : float
        0 scatters particles at random, 1 gives touching agglomerates and empty ground.
    substrate : float
        Grey level of the ground.
    particle : float
        Grey level of a particle's flat top.
    edge : float
        Brightening towards a particle's rim, in grey levels.
    charging : float
        Strength of slow brightness drifts and of streaks along the scan lines, in grey levels.
    noise : float
        Shot noise: standard deviation at grey level 100.
    blur : float
        Standard deviation of the beam's spot in pixels.
    texture : float
        Unevenness of the ground relative to that of a polished wafer; 0 is perfectly even.
    shadow : float
        How much darker the ground is beside particles, which catch its electrons; relative to the ground's own level.

    Raises
    ------
    SettingsError
        If a value cannot be.
    """

    size: SIZE = (960, 1280)
    seed: SEED = 0
    pixel_size_nm: Annotated[float, Range("Pixel size", "nm", 0.1, 1000, 0.5, basic=True, least=1e-4, most=1e6)] = 5.0
    median_diameter_nm: Annotated[
        float, Range("Median diameter", "nm", 1, 10_000, 5, basic=True, least=1e-3, most=1e7)
    ] = 50.0
    diameter_sigma: Annotated[
        float, Range("Spread of diameters", "", 0.05, 1, 0.05, basic=True, least=1e-3, most=3)
    ] = 0.35
    coverage: Annotated[float, Range("Covered share", "", 0, 0.5, 0.01, basic=True)] = 0.15
    clustering: Annotated[float, Range("Clustering", "", 0, 1, 0.05, basic=True)] = 0.8
    substrate: Annotated[float, Range("Ground", "grey", 0, 200, 5, most=255)] = 62.0
    particle: Annotated[float, Range("Particles", "grey", 20, 250, 5, least=0, most=255)] = 125.0
    edge: Annotated[float, Range("Bright rim", "grey", 0, 150, 5, most=255)] = 65.0
    charging: Annotated[float, Range("Charging", "grey", 0, 40, 1, most=255)] = 7.0
    noise: Annotated[float, Range("Noise", "grey", 0, 50, 1, basic=True, most=255)] = 11.0
    blur: Annotated[float, Range("Blur", "px", 0, 4, 0.1, basic=True)] = 0.8
    texture: Annotated[float, Range("Texture", "", 0, 5, 0.1, most=50)] = 1.0
    shadow: Annotated[float, Range("Shadow", "", 0, 1, 0.05)] = 0.35

    def __post_init__(self) -> None:
        check_ranges(self)
        checked_size(self.size, self.seed, self.pixel_size_nm)


_SHADOW = 12  # px that a shadow reaches
_LEAST_MARGIN = 16  # px


def _margin(settings: SemSettings) -> int:
    """Return how many pixels around a block shadow and blur reach, which is 4 standard deviations."""
    return max(_LEAST_MARGIN, _SHADOW + int(4 * settings.blur + 0.5))


def _streaks(settings: SemSettings, window: Window) -> NDArray[np.float32]:
    """Return brightness jumps of whole scan lines, ``(height, 1)``, mean 0 and unit spread."""
    lines = np.arange(window.y, window.y + window.height)
    jitter = uniform(settings.seed, "scan line", lines) + uniform(settings.seed, "scan line 2", lines) - 1
    return np.asarray(2.4 * jitter[:, None], np.float32)


def render_block(settings: SemSettings, row: int, column: int) -> NDArray[np.uint8]:
    """Return one block of the picture, ``(256, 256)`` uint8."""
    from scipy import ndimage

    margin = _margin(settings)
    window = block_window(row, column).padded(margin)
    seed = settings.seed
    picture = np.full((window.height, window.width), settings.substrate, np.float32)
    grain = 3.0 * smooth_field(seed, "ground", window, 14.0) + 2.0 * smooth_field(seed, "grain", window, 4.0)
    picture += settings.texture * grain
    occupied, top = paint_sem_particles(settings, window)
    # Secondary electrons from the ground are caught by particles beside it.
    shadow = ndimage.gaussian_filter(occupied.astype(np.float32), 4.0, truncate=3.0)
    picture -= settings.shadow * settings.substrate * shadow
    picture = np.where(occupied, top, picture)
    if settings.blur:
        picture = ndimage.gaussian_filter(picture, settings.blur)
    picture = picture[margin:-margin, margin:-margin]
    window = block_window(row, column)
    drift = smooth_field(seed, "charging", window, (220.0, 480.0)) + 0.35 * _streaks(settings, window)
    drift += 0.5 * smooth_field(seed, "bands", window, (9.0, 900.0))
    picture = np.maximum(picture + settings.charging * drift, 0)
    rng = generator(seed, "shot", row, column)
    noise = rng.standard_normal((BLOCK, BLOCK), np.float32)
    picture = picture + settings.noise * np.sqrt(picture / 100) * noise
    return np.asarray(np.clip(np.rint(picture), 0, 255), np.uint8)


def label_block(settings: SemSettings, row: int, column: int) -> NDArray[np.int32]:
    """Return one block of the truth, ``(256, 256)`` int32."""
    return paint_sem_labels(settings, block_window(row, column))


def synthetic_sem(settings: SemSettings | None = None, chunks: int | tuple[int, int] | None = None) -> SyntheticImage:
    """Make a grey SEM picture of nanoparticles, single and in touching agglomerates, and its truth.

    Parameters
    ----------
    settings : SemSettings, optional
        Size, seed, particles and look.
    chunks : int or tuple of int, optional
        Chunk height and width of both arrays; the bytes are the same whatever they are.

    Returns
    -------
    SyntheticImage
        ``image.data`` is ``(Y, X)`` uint8, calibrated in nanometre; ``labels`` is ``(Y, X)`` int32. Touching
        particles have labels of their own.

    Examples
    --------
    >>> sem = synthetic_sem(SemSettings(size=(300, 400), seed=1))
    >>> sem.image.data.shape, sem.image.calibration.unit
    ((300, 400), 'nm')
    """
    settings = SemSettings() if settings is None else settings
    side = settings.pixel_size_nm
    image = Image(
        lazy_image(render_block, settings, settings.size, "uint8", (), chunks),
        name=f"synthetic SEM {settings.seed}",
        calibration=Calibration((side, side), "nm", "synthetic"),
        source="synthetic",
    )
    labels = lazy_image(label_block, settings, settings.size, "int32", (), chunks)
    return SyntheticImage(image, labels, settings, partial(count_particles, settings))
