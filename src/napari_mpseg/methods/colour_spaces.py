"""Colours as three 8-bit components, exactly as ImageJ's *Color Threshold* makes them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from napari_mpseg.registry import Registry

Array = np.ndarray[Any, Any]
Components = tuple[Array, Array, Array]


@dataclass(frozen=True)
class ColourSpace:
    """One way of telling colours by three numbers from 0 to 255.

    Attributes
    ----------
    name : str
        What users type: ``"hsb"``.
    title : str
        What menus show.
    components : tuple of str
        Names of the three numbers, in their order.
    convert : callable
        Takes red, green and blue as uint8 arrays of one shape; returns the components, uint8 of that shape.
    circular : tuple of bool
        Which components go round, so that 255 lies beside 0.
    summary : str
        What the numbers mean.
    titles : tuple of str, optional
        What menus call the three numbers, where that is not their names with a capital.
    """

    name: str
    title: str
    components: tuple[str, str, str]
    convert: Callable[[Array, Array, Array], Components]
    circular: tuple[bool, bool, bool] = (False, False, False)
    summary: str = ""
    titles: tuple[str, str, str] | None = None

    def title_of(self, number: int) -> str:
        """Return what menus call a component: its name with a capital, or the title of its own."""
        return self.titles[number] if self.titles is not None else self.components[number].capitalize()


COLOUR_SPACES: Registry[ColourSpace] = Registry("colour space")


def components_of(pixels: Array, space: str) -> Components:
    """Return the three components of 8-bit colours.

    Parameters
    ----------
    pixels : ndarray of uint8
        ``(..., 3)``: red, green, blue.
    space : str
        Name in :data:`COLOUR_SPACES`.

    Returns
    -------
    tuple of three ndarrays of uint8
        Each of the shape of `pixels` without its last axis.

    Raises
    ------
    UnknownNameError
        If there is no such colour space.
    """
    return COLOUR_SPACES[space].convert(pixels[..., 0], pixels[..., 1], pixels[..., 2])


def hsb(red: Array, green: Array, blue: Array) -> Components:
    """Return hue, saturation and brightness, each cut off after multiplying with 255.

    The numbers are those of ImageJ, which takes the single-precision values of ``java.awt.Color.RGBtoHSB`` times 255
    and cuts them off. Hue is 0 red, 42 yellow, 85 green, 127 cyan, 170 blue, 212 magenta; grey has hue 0 and
    saturation 0. Brightness is the largest of the three channels.
    """
    largest = np.maximum(np.maximum(red, green), blue)
    smallest = np.minimum(np.minimum(red, green), blue)
    chroma = largest - smallest
    is_red, is_green = red == largest, green == largest
    first = np.where(is_red, green, np.where(is_green, blue, red))
    second = np.where(is_red, blue, np.where(is_green, red, green))
    # which channel is the largest, how the other two differ, and the chroma: together they say the hue
    place = np.where(is_red, np.int32(0), np.where(is_green, np.int32(511), np.int32(1022)))
    place += 255
    place += first
    place -= second
    place <<= 8
    place |= chroma
    hue = _hues().take(place)
    saturation = _saturations().take((largest.astype(np.uint16) << 8) | chroma)
    return hue, saturation, largest


def rgb(red: Array, green: Array, blue: Array) -> Components:
    """Return the channels as they are."""
    return red, green, blue


def lab(red: Array, green: Array, blue: Array) -> Components:
    """Return CIE L*a*b* of sRGB colours under D65, as 8-bit numbers.

    L* from 0 to 100 is multiplied with 2.55 and cut off; a* and b* are multiplied with 1.0625, moved by 128 and
    rounded, so 128 is neither green nor red, neither blue nor yellow. White, matrix and constants are those of ImageJ:
    X 95.0429, Y 100, Z 108.89; four decimals in the matrix; 0.008856 and 7.787 where the cube root ends.
    """
    linear = _linear()
    channels = (linear.take(red), linear.take(green), linear.take(blue))
    x, y, z = (
        _root((channels[0] * row[0] + channels[1] * row[1] + channels[2] * row[2]) / white)
        for row, white in zip(_TO_XYZ, _WHITE, strict=True)
    )
    lightness = (116.0 * y - 16.0) * 2.55
    green_red = np.floor((1.0625 * (500.0 * (x - y)) + 128) + 0.5)
    blue_yellow = np.floor((1.0625 * (200.0 * (y - z)) + 128) + 0.5)
    return _bytes(np.trunc(lightness)), _bytes(green_red), _bytes(blue_yellow)


_TO_XYZ = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
_WHITE = (95.0429, 100.0, 108.8900)


def _bytes(values: Array) -> Array:
    clipped: Array = np.clip(values, 0, 255).astype(np.uint8)
    return clipped


def _root(share: Array) -> Array:
    return np.where(share > 0.008856, np.power(share, 1.0 / 3.0), 7.787 * share + 16.0 / 116.0)


@cache
def _linear() -> Array:
    """Return the light, 0 to 100, of each 8-bit sRGB value."""
    value = np.arange(256) / 255.0
    light: Array = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4) * 100.0
    return light


@cache
def _saturations() -> Array:
    """Return the saturation of every largest channel and chroma: entry ``largest * 256 + chroma``."""
    largest, chroma = np.mgrid[0:256, 0:256].astype(np.float32)
    return _cut(np.where(largest > 0, np.minimum(chroma, largest) / np.maximum(largest, 1), np.float32(0))).ravel()


@cache
def _hues() -> Array:
    """Return the hue for each largest channel, difference of the other two (-255 to 255) and chroma."""
    one, six = np.float32(1), np.float32(6)
    difference, chroma = np.mgrid[-255:256, 0:256].astype(np.float32)
    span = np.maximum(chroma, 1)
    # distance of each of the two from the largest, as a share of the chroma: the smallest channel's is 1
    shorter = (np.maximum(chroma - np.abs(difference), 0)) / span
    first = np.where(difference >= 0, shorter, one)
    second = np.where(difference >= 0, one, shorter)
    sixths = [second - first, np.float32(2) + second - first, np.float32(4) + second - first]
    hues = [np.where(turn < 0, turn / six + one, turn / six) for turn in sixths]
    return _cut(np.where(chroma > 0, np.stack(hues), np.float32(0))).ravel()


def _cut(shares: Array) -> Array:
    """Return single-precision shares of one as ImageJ's bytes."""
    cut: Array = np.trunc(shares.astype(np.float64) * 255.0).astype(np.uint8)
    return cut


def _add(space: ColourSpace) -> None:
    COLOUR_SPACES.add(space.name, space)


_add(
    ColourSpace(
        "hsb",
        "HSB",
        ("hue", "saturation", "brightness"),
        hsb,
        (True, False, False),
        "Hue is which colour, 0 to 255 once round from red over green (85) and blue (170) to red; saturation is how "
        "strong it is; brightness how bright.",
    )
)
_add(ColourSpace("rgb", "RGB", ("red", "green", "blue"), rgb, summary="The channels of the image."))
_add(
    ColourSpace(
        "lab",
        "Lab",
        ("lightness", "a", "b"),
        lab,
        summary="CIE L*a*b*: L* is lightness as the eye sees it; a* goes from green to red, b* from blue to yellow; "
        "128 is grey.",
        titles=("L*", "a*", "b*"),
    )
)
