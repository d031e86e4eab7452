"""What particles are pasted onto (Lee et al. 2022: plain, synthetic, real without and with particles)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.registry import Registry
from napari_mpseg.synthesis.semi.grounds import Ground, Grounds
from napari_mpseg.synthesis.semi.labelled import in_channels
from napari_mpseg.synthesis.semi.recolouring import colour_of

Background = Callable[[Grounds, Any, int, np.random.Generator], Ground]
"""Takes the background images, settings, number of channels and random numbers; gives a ground of the size asked."""

BACKGROUNDS: Registry[Background] = Registry("background")
_BARE = "bare"  # the variant of a look that shows particles and nothing else
NEED_IMAGES = ("empty", "with-particles")
"""Backgrounds that are nothing without images."""


@BACKGROUNDS.register("plain")
def plain(grounds: Grounds, settings: Any, channels: int, rng: np.random.Generator) -> Ground:
    """Return one colour: that of the settings, the mean of an image outside its particles, or a random grey."""
    if settings.background_colour is not None:
        colour = colour_of(settings.background_colour, channels, "background_colour")
    elif len(grounds):
        crop = grounds.crop(settings.size, channels, rng)
        free = crop.labels == 0
        colour = (crop.pixels[free] if free.any() else crop.pixels.reshape(-1, channels)).mean(0)
    else:
        colour = np.full(channels, rng.uniform(20, 235), np.float32)
    pixels = np.broadcast_to(np.asarray(colour, np.float32), (*settings.size, channels)).copy()
    return Ground(pixels, _no_particles(settings.size), None, "plain")


@BACKGROUNDS.register("synthetic")
def synthetic(grounds: Grounds, settings: Any, channels: int, rng: np.random.Generator) -> Ground:
    """Return a synthetic image without particles, with clutter and noise.

    Without a look in the settings it is a fluorescence picture, and its own look is drawn as for synthetic training
    patches. Else it is of that look, and of one of its variants.
    """
    from napari_mpseg.synthesis.microscopes import synthetic_image

    made = synthetic_image(_empty_settings(settings, rng))
    pixels = np.asarray(made.image.data.compute(scheduler="synchronous"))
    pixels = in_channels(pixels if pixels.ndim == 3 else pixels[..., None], channels)
    return Ground(pixels, _no_particles(settings.size), None, "synthetic")


def _empty_settings(settings: Any, rng: np.random.Generator) -> Any:
    """Return the settings of a synthetic image on which no particle lies."""
    from napari_mpseg.synthesis.filter_settings import FilterSettings
    from napari_mpseg.synthesis.microscopes import MICROSCOPES
    from napari_mpseg.synthesis.patches import random_look

    same = {"size": settings.size, "seed": int(rng.integers(2**31))}
    if not settings.look:
        return FilterSettings(density_per_mm2=0.0, membrane=False, look=random_look(rng), **same)
    variants = [variant for name, variant in MICROSCOPES[settings.look].variants.items() if name != _BARE]
    chosen = variants[int(rng.integers(len(variants)))]
    nothing = {"coverage": 0.0} if hasattr(chosen, "coverage") else {"density_per_mm2": 0.0, "membrane": False}
    return replace(chosen, **same, **nothing)


@BACKGROUNDS.register("empty")
def empty(grounds: Grounds, settings: Any, channels: int, rng: np.random.Generator) -> Ground:
    """Return a crop of a real image in which there is no particle."""
    return grounds.empty_crop(settings.size, channels, rng)


@BACKGROUNDS.register("with-particles")
def with_particles(grounds: Grounds, settings: Any, channels: int, rng: np.random.Generator) -> Ground:
    """Return a crop of a real image, whose own particles are part of the truth."""
    return grounds.crop(settings.size, channels, rng)


def _no_particles(size: tuple[int, int]) -> NDArray[np.int32]:
    return np.zeros(size, np.int32)
