"""Keeping some of what was painted aside for validation, although it was painted on a single image."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from scipy import ndimage

from napari_mpseg.training.data.pairs import LabelledImage

Array = np.ndarray[Any, Any]
MANY_IMAGES = 5
LEAST_PIXELS = 10
_TRIES = 50
_DENSE_BLOCKS = (256, 128, 64, 32)
_STROKE_BLOCKS = (64, 32, 16, 8)
_ENOUGH_BLOCKS = 10


def split_painted(
    images: Sequence[LabelledImage], share: float, seed: int
) -> tuple[list[LabelledImage], list[LabelledImage]]:
    """Keep about a share of what was painted aside for validation.

    Of five images or more, whole ones are kept aside. Of fewer, parts: strokes of scribbles (long ones are cut into
    pieces), square blocks of dense masks. A pixel that is known in one of the two is unknown in the other, both have
    particles and background, and most of either stays in training.

    Parameters
    ----------
    images : sequence of LabelledImage
    share : float
        0 to below 1; of the images, or of the painted pixels of particles and of background. At most half is taken.
    seed : int
        The same seed gives the same split.

    Returns
    -------
    train, validation : list of LabelledImage
        The same image may be in both. `validation` is empty if too little was painted; :func:`split_note` says so.
    """
    train, held, _ = _split(images, min(share, 0.5), seed)
    return train, held


def split_note(images: Sequence[LabelledImage], share: float, seed: int) -> str:
    """Return in words why :func:`split_painted` keeps nothing aside; an empty text if it does."""
    return _split(images, min(share, 0.5), seed)[2]


def _split(
    images: Sequence[LabelledImage], share: float, seed: int
) -> tuple[list[LabelledImage], list[LabelledImage], str]:
    if share <= 0:
        return list(images), [], "Nothing is kept aside for validation, because its share is 0."
    rng = np.random.default_rng(seed)
    if len(images) >= MANY_IMAGES:
        numbers = _whole_images(images, share, rng)
        if numbers:
            train = [pair for index, pair in enumerate(images) if index not in numbers]
            return train, [images[index] for index in sorted(numbers)], ""
    maps, particle, background = _pieces(images, share)
    held = _hold_out(particle, background, share, rng)
    if held is None:
        return (
            list(images),
            [],
            "Too little is painted to keep some aside for validation, so all of it is learnt from and there is no "
            "validation curve. Paint more particles and more background, in several places.",
        )
    return *_divided(images, maps, held), ""


def _painted(pair: LabelledImage) -> tuple[Array, Array]:
    """Return painted particle and painted background."""
    if pair.known is None:
        return pair.mask, ~pair.mask
    return pair.mask & pair.known, pair.known & ~pair.mask


def _whole_images(images: Sequence[LabelledImage], share: float, rng: np.random.Generator) -> set[int]:
    """Return the numbers of images to keep aside so that both parts have particles and background; or none."""
    has = np.array([[part.any() for part in _painted(pair)] for pair in images])
    count = max(1, round(share * len(images)))
    for _ in range(_TRIES):
        order = rng.permutation(len(images))
        if has[order[:count]].any(0).all() and has[order[count:]].any(0).all():
            return {int(index) for index in order[:count]}
    return set()


def _pieces(images: Sequence[LabelledImage], share: float) -> tuple[list[Array], Array, Array]:
    """Divide what is painted into pieces that are kept aside or not.

    Returns
    -------
    maps : list of ndarray of int32
        ``(Y, X)`` for each image: the number of the piece, 0 where nothing is painted.
    particle, background : ndarray of int
        Pixels of each piece; of piece 0, none.
    """
    scribbled = [pair.known is not None for pair in images]
    totals = np.array([[np.count_nonzero(part) for part in _painted(pair)] for pair in images]).sum(0)
    largest = np.maximum(share * totals / 2, 1)
    side = _block_side([pair for pair, partial in zip(images, scribbled, strict=True) if not partial])
    maps: list[Array] = []
    counts = [np.zeros((2, 1), np.int64)]
    first = 1
    for pair, partial in zip(images, scribbled, strict=True):
        pieces = _strokes(pair, largest) if partial else _blocks(pair.mask.shape, side)
        number = int(pieces.max(initial=0))
        counts.append(np.stack([np.bincount(pieces[part], minlength=number + 1)[1:] for part in _painted(pair)]))
        pieces[pieces > 0] += first - 1
        maps.append(pieces)
        first += number
    particle, background = np.concatenate(counts, axis=1)
    return maps, particle, background


def _block_side(dense: Sequence[LabelledImage]) -> int:
    """Return the side of the blocks of dense masks: the largest of which enough hold particles."""
    for side in _DENSE_BLOCKS[:-1]:
        blocks = [np.unique(_blocks(pair.mask.shape, side)[pair.mask]) for pair in dense]
        if sum(len(numbers) for numbers in blocks) >= _ENOUGH_BLOCKS:
            return side
    return _DENSE_BLOCKS[-1]


def _blocks(shape: tuple[int, ...], side: int) -> Array:
    """Return the squares of a grid, numbered from 1."""
    height, width = shape
    across = -(-width // side)
    rows, columns = np.arange(height, dtype=np.int32) // side, np.arange(width, dtype=np.int32) // side
    numbers: Array = rows[:, None] * np.int32(across) + columns + np.int32(1)
    return numbers


def _strokes(pair: LabelledImage, largest: Array) -> Array:
    """Return the connected strokes of particle and of background, large ones in pieces, numbered from 1."""
    numbers = np.zeros(pair.mask.shape, np.int32)
    for painted, limit in zip(_painted(pair), largest, strict=True):
        labels, _ = ndimage.label(painted, np.ones((3, 3)))
        ys, xs = np.nonzero(painted)
        own = labels[ys, xs].astype(np.int64)
        keys = own
        large = np.bincount(own, minlength=1)[own] > limit
        for side in _STROKE_BLOCKS:
            if not large.any():
                break
            blocks = 1 + (ys // side) * (-(-pair.mask.shape[1] // side)) + xs // side
            keys = own * (int(blocks.max()) + 1) + np.where(large, blocks, 0)
            if np.unique(keys[large], return_counts=True)[1].max() <= limit:
                break
        _, pieces = np.unique(keys, return_inverse=True)
        numbers[ys, xs] = pieces.ravel() + 1 + numbers.max()
    return numbers


def _hold_out(particle: Array, background: Array, share: float, rng: np.random.Generator) -> Array | None:
    """Choose pieces to keep aside; None if too little is painted.

    Returns
    -------
    ndarray of bool
        For each piece, whether it is kept aside.
    """
    held = np.zeros(len(particle), bool)
    for counts, own in ((particle, particle > 0), (background, (background > 0) & (particle == 0))):
        target = share * counts.sum()
        if target < LEAST_PIXELS:
            return None
        pieces = np.flatnonzero(own)
        for piece in rng.permutation(pieces):
            if counts[held].sum() + counts[piece] <= target:
                held[piece] = True
        if len(pieces) and not counts[held].any():
            held[pieces[np.argmin(counts[pieces])]] = True
    for counts in (particle, background):
        if not 0 < counts[held].sum() <= counts.sum() - counts[held].sum():
            return None
    return held


def _divided(
    images: Sequence[LabelledImage], maps: Sequence[Array], held: Array
) -> tuple[list[LabelledImage], list[LabelledImage]]:
    parts: tuple[list[LabelledImage], list[LabelledImage]] = ([], [])
    for pair, pieces in zip(images, maps, strict=True):
        aside = held[pieces]
        for part, known in zip(parts, ((pieces > 0) & ~aside, aside), strict=True):
            if known.any():
                part.append(replace(pair, mask=pair.mask & known, known=known))
    return parts
