"""Spots as maxima of the Laplacian of Gaussian over place and scale."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
FULL_RESPONSE = 2 / math.e
"""Response to a disc of contrast 1 at the standard deviation that fits it, radius / sqrt(2)."""
_SAMPLED = 1 / 12  # variance of the mean over a pixel
_SMALLEST = math.sqrt(1 / math.pi)  # radius of a disc of one pixel
_STEPS = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]


def scales(smallest: float, largest: float, count: int) -> Array:
    """Return `count` standard deviations at equal ratios, ends included; a single one if the ends are the same."""
    one = count == 1 or math.isclose(smallest, largest, rel_tol=1e-6)
    return np.array([smallest]) if one else np.geomspace(smallest, largest, count)


def reach(largest: float) -> int:
    """Return how far from a pixel others can change whether it is a maximum."""
    return math.ceil(4 * largest + 0.5) + 2


def find_spots(
    grey: Array, sigmas: Array, inner: tuple[slice, slice], least: float, origin: tuple[int, int] = (0, 0)
) -> Array:
    """Return the maxima of the Laplacian of Gaussian over place and scale.

    Parameters
    ----------
    grey : ndarray
        ``(Y, X)``, spots brighter than their surroundings; beyond its edges it counts as mirrored.
    sigmas : ndarray
        Standard deviations, rising.
    inner : tuple of slice
        Where maxima are looked for.
    least : float
        Smallest response, as that of an ideal disc which is by so much brighter than its surroundings.
    origin : tuple of int
        Row and column of the first pixel in the image, in which the spots' places are given.

    Returns
    -------
    ndarray of float
        ``(N, 4)``: row, column, radius (all in pixels, between pixels too) and response.

    References
    ----------
    Lindeberg 1998, doi:10.1023/A:1008045108935.
    """
    values = grey.astype(np.float64)
    found: list[Array] = []
    layers: list[Array] = []
    for number in range(len(sigmas) + 1):
        if number < len(sigmas):
            layers.append(_response(values, float(sigmas[number])))
        if number:
            below = layers[number - 2] if number > 1 else None
            above = layers[number] if number < len(sigmas) else None
            found.append(_maxima(below, layers[number - 1], above, sigmas, number - 1, inner, least))
        if number > 1:
            layers[number - 2] = np.empty((0, 0))
    # whole rows and columns first, so that places are rounded the same in every tile
    y, x, shift_y, shift_x, radius, strength = np.concatenate(found, 1)
    return np.stack([y + origin[0] + shift_y, x + origin[1] + shift_x, radius, strength], 1)


def without_overlap(spots: Array, most: float) -> Array:
    """Return the spots less those whose discs overlap a stronger one.

    Parameters
    ----------
    spots : ndarray
        ``(N, 4)`` of :func:`find_spots`.
    most : float
        Largest share of the smaller disc that may lie in the larger.

    Returns
    -------
    ndarray
        ``(M, 4)``, by row and column; it does not depend on the order of `spots`.
    """
    from scipy.spatial import cKDTree

    if not len(spots):
        return spots
    spots = spots[np.lexsort((spots[:, 2], spots[:, 1], spots[:, 0], -spots[:, 3]))]
    tree = cKDTree(spots[:, :2])
    largest = spots[:, 2].max()
    dropped = np.zeros(len(spots), bool)
    for number, (y, x, radius, _) in enumerate(spots):
        if dropped[number]:
            continue
        for other in tree.query_ball_point((y, x), radius + largest):
            if other > number and not dropped[other]:
                distance = math.hypot(spots[other, 0] - y, spots[other, 1] - x)
                dropped[other] = shared_area(distance, radius, spots[other, 2]) > most
    kept = spots[~dropped]
    return kept[np.lexsort((kept[:, 1], kept[:, 0]))]


def shared_area(distance: float, first: float, second: float) -> float:
    """Return which share of the smaller of two discs lies in the other."""
    small, large = min(first, second), max(first, second)
    if distance >= small + large:
        return 0.0
    if distance <= large - small:
        return 1.0
    # two circular segments, cut off by the chord through the points where the circles meet
    chord = (distance**2 + large**2 - small**2) / (2 * distance)
    half = math.sqrt(max(0.0, large**2 - chord**2))
    angle_large = math.atan2(half, chord)
    angle_small = math.atan2(half, distance - chord)
    shared = large**2 * angle_large + small**2 * angle_small - distance * half
    return shared / (math.pi * small**2)


def disc_pixels(y: float, x: float, radius: float, shape: tuple[int, int]) -> Array:
    """Return the pixels of a disc: as many as its area, those nearest to its middle.

    Returns
    -------
    ndarray of int
        ``(N, 2)`` rows and columns; those outside the image are left out.
    """
    side = math.ceil(radius) + 1
    row, column = math.floor(y + 0.5), math.floor(x + 0.5)
    rows, columns = np.mgrid[row - side : row + side + 1, column - side : column + side + 1].reshape(2, -1)
    count = max(1, math.floor(math.pi * radius**2 + 0.5))
    # rounded, so that pixels at the same distance come in raster order
    nearest = np.argsort(np.round((rows - y) ** 2 + (columns - x) ** 2, 9), kind="stable")[:count]
    pixels = np.stack([rows[nearest], columns[nearest]], 1)
    return pixels[(pixels >= 0).all(1) & (pixels < np.array(shape)).all(1)]


def _response(values: Array, sigma: float) -> Array:
    from scipy.ndimage import gaussian_laplace

    response: Array = gaussian_laplace(values, sigma, mode="reflect")
    response *= -(sigma**2) / FULL_RESPONSE
    return response


def _maxima(
    below: Array | None,
    here: Array,
    above: Array | None,
    sigmas: Array,
    number: int,
    inner: tuple[slice, slice],
    least: float,
) -> Array:
    """Return the spots whose strongest scale is this one: ``(6, N)`` row, column, their shifts, radius, response."""
    layers = [layer for layer in (below, here, above) if layer is not None]
    y, x = np.nonzero(here[inner] > least)
    y, x = y + inner[0].start, x + inner[1].start
    for layer in layers:
        for dy, dx in _STEPS:
            largest = here[y, x] >= layer[_near(y + dy, here.shape[0]), _near(x + dx, here.shape[1])]
            y, x = y[largest], x[largest]
    around = [
        [layer[_near(y + dy, here.shape[0]), _near(x + dx, here.shape[1])] for dy, dx in _STEPS] for layer in layers
    ]
    middle = around[int(below is not None)]
    shift_y, _ = _summit(middle[1], middle[4], middle[7])
    shift_x, _ = _summit(middle[3], middle[4], middle[5])
    radius = _radii(around, sigmas, number, below is not None, above is not None)
    return np.stack([y, x, shift_y, shift_x, radius, here[y, x]])


def _radii(around: Sequence[Sequence[Array]], sigmas: Array, number: int, has_below: bool, has_above: bool) -> Array:
    """Return the radius of each spot, from its responses at neighbouring scales."""
    sigma = float(sigmas[number])
    if has_below and has_above:
        ratio = math.log(float(sigmas[number + 1]) / sigma)
        shift, _ = _summit(around[0][4], around[1][4], around[2][4])
        radii: Array = math.sqrt(2) * sigma * np.exp(shift * ratio)
        return radii
    if has_above:
        return _below_range(around, sigma, float(sigmas[number + 1]))
    return np.full(around[0][4].shape, math.sqrt(2) * sigma)


def _below_range(around: Sequence[Sequence[Array]], sigma: float, next_sigma: float) -> Array:
    """Return the radii of spots smaller than the smallest scale.

    At its middle a disc of radius r answers a Laplacian of variance t with r^2 / t exp(-r^2 / 2 t) times t. Two
    variances tell r, though both are too large for it.
    """
    strengths, variances = [], []
    for near, width in zip(around[:2], (sigma, next_sigma), strict=True):
        variance = width**2 + _SAMPLED
        top = near[4]
        for before, after in ((1, 7), (3, 5)):
            top = top + _summit(near[before], near[4], near[after])[1]
        strengths.append(np.maximum(top, 1e-9) * variance**2 / width**2)
        variances.append(variance)
    squared = 2 * np.log(strengths[1] / strengths[0]) / (1 / variances[0] - 1 / variances[1])
    radii: Array = np.sqrt(np.clip(squared, _SMALLEST**2, 2 * sigma**2))
    return radii


def _summit(before: Array, top: Array, after: Array) -> tuple[Array, Array]:
    """Return where, from -1/2 to 1/2, the parabola through three values has its summit, and how much higher it is."""
    bend = before - 2 * top + after
    slope = (after - before) / 2
    flat = bend >= -1e-12
    shift = np.where(flat, 0, np.clip(-slope / np.where(flat, -1, bend), -0.5, 0.5))
    return shift, slope * shift + bend * shift**2 / 2


def _near(places: Array, size: int) -> Array:
    return np.clip(places, 0, size - 1)
