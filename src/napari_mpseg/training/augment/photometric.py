"""Random changes of grey levels and colour; mask and known pixels stay as they are.

All are called as ``f(image, mask, known, rng, **options)`` and return the three, as in
:mod:`napari_mpseg.training.augment.geometric`. Grey levels may leave 0 to 255; they are cut once,
after the last change.
"""

from typing import Any

import numpy as np
from scipy import ndimage

from napari_mpseg.errors import SettingsError
from napari_mpseg.images.colour import change_colour, change_contrast
from napari_mpseg.training.options import check_least, check_range, check_share

Array = np.ndarray[Any, Any]
Patch = tuple[Array, Array, Array | None]


def grey(image: Array, mask: Array, known: Array | None, rng: np.random.Generator, *, share: float = 0.1) -> Patch:
    """Turn a share of patches grey, so that the network also serves single-channel cameras."""
    check_share("share", share)
    if rng.random() < share:
        image = np.repeat(image.mean(2, keepdims=True), image.shape[2], 2)
    return image, mask, known


def negative(image: Array, mask: Array, known: Array | None, rng: np.random.Generator, *, share: float = 0.5) -> Patch:
    """Turn a share of patches into negatives, so that what is darker than its surroundings is looked for, too.

    For images of several kinds of light: a bead that shines in dark field is a shadow in bright field.
    """
    check_share("share", share)
    if rng.random() < share:
        image = np.float32(255) - image
    return image, mask, known


def photometric(
    image: Array,
    mask: Array,
    known: Array | None,
    rng: np.random.Generator,
    *,
    gain: float = 0.1,
    offset: float = 4.0,
    noise: float = 1.0,
) -> Patch:
    """Change brightness, level, colour balance and noise at once, each patch differently.

    Parameters
    ----------
    image, mask, known, rng
        See the module.
    gain : float
        Spread of the logarithm of the brightness factor.
    offset : float
        Spread of the level added to all channels, in grey levels; each channel gets another quarter of it.
    noise : float
        Largest spread of the added noise, in grey levels.
    """
    for what, value in (("gain", gain), ("offset", offset), ("noise", noise)):
        check_least(what, value, 0)
    image = image * np.exp(rng.normal(0, gain))
    image = image + rng.normal(0, offset) + rng.normal(0, offset / 4, image.shape[2])
    image = image + rng.normal(0, 1, image.shape) * rng.uniform(0, noise)
    return image.astype(np.float32), mask, known


def brightness(
    image: Array,
    mask: Array,
    known: Array | None,
    rng: np.random.Generator,
    *,
    low: float = 0.9,
    high: float = 1.32,
    probability: float = 0.4,
) -> Patch:
    """Multiply all grey levels by a factor from `low` to `high` (Babkauskas 2023: as the defaults are)."""
    check_range("low, high", (low, high))
    check_share("probability", probability)
    if rng.random() < probability:
        image = image * np.float32(rng.uniform(low, high))
    return image, mask, known


def contrast(
    image: Array,
    mask: Array,
    known: Array | None,
    rng: np.random.Generator,
    *,
    low: float = 0.8,
    high: float = 1.25,
    probability: float = 0.5,
) -> Patch:
    """Multiply the distance of all grey levels from the patch's mean by a factor from `low` to `high`."""
    check_range("low, high", (low, high))
    check_share("probability", probability)
    if rng.random() < probability:
        image = change_contrast(image, float(rng.uniform(low, high)), float(image.mean()))
    return image, mask, known


def blur(
    image: Array,
    mask: Array,
    known: Array | None,
    rng: np.random.Generator,
    *,
    sigma: float = 1.0,
    kernel: int = 3,
    probability: float = 0.4,
) -> Patch:
    """Blur with a Gaussian of `sigma` pixels, cut to `kernel` pixels (Babkauskas 2023: as the defaults are)."""
    check_share("probability", probability)
    if not sigma > 0:
        raise SettingsError(f"sigma = {sigma} is impossible: give pixels, more than 0.")
    if kernel < 1 or kernel % 2 == 0:
        raise SettingsError(f"kernel = {kernel} is impossible: give an odd number of pixels.")
    if rng.random() < probability:
        weights = np.exp(-0.5 * ((np.arange(kernel) - kernel // 2) / sigma) ** 2)
        weights /= weights.sum()
        for axis in (0, 1):
            image = ndimage.correlate1d(image, weights, axis, mode="mirror")
    return image, mask, known


def hue_saturation_value(
    image: Array,
    mask: Array,
    known: Array | None,
    rng: np.random.Generator,
    *,
    hue: float = 10.0,
    saturation: tuple[float, float] = (0.8, 1.25),
    value: tuple[float, float] = (0.9, 1.1),
    probability: float = 0.5,
) -> Patch:
    """Change hue by up to `hue` degrees either way, saturation and value by factors between two.

    An image that has not three channels has no hue and no saturation: only its value changes.
    """
    check_least("hue", hue, 0)
    check_range("saturation", saturation)
    check_range("value", value)
    check_share("probability", probability)
    if rng.random() < probability:
        degrees, factor, brighter = rng.uniform(-hue, hue), rng.uniform(*saturation), rng.uniform(*value)
        if image.shape[2] == 3:
            image = change_colour(image, degrees, factor)
        image = image * np.float32(brighter)
    return image, mask, known
