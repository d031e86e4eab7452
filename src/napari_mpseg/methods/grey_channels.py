"""What is taken from a colour pixel before a threshold: its grey value, one channel, or a difference of channels."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from napari_mpseg.errors import ImageError
from napari_mpseg.images.axes import RGB
from napari_mpseg.images.channels import pick_channels
from napari_mpseg.images.image import Image
from napari_mpseg.registry import Registry

Pixels = np.ndarray[Any, Any]

ChannelName = Literal["grey", "weighted-grey", "red", "green", "blue", "red-green", "red-green-blue"]


@dataclass(frozen=True)
class GreyChannel:
    """One way from a colour to one value.

    Attributes
    ----------
    title : str
        In words, as part of a sentence.
    of : callable
        Takes ``(Y, X, C)`` pixels of any real dtype and returns ``(Y, X)`` in their own grey values: uint8 of uint8,
        int64 of other whole numbers, float64 of real numbers.
    needs_colour : bool
        Whether it makes sense for red, green and blue only.
    """

    title: str
    of: Callable[[Pixels], Pixels]
    needs_colour: bool = True


def _mean(pixels: Pixels) -> Pixels:
    if pixels.dtype.kind == "f":
        found: Pixels = pixels.mean(2, dtype=np.float64)
        return found
    count = pixels.shape[2]
    # floor(mean + 1/2) in whole numbers; small ones for bytes, as these may be many
    total = pixels.sum(2, dtype=np.uint32 if pixels.dtype == np.uint8 else np.int64)
    return _kept((2 * total + count) // (2 * count), pixels)


def _weighted(pixels: Pixels) -> Pixels:
    red, green, blue = (pixels[..., number].astype(np.float64) for number in range(3))
    found = red * 0.299 + green * 0.587 + blue * 0.114
    return found if pixels.dtype.kind == "f" else _kept(np.floor(found + 0.5), pixels)


def _channel(number: int) -> Callable[[Pixels], Pixels]:
    return lambda pixels: _kept(pixels[..., number], pixels)


def _less(*taken: int) -> Callable[[Pixels], Pixels]:
    """Return red less other channels, one after the other, never below 0."""

    def difference(pixels: Pixels) -> Pixels:
        wide = np.float64 if pixels.dtype.kind == "f" else np.int16 if pixels.dtype == np.uint8 else np.int64
        left = pixels[..., 0].astype(wide)
        for number in taken:
            left = np.maximum(left - pixels[..., number], 0)
        return _kept(left, pixels)

    return difference


def _kept(values: Pixels, pixels: Pixels) -> Pixels:
    """Return values in the dtype for such pixels, see :class:`GreyChannel`."""
    wide = np.uint8 if pixels.dtype == np.uint8 else np.float64 if pixels.dtype.kind == "f" else np.int64
    return values.astype(wide, copy=False)


CHANNELS: Registry[GreyChannel] = Registry("channel")
CHANNELS.add("grey", GreyChannel("the grey image", _mean, needs_colour=False))
CHANNELS.add("weighted-grey", GreyChannel("the weighted grey image", _weighted))
CHANNELS.add("red", GreyChannel("the red channel", _channel(0)))
CHANNELS.add("green", GreyChannel("the green channel", _channel(1)))
CHANNELS.add("blue", GreyChannel("the blue channel", _channel(2)))
CHANNELS.add("red-green", GreyChannel("red less green", _less(1)))
CHANNELS.add("red-green-blue", GreyChannel("red less green less blue", _less(1, 2)))


def with_channel(image: Image, channel: str) -> Image:
    """Return the image with the channels that a way needs, in the order it needs them.

    A grey image is its own grey value, weighted or not.

    Raises
    ------
    ImageError
        If the image has no red, green and blue.
    UnknownNameError
        If there is no such way.
    """
    entry = CHANNELS[channel]
    if image.n_channels == 1:
        if channel in ("grey", "weighted-grey"):
            return image if image.data.ndim == 2 else replace(image, data=image.data[:, :, 0], channels=())
        raise ImageError(
            f"{image.name} is grey, but {entry.title} was asked for. Open the colour image, or choose a method "
            "that needs no colours; where the method has the option channel, choose grey."
        )
    if not entry.needs_colour:
        return image
    names = [name.lower() for name in image.channels]
    if set(RGB) <= set(names):
        return image if tuple(names) == RGB else pick_channels(image, RGB)
    if image.n_channels == 3:
        return image
    raise ImageError(
        f"{image.name} has {image.n_channels} channels, but {entry.title} needs red, green and blue. "
        "Choose three of them, such as channels 0,1,2; where the method has the option channel, choose grey."
    )
