"""One record of how good a segmentation is."""

from dataclasses import asdict, dataclass
from typing import Any

from napari_mpseg.evaluation.aggregate import score
from napari_mpseg.evaluation.evidence import gather_evidence
from napari_mpseg.evaluation.particle import matched


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

    For all other metrics see :func:`~napari_mpseg.evaluation.evidence.gather_evidence` and
    :func:`~napari_mpseg.evaluation.aggregate.score`.

    Parameters
    ----------
    predicted, truth : array
        ``(Y, X)`` labels or masks of equal shape; numpy, dask or zarr. An array of one value beside 0, such as
        0 and 255, is a mask: its 8-connected pieces are the particles. All are read part by part.
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
    evidence = gather_evidence(predicted, truth, min_size=min_size)
    match = matched(evidence)
    pixel = score([evidence], ("precision", "recall", "f1", "iou", "balanced-accuracy"))
    return Scores(
        **evidence.pixels.to_dict(),
        precision=pixel["precision"],
        recall=pixel["recall"],
        f1=pixel["f1"],
        iou=pixel["iou"],
        balanced_accuracy=pixel["balanced-accuracy"],
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
