"""Synthetic patches as additional training data."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.errors import SettingsError
from napari_mpseg.synthesis.blocks import BLOCK, Window, render_window
from napari_mpseg.synthesis.filter_settings import FilterSettings
from napari_mpseg.synthesis.fluorescence import render_block
from napari_mpseg.synthesis.look import LOOKS, FluorescenceLook
from napari_mpseg.synthesis.silhouettes import paint_own_labels
from napari_mpseg.synthesis.streams import generator

_FILTER = 32 * BLOCK  # side of the imagined filter that a patch is cut from
_AT_THE_EDGE = 0.15  # share of patches that lie on the membrane's edge


def random_look(rng: np.random.Generator) -> FluorescenceLook:
    """Draw a look between the dim and the red ones of real filters, each value varied on its own."""
    red, dim = LOOKS["red"], LOOKS["dim"]
    mix = float(rng.beta(0.6, 0.6))

    def between(a: float, b: float, spread: float) -> float:
        return float((mix * a + (1 - mix) * b) * np.exp(rng.normal(0, spread)))

    def triple(a: tuple[float, ...], b: tuple[float, ...], spread: float) -> Any:
        return tuple(between(x, y, spread) for x, y in zip(a, b, strict=True))

    background = triple(red.background, dim.background, 0.15)
    level = float(np.exp(rng.normal(0, 0.3)))
    return FluorescenceLook(
        background=(min(background[0] * level, 115.0), background[1] * level, background[2] * level),
        surround=tuple(rng.uniform((0, 0, 0), (4, 4, 10)).tolist()),
        outline=float(np.clip(between(red.outline, dim.outline, 0.15), 85, 215)),
        brightness=between(red.brightness, dim.brightness, 0.3),
        tint=triple(red.tint, dim.tint, 0.15),
        blur=float(rng.uniform(0.6, 1.1)),
        halo=between(red.halo, dim.halo, 0.4),
        texture=float(rng.uniform(0.03, 0.14)),
        clouds=between(red.clouds, dim.clouds, 0.7),
        clutter_per_mm2=float(rng.uniform(0, 4)),
        specks_per_mm2=float(np.exp(rng.uniform(np.log(0.5), np.log(30)))),
        noise=triple(red.noise, dim.noise, 0.25),
        shot=float(rng.uniform(0.05, 0.4)),
        field=(int(rng.integers(300, 1200)), int(rng.integers(300, 1400))),
        seams=float(rng.uniform(0, 0.1)),
        compression=int(rng.integers(75, 98)),
    )


def _patch_settings(rng: np.random.Generator, size: int) -> FilterSettings:
    per_patch = float(np.exp(rng.uniform(np.log(0.8), np.log(10))))
    area_mm2 = (size * 2.5e-3) ** 2
    return FilterSettings(
        size=(_FILTER, _FILTER),
        seed=int(rng.integers(2**31)),
        density_per_mm2=per_patch / area_mm2,
        median_length_um=float(rng.uniform(6, 14)),
        length_sigma=float(rng.uniform(0.6, 0.85)),
        membrane_radius=0.45,
        look=random_look(rng),
    )


def _window(rng: np.random.Generator, size: int) -> Window:
    """Choose a patch on the block grid, where it costs least; some on the membrane's edge."""
    middle, turn = _FILTER / 2, rng.uniform(0, 2 * np.pi)
    radius = 0.45 * _FILTER
    reach = radius + rng.uniform(-0.6, 0.3) * size if rng.random() < _AT_THE_EDGE else rng.uniform(0, 0.8) * radius
    y, x = middle + reach * np.sin(turn) - size / 2, middle + reach * np.cos(turn) - size / 2
    if size % BLOCK == 0 and reach < 0.85 * radius:
        y, x = y // BLOCK * BLOCK, x // BLOCK * BLOCK
    return Window(int(y), int(x), size, size)


def training_pairs(seed: int, n: int, size: int = 256) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.bool_]]]:
    """Make synthetic fluorescence patches with their truth, each with a look of its own.

    Background, gain, halo, noise, density and size distribution vary as widely as between real filters; a few
    patches hold no particle, some lie on the membrane's edge, and particles are cut by the patch's border.

    Parameters
    ----------
    seed : int
        The same seed gives the same patches.
    n : int
        How many.
    size : int
        Height and width in pixels, 16 to 4096; multiples of 256 are the cheapest.

    Yields
    ------
    image : ndarray of uint8
        ``(size, size, 3)``.
    mask : ndarray of bool
        ``(size, size)``: the particles.

    Raises
    ------
    SettingsError
        If a patch of this size cannot be made.
    """
    for image, labels in labelled_patches(seed, n, size):
        yield image, labels > 0


def labelled_patches(seed: int, n: int, size: int = 256) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.int32]]]:
    """Make the patches of :func:`training_pairs` with a number for each particle.

    Yields
    ------
    image : ndarray of uint8
        ``(size, size, 3)``.
    labels : ndarray of int32
        ``(size, size)``: 0 is background; each particle has a number of its own, some numbers occur nowhere.

    Raises
    ------
    SettingsError
        If a patch of this size cannot be made.
    """
    if not 16 <= size <= 4096:
        raise SettingsError(f"Patch size {size!r} is impossible: give 16 to 4096 pixels.")
    for index in range(n):
        rng = generator(seed, "training pair", index)
        settings, window = _patch_settings(rng, max(size, BLOCK)), _window(rng, size)
        yield render_window(render_block, settings, window, (3,), np.uint8), paint_own_labels(settings, window)
