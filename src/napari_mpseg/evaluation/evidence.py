"""All that any metric needs to know of one image: small, without pixels, and storable."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.errors import SettingsError
from napari_mpseg.evaluation.pixel import PixelCounts
from napari_mpseg.progress import CancelToken, ProgressCallback, silent
from napari_mpseg.settings import from_dict


def _integers() -> NDArray[np.int64]:
    return np.zeros(0, np.int64)


def _numbers() -> NDArray[np.float64]:
    return np.zeros(0)


def _places() -> NDArray[np.float64]:
    return np.zeros((0, 2))


@dataclass(frozen=True, eq=False)
class ParticleEvidence:
    """The particles of truth and prediction, and how they overlap.

    Predicted particles below the least size are not in it. True ones below it are kept apart: they need not be found,
    but a predicted particle that stands for one of them is not false either.

    Attributes
    ----------
    truth_labels, predicted_labels : ndarray of int64
        ``(N,)`` and ``(M,)``: what the particles are called in their label images; rising.
    truth_areas, predicted_areas : ndarray of int64
        Pixels of each.
    truth_centres, predicted_centres : ndarray of float64
        ``(N, 2)`` and ``(M, 2)``: centroids, y and x in pixels.
    scores : ndarray of float64
        ``(M,)``: mean probability of each predicted particle, 1 without a probability.
    pair_truth, pair_predicted, pair_pixels : ndarray of int64
        ``(K,)``: positions in the arrays above, and the common pixels, of every pair that overlaps.
    small_areas : ndarray of int64
        ``(S,)``: pixels of the true particles below the least size.
    small_centres : ndarray of float64
        ``(S, 2)``: their centroids.
    small_pair_small, small_pair_predicted, small_pair_pixels : ndarray of int64
        ``(J,)``: position among them, position among the predicted, and the common pixels, of every pair that overlaps.
    """

    truth_labels: NDArray[np.int64] = field(default_factory=_integers)
    predicted_labels: NDArray[np.int64] = field(default_factory=_integers)
    truth_areas: NDArray[np.int64] = field(default_factory=_integers)
    predicted_areas: NDArray[np.int64] = field(default_factory=_integers)
    truth_centres: NDArray[np.float64] = field(default_factory=_places)
    predicted_centres: NDArray[np.float64] = field(default_factory=_places)
    scores: NDArray[np.float64] = field(default_factory=_numbers)
    pair_truth: NDArray[np.int64] = field(default_factory=_integers)
    pair_predicted: NDArray[np.int64] = field(default_factory=_integers)
    pair_pixels: NDArray[np.int64] = field(default_factory=_integers)
    small_areas: NDArray[np.int64] = field(default_factory=_integers)
    small_centres: NDArray[np.float64] = field(default_factory=_places)
    small_pair_small: NDArray[np.int64] = field(default_factory=_integers)
    small_pair_predicted: NDArray[np.int64] = field(default_factory=_integers)
    small_pair_pixels: NDArray[np.int64] = field(default_factory=_integers)

    def to_dict(self) -> dict[str, Any]:
        """Return lists by name, ready for JSON."""
        return {item.name: getattr(self, item.name).tolist() for item in fields(self)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "ParticleEvidence":
        """Return what :meth:`to_dict` gave.

        Raises
        ------
        SettingsError
            If something else was given.
        """
        empty = cls()
        names = [item.name for item in fields(cls)]
        if not isinstance(values, Mapping) or set(values) != set(names):
            raise SettingsError(f"Evidence of particles has {', '.join(names)}; this is something else.")
        arrays = {}
        for name in names:
            pattern = getattr(empty, name)
            try:
                arrays[name] = np.asarray(values[name], pattern.dtype).reshape(-1, *pattern.shape[1:])
            except (TypeError, ValueError) as error:
                raise SettingsError(f"Evidence of particles: {name} holds what are not numbers ({error}).") from error
        return cls(**arrays)


@dataclass(frozen=True, eq=False)
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

    def to_dict(self) -> dict[str, Any]:
        """Return plain values by name, ready for JSON."""
        return {
            "name": self.name,
            "group": self.group,
            "pixels": self.pixels.to_dict(),
            "particles": self.particles.to_dict(),
            "min_size": self.min_size,
            "pixel_size_um": self.pixel_size_um,
            "levels": None if self.levels is None else self.levels.tolist(),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Evidence":
        """Return what :meth:`to_dict` gave.

        Raises
        ------
        SettingsError
            If something else was given.
        """
        names = [item.name for item in fields(cls)]
        if not isinstance(values, Mapping) or set(values) != set(names):
            raise SettingsError(f"Evidence of an image has {', '.join(names)}; this is something else.")
        levels = values["levels"]
        given = dict(values) | {
            "pixels": from_dict(PixelCounts, values["pixels"]),
            "particles": ParticleEvidence.from_dict(values["particles"]),
        }
        if levels is not None:
            given["levels"] = np.asarray(levels, np.int64)
            if given["levels"].shape != (2, 256):
                raise SettingsError(
                    f"Evidence of an image: levels has the shape {given['levels'].shape}, not (2, 256)."
                )
        return cls(**given)


def gather_evidence(
    predicted: Any,
    truth: Any,
    *,
    probability: Any = None,
    min_size: int = 3,
    connectivity: int = 2,
    name: str = "image",
    group: str = "",
    pixel_size_um: float | None = None,
    on_progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
) -> Evidence:
    """Compare a prediction with its truth once; every metric is taken from what this returns.

    The arrays are read part by part, so they may be larger than memory, whether they hold labels or masks.

    Parameters
    ----------
    predicted, truth : array
        ``(Y, X)`` labels or masks of equal shape (numpy, dask, zarr). One value beside 0 is a mask: its connected
        pieces are the particles, numbered in raster order.
    probability : array, optional
        ``(Y, X)``, uint8 as results store it (255 stands for 1), or floating point from 0 to 1.
    min_size : int
        Least number of pixels of a particle that counts, on both sides.
    connectivity : {1, 2}
        What a piece of a mask is. 1: pixels touch with their sides (4 neighbours). 2: corners too (8 neighbours).
        Labels are taken as they are.
    name, group : str
        See :class:`Evidence`.
    pixel_size_um : float, optional
        Side of a pixel.
    on_progress, cancel
        See :mod:`napari_mpseg.progress`.

    Raises
    ------
    ImageError
        If shapes differ, an array holds no labels, or the probability is none.
    SettingsError
        If `min_size` is below 1, or `connectivity` neither 1 nor 2.
    Cancelled
        If it was asked to stop.
    """
    from napari_mpseg.evaluation.gathering import Gatherer

    gatherer = Gatherer(predicted, truth, probability, min_size, connectivity)
    pixels, particles, levels = gatherer.run(on_progress, cancel)
    return Evidence(name, group, pixels, particles, min_size, pixel_size_um, levels)
