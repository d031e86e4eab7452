"""What lamp, scanning stage and camera do to any picture of a filter: uneven light, seams, noise, compression."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.synthesis.blocks import BLOCK, Window
from napari_mpseg.synthesis.fields import smooth_field
from napari_mpseg.synthesis.jpeg import compressed
from napari_mpseg.synthesis.streams import generator, uniform

RGB = ("red", "green", "blue")
_NOISE_BLUR = (0.55, 0.75)  # px along Y and X; gives the correlation between neighbours that real pictures show
_NOISE_GAIN = 2.172  # gives the blurred noise unit spread again
_DRIFT = 2500.0  # px over which a lamp's light changes

Picture = NDArray[np.float32]


class CameraLook(Protocol):
    """What every look says of lamp and camera; the looks explain each."""

    @property
    def noise(self) -> tuple[float, float, float]: ...  # noqa: D102
    @property
    def shot(self) -> float: ...  # noqa: D102
    @property
    def field(self) -> tuple[int, int]: ...  # noqa: D102
    @property
    def seams(self) -> float: ...  # noqa: D102
    @property
    def uneven(self) -> float: ...  # noqa: D102
    @property
    def saturation(self) -> float: ...  # noqa: D102
    @property
    def compression(self) -> int: ...  # noqa: D102


Places = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Rows and columns of pixels, one-dimensional both."""


def places_of(window: Window) -> Places:
    """Return every row and every column of a window."""
    return np.arange(window.y, window.y + window.height), np.arange(window.x, window.x + window.width)


def pictures(
    seed: int, look: CameraLook, places: NDArray[np.int64], axis: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return, for pixels along one axis, the number of the stitched picture and the place in it, -1 to 1."""
    length = look.field[axis]
    place = places + stage_shift(seed, look)[axis]
    return place // length, (place % length + 0.5) / length * 2 - 1


def stage_shift(seed: int, look: CameraLook) -> tuple[int, int]:
    """Return how far the first stitched picture begins above and left of the image, in pixels."""
    down, right = (int(uniform(seed, "stitching", axis) * look.field[axis]) for axis in (0, 1))
    return down, right


def illumination(seed: int, look: CameraLook, window: Window) -> Picture:
    """Return the relative brightness ``(height, width)``.

    Stitched pictures differ and fall off towards their corners, and the lamp drifts over the filter.
    """
    light = stitched_light(seed, look, places_of(window))
    if look.uneven:
        light = light * np.maximum(1 + look.uneven * smooth_field(seed, "drift", window, _DRIFT), 0.1)
    return np.asarray(light, np.float32)


def stitched_light(seed: int, look: CameraLook, places: Places) -> NDArray[np.float64]:
    """Return the relative brightness of stitched pictures at some rows and columns, ``(rows, columns)``."""
    (rows, y), (columns, x) = (pictures(seed, look, places[axis], axis) for axis in (0, 1))
    # Normal-like from two uniform numbers; a picture's gain is the same in every block that it covers.
    gain = uniform(seed, "gain", rows[:, None], columns[None]) + uniform(seed, "gain 2", rows[:, None], columns[None])
    fall = 0.5 * (y[:, None] ** 2 + x[None] ** 2)
    return np.asarray(1 + look.seams * (2 * (gain - 1) - 2 * fall))


def add_noise(seed: int, look: CameraLook, row: int, column: int, picture: Picture) -> None:
    """Add the sensor's noise to one block ``(256, 256, 3)`` in grey levels, in place."""
    from scipy import ndimage

    if not (any(look.noise) or look.shot):
        return
    rng = generator(seed, "noise", row, column)
    noise = rng.standard_normal((4, BLOCK, BLOCK), np.float32)
    blurred = ndimage.gaussian_filter(noise, (0, *_NOISE_BLUR), mode="wrap")
    blurred *= _NOISE_GAIN
    for channel, spread in enumerate(look.noise):
        size = np.sqrt(spread**2 + look.shot**2 * np.maximum(picture[..., channel], 0))
        picture[..., channel] += size * (0.92 * blurred[channel] + 0.39 * blurred[3])


def stored(look: CameraLook, picture: Picture, taken: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return a block as the camera's file gives it back: saturated, compressed, rounded, and black where not taken."""
    picture = np.clip(picture, 0, look.saturation)
    if look.compression:
        picture = compressed(picture, look.compression)
    picture = np.clip(np.rint(picture), 0, 255)
    return np.asarray(picture * taken[..., None], np.uint8)
