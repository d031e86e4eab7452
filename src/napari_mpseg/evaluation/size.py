"""How far the distribution of particle sizes is off."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.evaluation.metric_entry import Array, Evidences, MetricEntry

Numbers = NDArray[np.float64]

_CHUNK = 4_000_000  # numbers held at once while many samples are taken


def size_unit(evidences: Evidences) -> str:
    """Return the unit of sizes: ``"um"`` if the pixel size of every image is known, else ``"px"``."""
    return "um" if all(evidence.pixel_size_um for evidence in evidences) else "px"


def diameters(evidences: Evidences) -> tuple[Numbers, Numbers]:
    """Return the equivalent circle diameters sqrt(4 A / pi) of true and predicted particles of all images.

    In the unit that :func:`size_unit` tells.
    """
    pooled = _pool(evidences)
    return pooled.values[pooled.true], pooled.values[~pooled.true]


@dataclass(frozen=True, eq=False)
class _Pool:
    """Particles of all images by rising diameter."""

    values: Numbers
    true: NDArray[np.bool_]
    image: NDArray[np.int64]


def _pool(evidences: Evidences) -> _Pool:
    in_um = size_unit(evidences) == "um"
    values, true, image = [np.zeros(0)], [np.zeros(0, bool)], [np.zeros(0, np.int64)]
    for number, evidence in enumerate(evidences):
        side = float(evidence.pixel_size_um or 1.0) if in_um else 1.0
        for areas, is_true in ((evidence.particles.truth_areas, True), (evidence.particles.predicted_areas, False)):
            values.append(np.sqrt(4 * areas / np.pi) * side)
            true.append(np.full(len(areas), is_true))
            image.append(np.full(len(areas), number))
    pooled = np.concatenate(values)
    order = np.argsort(pooled, kind="stable")
    return _Pool(pooled[order], np.concatenate(true)[order], np.concatenate(image)[order])


Distance = Callable[[Array, Array, Numbers], Array]


def _wasserstein(true: Array, found: Array, values: Numbers) -> Array:
    return np.asarray((np.abs(true - found)[:, :-1] * np.diff(values)).sum(1))


def _kolmogorov_smirnov(true: Array, found: Array, values: Numbers) -> Array:
    last = np.append(values[1:] != values[:-1], True)  # only after all particles of one size
    return np.asarray(np.abs(true - found)[:, last].max(1))


def _lone(distance: Distance, values: Numbers, taken: Array) -> Array:
    """Return the distance where only one side has particles."""
    if distance is _kolmogorov_smirnov:
        return np.ones(len(taken))
    return np.asarray((taken @ values) / taken.sum(1))


def _distances(evidences: Evidences, weights: Array, distance: Distance) -> Array:
    pool = _pool(evidences)
    result = np.zeros(len(weights))
    step = max(1, _CHUNK // max(1, len(pool.values)))
    for start in range(0, len(weights), step):
        rows = slice(start, start + step)
        taken = np.asarray(weights, np.float64)[rows][:, pool.image]
        shares = []
        for side in (pool.true, ~pool.true):
            rising = np.cumsum(taken * side, 1)
            total = rising[:, -1:] if len(pool.values) else np.zeros((len(taken), 1))
            shares.append((rising / np.maximum(total, 1), total[:, 0] > 0))
        (true, any_true), (found, any_found) = shares
        part = np.zeros(len(taken))
        both, one = any_true & any_found, any_true ^ any_found
        if both.any():
            part[both] = distance(true[both], found[both], pool.values)
        if one.any():
            part[one] = _lone(distance, pool.values, taken[one])
        result[rows] = part
    return result


def _entry(name: str, title: str, definition: str, undefined: str, source: str, distance: Distance) -> MetricEntry:
    def weighted(evidences: Evidences, weights: Array) -> Array:
        return _distances(evidences, weights, distance)

    return MetricEntry(name, title, "size", definition, undefined, "lower", weighted, source)


_POOLED = (
    "the equivalent circle diameters sqrt(4 A / pi) of all true and all predicted particles, pooled over the images"
)

SIZE_ENTRIES = (
    _entry(
        "size-wasserstein",
        "size distance",
        f"Wasserstein distance (of order 1) between {_POOLED}: the area between their cumulative distributions, in um "
        "if the pixel size of every image is known, else in px.",
        "0 with neither truth nor prediction; if only one has particles, their mean diameter (the other side counts as "
        "diameter 0).",
        "Ramdas et al. 2017; SciPy (wasserstein_distance)",
        _wasserstein,
    ),
    _entry(
        "size-ks",
        "size KS",
        f"Kolmogorov-Smirnov statistic of {_POOLED}: the largest difference of their cumulative distributions, 0 to 1.",
        "0 with neither truth nor prediction; 1 if only one has particles.",
        "Smirnov 1939; SciPy (ks_2samp)",
        _kolmogorov_smirnov,
    ),
)
