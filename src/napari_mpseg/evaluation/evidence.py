"""All that any metric needs to know of one image: small, without pixels, and storable."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.evaluation.pixel import PixelCounts


def _none(*shape: int, kind: type = np.int64) -> Any:
    return field(default_factory=lambda: np.zeros(shape, kind))


@dataclass(frozen=True)
class ParticleEvidence:
    """The particles of truth and prediction, and how they overlap. Particles below the least size are not in it.

    Attributes
    ----------
    truth_labels, predicted_labels : ndarray of int64
        ``(N,)`` and ``(M,)``: what the particles are called in their label images.
    truth_areas, predicted_areas : ndarray of int64
        Pixels of each.
    truth_centres, predicted_centres : ndarray of float64
        ``(N, 2)`` and ``(M, 2)``: centroids, y and x in pixels.
    scores : ndarray of float64
        ``(M,)``: mean probability of each predicted particle, 1 without a probability.
    pair_truth, pair_predicted, pair_pixels : ndarray of int64
        ``(K,)``: positions in the arrays above, and the common pixels, of every pair that overlaps.
    """

    truth_labels: NDArray[np.int64] = _none(0)
    predicted_labels: NDArray[np.int64] = _none(0)
    truth_areas: NDArray[np.int64] = _none(0)
    predicted_areas: NDArray[np.int64] = _none(0)
    truth_centres: NDArray[np.float64] = _none(0, 2, kind=np.float64)
    predicted_centres: NDArray[np.float64] = _none(0, 2, kind=np.float64)
    scores: NDArray[np.float64] = _none(0, kind=np.float64)
    pair_truth: NDArray[np.int64] = _none(0)
    pair_predicted: NDArray[np.int64] = _none(0)
    pair_pixels: NDArray[np.int64] = _none(0)


@dataclass(frozen=True)
class Evidence:
    """One prediction beside its truth.

    Attributes
    ----------
    name : str
        Of the image.
    group : str
        The fold it belongs to; empty without folds.
    pixels : PixelCounts
        Over all pixels.
    particles : ParticleEvidence
    min_size : int
        Least number of pixels of a particle that counts.
    pixel_size_um : float or None
        Side of a pixel in micrometre, if known.
    levels : ndarray of int64 or None
        ``(2, 256)``: pixels of background and of particle in truth at each stored level of probability (255 stands for
        1); None where the method gave no probability.
    """

    name: str
    group: str = ""
    pixels: PixelCounts = field(default_factory=PixelCounts)
    particles: ParticleEvidence = field(default_factory=ParticleEvidence)
    min_size: int = 3
    pixel_size_um: float | None = None
    levels: NDArray[np.int64] | None = None

    @property
    def n_truth(self) -> int:
        """True particles of the least size or more."""
        return len(self.particles.truth_areas)

    @property
    def n_predicted(self) -> int:
        """Predicted particles of the least size or more."""
        return len(self.particles.predicted_areas)


def gather_evidence(
    predicted: Any,
    truth: Any,
    *,
    probability: Any = None,
    min_size: int = 3,
    name: str = "image",
    group: str = "",
    pixel_size_um: float | None = None,
) -> Evidence:
    """Compare a prediction with its truth once; every metric is taken from what this returns.

    Parameters
    ----------
    predicted, truth : array
        ``(Y, X)`` labels or masks of equal shape (numpy, dask, zarr); one value beside 0 is a mask.
    probability : array, optional
        uint8 ``(Y, X)`` as results store it: 255 stands for 1.
    min_size : int
        Least number of pixels of a particle that counts, on both sides.
    name, group : str
        See :class:`Evidence`.
    pixel_size_um : float, optional
        Side of a pixel.

    Raises
    ------
    ImageError
        If shapes differ or an array holds no labels.
    """
    raise NotImplementedError
