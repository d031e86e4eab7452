"""The fluorescence picture of a filter, one block at a time."""

import functools

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.synthesis.blocks import BLOCK, Window, block_window
from napari_mpseg.synthesis.camera import Picture, add_noise, illumination, places_of, stored
from napari_mpseg.synthesis.clutter import add_smears, add_specks
from napari_mpseg.synthesis.fields import separable, smooth_field
from napari_mpseg.synthesis.filter_settings import FilterSettings
from napari_mpseg.synthesis.membrane import coverage
from napari_mpseg.synthesis.scan import scanned
from napari_mpseg.synthesis.sprites import paint_light

_MARGIN = 64  # px from which a halo reaches into a block; a multiple of _COARSE
_COARSE = 4
_HALO_COLOUR = np.array([1.0, 0.14, 0.05], np.float32)
_CLOUD_COLOUR = np.array([1.0, 0.24, 0.2], np.float32)


def render_block(settings: FilterSettings, row: int, column: int) -> NDArray[np.uint8]:
    """Return one block of the picture, ``(256, 256, 3)`` uint8."""
    window, look = block_window(row, column), settings.look
    taken = scanned(settings, look, places_of(window))
    if not taken.any():
        return np.zeros((BLOCK, BLOCK, 3), np.uint8)
    picture = _membrane_light(settings, window)
    _add_particles(settings, window, picture)
    add_specks(settings, window, picture)
    picture *= illumination(settings.seed, look, window)[..., None]
    on_membrane = coverage(settings, window)
    if on_membrane is not None:
        picture *= on_membrane[..., None]
        picture += (1 - on_membrane)[..., None] * np.array(look.surround, np.float32)
    add_noise(settings.seed, look, row, column, picture)
    return stored(look, picture, taken)


def _membrane_light(settings: FilterSettings, window: Window) -> Picture:
    look, seed = settings.look, settings.seed
    grain = 0.75 * smooth_field(seed, "texture", window, 150.0) + 0.5 * smooth_field(seed, "weave", window, 34.0)
    grain += 0.2 * smooth_field(seed, "streaks", window, (60.0, 9.0))
    picture = np.maximum(1 + look.texture * grain, 0.1)[..., None] * np.array(look.background, np.float32)
    if look.clouds:
        cloud = smooth_field(seed, "clouds", window, 260.0) + 0.4 * smooth_field(seed, "wisps", window, 48.0)
        glow = look.clouds * 0.5 * look.background[0] * np.maximum(cloud - 0.6, 0) ** 1.5
        picture += np.minimum(glow, 0.4 * look.outline)[..., None] * _CLOUD_COLOUR
    add_smears(settings, window, picture)
    return np.asarray(picture, np.float32)


def _add_particles(settings: FilterSettings, window: Window, picture: Picture) -> None:
    """Add the particles' own light and the glow that optics and filter spread around them."""
    light = paint_light(settings, window.padded(_MARGIN))
    if light is None:
        return
    picture += light[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN]
    if settings.look.halo:
        picture += settings.look.halo * _glow(light[..., 0])[..., None] * _HALO_COLOUR


def _glow(light: Picture) -> Picture:
    """Return the light spread by a narrow and a wide Gaussian; the wide one on a coarser grid."""
    from scipy import ndimage

    height, width = light.shape
    rows = light.reshape(height // _COARSE, _COARSE, width).sum(1)
    small = rows.reshape(height // _COARSE, width // _COARSE, _COARSE).sum(2) / _COARSE**2
    wide = ndimage.gaussian_filter(small, 2.2, mode="constant") + 0.35 * ndimage.gaussian_filter(
        small, 4.5, mode="constant", truncate=3.0
    )
    back = _interpolation(height // _COARSE)
    near = ndimage.gaussian_filter(light, 2.2, mode="constant", truncate=3.0)[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN]
    return np.asarray(0.35 * near + 1.4 * separable(back, wide, back), np.float32)


@functools.cache
def _interpolation(count: int) -> Picture:
    """Return the matrix from coarse samples to the pixels of a block, linear between sample centres."""
    place = (np.arange(_MARGIN, _MARGIN + BLOCK) + 0.5) / _COARSE - 0.5
    below = np.floor(place).astype(int)
    matrix = np.zeros((BLOCK, count), np.float32)
    pixels = np.arange(BLOCK)
    matrix[pixels, below] = 1 - (place - below)
    matrix[pixels, below + 1] = place - below
    return matrix
