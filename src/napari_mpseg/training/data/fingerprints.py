"""What tells images apart without keeping them: so that no image is scored by what has learnt from it."""

import hashlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from napari_mpseg.images.image import Image
from napari_mpseg.training.data.pairs import LabelledImage
from napari_mpseg.training.painted.lazy_pixels import LazyPixels

WHOLE, SAMPLED = "image_sha256", "pixels_sha256"
"""Digest of every pixel; and that of some of them, which models made by earlier versions have."""

_AT_ONCE, _ROWS = 2**22, 512  # pixels that are read together, but never fewer rows: files are stored in tiles
_Part = tuple[slice, slice]
_digests: "WeakKeyDictionary[LazyPixels, str]" = WeakKeyDictionary()


class Fingerprint:
    """Name, size and digests of an image, as it was given: before channels or size were made to fit a network.

    The digests are of grey levels of 0 to 255 by the rule ``"auto"``, whatever rule the image is seen by, and do not
    depend on what was painted. They are taken when they are first asked for, part by part.

    Parameters
    ----------
    name : str
    pixels : array
        ``(Y, X, C)`` in grey levels of 0 to 255; only has to be sliced as ``[y0:y1, x0:x1]``, and to have a ``shape``.

    Attributes
    ----------
    shape : tuple of int
        ``(Y, X, C)``.
    """

    def __init__(self, name: str, pixels: Any) -> None:
        self.name = name
        self._pixels = pixels.whole() if isinstance(pixels, LazyPixels) else pixels
        self.shape = tuple(int(n) for n in self._pixels.shape)

    @classmethod
    def of(cls, image: Image) -> "Fingerprint":
        """Return the fingerprint of an opened image."""
        return cls(image.name, LazyPixels.as_measured(image))

    @cached_property
    def whole(self) -> str:
        """SHA-256 of shape and all pixels."""
        known = _digests.get(self._pixels) if isinstance(self._pixels, LazyPixels) else None
        if known is not None:
            return known
        height, width, _ = self.shape
        rows = max(_ROWS, _AT_ONCE // max(1, width))
        digest = hashlib.sha256(f"{self.shape}".encode())
        for top in range(0, height, rows):
            digest.update(_bytes(self._pixels[top : top + rows, 0:width]))
        if isinstance(self._pixels, LazyPixels):
            _digests[self._pixels] = digest.hexdigest()
        return digest.hexdigest()

    @cached_property
    def sampled(self) -> str:
        """SHA-256 of 16 windows of 64 px, as earlier versions kept it."""
        return _of_windows(self._pixels, _spread(self.shape))

    def to_dict(self) -> dict[str, Any]:
        """Return name, shape and the digest of all pixels, as plain JSON values."""
        return {"name": self.name, "shape": list(self.shape), WHOLE: self.whole}


def fingerprints(images: Sequence[LabelledImage]) -> list[dict[str, Any]]:
    """Return name, size, the digest of what was labelled, and that of all pixels, for each image."""
    found = []
    for pair in images:
        plain = Fingerprint(pair.name, pair.image).to_dict()
        found.append({**plain, "labels_sha256": _labels(pair)})
    return found


def older_fingerprints(images: Sequence[LabelledImage]) -> list[dict[str, Any]]:
    """Return what earlier versions kept of labelled images; only to go on with what they have begun."""
    return [
        {
            "name": pair.name,
            "shape": [int(n) for n in pair.image.shape],
            "labels_sha256": _labels(pair),
            SAMPLED: _of_windows(pair.image, _painted(pair) or _spread(pair.mask.shape)),
        }
        for pair in images
    ]


def is_older(kept: Any) -> bool:
    """Return whether a record that was read, of whatever form, holds images with digests of earlier versions only."""
    if isinstance(kept, Mapping):
        return (SAMPLED in kept and WHOLE not in kept) or any(is_older(value) for value in kept.values())
    return isinstance(kept, list) and any(is_older(value) for value in kept)


def _labels(pair: LabelledImage) -> str:
    digest = hashlib.sha256(np.packbits(pair.mask).tobytes())
    if pair.known is not None:
        digest.update(np.packbits(pair.known).tobytes())
    return digest.hexdigest()


def _bytes(pixels: Any) -> bytes:
    return np.ascontiguousarray(pixels).tobytes()


def _of_windows(pixels: Any, windows: Sequence[_Part]) -> str:
    digest = hashlib.sha256()
    for part in windows:
        digest.update(_bytes(pixels[part]))
    return digest.hexdigest()


def _spread(shape: Sequence[int]) -> list[_Part]:
    """Return up to 16 windows of 64 px, spread over the image."""
    rows, columns = (sorted({int(size * share) for share in (0.05, 0.3, 0.55, 0.8)}) for size in shape[:2])
    return [(slice(y, y + 64), slice(x, x + 64)) for y in rows for x in columns]


def _painted(pair: LabelledImage) -> list[_Part]:
    """Return up to 16 windows on what was painted; none where everything is known."""
    if pair.known is None or not pair.known.any():
        return []
    painted = np.flatnonzero(pair.known)
    chosen = painted[np.linspace(0, painted.size - 1, 16).astype(np.int64)]
    places = zip(*np.divmod(chosen, pair.mask.shape[1]), strict=True)
    corners = sorted({(int(y) - int(y) % 64, int(x) - int(x) % 64) for y, x in places})
    return [(slice(y, y + 64), slice(x, x + 64)) for y, x in corners]
