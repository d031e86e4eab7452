"""The particles' own light under the fluorescence microscope, cell by cell."""

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.synthesis.blocks import Window, overlap
from napari_mpseg.synthesis.filter_settings import FilterSettings
from napari_mpseg.synthesis.look import FluorescenceLook
from napari_mpseg.synthesis.placement import cells_under
from napari_mpseg.synthesis.silhouettes import Silhouette, cell_silhouettes

_SKIRT = 6  # px of light drawn around the truth
_INSIDE, _OUTSIDE = 1.1, 0.85  # own light relative to the outline level: at least, at most
_SOFTENING, _SOFTEST = 0.35, 2.0  # growth of the blur per pixel of half width; largest blur in pixels


@dataclass(frozen=True, eq=False)
class Sprite:
    """One particle as it glows.

    Attributes
    ----------
    y, x : int
        Row and column in the image of the first pixel of `mask`.
    mask : ndarray of bool
        The truth, ``(height, width)``.
    light : ndarray of float32
        Own red light in grey levels, with a skirt of 6 px on every side.
    tint : tuple of float
        Green and blue relative to red.
    shape : str
        Its kind.
    """

    y: int
    x: int
    mask: NDArray[np.bool_]
    light: NDArray[np.float32]
    tint: tuple[float, float]
    shape: str


def _own_light(mask: NDArray[np.bool_], look: FluorescenceLook, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return the light of a particle, blurred, that crosses the outline level exactly at the mask's edge."""
    from scipy import ndimage

    wide = np.pad(mask, _SKIRT)
    grain = ndimage.gaussian_filter(rng.standard_normal(wide.shape), 1.5) * 5.3  # unit spread after the filter
    # Thick particles lie out of focus and glow through: their edges are softer than the optics alone would make them.
    half_width = float(ndimage.distance_transform_edt(wide).max())
    blur = min(look.blur * (1 + _SOFTENING * (half_width - 1)), _SOFTEST)
    light = ndimage.gaussian_filter(wide * np.exp(0.35 * grain), blur, truncate=3.0)
    edge = wide & ~ndimage.binary_erosion(wide)
    rise = 1.12 + look.brightness * rng.gamma(1.2, 0.35)
    light = light * (look.outline * rise / np.median(light[edge]))
    inside = np.maximum(light, _INSIDE * look.outline)
    outside = np.minimum(light, _OUTSIDE * look.outline)
    return np.asarray(np.where(wide, inside, outside), np.float32)


def _lit(particle: Silhouette, look: FluorescenceLook) -> Sprite:
    rng = particle.generator()
    green, blue = (ratio * rng.uniform(0.75, 1.3) for ratio in look.tint)
    light = _own_light(particle.mask, look, rng)
    return Sprite(particle.y, particle.x, particle.mask, light, (green, blue), particle.shape)


@functools.lru_cache(maxsize=64)
def cell_sprites(settings: FilterSettings, row: int, column: int) -> tuple[Sprite, ...]:
    """Return the particles of one cell, in numbering order."""
    return tuple(_lit(particle, settings.look) for particle in cell_silhouettes(settings, row, column))


def paint_light(settings: FilterSettings, window: Window) -> NDArray[np.float32] | None:
    """Return the particles' own light in a window, ``(height, width, 3)`` grey levels; None where it is dark."""
    canvas = None
    for row, column in cells_under(settings, window.padded(_SKIRT)):
        for sprite in cell_sprites(settings, row, column):
            there, part = overlap(window, sprite.y - _SKIRT, sprite.x - _SKIRT, sprite.light.shape)
            light = sprite.light[part]
            if not light.size:
                continue
            if canvas is None:
                canvas = np.zeros((window.height, window.width, 3), np.float32)
            # The brighter one wins, pixel by pixel: two skirts never add up to a particle.
            view = canvas[there]
            colour = light[..., None] * np.array((1.0, *sprite.tint), np.float32)
            np.copyto(view, colour, where=(light > view[..., 0])[..., None])
    return canvas
