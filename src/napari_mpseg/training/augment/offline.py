"""A larger set of labelled images made once, before training: Babkauskas 2023 made 396 of 22.

The same flips and rotations drawn at random while training are the augmentation ``offline-turns``.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from napari_mpseg.training.augment.geometric import resampled, rotation
from napari_mpseg.training.data.pairs import LabelledImage

Array = np.ndarray[Any, Any]
Patch = tuple[Array, Array, Array | None]
FLIPS = {"vertical": (0,), "horizontal": (1,), "both": (0, 1)}
"""Axes that are reversed: rows, columns, or both."""
ANGLES = (90, 120, 180, 225, 270)
"""Degrees, counter-clockwise."""
VARIANTS: tuple[tuple[str, int], ...] = tuple((flip, angle) for flip in FLIPS for angle in (0, *ANGLES))
"""The eighteen (flip, angle) of every image."""


def offline_set(images: Sequence[LabelledImage]) -> list[LabelledImage]:
    """Return the eighteen variants of every image, one image after the other.

    Each image is flipped vertically, horizontally and both ways; each of the three is kept as it is and rotated by
    90, 120, 180, 225 and 270 degrees: 3 x 6 = 18, and 22 images become 396. The image itself is among them, as the
    one flipped both ways and rotated by 180 degrees. (Counting the image first and its second appearance not at all
    gives the same eighteen.) Fourteen of the eighteen differ: the vertical flip rotated by 180 degrees is the
    horizontal one and the reverse, and so it is with their rotations by 90 and 270 degrees.

    Multiples of 90 degrees move pixels and lose nothing; an image that is not square changes height and width. At
    120 and 225 degrees the image keeps its size, pixels are interpolated linearly, mask and known pixels take the
    nearest, and what comes in at the corners is the image reflected at its border, with its mask: a filled corner
    would be something no microscope shows.

    Parameters
    ----------
    images : sequence of LabelledImage
        They are read as a whole.

    Returns
    -------
    list of LabelledImage
        Of the same dtypes; their names end in the variant: ``"tio2/3.png, both flips, 120 degrees"``.

    References
    ----------
    Babkauskas 2023, section 3.1. The paper does not say how corners were filled.
    """
    return [variant for image in images for variant in offline_variants(image)]


def offline_variants(image: LabelledImage) -> list[LabelledImage]:
    """Return the eighteen variants of one image; see :func:`offline_set`."""
    height, width = image.mask.shape
    pixels = np.asarray(image.image[:height, :width])
    made = []
    for flip, angle in VARIANTS:
        named = f"{image.name}, {flip} flip{'s' if flip == 'both' else ''}" + (f", {angle} degrees" if angle else "")
        known = None if image.known is None else _variant(image.known, flip, angle)
        ids = None if image.instances is None else _variant(image.instances.astype(np.int32), flip, angle)
        made.append(LabelledImage(named, _variant(pixels, flip, angle), _variant(image.mask, flip, angle), known, ids))
    return made


def offline_turns(image: Array, mask: Array, known: Array | None, rng: np.random.Generator) -> Patch:
    """Change a patch as one of the eighteen variants of :func:`offline_set`, all alike likely: the set without a disk.

    An augmentation like those of :mod:`napari_mpseg.training.augment.geometric`.
    """
    flip, angle = VARIANTS[int(rng.integers(len(VARIANTS)))]
    return (
        _variant(image, flip, angle),
        _variant(mask, flip, angle),
        None if known is None else _variant(known, flip, angle),
    )


def _variant(values: Array, flip: str, angle: int) -> Array:
    values = np.flip(values, FLIPS[flip])
    if angle % 90 == 0:
        return np.ascontiguousarray(np.rot90(values, angle // 90))
    if values.dtype in (bool, np.int32):  # masks, and the numbers of particles
        return resampled(values, rotation(angle), 0, "reflect")
    turned = resampled(values.astype(np.float32), rotation(angle), 1, "reflect")
    # interpolation stays between the values it is given, so that nothing leaves an integer's range
    return (np.rint(turned) if values.dtype.kind in "iu" else turned).astype(values.dtype)
