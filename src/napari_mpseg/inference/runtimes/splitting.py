"""A window too large for the memory, as two smaller ones."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_mpseg.inference.grid import round_up
from napari_mpseg.inference.runtimes.registry import Margins

Array = np.ndarray[Any, Any]
Ask = Callable[[Array, Margins], Array]


@dataclass(frozen=True)
class _Half:
    """Part of a window along one axis: its own window, and which part of that is wanted."""

    low: int
    high: int
    start: int
    stop: int


def halved(pixels: Array, margins: Margins, ask: Ask, *, halo: int, stride: int, exact: bool) -> Array | None:
    """Return the probability of a window from that of its halves, None if it cannot be halved.

    Each half has a halo of its own, cut where the window ends. With a predictor that is exact the result is the same;
    with others, which see further than any halo, the halves overlap and are cross-faded like tiles.

    Parameters
    ----------
    pixels : ndarray
        ``(Y, X, C)``.
    margins : tuple of int
        Top, bottom, left and right.
    ask : callable
        Returns the probability of a window less its margins, ``(Y, X)`` or ``(outputs, Y, X)``.
    halo, stride, exact
        Of the predictor.
    """
    spans = ((margins[0], pixels.shape[0] - margins[1]), (margins[2], pixels.shape[1] - margins[3]))
    for axis in sorted((0, 1), key=lambda axis: spans[axis][0] - spans[axis][1]):
        start, stop = spans[axis]
        halves = _halves(start, stop, pixels.shape[axis], halo, stride, exact)
        if halves is not None:
            parts = [_answer(pixels, margins, axis, half, ask) for half in halves]
            return _joined(parts, axis, halves[0].stop - halves[1].start)
    return None


def _halves(start: int, stop: int, size: int, halo: int, stride: int, exact: bool) -> tuple[_Half, _Half] | None:
    cut = round_up((start + stop) // 2, stride)
    if not start < cut < stop:
        return None
    fade = 0 if exact else min(halo // 4, cut - start, stop - cut)
    first = _Half(0, min(size, round_up(cut + fade + halo, stride)), start, cut + fade)
    second = _Half(max(0, (cut - fade - halo) // stride * stride), size, cut - fade, stop)
    if first.high == size or second.low == 0:
        return None  # no smaller than the whole
    return first, second


def _answer(pixels: Array, margins: Margins, axis: int, half: _Half, ask: Ask) -> Array:
    own = list(margins)
    own[2 * axis : 2 * axis + 2] = half.start - half.low, half.high - half.stop
    inside = (slice(None),) * axis + (slice(half.low, half.high),)
    return ask(pixels[inside], (own[0], own[1], own[2], own[3]))


def _joined(parts: list[Array], axis: int, overlap: int) -> Array:
    first, second = (np.moveaxis(part, axis - 2, 0) for part in parts)  # of the last two axes
    if overlap:
        weight = (np.arange(overlap, dtype=np.float32) + np.float32(0.5)) / np.float32(overlap)
        weight = weight.reshape(-1, *[1] * (first.ndim - 1))
        faded = first[-overlap:] * (1 - weight) + second[:overlap] * weight
        first, second = first[:-overlap], np.concatenate([faded, second[overlap:]])
    return np.moveaxis(np.concatenate([first, second]), 0, axis - 2)
