"""The particles' own optical density in bright field, cell by cell."""

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.synthesis.appearances import APPEARANCES
from napari_mpseg.synthesis.blocks import Window, overlap
from napari_mpseg.synthesis.bright_field_settings import INSIDE, OUTSIDE, BrightFieldLook, BrightFieldSettings
from napari_mpseg.synthesis.placement import cells_under
from napari_mpseg.synthesis.silhouettes import Silhouette, cell_silhouettes

_SKIRT = 6  # px of density drawn around the truth
_SOFTENING, _SOFTEST = 0.1, 1.6  # growth of the blur per pixel of half width; largest blur in pixels


@dataclass(frozen=True, eq=False)
class Absorber:
    """One particle as it weakens light.

    Attributes
    ----------
    y, x : int
        Row and column in the image of the first pixel of the mask.
    density : ndarray of float32
        Optical density in the channel in which it is strongest, with a skirt of 6 px on every side; negative where the
        particle is brighter than the membrane.
    colour : ndarray of float32
        Density in red, green and blue relative to that.
    appearance : str
        Its kind.
    """

    y: int
    x: int
    density: NDArray[np.float32]
    colour: NDArray[np.float32]
    appearance: str


def _seen(particle: Silhouette, look: BrightFieldLook) -> Absorber:
    """Return a particle blurred, so that its density crosses the outline's exactly at the mask's edge."""
    from scipy import ndimage

    rng = particle.generator()
    share = np.array([item.share for item in look.appearances])
    chosen = look.appearances[int(rng.choice(len(share), p=share / share.sum()))]
    wide = np.pad(particle.mask, _SKIRT)
    depth = ndimage.distance_transform_edt(wide).astype(np.float32)
    density, colour = APPEARANCES[chosen.appearance](rng, depth, chosen.contrast)
    blur = min(look.blur * (1 + _SOFTENING * (float(depth.max()) - 1)), max(_SOFTEST, look.blur))
    density = ndimage.gaussian_filter(density, blur, truncate=3.0)
    least, most = INSIDE * look.outline, OUTSIDE * look.outline
    # inside, what is hardly there is made to stand out, as dark or as bright as it leans
    inside = np.where(density >= 0, np.maximum(density, least), np.minimum(density, -least))
    return Absorber(
        particle.y,
        particle.x,
        np.where(wide, inside, np.clip(density, -most, most)).astype(np.float32),
        colour,
        chosen.appearance,
    )


@functools.lru_cache(maxsize=64)
def cell_absorbers(settings: BrightFieldSettings, row: int, column: int) -> tuple[Absorber, ...]:
    """Return the particles of one cell, in numbering order."""
    return tuple(_seen(particle, settings.look) for particle in cell_silhouettes(settings, row, column))


def paint_density(settings: BrightFieldSettings, window: Window) -> NDArray[np.float32] | None:
    """Return the particles' optical density in a window, ``(height, width, 3)``; None where there is none."""
    canvas = strongest = None
    for row, column in cells_under(settings, window.padded(_SKIRT)):
        for particle in cell_absorbers(settings, row, column):
            there, part = overlap(window, particle.y - _SKIRT, particle.x - _SKIRT, particle.density.shape)
            density = particle.density[part]
            if not density.size:
                continue
            if canvas is None or strongest is None:
                canvas = np.zeros((window.height, window.width, 3), np.float32)
                strongest = np.zeros((window.height, window.width), np.float32)
            # The stronger one wins, pixel by pixel: two skirts never add up to a particle.
            wins = abs(density) > strongest[there]
            np.copyto(canvas[there], density[..., None] * particle.colour, where=wins[..., None])
            np.copyto(strongest[there], abs(density), where=wins)
    return canvas
