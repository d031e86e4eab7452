"""Which pixels a forest learns from: all of what is rare, some of what is plenty."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_mpseg.methods.forest.settings import ForestSettings
from napari_mpseg.progress import CancelToken
from napari_mpseg.training.data.pairs import LabelledImage

Array = np.ndarray[Any, Any]
PARTICLE, NEAR, FAR = 1, 2, 3
_NEAR_PX = 6
_STRIP = 512


@dataclass(frozen=True)
class Sample:
    """Pixels to learn from, of one image.

    Attributes
    ----------
    rows, columns : ndarray of int64
        ``(N,)``: where they are.
    stratum : ndarray of uint8
        ``(N,)``: particle, background near one, or background far from any.
    """

    rows: Array
    columns: Array
    stratum: Array


def draw_pixels(
    images: Sequence[LabelledImage], settings: ForestSettings, cancel: CancelToken
) -> tuple[list[Sample], dict[int, float]]:
    """Choose the pixels to learn from, and what each of them counts.

    Of a dense mask the pixels up to 6 px from particles are background *near* one: there the outline is decided, and
    few pixels are. They may take half of the room there is for background. Of what is painted by strokes, all
    background is near: the person has chosen.

    Where particles or near background must be thinned out, those that are left count for the others, so that the
    probability along outlines stays that of the image. Far background does not, beyond that: it is most of every
    image, and at its full weight a forest trusts nothing that it has not seen exactly.

    Parameters
    ----------
    images : sequence of LabelledImage
    settings : ForestSettings
        How many pixels at most, and the seed.
    cancel : CancelToken

    Returns
    -------
    samples : list of Sample
        One per image.
    weights : dict
        What a pixel of each stratum counts.
    """
    rng = np.random.default_rng(settings.seed)
    totals = np.zeros(4, np.int64)
    for pair in images:
        for _, strip in _strips(pair, cancel):
            totals += np.bincount(strip.ravel(), minlength=4)
    wanted = _shares(totals, settings)
    ranks = {
        stratum: np.sort(rng.choice(totals[stratum], number, replace=False, shuffle=False))
        for stratum, number in wanted.items()
    }
    samples, passed = [], np.zeros(4, np.int64)
    for pair in images:
        parts = []
        for y0, strip in _strips(pair, cancel):
            parts.append(_picked(strip, y0, ranks, passed))
            passed += np.bincount(strip.ravel(), minlength=4)
        samples.append(Sample(*(np.concatenate(part) for part in zip(*parts, strict=True))))
    return samples, _weights(totals, wanted)


def _shares(totals: Array, settings: ForestSettings) -> dict[int, int]:
    particle = min(int(totals[PARTICLE]), settings.max_particle)
    near, far = int(totals[NEAR]), int(totals[FAR])
    room = settings.max_background
    near = min(near, room - min(far, room // 2))
    return {PARTICLE: particle, NEAR: near, FAR: min(far, room - near)}


def _weights(totals: Array, wanted: dict[int, int]) -> dict[int, float]:
    stands_for = {stratum: float(totals[stratum] / number) if number else 1.0 for stratum, number in wanted.items()}
    near = max(stands_for[PARTICLE], stands_for[NEAR])
    return {**stands_for, FAR: min(stands_for[FAR], near)}


def _strips(pair: LabelledImage, cancel: CancelToken) -> Iterator[tuple[int, Array]]:
    """Give the stratum of each pixel, strip by strip; 0 where nothing is known."""
    height = pair.mask.shape[0]
    for y0 in range(0, height, _STRIP):
        cancel.check()
        yield y0, _strata(pair, y0, min(y0 + _STRIP, height))


def _strata(pair: LabelledImage, y0: int, y1: int) -> Array:
    from scipy import ndimage

    if pair.known is not None:
        known, mask = pair.known[y0:y1], pair.mask[y0:y1]
        return np.where(known, np.where(mask, PARTICLE, NEAR), 0).astype(np.uint8)
    first = max(0, y0 - _NEAR_PX)
    mask = pair.mask[first : y1 + _NEAR_PX]
    found = np.full(mask.shape, FAR, np.uint8)
    if mask.any():
        found[ndimage.binary_dilation(mask, iterations=_NEAR_PX)] = NEAR
        found[mask] = PARTICLE
    return found[y0 - first : y1 - first]


def _picked(strip: Array, y0: int, ranks: dict[int, Array], passed: Array) -> tuple[Array, Array, Array]:
    """Return rows, columns and strata of the chosen pixels of a strip; `passed` are those of the strips before."""
    flat = strip.ravel()
    places, strata = [], []
    for stratum, chosen in ranks.items():
        own = np.flatnonzero(flat == stratum)
        first, last = np.searchsorted(chosen, (passed[stratum], passed[stratum] + len(own)))
        places.append(own[chosen[first:last] - passed[stratum]])
        strata.append(np.full(last - first, stratum, np.uint8))
    rows, columns = np.divmod(np.concatenate(places), strip.shape[1])
    return rows + y0, columns, np.concatenate(strata)
