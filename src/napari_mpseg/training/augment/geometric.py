"""Random changes of place: image, mask and known pixels move together.

All are called as ``f(image, mask, known, rng, **options)`` with an image ``(Y, X, C)`` float32 in grey levels of 0 to
255, its mask ``(Y, X)`` bool, where the mask is known (``(Y, X)`` bool, or None for everywhere) and a generator, and
return the three anew.

Where the image moves away, a border stays empty. It is filled with one pixel value, that of the data set's mean in
Lee and Jhang 2021, and counts as background. Where the mask is known in part only, the border is unknown instead:
nothing was painted there, and only what was painted may be learnt from.
"""

from typing import Any

import numpy as np
from scipy import ndimage

from napari_mpseg.errors import SettingsError
from napari_mpseg.training.options import check_least, check_range, check_share

Array = np.ndarray[Any, Any]
Patch = tuple[Array, Array, Array | None]
Fill = tuple[float, ...] | None


def turns_and_flips(image: Array, mask: Array, known: Array | None, rng: np.random.Generator) -> Patch:
    """Turn by a multiple of 90 degrees and mirror: one of the eight symmetries of a square, all alike likely."""
    turns = int(rng.integers(4))
    mirrored = rng.random() < 0.5

    def change(values: Array) -> Array:
        values = np.rot90(values, turns)
        return values[:, ::-1] if mirrored else values

    return change(image), change(mask), None if known is None else change(known)


def flips(
    image: Array,
    mask: Array,
    known: Array | None,
    rng: np.random.Generator,
    *,
    horizontal: float = 0.5,
    vertical: float = 0.5,
) -> Patch:
    """Mirror left and right, and top and bottom, each with a probability (Lee et al. 2022)."""
    check_share("horizontal", horizontal)
    check_share("vertical", vertical)
    columns = slice(None, None, -1 if rng.random() < horizontal else 1)
    rows = slice(None, None, -1 if rng.random() < vertical else 1)
    return image[rows, columns], mask[rows, columns], None if known is None else known[rows, columns]


def shift(
    image: Array,
    mask: Array,
    known: Array | None,
    rng: np.random.Generator,
    *,
    share: float = 0.2,
    fill: Fill = None,
) -> Patch:
    """Move by whole pixels, up to a share of height and width each way (Lee and Jhang 2021: 20 %).

    `fill` is the pixel of the empty border in grey levels, one per channel or one for all; by default the patch's
    mean.
    """
    check_share("share", share)
    pixel = _fill_pixel(image, fill)
    down, right = (int(rng.integers(-most, most + 1)) for most in (int(share * size) for size in mask.shape))
    return (
        _moved(image, down, right, pixel),
        _moved(mask, down, right, False),
        None if known is None else _moved(known, down, right, False),
    )


def rotate(
    image: Array,
    mask: Array,
    known: Array | None,
    rng: np.random.Generator,
    *,
    degrees: float = 45.0,
    fill: Fill = None,
) -> Patch:
    """Rotate about the centre by an angle up to `degrees` either way (Lee and Jhang 2021: 45 degrees).

    The image is interpolated linearly, the mask takes the nearest pixel. For `fill` see :func:`shift`.
    """
    check_least("degrees", degrees, 0)
    return _transformed(image, mask, known, rotation(rng.uniform(-degrees, degrees)), fill)


def scale(
    image: Array,
    mask: Array,
    known: Array | None,
    rng: np.random.Generator,
    *,
    low: float = 0.8,
    high: float = 1.25,
    fill: Fill = None,
) -> Patch:
    """Zoom about the centre by a factor from `low` to `high`, a halving as likely as a doubling.

    The image is interpolated linearly, the mask takes the nearest pixel. For `fill` see :func:`shift`.
    """
    check_range("low, high", (low, high), 0.01)
    factor = float(np.exp(rng.uniform(np.log(low), np.log(high))))
    return _transformed(image, mask, known, np.eye(2) / factor, fill)


def rotation(degrees: float) -> Array:
    """Return the matrix that leads from a pixel (y, x) of an image turned counter-clockwise to where it came from."""
    angle = np.deg2rad(degrees)
    return np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])


def resampled(values: Array, matrix: Array, order: int, mode: str, outside: Array | float = 0.0) -> Array:
    """Return ``(Y, X)`` or ``(Y, X, C)`` values looked up about the centre through a matrix.

    Parameters
    ----------
    values : ndarray
    matrix : ndarray
        2 x 2, from places (y, x) in the result to places in `values`, both from the centre.
    order : int
        0 takes the nearest pixel, 1 interpolates linearly.
    mode : str
        What lies outside, as :func:`scipy.ndimage.affine_transform` names it: ``"constant"``, ``"reflect"``.
    outside : float or ndarray
        For ``"constant"``: a value, or one per channel.
    """
    centre = (np.array(values.shape[:2]) - 1) / 2
    offset = centre - matrix @ centre

    def look_up(plane: Array, value: float) -> Array:
        found: Array = ndimage.affine_transform(plane, matrix, offset, order=order, mode=mode, cval=value)
        return found

    if values.ndim == 2:
        return look_up(values, float(outside))
    each = np.broadcast_to(outside, values.shape[2:])
    return np.stack([look_up(values[..., number], float(value)) for number, value in enumerate(each)], -1)


def _transformed(image: Array, mask: Array, known: Array | None, matrix: Array, fill: Fill) -> Patch:
    return (
        resampled(image, matrix, 1, "constant", _fill_pixel(image, fill)),
        resampled(mask, matrix, 0, "constant"),
        None if known is None else resampled(known, matrix, 0, "constant"),
    )


def _moved(values: Array, down: int, right: int, outside: Any) -> Array:
    height, width = values.shape[:2]
    moved = np.empty_like(values)
    moved[...] = outside
    rows, columns = max(0, height - abs(down)), max(0, width - abs(right))
    y, x = max(0, down), max(0, right)
    moved[y : y + rows, x : x + columns] = values[y - down : y - down + rows, x - right : x - right + columns]
    return moved


def _fill_pixel(image: Array, fill: Fill) -> Array:
    if fill is None:
        mean: Array = image.mean((0, 1))
        return mean
    if len(fill) not in (1, image.shape[2]):
        raise SettingsError(
            f"fill = {fill} does not fit {image.shape[2]} channels: give one value, or one per channel."
        )
    return np.array(fill, np.float32)
