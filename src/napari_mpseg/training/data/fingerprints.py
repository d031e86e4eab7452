"""What tells labelled images apart without keeping them: so that no image is scored by what has learnt from it."""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from napari_mpseg.training.data.pairs import LabelledImage


def fingerprints(images: Sequence[LabelledImage]) -> list[dict[str, Any]]:
    """Return name, size, the digest of what was labelled, and that of some of the pixels, for each image."""
    found = []
    for pair in images:
        digest = hashlib.sha256(np.packbits(pair.mask).tobytes())
        pixels = hashlib.sha256()
        for part in _looks(pair):
            pixels.update(np.ascontiguousarray(pair.image[part]).tobytes())
        if pair.known is not None:
            digest.update(np.packbits(pair.known).tobytes())
        found.append(
            {
                "name": pair.name,
                "shape": [int(n) for n in pair.image.shape],
                "labels_sha256": digest.hexdigest(),
                "pixels_sha256": pixels.hexdigest(),
            }
        )
    return found


def _looks(pair: LabelledImage) -> list[tuple[slice, slice]]:
    """Return up to 16 windows of 64 px: enough to tell images apart without reading a whole filter.

    Of an image of which only some is painted they lie on what is painted, where training looks in any case.
    """
    height, width = pair.mask.shape
    if pair.known is not None and pair.known.any():
        painted = np.flatnonzero(pair.known)
        chosen = painted[np.linspace(0, painted.size - 1, 16).astype(np.int64)]
        corners = sorted(
            {(int(y) - int(y) % 64, int(x) - int(x) % 64) for y, x in zip(*np.divmod(chosen, width), strict=True)}
        )
        return [(slice(y, y + 64), slice(x, x + 64)) for y, x in corners]
    rows, columns = (sorted({int(size * share) for share in (0.05, 0.3, 0.55, 0.8)}) for size in (height, width))
    return [(slice(y, y + 64), slice(x, x + 64)) for y in rows for x in columns]
