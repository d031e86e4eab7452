"""The one pass over prediction, truth and probability, part by part."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.errors import ImageError, SettingsError
from napari_mpseg.evaluation.evidence import ParticleEvidence
from napari_mpseg.evaluation.label_sides import Ids, LabelSide, MaskSide, Pixels, side_of
from napari_mpseg.evaluation.pairs import Part, checked_pair, parts_of
from napari_mpseg.evaluation.pixel import PixelCounts
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback

_WHOLE = 255.0  # how probability 1 is stored


@dataclass
class _Sums:
    """Sums over the pixels of each particle, of one part after the other."""

    ids: list[Ids] = field(default_factory=list)
    columns: list[NDArray[np.float64]] = field(default_factory=list)  # (n, 4): pixels, y, x, probability

    def add(self, pixels: Pixels, part: Part, levels: NDArray[np.uint8] | None) -> None:
        if not len(pixels.ids):
            return
        y0, _, x0, x1 = part.core
        y, x = np.divmod(pixels.places, x1 - x0)
        count = len(pixels.ids)
        columns = np.zeros((count, 4))
        columns[:, 0] = np.bincount(pixels.position, minlength=count)
        columns[:, 1] = np.bincount(pixels.position, y + y0, count)
        columns[:, 2] = np.bincount(pixels.position, x + x0, count)
        if levels is not None:
            columns[:, 3] = np.bincount(pixels.position, levels[pixels.places], count)
        self.ids.append(pixels.ids)
        self.columns.append(columns)

    def particles(self, side: LabelSide | MaskSide) -> "_Particles":
        if not self.ids:
            return _Particles(np.zeros(0, np.int64), np.zeros((0, 4)))
        labels, where = np.unique(side.final(np.concatenate(self.ids)), return_inverse=True)
        columns = np.concatenate(self.columns)
        sums = np.stack([np.bincount(where, column, len(labels)) for column in columns.T], 1)
        return _Particles(labels, sums.astype(np.float64))


@dataclass(frozen=True)
class _Particles:
    labels: Ids
    sums: NDArray[np.float64]

    @property
    def areas(self) -> Ids:
        return self.sums[:, 0].astype(np.int64)

    @property
    def centres(self) -> NDArray[np.float64]:
        return np.asarray(self.sums[:, 1:3] / self.sums[:, :1])

    @property
    def scores(self) -> NDArray[np.float64]:
        return np.asarray(self.sums[:, 3] / (_WHOLE * self.sums[:, 0]))


class Gatherer:
    """Reads every part once.

    Parameters
    ----------
    predicted, truth : array
        ``(Y, X)`` labels or masks of equal shape.
    probability : array or None
        ``(Y, X)`` uint8 or floating point.
    min_size : int
        Least pixels of a particle that counts.
    connectivity : int
        Of the pieces of masks; 2 for 8 neighbours, 1 for 4.
    """

    def __init__(self, predicted: Any, truth: Any, probability: Any, min_size: int, connectivity: int = 2) -> None:
        if min_size < 1:
            raise SettingsError(f"min_size {min_size!r} is impossible: give at least 1 pixel.")
        if connectivity not in (1, 2):
            raise SettingsError(f"Connectivity {connectivity!r} is neither 1 (sides) nor 2 (sides and corners).")
        checked_pair(predicted, truth)
        if probability is not None:
            _check_probability(probability, tuple(truth.shape))
        self._predicted, self._truth, self._probability, self._min_size = predicted, truth, probability, min_size
        self._sides = side_of(predicted, "prediction", connectivity), side_of(truth, "truth", connectivity)
        self._sums = _Sums(), _Sums()
        self._pairs: list[NDArray[np.int64]] = []  # (n, 3): predicted, truth, pixels
        self._counts = PixelCounts()
        self._levels = np.zeros((2, 256), np.int64)

    def run(
        self, on_progress: ProgressCallback, cancel: CancelToken | None
    ) -> tuple[PixelCounts, ParticleEvidence, NDArray[np.int64] | None]:
        """Read everything and return what was counted."""
        arrays = [array for array in (self._predicted, self._truth, self._probability) if array is not None]
        parts = list(parts_of(*arrays))
        for done, part in enumerate(parts):
            if cancel is not None:
                cancel.check()
            on_progress(Progress("Comparing", done, len(parts), "parts"))
            self._take(part)
        on_progress(Progress("Comparing", len(parts), len(parts), "parts"))
        return self._counts, self._particles(), None if self._probability is None else self._levels

    def _take(self, part: Part) -> None:
        predicted, truth = np.asarray(self._predicted[part.slices]), np.asarray(self._truth[part.slices])
        found, real = (side.take(values, part) for side, values in zip(self._sides, (predicted, truth), strict=True))
        common = predicted.ravel()[real.places] != 0
        both, n_found, n_real = int(np.count_nonzero(common)), len(found.places), len(real.places)
        self._counts += PixelCounts(both, n_found - both, n_real - both, truth.size - n_found - n_real + both)
        levels = self._take_levels(part, real)
        self._sums[0].add(found, part, levels)
        self._sums[1].add(real, part, None)
        if both:
            # the places of both sides rise, and those in common are in both
            mine = found.position[np.searchsorted(found.places, real.places[common])]
            key, pixels = np.unique(mine * len(real.ids) + real.position[common], return_counts=True)
            i, j = np.divmod(key, len(real.ids))
            self._pairs.append(np.stack([found.ids[i], real.ids[j], pixels], 1))

    def _take_levels(self, part: Part, real: Pixels) -> NDArray[np.uint8] | None:
        if self._probability is None:
            return None
        stored = _stored(np.asarray(self._probability[part.slices])).ravel()
        inside = np.bincount(stored[real.places], minlength=256)
        self._levels[1] += inside
        self._levels[0] += np.bincount(stored, minlength=256) - inside
        return stored

    def _particles(self) -> ParticleEvidence:
        found, real = (s.particles(side) for s, side in zip(self._sums, self._sides, strict=True))
        counts, large = found.areas >= self._min_size, real.areas >= self._min_size
        i, j, pixels = self._overlaps(found, real)
        to_found, to_large, to_small = np.cumsum(counts) - 1, np.cumsum(large) - 1, np.cumsum(~large) - 1
        hits, grazes = counts[i] & large[j], counts[i] & ~large[j]
        return ParticleEvidence(
            truth_labels=real.labels[large],
            predicted_labels=found.labels[counts],
            truth_areas=real.areas[large],
            predicted_areas=found.areas[counts],
            truth_centres=real.centres[large],
            predicted_centres=found.centres[counts],
            scores=np.ones(int(counts.sum())) if self._probability is None else found.scores[counts],
            pair_truth=to_large[j[hits]],
            pair_predicted=to_found[i[hits]],
            pair_pixels=pixels[hits],
            small_areas=real.areas[~large],
            small_centres=real.centres[~large],
            small_pair_small=to_small[j[grazes]],
            small_pair_predicted=to_found[i[grazes]],
            small_pair_pixels=pixels[grazes],
        )

    def _overlaps(self, found: _Particles, real: _Particles) -> tuple[Ids, Ids, Ids]:
        """Return positions in both lists and common pixels of every pair, over all parts."""
        if not self._pairs:
            none = np.zeros(0, np.int64)
            return none, none, none
        ids = np.concatenate(self._pairs)
        i = np.searchsorted(found.labels, self._sides[0].final(ids[:, 0]))
        j = np.searchsorted(real.labels, self._sides[1].final(ids[:, 1]))
        key, where = np.unique(i * len(real.labels) + j, return_inverse=True)
        pixels = np.bincount(where, ids[:, 2], len(key)).astype(np.int64)
        return (*np.divmod(key, len(real.labels)), pixels)


def _check_probability(probability: Any, shape: tuple[int, ...]) -> None:
    found, dtype = getattr(probability, "shape", None), getattr(probability, "dtype", None)
    if found is None or dtype is None or tuple(found) != shape:
        raise ImageError(
            f"The probability has the shape {found}, the labels {shape}. Give the probability of this prediction, one "
            "plane (Y, X)."
        )
    if np.dtype(dtype) != np.uint8 and np.dtype(dtype).kind != "f":
        raise ImageError(f"A probability is uint8 (255 stands for 1) or floating point from 0 to 1; this is {dtype}.")


def _stored(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Return probability as results store it, in steps of 1/255."""
    if values.dtype == np.uint8:
        return np.asarray(values, np.uint8)
    if values.size and not (values.min() >= -1e-6 and values.max() <= 1 + 1e-6):  # nan fails too
        raise ImageError(
            f"A probability lies between 0 and 1, but this has values from {values.min():.9g} to {values.max():.9g}. "
            "Divide by its largest possible value, or give uint8 (255 stands for 1)."
        )
    return np.asarray(np.rint(np.clip(values, 0, 1) * _WHOLE), np.uint8)
