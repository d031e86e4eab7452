"""The fluorescence picture of a filter, one block at a time."""

import functools

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.synthesis.blocks import BLOCK, Window, block_window
from napari_mpseg.synthesis.clutter import add_smears, add_specks
from napari_mpseg.synthesis.fields import separable, smooth_field
from napari_mpseg.synthesis.filter_settings import FilterSettings
from napari_mpseg.synthesis.jpeg import compressed
from napari_mpseg.synthesis.membrane import coverage, touches_membrane
from napari_mpseg.synthesis.sprites import paint_light
from napari_mpseg.synthesis.streams import generator, uniform

_MARGIN = 64  # px from which a halo reaches into a block; a multiple of _COARSE
_COARSE = 4
_HALO_COLOUR = np.array([1.0, 0.14, 0.05], np.float32)
_CLOUD_COLOUR = np.array([1.0, 0.24, 0.2], np.float32)
_NOISE_BLUR = (0.55, 0.75)  # px along Y and X; gives the correlation between neighbours that real pictures show
_NOISE_GAIN = 2.172  # gives the blurred noise unit spread again

Picture = NDArray[np.float32]


def render_block(settings: FilterSettings, row: int, column: int) -> NDArray[np.uint8]:
    """Return one block of the picture, ``(256, 256, 3)`` uint8."""
    window = block_window(row, column)
    scanned = _scanned(settings, window)
    if not scanned.any():
        return np.zeros((BLOCK, BLOCK, 3), np.uint8)
    picture = _membrane_light(settings, window)
    _add_particles(settings, window, picture)
    add_specks(settings, window, picture)
    picture *= _illumination(settings, window)[..., None]
    on_membrane = coverage(settings, window)
    if on_membrane is not None:
        picture *= on_membrane[..., None]
        picture += (1 - on_membrane)[..., None] * np.array(settings.look.surround, np.float32)
    _add_noise(settings, row, column, picture)
    np.clip(picture, 0, 255, out=picture)
    if settings.look.compression:
        picture = compressed(picture, settings.look.compression)
    picture = np.clip(np.rint(picture), 0, 255)
    return np.asarray(picture * scanned[..., None], np.uint8)


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


def _fields(settings: FilterSettings, window: Window, axis: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return, along one axis, the number of the stitched picture and the place in it, -1 to 1."""
    length = settings.look.field[axis]
    shift = int(uniform(settings.seed, "stitching", axis) * length)
    start = (window.y, window.x)[axis]
    count = (window.height, window.width)[axis]
    place = np.arange(start, start + count) + shift
    return place // length, (place % length + 0.5) / length * 2 - 1


def _illumination(settings: FilterSettings, window: Window) -> Picture:
    """Return the relative brightness: stitched pictures differ and fall off towards their corners."""
    (rows, y), (columns, x) = _fields(settings, window, 0), _fields(settings, window, 1)
    # Normal-like from two uniform numbers; a picture's gain is the same in every block that it covers.
    gain = uniform(settings.seed, "gain", rows[:, None], columns[None]) + uniform(
        settings.seed, "gain 2", rows[:, None], columns[None]
    )
    fall = 0.5 * (y[:, None] ** 2 + x[None] ** 2)
    return np.asarray(1 + settings.look.seams * (2 * (gain - 1) - 2 * fall), np.float32)


def _scanned(settings: FilterSettings, window: Window) -> NDArray[np.bool_]:
    """Tell which pixels lie in a stitched picture that was taken; pictures beside the membrane were not."""
    down, right = (int(uniform(settings.seed, "stitching", axis) * settings.look.field[axis]) for axis in (0, 1))
    height, width = settings.look.field
    rows, columns = _fields(settings, window, 0)[0], _fields(settings, window, 1)[0]
    taken = {
        (row, column): touches_membrane(settings, Window(row * height - down, column * width - right, height, width))
        for row in np.unique(rows).tolist()
        for column in np.unique(columns).tolist()
    }
    if all(taken.values()):
        return np.ones((window.height, window.width), bool)
    return np.array([[taken[row, column] for column in columns.tolist()] for row in rows.tolist()])


def _add_noise(settings: FilterSettings, row: int, column: int, picture: Picture) -> None:
    from scipy import ndimage

    look = settings.look
    if not (any(look.noise) or look.shot):
        return
    rng = generator(settings.seed, "noise", row, column)
    noise = rng.standard_normal((4, BLOCK, BLOCK), np.float32)
    blurred = ndimage.gaussian_filter(noise, (0, *_NOISE_BLUR), mode="wrap")
    blurred *= _NOISE_GAIN
    for channel, spread in enumerate(look.noise):
        size = np.sqrt(spread**2 + look.shot**2 * np.maximum(picture[..., channel], 0))
        picture[..., channel] += size * (0.92 * blurred[channel] + 0.39 * blurred[3])
