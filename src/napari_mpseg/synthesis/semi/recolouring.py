"""What colours a pasted particle gets (Lee et al. 2022: its own, one plain colour, a random colour)."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.errors import SettingsError
from napari_mpseg.registry import Registry
from napari_mpseg.synthesis.semi.settings import SemiSettings

Recolouring = Callable[[NDArray[np.float32], NDArray[np.bool_], SemiSettings, np.random.Generator], NDArray[np.float32]]
"""Takes pixels ``(Y, X, C)`` in grey levels, the mask ``(Y, X)``, settings and random numbers; gives new pixels.

Pixels outside the mask stay as they are.
"""

RECOLOURINGS: Registry[Recolouring] = Registry("recolouring")

_LEAST_MEAN = 4.0  # grey levels below which a texture is no factor of its mean any more


@RECOLOURINGS.register("original")
def original(
    pixels: NDArray[np.float32], mask: NDArray[np.bool_], settings: SemiSettings, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Return the particle as it was photographed."""
    return pixels


@RECOLOURINGS.register("plain")
def plain(
    pixels: NDArray[np.float32], mask: NDArray[np.bool_], settings: SemiSettings, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Return the particle in one colour: that of the settings, or its own mean."""
    colour = pixels[mask].mean(0) if settings.colour is None else colour_of(settings.colour, pixels.shape[2], "colour")
    return np.asarray(np.where(mask[..., None], colour, pixels), np.float32)


@RECOLOURINGS.register("random")
def random(
    pixels: NDArray[np.float32], mask: NDArray[np.bool_], settings: SemiSettings, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Return the particle in a random hue, saturation and brightness; its texture stays, relative to its mean.

    Where its mean is nearly black, texture is added to the new colour instead.
    """
    own = pixels[mask].mean(0)
    colour = random_colour(rng, pixels.shape[2])
    relative = np.where(own > _LEAST_MEAN, pixels * (colour / np.maximum(own, _LEAST_MEAN)), pixels - own + colour)
    return np.asarray(np.where(mask[..., None], np.clip(relative, 0, 255), pixels), np.float32)


def random_colour(rng: np.random.Generator, channels: int) -> NDArray[np.float32]:
    """Return grey levels ``(C,)``: any hue, saturation 0.2 to 1 and value 60 to 240; other than RGB, one grey."""
    hue, saturation, value = rng.random(), rng.uniform(0.2, 1), rng.uniform(60, 240)
    if channels != 3:
        return np.full(channels, value, np.float32)
    # distance on the colour circle from red, green and blue, as in the usual HSV cone
    part = np.clip(np.abs((hue * 6 + np.array([0, 4, 2])) % 6 - 3) - 1, 0, 1)
    return np.asarray(value * (1 - saturation * (1 - part)), np.float32)


def colour_of(colour: tuple[float, ...], channels: int, what: str) -> NDArray[np.float32]:
    """Return a colour of the settings, one number per channel; a single number is a grey.

    Raises
    ------
    SettingsError
        If it has another number of channels.
    """
    if len(colour) not in (1, channels):
        raise SettingsError(f"{what} {colour!r} has {len(colour)} values, the image {channels} channels: give as many.")
    return np.broadcast_to(np.asarray(colour, np.float32), (channels,))
