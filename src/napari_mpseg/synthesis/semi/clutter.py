"""What is drawn over an image and is no particle: threads and smears of its own texture, lighter or darker."""

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.synthesis.semi.alpha import soft_alpha
from napari_mpseg.synthesis.semi.blends import Piece
from napari_mpseg.synthesis.shapes import film, thread

_THREADS = 0.6  # share of threads, the rest are smears
_EDGE = 1.0  # px, softness


def clutter_piece(ground: NDArray[np.float32], rng: np.random.Generator) -> Piece:
    """Return a thread or a smear.

    Parameters
    ----------
    ground : ndarray of float32
        ``(Y, X, C)``: the background before anything was pasted, whose texture it takes from another place.
    rng : numpy.random.Generator
    """
    side = min(ground.shape[:2])
    if rng.random() < _THREADS:
        drawn = thread(rng, rng.uniform(0.1, 0.6) * side, rng.uniform(1.5, 6), bend=2.0)
    else:
        drawn = film(rng, rng.uniform(0.05, 0.2) * side)
    mask = np.pad(drawn[: side // 2, : side // 2], 4)
    light = rng.choice([rng.uniform(0.35, 0.75), rng.uniform(1.2, 1.9)])
    height, width = mask.shape
    y, x = (int(rng.integers(max(whole - own, 0) + 1)) for whole, own in zip(ground.shape, mask.shape, strict=False))
    texture = ground[y : y + height, x : x + width]
    missing = [(0, own - here) for own, here in zip(mask.shape, texture.shape, strict=False)]
    pixels = np.clip(np.pad(texture, [*missing, (0, 0)], mode="symmetric") * light, 0, 255)
    return Piece(np.asarray(pixels, np.float32), soft_alpha(mask, _EDGE), mask)
