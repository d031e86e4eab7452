"""One record of how good a segmentation is."""

from dataclasses import asdict, dataclass
from typing import Any

from napari_mpseg.evaluation.evidence import Evidence
from napari_mpseg.evaluation.metric import METRICS
from napari_mpseg.evaluation.particle import match_particles
from napari_mpseg.evaluation.pixel import count_pixels


@dataclass(frozen=True)
class Scores:
    """Pixel and particle scores of one image; shares are 0 to 1 and never NaN.

    Attributes
    ----------
    tp, fp, fn, tn : int
        Pixels: predicted and true; predicted only; true only; neither.
    precision, recall, f1, iou, balanced_accuracy : float
        Over pixels; see :mod:`napari_mpseg.evaluation.pixel`.
    n_truth, n_predicted, found, missed, correct, false : int
        Particles of at least `min_size` pixels; see :func:`napari_mpseg.evaluation.particle.match_particles`.
    particle_recall, particle_precision, particle_f1 : float
        Over particles, one common pixel being enough.
    min_size : int
        Least particle size in pixels.
    """

    tp: int
    fp: int
    fn: int
    tn: int
    precision: float
    recall: float
    f1: float
    iou: float
    balanced_accuracy: float
    n_truth: int
    n_predicted: int
    found: int
    missed: int
    correct: int
    false: int
    particle_recall: float
    particle_precision: float
    particle_f1: float
    min_size: int

    def to_dict(self) -> dict[str, int | float]:
        """Return all numbers by name, ready for JSON or a table row."""
        return asdict(self)


def evaluate(predicted: Any, truth: Any, min_size: int = 3) -> Scores:
    """Compare a segmentation with the truth, pixel by pixel and particle by particle.

    Parameters
    ----------
    predicted, truth : array
        ``(Y, X)`` labels or masks of equal shape; numpy, dask or zarr. An array of one value beside 0, such as
        0 and 255, is a mask. Pixels are counted part by part; masks are held in memory as a whole to find
        their particles.
    min_size : int
        Least number of pixels of a particle that counts; pixel scores count every pixel.

    Returns
    -------
    Scores
        All numbers.

    Raises
    ------
    ImageError
        If the shapes differ (both are told), or an array is neither labels nor a mask.
    SettingsError
        If `min_size` is below 1.

    Examples
    --------
    >>> import numpy as np
    >>> truth = np.zeros((8, 8), bool); truth[2:4, 2:4] = True
    >>> evaluate(truth, truth).f1
    1.0
    """
    counts = count_pixels(predicted, truth)
    match = match_particles(predicted, truth, min_size)
    evidence = [Evidence("image", pixels=counts)]
    return Scores(
        tp=counts.tp,
        fp=counts.fp,
        fn=counts.fn,
        tn=counts.tn,
        precision=METRICS["precision"].of(evidence),
        recall=METRICS["recall"].of(evidence),
        f1=METRICS["f1"].of(evidence),
        iou=METRICS["iou"].of(evidence),
        balanced_accuracy=METRICS["balanced-accuracy"].of(evidence),
        n_truth=match.n_truth,
        n_predicted=match.n_predicted,
        found=match.found,
        missed=match.missed,
        correct=match.correct,
        false=match.false,
        particle_recall=match.recall,
        particle_precision=match.precision,
        particle_f1=match.f1,
        min_size=min_size,
    )
