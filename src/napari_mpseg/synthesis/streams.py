"""Random numbers keyed by place, so that any part of an image can be made without the parts before it.

A stream is named by the image's seed, a purpose (``"particle"``) and integer coordinates. Nothing is drawn
in sequence across an image, which is what makes the result independent of the order and size of chunks.
"""

import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def _scramble(value: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Finalise 64-bit keys as the SplitMix64 generator does (Steele, Lea and Flood 2014)."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


def keys(seed: int, purpose: str, *coordinates: Any) -> NDArray[np.uint64]:
    """Return one 64-bit key per place.

    Parameters
    ----------
    seed : int
        Seed of the image, zero or positive.
    purpose : str
        What the numbers are for; other purposes give unrelated numbers.
    *coordinates : int or array of int
        Places, broadcast against each other; may be negative.

    Returns
    -------
    ndarray of uint64
        Of the broadcast shape.
    """
    places = [np.asarray(place, np.int64) for place in coordinates]
    # Broadcasting happens as late as it can: a table of n x n keys costs one pass over n x n numbers, not three.
    state = np.asarray(seed & (2**64 - 1), np.uint64)
    with np.errstate(over="ignore"):
        state = _scramble(state + _GOLDEN * np.uint64(zlib.crc32(purpose.encode())))
        for place in places:
            state = _scramble(state * np.uint64(3) + _GOLDEN + place.astype(np.uint64))
    return np.asarray(state, np.uint64)


def uniform(seed: int, purpose: str, *coordinates: Any) -> NDArray[np.float64]:
    """Return one number in [0, 1) per place; parameters as in :func:`keys`."""
    top = keys(seed, purpose, *coordinates) >> np.uint64(11)
    return np.asarray(top.astype(np.float64) * 2.0**-53)


def generator(seed: int, purpose: str, *coordinates: int) -> np.random.Generator:
    """Return a generator that belongs to one place."""
    return np.random.default_rng(int(keys(seed, purpose, *coordinates)))
