"""Which axis of an array is what, and the canonical order: planes, then Y, X, then channels.

Axes are named by one letter each, as tifffile and OME do: ``Y``, ``X``, ``C`` (channel), ``S`` (the samples of an
RGB pixel), ``Z``, ``T``; any other letter is one more axis of planes.
"""

from typing import Any

from napari_mpseg.errors import ImageError

RGB = ("red", "green", "blue")
_MOST_CHANNELS = 4
_PLANE_NAMES = {"Z": "z", "T": "time", "C": "channel", "S": "sample"}


def guess_axes(shape: tuple[int, ...]) -> str:
    """Name the axes of an array about which nothing but its shape is known.

    A last axis of at most four is channels (grey, grey with alpha, RGB, RGBA); the two axes before it, or the last two
    where there is none, are Y and X; all axes in front are planes (``Z`` for one, ``T`` and ``Z`` for two, ``P``
    beyond). An array with more than four channels, or with its channels in front, is therefore taken as a stack; move
    the channels last, or say which axis they are by storing it as OME-TIFF or OME-Zarr.

    Raises
    ------
    ImageError
        If the array has fewer than two dimensions.

    Examples
    --------
    >>> guess_axes((512, 512, 3))
    'YXS'
    >>> guess_axes((20, 512, 512))
    'ZYX'
    """
    if len(shape) < 2:
        raise ImageError(f"An image needs two dimensions (Y, X), but this has the shape {shape}.")
    tail = "YXS" if len(shape) > 2 and shape[-1] <= _MOST_CHANNELS else "YX"
    return leading_axes(len(shape) - len(tail)) + tail


def leading_axes(count: int) -> str:
    """Name `count` axes of planes: ``""``, ``"Z"``, ``"TZ"``, ``"PTZ"`` ..."""
    return "P" * max(0, count - 2) + "TZ"[max(0, 2 - count) :]


def canonical(array: Any, axes: str, sizes: tuple[int, ...] | None = None) -> tuple[Any, str, bool]:
    """Bring an array into the order planes, Y, X, channels, without its other axes of length one.

    Parameters
    ----------
    array : dask.array.Array
        With one axis per letter of `axes`.
    axes : str
        One letter per axis.
    sizes : tuple of int, optional
        The shape by which axes of length one are told; for the smaller levels of a pyramid the shape of the first.

    Returns
    -------
    array : dask.array.Array
        ``(..., Y, X)`` or ``(..., Y, X, C)``.
    planes : str
        The letters of the axes of planes.
    channels : bool
        Whether the last axis is channels.

    Raises
    ------
    ImageError
        If Y or X is missing.
    """
    axes = axes.upper()
    if axes.count("Y") != 1 or axes.count("X") != 1:
        raise ImageError(f"The axes {axes!r} do not name one Y and one X axis, so this is not a picture.")
    lengths = sizes or array.shape
    kept = [index for index, letter in enumerate(axes) if letter in "YX" or lengths[index] != 1]
    y, x = axes.index("Y"), axes.index("X")
    channel = _channel_axis(axes, kept)
    planes = [index for index in kept if index not in (y, x, channel)]
    order = [*planes, y, x] + ([] if channel is None else [channel])
    array = array[tuple(slice(None) if index in kept else 0 for index in range(len(axes)))]
    if order != kept:
        array = array.transpose([kept.index(index) for index in order])
    return array, "".join(axes[index] for index in planes), channel is not None


def _channel_axis(axes: str, kept: list[int]) -> int | None:
    """Return the axis of channels: the samples of a pixel, else the channel axis."""
    for letter in "SC":
        found = [index for index in kept if axes[index] == letter]
        if found:
            return found[-1]
    return None


def axis_name(letter: str) -> str:
    """Return the word for an axis of planes: ``"z"``, ``"time"``, ``"channel"``; other letters stay."""
    return _PLANE_NAMES.get(letter, letter)
