"""Times and memory of a method over several images."""

from collections.abc import Sequence
from dataclasses import dataclass

from napari_mpseg.comparison.case import Case


@dataclass(frozen=True)
class Effort:
    """What a method took.

    Attributes
    ----------
    seconds : float or None
        Wall time of segmenting all images together, without loading the method; None if unknown.
    load_seconds : float
        Loading, in all.
    megapixels_per_second : float or None
        Of all images together.
    peak_mib : float or None
        The largest of all images; see :data:`napari_mpseg.comparison.memory.HOW_MEASURED`.
    """

    seconds: float | None
    load_seconds: float
    megapixels_per_second: float | None
    peak_mib: float | None


def effort_of(cases: Sequence[Case]) -> Effort:
    """Return what these cases took."""
    timed = [case for case in cases if case.seconds is not None]
    seconds = sum(case.seconds or 0.0 for case in timed)
    peaks = [case.peak for case in cases if case.peak is not None]
    return Effort(
        seconds if timed else None,
        sum(case.load_seconds for case in cases),
        sum(case.pixels for case in timed) / seconds / 1e6 if seconds else None,
        max(peaks) / 2**20 if peaks else None,
    )
