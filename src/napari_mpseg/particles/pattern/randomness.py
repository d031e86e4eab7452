"""Completely random patterns to compare with, one after the other."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.particles.pattern.distances import DISTANCES
from napari_mpseg.particles.pattern.neighbours import lay_discs, nearest_gaps
from napari_mpseg.particles.pattern.pattern import Pattern
from napari_mpseg.particles.pattern.pattern_settings import PatternSettings
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback

Array = NDArray[np.float64]
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
    discs : bool
        Whether discs of the particles' areas are laid without overlap, or points.
    notes : tuple of str
        What the user should know about it.
    """

    pattern: Pattern
    discs: bool
    notes: tuple[str, ...]

    def gaps(self, points: Array) -> Array:
        """Return the nearest-neighbour distances of points as the measured ones are defined."""
        between_edges = DISTANCES[self.pattern.distance].between_edges
        return nearest_gaps(points, self.pattern.radius if between_edges else None)

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
            if self.discs and pattern.radius is not None:
                points = lay_discs(rng, pattern.region, size, pattern.radius, spacing)
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
        return Null(pattern, False, tuple(notes))
    share = float(np.pi * (radius**2).sum() / pattern.area)
    if not fits:
        return Null(
            pattern,
            False,
            (
                f"The particles cover {share:.0%} of the region, too much to lay discs of their sizes at random. "
                "Points were laid instead, which may lie anywhere, so “self-avoiding” may only mean that particles "
                "have a size.",
            ),
        )
    notes = [f"Random patterns are discs of the particles' areas that do not overlap ({share:.2%} of the region)."]
    overlapping = float((nearest_gaps(pattern.points, radius) < 0).mean())
    if overlapping > _MANY:
        notes.append(
            f"{overlapping:.0%} of the particles lie nearer than discs of their areas could, because they are long or "
            "bent. Discs stand badly for them: compare with the answer for points that may overlap."
        )
    if DISTANCES[pattern.distance].between_edges:
        notes.append("Gaps between edges are compared with gaps between discs, which fits round particles only.")
    return Null(pattern, True, tuple(notes))
