"""Completely random patterns to compare with, one after the other."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.particles.pattern.distances import DISTANCES, labels_that_touch
from napari_mpseg.particles.pattern.neighbours import lay_discs, nearest_gaps
from napari_mpseg.particles.pattern.pattern import Pattern
from napari_mpseg.particles.pattern.pattern_settings import PatternSettings
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback

Array = NDArray[np.float64]
_EDGES = (
    "Mean and median are gaps between outlines. The test compares gaps between discs of the particles' areas, round "
    "the same centroids and in random patterns."
)
_CLOSE = 10.0  # pixels between neighbours below which a pixel more or less matters
_TOLD_APART = 0.1  # share of labels that touch from which on random discs may touch too
_MANY = 0.02  # share of particles that lie nearer than discs of their areas could


class RegionFullError(Exception):
    """Discs of the particles' sizes do not fit into the region at random."""


@dataclass(frozen=True, eq=False)
class Null:
    """What "random" means for a pattern.

    Attributes
    ----------
    pattern : Pattern
        The measured particles: as many are laid, in the same region.
    discs : numpy.ndarray or None
        Radii of the discs that are laid without overlap, float64 ``(N,)`` in the calibration's unit; None for points.
    notes : tuple of str
        What the user should know about it.
    """

    pattern: Pattern
    discs: Array | None
    notes: tuple[str, ...]

    def gaps(self, points: Array) -> Array:
        """Return the nearest-neighbour distances of points, comparable with :attr:`measured`."""
        return self._gaps(points) + self._shift

    @cached_property
    def measured(self) -> Array:
        """The measured distances in the form in which they can be compared with those of random patterns.

        Between edges, both are gaps of discs of the particles' areas, for the outlines of pixels lie a part of a pixel
        outside those of discs, and a test would take that for clustering. They are shifted to the measured mean.
        """
        return self._gaps(self.pattern.points) + self._shift

    def _gaps(self, points: Array) -> Array:
        between_edges = DISTANCES[self.pattern.distance].between_edges
        return nearest_gaps(points, self.pattern.radius if between_edges else None)

    @cached_property
    def _shift(self) -> float:
        if not DISTANCES[self.pattern.distance].between_edges:
            return 0.0
        return float(self.pattern.distances.mean() - self._gaps(self.pattern.points).mean())

    def patterns(
        self, settings: PatternSettings, on_progress: ProgressCallback, cancel: CancelToken
    ) -> Iterator[Array]:
        """Yield random patterns, float64 ``(N, 2)`` in the calibration's unit.

        Raises
        ------
        RegionFullError
            If the discs do not fit.
        SettingsError
            If the simulations are too few for the level.
        Cancelled
            If the user cancels.
        """
        settings.check_simulations()
        rng = np.random.default_rng(settings.seed)
        pattern, size = self.pattern, self.pattern.calibration.pixel_size
        spacing = 0.5 * float(np.sqrt(pattern.area / max(1, len(pattern))))
        for number in range(settings.simulations):
            cancel.check()
            on_progress(Progress("Laying random patterns", number, settings.simulations, "patterns"))
            if self.discs is not None:
                points = lay_discs(rng, pattern.region, size, self.discs, spacing)
                if points is None:
                    raise RegionFullError
                yield points
            else:
                yield pattern.region.sample(rng, len(pattern)) * size
        on_progress(Progress("Laying random patterns", settings.simulations, settings.simulations, "patterns"))


def null_of(pattern: Pattern, settings: PatternSettings, *, fits: bool = True) -> Null:
    """Return what "random" means for a pattern: discs without overlap where that is wished, known and possible.

    Parameters
    ----------
    pattern : Pattern
        The measured particles.
    settings : PatternSettings
        With the user's wish.
    fits : bool
        Whether the discs have been found to fit into the region.
    """
    radius = pattern.radius
    if not settings.non_overlapping or radius is None or not radius.any():
        notes = [
            "Random patterns are points that may lie anywhere, so the mere size of particles can look like avoiding."
        ]
        if radius is None and settings.non_overlapping:
            notes.append("The particles' areas are not known, so discs of their sizes could not be laid.")
        return Null(pattern, None, tuple(notes))
    share = float(np.pi * (radius**2).sum() / pattern.area)
    if not fits:
        return Null(
            pattern,
            None,
            (
                f"The particles cover {share:.0%} of the region, too much to lay discs of their sizes at random. "
                "Points were laid instead, which may lie anywhere, so “self-avoiding” may only mean that particles "
                "have a size.",
            ),
        )
    apart, touching = _separation(pattern, settings)
    space = f", with {apart:g} px between them" if apart else ""
    notes = [
        f"Random patterns are discs of the particles' areas ({share:.2%} of the region) that do not overlap{space}.",
        *touching,
    ]
    unknown = int((radius == 0).sum())
    if unknown:
        notes.append(f"The area of {unknown:,} of {len(pattern):,} particles is not known: points stand for them.")
    spacing = float(nearest_gaps(pattern.points).mean()) / pattern.pixel
    if spacing < _CLOSE:
        notes.append(
            f"Neighbours lie {spacing:.2g} px apart on average, so pixels are coarse for this question: whether "
            "particles a pixel apart count as touching can decide the answer. Compare separations of 0 and 1 px, and "
            "look at the size of the difference, not at p alone."
        )
    overlapping = float((nearest_gaps(pattern.points, radius) < 0).mean())
    if overlapping > _MANY:
        notes.append(
            f"{overlapping:.0%} of the particles lie nearer than discs of their areas could, as long, bent or cut "
            "particles do. Discs stand badly for them: compare with the answer for points that may lie anywhere."
        )
    if DISTANCES[pattern.distance].between_edges:
        notes.append(_EDGES)
    return Null(pattern, radius + apart / 2 * pattern.pixel, tuple(notes))


def _separation(pattern: Pattern, settings: PatternSettings) -> tuple[float, list[str]]:
    """Return how many pixels lie between random discs, and what to say of labels that touch.

    A few labels that touch, such as a particle that was cut, must not change what all others are compared with.
    """
    if pattern.labels is None or pattern.found.label is None or not settings.separation:
        return settings.separation, []
    particles = np.unique(pattern.found.label)
    touching = int(np.isin(particles, labels_that_touch(pattern.labels)).sum())
    if not touching:
        return settings.separation, []
    told = f"{touching:,} of {len(particles):,} particles touch another"
    if touching < _TOLD_APART * len(particles):
        return settings.separation, [
            f"{told}, fewer than {_TOLD_APART:.0%}, so random discs are kept {settings.separation:g} px apart as if "
            "particles that touch were one. If they were told apart, compare with a separation of 0."
        ]
    return 0.0, [
        f"{told}, {_TOLD_APART:.0%} or more, so they were told apart and random discs may touch too: the separation of "
        f"{settings.separation:g} px is not used. A table without labels does not tell this; give a separation of 0."
    ]
