"""COCO's run lengths: how many pixels outside, inside, outside ... down the columns, as numbers or as text."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.coco.run_mask import RunMask
from napari_mpseg.coco.values import short
from napari_mpseg.errors import ImageError

Ints = NDArray[np.int64]

_BITS = 5  # of a number in one character
_MORE = 0x20  # set where another character follows
_FIRST = 48  # the character that stands for 0
_LONGEST = 13  # characters of the largest number
_READ = 12  # characters of the largest number of an image below 2^59 pixels; more could pass 64 bits unseen


def run_lengths(mask: RunMask) -> list[int]:
    """Return COCO's counts: pixels outside, inside, outside ... in turn, beginning with those outside.

    Examples
    --------
    >>> run_lengths(RunMask(np.array([1]), np.array([3]), 2, 2))
    [1, 2, 1]
    """
    lengths: list[int] = _lengths(mask).tolist()
    return lengths


def _lengths(mask: RunMask) -> Ints:
    edges = np.empty(2 * len(mask.start) + 1, np.int64)
    edges[0:-1:2], edges[1:-1:2] = mask.start, mask.end
    edges[-1] = mask.height * mask.width
    lengths = np.diff(edges, prepend=0)
    # the last stretch reaches the last pixel: nothing comes after it
    return lengths[:-1] if len(mask.start) and lengths[-1] == 0 else lengths


def to_text(mask: RunMask) -> str:
    """Return COCO's compressed counts: five bits a character, differences to the count before the last one."""
    lengths = _lengths(mask)
    values = lengths.copy()
    values[3:] -= lengths[1:-2]
    shifts = _BITS * np.arange(_LONGEST)
    # a character is the last one if all bits above it repeat its sign
    rest = values[:, None] >> np.minimum(shifts + _BITS - 1, 63)
    more = (rest != 0) & (rest != -1)
    size = 1 + more.sum(1)
    code = (values[:, None] >> np.minimum(shifts, 63)) & 0x1F | np.where(more, _MORE, 0)
    written = np.arange(_LONGEST) < size[:, None]
    raw: bytes = (code[written] + _FIRST).astype(np.uint8).tobytes()
    return raw.decode("ascii")


def from_lengths(counts: Sequence[Any], height: int, width: int) -> RunMask:
    """Return the mask of COCO's counts.

    Raises
    ------
    ImageError
        If they are not whole numbers of 0 or more, or do not add up to the pixels of the image.
    """
    try:
        lengths = np.asarray(counts)
    except ValueError:  # lists of several lengths in each other
        lengths = np.zeros(0)
    if lengths.ndim != 1 or lengths.dtype.kind not in "iu" or not len(lengths):
        raise ImageError(f"the counts of its run lengths are no list of whole numbers, but {short(counts, 40)}")
    if lengths.max() > np.iinfo(np.int64).max:
        raise _beyond(int(lengths.max()), height, width)
    return _checked(lengths.astype(np.int64), height, width)


def from_text(text: str | bytes, height: int, width: int) -> RunMask:
    """Return the mask of COCO's compressed counts.

    Raises
    ------
    ImageError
        If the text is none such, or does not add up to the pixels of the image.
    """
    raw = text.encode("ascii", "replace") if isinstance(text, str) else text
    codes = np.frombuffer(raw, np.uint8).astype(np.int64) - _FIRST
    if not len(codes) or codes.min() < 0 or codes.max() > 0x3F or codes[-1] & _MORE:
        raise ImageError(f"the text of its run lengths is damaged: {short(text, 40)}")
    last = codes & _MORE == 0
    number = np.cumsum(last) - last  # which number each character belongs to
    first = np.flatnonzero(np.append(True, last[:-1]))
    place = np.arange(len(codes)) - first[number]
    if place.max() >= _READ:
        raise ImageError(f"the text of its run lengths is damaged: {short(text, 40)}")
    values = np.add.reduceat((codes & 0x1F) << (_BITS * place), first)
    negative = (codes[last] & 0x10) != 0
    size = _BITS * (place[last] + 1)
    values = np.where(negative, values - (np.int64(1) << size), values)
    lengths = values.copy()
    lengths[1::2] = np.cumsum(values[1::2])
    lengths[2::2] = np.cumsum(values[2::2])
    return _checked(lengths, height, width)


def _checked(lengths: Ints, height: int, width: int) -> RunMask:
    if lengths.min() < 0:
        raise ImageError("its run lengths hold a negative number")
    total = height * width
    # with every length small enough, sums pass the image before they pass 64 bits
    if lengths.max() > total:
        raise _beyond(int(lengths.max()), height, width)
    edges = np.cumsum(lengths)
    if edges.min() < 0 or edges.max() != total or edges[-1] != total:
        raise ImageError(
            f"its run lengths make {sum(lengths.tolist())} pixels, but the image has {width} x {height} = {total}"
        )
    start = edges[0::2][: len(lengths) // 2]
    end = edges[1::2]
    some = end > start
    start, end = start[some], end[some]
    apart = np.ones(len(start), bool)
    apart[1:] = start[1:] > end[:-1]  # nothing between two stretches: they are one
    first = np.flatnonzero(apart)
    if len(first):
        end = end[np.append(first[1:], len(start)) - 1]
    return RunMask(start[first], end, height, width)


def _beyond(length: int, height: int, width: int) -> ImageError:
    return ImageError(f"one of its run lengths is {length}, but the image has {width} x {height} = {height * width}")
