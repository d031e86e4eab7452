"""What a forest sees of a pixel: filters of its neighbourhood at several scales, channel by channel.

Every filter starts from the image smoothed by a Gaussian, and takes differences of neighbouring pixels. Its reach is
known, so that a window with that much around it gives the same values as the whole image.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_mpseg.errors import SettingsError
from napari_mpseg.methods.forest.settings import ForestSettings
from napari_mpseg.methods.forest.smoothing import Smoothed, radius, smooth_part
from napari_mpseg.registry import Registry

Array = np.ndarray[Any, Any]
_COARSER = 1.6  # the quotient of scales at which a difference of Gaussians comes closest to the Laplacian
_OUTER = 0.5  # the structure tensor is averaged over so much of the scale of its gradients


@dataclass(frozen=True)
class Feature:
    """One kind of filter.

    Attributes
    ----------
    name, title : str
        In settings, and in words.
    planes : tuple of str
        What it gives, in words: two eigenvalues are two planes.
    grow : callable
        Takes the scale (pixels) and returns how many pixels around the core it needs of the smoothed image.
    compute : callable
        Takes the smoothed image and the scale, and returns as many float32 ``(Y, X)`` as there are `planes`.
    reach : callable
        Takes the scale and returns how many pixels away something can change its value.
    """

    name: str
    title: str
    planes: tuple[str, ...]
    grow: Callable[[float], int]
    compute: Callable[[Smoothed, float], Sequence[Array]]
    reach: Callable[[float], int]


FEATURES: Registry[Feature] = Registry("pixel feature")


def feature_names(settings: ForestSettings, channels: int) -> tuple[str, ...]:
    """Return what each plane of :func:`compute_features` is: ``"channel 0: gradient at 1.6 px"``."""
    return tuple(
        f"channel {channel}: {plane} at {sigma:g} px"
        for channel in range(channels)
        for sigma in settings.sigmas
        for name in settings.features
        for plane in FEATURES[name].planes
    )


def feature_halo(settings: ForestSettings) -> int:
    """Return how many pixels away something can change a feature."""
    return max(FEATURES[name].reach(sigma) for sigma in settings.sigmas for name in settings.features)


def compute_features(
    pixels: Array, settings: ForestSettings, margins: tuple[int, int, int, int] = (0, 0, 0, 0)
) -> Array:
    """Return the features of the core of a window.

    Parameters
    ----------
    pixels : ndarray of float32
        ``(Y, X)`` or ``(Y, X, C)``; scaled to about 0 to 1.
    settings : ForestSettings
        Which features, at which scales.
    margins : tuple of int
        Pixels at the top, bottom, left and right that serve as context only; :func:`feature_halo` of them, except
        where the image ends.

    Returns
    -------
    ndarray of float32
        ``(F, Y - top - bottom, X - left - right)``, in the order of :func:`feature_names`.
    """
    if pixels.ndim == 2:
        pixels = pixels[:, :, None]
    top, bottom, left, right = margins
    height, width, channels = pixels.shape
    count = len(feature_names(settings, channels))
    found = np.empty((count, height - top - bottom, width - left - right), np.float32)
    for number, plane in enumerate(_planes(pixels, settings, margins)):
        found[number] = plane
    return found


def check_features(settings: ForestSettings) -> None:
    """Look up every feature by its name.

    Raises
    ------
    UnknownNameError
        If there is no such feature.
    SettingsError
        If none is chosen.
    """
    if not settings.features:
        raise SettingsError(f"No feature is chosen. Choose some of {', '.join(FEATURES)}.")
    for name in settings.features:
        FEATURES[name]


def _planes(pixels: Array, settings: ForestSettings, margins: tuple[int, int, int, int]) -> Iterator[Array]:
    kinds = [FEATURES[name] for name in settings.features]
    for channel in range(pixels.shape[2]):
        smoothed = Smoothed(pixels[:, :, channel], margins)
        for sigma in settings.sigmas:
            smoothed.at(sigma, max(kind.grow(sigma) for kind in kinds))  # the widest once, for all of them
            for kind in kinds:
                yield from kind.compute(smoothed, sigma)
            smoothed.forget()


def _add(
    name: str,
    title: str,
    planes: tuple[str, ...],
    compute: Callable[[Smoothed, float], Sequence[Array]],
    grow: Callable[[float], int] = lambda sigma: 1,
    reach: Callable[[float], int] | None = None,
) -> None:
    FEATURES.add(
        name, Feature(name, title, planes, grow, compute, reach or (lambda sigma: radius(sigma) + grow(sigma)))
    )


def _intensity(smoothed: Smoothed, sigma: float) -> Sequence[Array]:
    return (smoothed.at(sigma),)


def _difference(smoothed: Smoothed, sigma: float) -> Sequence[Array]:
    return (smoothed.at(sigma) - smoothed.at(_COARSER * sigma),)


def _laplacian(smoothed: Smoothed, sigma: float) -> Sequence[Array]:
    s = smoothed.at(sigma, 1)
    return (s[2:, 1:-1] + s[:-2, 1:-1] + s[1:-1, 2:] + s[1:-1, :-2] - 4 * s[1:-1, 1:-1],)


def _slopes(s: Array) -> tuple[Array, Array]:
    """Return the first derivatives along y and x of all but the outermost pixels."""
    half = np.float32(0.5)
    return half * (s[2:, 1:-1] - s[:-2, 1:-1]), half * (s[1:-1, 2:] - s[1:-1, :-2])


def _gradient(smoothed: Smoothed, sigma: float) -> Sequence[Array]:
    return (np.hypot(*_slopes(smoothed.at(sigma, 1))),)


def _hessian(smoothed: Smoothed, sigma: float) -> Sequence[Array]:
    s = smoothed.at(sigma, 1)
    centre = 2 * s[1:-1, 1:-1]
    yy = s[2:, 1:-1] + s[:-2, 1:-1] - centre
    xx = s[1:-1, 2:] + s[1:-1, :-2] - centre
    yx = np.float32(0.25) * (s[2:, 2:] + s[:-2, :-2] - s[2:, :-2] - s[:-2, 2:])
    return _eigenvalues(yy, xx, yx)


def _structure(smoothed: Smoothed, sigma: float) -> Sequence[Array]:
    outer = _OUTER * sigma
    grow = radius(outer)
    down, across = _slopes(smoothed.at(sigma, grow + 1))
    height, width = down.shape
    box = (grow, height - grow, grow, width - grow)
    products = (down * down, across * across, down * across)
    return _eigenvalues(*(smooth_part(product, outer, box) for product in products))


def _eigenvalues(yy: Array, xx: Array, yx: Array) -> tuple[Array, Array]:
    """Return the larger and the smaller eigenvalue of the symmetric matrices ``[[yy, yx], [yx, xx]]``."""
    half = np.float32(0.5)
    mean = half * (yy + xx)
    apart = np.hypot(half * (yy - xx), yx)
    return mean + apart, mean - apart


_add("intensity", "Gaussian intensity", ("intensity",), _intensity, lambda sigma: 0)
_add(
    "difference",
    "Difference of Gaussians",
    ("difference of Gaussians",),
    _difference,
    lambda sigma: 0,
    lambda sigma: radius(_COARSER * sigma),
)
_add("laplacian", "Laplacian of Gaussian", ("Laplacian",), _laplacian)
_add("gradient", "Gradient magnitude", ("gradient",), _gradient)
_add("hessian", "Eigenvalues of the Hessian matrix", ("larger curvature", "smaller curvature"), _hessian)
_add(
    "structure",
    "Eigenvalues of the structure tensor",
    ("larger eigenvalue of the structure tensor", "smaller eigenvalue of the structure tensor"),
    _structure,
    lambda sigma: radius(_OUTER * sigma) + 1,
)
