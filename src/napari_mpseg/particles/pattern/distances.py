"""What is meant by the distance between two particles: of centroids, of ultimate eroded points, of edges."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.errors import SettingsError
from napari_mpseg.registry import Registry

Array = NDArray[np.float64]
Labels = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Found:
    """Particles as points, in pixels.

    Attributes
    ----------
    points : numpy.ndarray
        float64 ``(N, 2)``: (y, x) in pixel indices.
    radius : numpy.ndarray or None
        float64 ``(N,)``: of a disc that stands for the particle in random patterns.
    label : numpy.ndarray or None
        ``(N,)``: label of the particle that the point belongs to.
    """

    points: Array
    radius: Array | None = None
    label: NDArray[np.int64] | None = None

    def chosen(self, chosen: NDArray[np.bool_]) -> "Found":
        """Return some of the particles."""
        radius = None if self.radius is None else self.radius[chosen]
        return Found(self.points[chosen], radius, None if self.label is None else self.label[chosen])


@dataclass(frozen=True)
class Distance:
    """One meaning of "distance between particles".

    Attributes
    ----------
    name : str
        What the user chooses it by.
    title, definition : str
        For people.
    needs_labels : bool
        Whether the particles' pixels are needed, not only a table.
    between_edges : bool
        Whether it is measured from edge to edge, so that the sizes of the particles count.
    points : callable
        Takes the particles and the labels, and returns the points between which distances are taken.
    nearest : callable
        Takes the points, the labels and the pixel size, and returns each point's distance to its nearest neighbour.
    """

    name: str
    title: str
    definition: str
    needs_labels: bool
    between_edges: bool
    points: Callable[[Found, Labels | None], Found]
    nearest: Callable[[Found, Labels | None, tuple[float, float]], Array]


DISTANCES: Registry[Distance] = Registry("distance between particles")


def _between_points(found: Found, labels: Labels | None, pixel_size: tuple[float, float]) -> Array:
    from napari_mpseg.particles.pattern.neighbours import nearest_gaps

    return nearest_gaps(found.points * pixel_size)


def _ultimate_points(found: Found, labels: Labels | None) -> Found:
    from scipy.ndimage import distance_transform_edt

    from napari_mpseg.particles.instances.edm import ultimate_points

    labels = needed(labels, "ultimate")
    # Particles that touch must not be eroded as one: a pixel that borders on a smaller label is taken for background.
    mask = (labels != 0) & ~_touching(labels)
    points = np.asarray(ultimate_points(mask), np.float64).reshape(-1, 2)
    place = tuple(np.rint(points).astype(np.int64).T)
    return Found(points, np.asarray(distance_transform_edt(mask)[place], np.float64), labels[place].astype(np.int64))


def labels_that_touch(labels: Labels) -> Labels:
    """Return the labels that have a pixel side by side or corner to corner with one of another label, ascending."""
    found = []
    for here, there in _neighbours(labels.shape):
        one, other = labels[here], labels[there]
        differ = (one != other) & (one != 0) & (other != 0)
        found += [np.unique(one[differ]), np.unique(other[differ])]
    return np.unique(np.concatenate(found))


def _touching(labels: Labels) -> NDArray[np.bool_]:
    """Return which pixels have a neighbour (of 8) of another, smaller label that is not 0."""
    found = np.zeros(labels.shape, bool)
    for here, there in _neighbours(labels.shape):
        one, other = labels[here], labels[there]
        differ = (one != other) & (one != 0) & (other != 0)
        found[here] |= differ & (one > other)
        found[there] |= differ & (other > one)
    return found


def _between_edges(found: Found, labels: Labels | None, pixel_size: tuple[float, float]) -> Array:
    numbers, gaps = edge_gaps(needed(labels, "edge"), pixel_size)
    return np.asarray(gaps[np.searchsorted(numbers, needed(found.label, "edge"))])


def edge_gaps(labels: Labels, pixel_size: tuple[float, float] = (1.0, 1.0)) -> tuple[NDArray[np.int64], Array]:
    """Measure each particle's gap to its nearest neighbour, from outline to outline.

    Outlines are those of the pixels, so particles that touch have a gap of 0, and one empty pixel between them is a gap
    of 1. Every pixel of the background is given to the particle nearest to it; where the parts of two particles meet,
    their nearest pixels are compared. That finds the nearest pixels by centre, and the gap to a fraction of a pixel.

    Parameters
    ----------
    labels : numpy.ndarray
        ``(Y, X)``, integer, 0 = background.
    pixel_size : tuple of float
        Height and width of a pixel.

    Returns
    -------
    numbers : numpy.ndarray
        int64 ``(N,)``: the labels, ascending.
    gaps : numpy.ndarray
        float64 ``(N,)`` in the unit of `pixel_size`; infinite if there is no other particle.
    """
    from scipy.ndimage import distance_transform_edt

    numbers = np.unique(labels)
    numbers = numbers[numbers != 0].astype(np.int64)
    gaps = np.full(len(numbers), np.inf)
    if len(numbers) < 2:
        return numbers, gaps
    near_y, near_x = distance_transform_edt(labels == 0, pixel_size, return_distances=False, return_indices=True)
    owner = np.searchsorted(numbers, labels[near_y, near_x])
    for here, there in _neighbours(labels.shape):
        differ = owner[here] != owner[there]
        rows = np.abs(near_y[here][differ] - near_y[there][differ])
        columns = np.abs(near_x[here][differ] - near_x[there][differ])
        gap = np.hypot(np.maximum(rows - 1, 0) * pixel_size[0], np.maximum(columns - 1, 0) * pixel_size[1])
        for side in (here, there):
            np.minimum.at(gaps, owner[side][differ], gap)
    return numbers, gaps


def _neighbours(shape: tuple[int, ...]) -> list[tuple[tuple[slice, slice], tuple[slice, slice]]]:
    """Return pairs of windows: every pixel with its neighbour to the right, below, and on both diagonals below."""
    all_but_last, all_but_first, whole = slice(0, -1), slice(1, None), slice(None)
    return [
        ((whole, all_but_last), (whole, all_but_first)),
        ((all_but_last, whole), (all_but_first, whole)),
        ((all_but_last, all_but_last), (all_but_first, all_but_first)),
        ((all_but_last, all_but_first), (all_but_first, all_but_last)),
    ]


def _as_they_are(found: Found, labels: Labels | None) -> Found:
    return found


DISTANCES.add(
    "centroid",
    Distance(
        "centroid",
        "Centroid to centroid",
        "From the centroid of each particle to the nearest other centroid (BioVoxxel's centroid NND).",
        False,
        False,
        _as_they_are,
        _between_points,
    ),
)
DISTANCES.add(
    "ultimate",
    Distance(
        "ultimate",
        "Between ultimate eroded points",
        "From each ultimate eroded point, of which a particle with necks has several, to the nearest other one.",
        True,
        False,
        _ultimate_points,
        _between_points,
    ),
)
DISTANCES.add(
    "edge",
    Distance(
        "edge",
        "Edge to edge",
        "From the outline of each particle to the nearest outline of another one; 0 where they touch.",
        True,
        True,
        _as_they_are,
        _between_edges,
    ),
)


def needed(pixels: NDArray[Any] | None, distance: str) -> NDArray[Any]:
    """Return the labels that a distance is measured on.

    Raises
    ------
    SettingsError
        If there are none.
    """
    if pixels is None:
        raise SettingsError(
            f"The distance {distance!r} is measured on the particles' pixels, and only points or a table were given. "
            "Give the labels too, or choose the distance 'centroid'."
        )
    return pixels
