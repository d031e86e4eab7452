"""How many particles of each size there are, in truth and by each method."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from napari_mpseg.calibration import Calibration
from napari_mpseg.comparison.comparison import Comparison
from napari_mpseg.evaluation.evidence import Evidence
from napari_mpseg.particles.sizes import SizeClasses

TRUTH = "truth"
BY = "equivalent_diameter"


@dataclass(frozen=True)
class SizeCounts:
    """Particles per size class.

    Attributes
    ----------
    classes : SizeClasses
        By the diameter of the circle of equal area.
    counts : dict of str to tuple of int
        By method; ``"truth"`` first.
    """

    classes: SizeClasses
    counts: dict[str, tuple[int, ...]]


def size_counts(comparison: Comparison) -> SizeCounts:
    """Count the particles of at least the least size by the diameter of the circle of equal area.

    Diameters are in micrometre (or nanometre, for fine pixels) where the pixel size of every image is known, else in
    pixels. The truth is that of the images that at least one method was run on.
    """
    evidence: dict[str, Evidence] = {}
    for case in comparison.cases:
        evidence.setdefault(case.image, case.evidence)
    classes = _classes(list(evidence.values()))
    counts = {TRUTH: _count(list(evidence.values()), classes, truth=True)}
    for row in comparison.rows:
        counts[row.label] = _count(comparison.evidence_of(row.label), classes, truth=False)
    return SizeCounts(classes, counts)


def _classes(evidence: Sequence[Evidence]) -> SizeClasses:
    pixels = [one.pixel_size_um for one in evidence]
    known = [pixel for pixel in pixels if pixel is not None]
    calibration = Calibration((max(known), max(known)), "um") if known and len(known) == len(pixels) else Calibration()
    chosen = SizeClasses.default_for(calibration)
    return SizeClasses(chosen.edges, chosen.unit, BY)


def _count(evidence: Sequence[Evidence], classes: SizeClasses, *, truth: bool) -> tuple[int, ...]:
    total = np.zeros(len(classes.names), np.int64)
    for one in evidence:
        areas = one.particles.truth_areas if truth else one.particles.predicted_areas
        side = {"px": 1.0, "um": one.pixel_size_um or 1.0, "nm": 1000 * (one.pixel_size_um or 1.0)}[classes.unit]
        diameters = 2 * np.sqrt(np.asarray(areas, np.float64) / np.pi) * side
        total += np.bincount(np.digitize(diameters, classes.edges), minlength=len(total))
    return tuple(int(value) for value in total)
