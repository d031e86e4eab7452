"""Where a prediction is wrong: a picture of the errors, and the particles behind them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.evaluation.evidence import Evidence
from napari_mpseg.evaluation.matching import CRITERIA
from napari_mpseg.evaluation.pairs import checked_pair
from napari_mpseg.registry import Registry

BACKGROUND, TRUE_POSITIVE, FALSE_POSITIVE, FALSE_NEGATIVE = range(4)
"""Values of an error map."""


def error_map(predicted: Any, truth: Any) -> Any:
    """Mark every pixel as right or wrong.

    Parameters
    ----------
    predicted, truth : array
        ``(Y, X)`` labels or masks of equal shape (numpy, dask or zarr); every value other than 0 is particle.

    Returns
    -------
    array
        uint8 ``(Y, X)``: 0 background, 1 true positive, 2 false positive, 3 false negative. An ndarray if both are one;
        otherwise a dask array, in the chunks of the first that has chunks, which computes what is looked at.

    Raises
    ------
    ImageError
        If the shapes differ or an array is neither labels nor a mask.
    """
    checked_pair(predicted, truth)
    if isinstance(predicted, np.ndarray) and isinstance(truth, np.ndarray):
        return _marked(predicted, truth)
    import dask.array as da

    chunks = next((_chunks(array) for array in (predicted, truth) if getattr(array, "chunks", None)), (2048, 2048))
    lazy = []
    for array in (predicted, truth):
        if isinstance(array, da.Array):
            lazy.append(array.rechunk(chunks))
        else:
            lazy.append(da.from_array(array, chunks=chunks))
    return da.map_blocks(_marked, *lazy, dtype=np.uint8, meta=np.zeros((0, 0), np.uint8))


def _chunks(array: Any) -> Any:
    return getattr(array, "shards", None) or array.chunks


def _marked(predicted: NDArray[Any], truth: NDArray[Any]) -> NDArray[np.uint8]:
    found, real = predicted != 0, truth != 0
    marks = np.zeros(found.shape, np.uint8)
    marks[found & real] = TRUE_POSITIVE
    marks[found & ~real] = FALSE_POSITIVE
    marks[~found & real] = FALSE_NEGATIVE
    return marks


@dataclass(frozen=True)
class ErrorColours:
    """Colours of an error map.

    Attributes
    ----------
    name, title : str
    true_positive, false_positive, false_negative : str
        ``#RRGGBB``.
    background : str
        Of pictures; a layer over an image leaves the background clear.
    source : str
    """

    name: str
    title: str
    true_positive: str
    false_positive: str
    false_negative: str
    background: str
    source: str

    def by_value(self) -> dict[int, str]:
        """Return the colours of the values 1, 2 and 3 of an error map."""
        return {
            TRUE_POSITIVE: self.true_positive,
            FALSE_POSITIVE: self.false_positive,
            FALSE_NEGATIVE: self.false_negative,
        }

    def table(self) -> NDArray[np.uint8]:
        """Return red, green and blue of the values 0 to 3, uint8 ``(4, 3)``: ``colours.table()[error_map]``."""
        colours = [self.background, *self.by_value().values()]
        return np.asarray([list(bytes.fromhex(colour[1:])) for colour in colours], np.uint8)


ERROR_COLOURS: Registry[ErrorColours] = Registry("error colours")
for _colours in (
    ErrorColours(
        "paper",
        "true black, false red, missed green",
        "#000000",
        "#FF0000",
        "#00FF00",
        "#FFFFFF",
        "Baek et al. 2021, Fig. 3",
    ),
    ErrorColours(
        "colour-blind",
        "true bluish green, false vermillion, missed sky blue",
        "#009E73",
        "#D55E00",
        "#56B4E9",
        "#FFFFFF",
        "Okabe and Ito 2008",
    ),
):
    ERROR_COLOURS.add(_colours.name, _colours)


@dataclass(frozen=True)
class ErrorParticle:
    """A missed or a false particle.

    Attributes
    ----------
    kind : str
        ``"missed"`` (in truth only) or ``"false"`` (predicted only).
    label : int
        Its label, in the truth if missed, in the prediction if false.
    y, x : float
        Centroid in pixels.
    area : int
        Pixels.
    diameter : float
        Of the circle of equal area, in pixels.
    score : float or None
        Mean probability of a false one.
    """

    kind: str
    label: int
    y: float
    x: float
    area: int
    diameter: float
    score: float | None = None


def error_particles(
    evidence: Evidence, criterion: str = "overlap", threshold: float | None = None
) -> list[ErrorParticle]:
    """Return missed and false particles, largest first, to step through.

    Parameters
    ----------
    evidence : Evidence
        Of one image.
    criterion, threshold
        When particles match, see :func:`napari_mpseg.evaluation.particle.match_particles`.
    """
    particles = evidence.particles
    matching = CRITERIA[criterion](particles, threshold)
    right = np.concatenate([matching.correct, matching.neutral])
    wrong = []
    for kind, positions, labels, areas, centres in (
        (
            "missed",
            np.setdiff1d(np.arange(evidence.n_truth), matching.found),
            particles.truth_labels,
            particles.truth_areas,
            particles.truth_centres,
        ),
        (
            "false",
            np.setdiff1d(np.arange(evidence.n_predicted), right),
            particles.predicted_labels,
            particles.predicted_areas,
            particles.predicted_centres,
        ),
    ):
        for i in positions.tolist():
            (y, x), area = centres[i].tolist(), int(areas[i])
            score = float(particles.scores[i]) if kind == "false" else None
            wrong.append(ErrorParticle(kind, int(labels[i]), y, x, area, float(np.sqrt(4 * area / np.pi)), score))
    return sorted(wrong, key=lambda particle: (-particle.area, particle.kind, particle.label))
