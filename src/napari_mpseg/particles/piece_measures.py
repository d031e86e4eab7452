"""What is found out about a piece of a label only when a property asks for it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.particles.centre_line import centre_lines
from napari_mpseg.particles.crossings import count_crossings
from napari_mpseg.particles.inscribed import inscribed_radii
from napari_mpseg.particles.runs import Pieces, Runs
from napari_mpseg.registry import Registry

Ruler = tuple[float, float]

#: A measure and the pixel's height and width it is taken with.
Asked = tuple[str, Ruler]

PIXELS: Ruler = (1.0, 1.0)


@dataclass(frozen=True)
class PieceMeasure:
    """A compiled measurement of single pieces.

    Attributes
    ----------
    kernel : callable
        ``kernel(chosen, start, order, y, x0, x1, height, width, out)`` fills `out`, float64 ``(P, columns)``, for the
        pieces `chosen`; the other arrays are those of :class:`~napari_mpseg.particles.runs.Pieces` and
        :class:`~napari_mpseg.particles.runs.Runs`, `height` and `width` the size of a pixel.
    columns : int
        Numbers per piece.
    join : numpy.ufunc
        Makes one number of those of all pieces of a label: ``numpy.add``, ``numpy.maximum``.
    by_length : bool
        Whether the numbers depend on the shape of a pixel. If not, they are taken once, in pixels.
    """

    kernel: Callable[..., Any]
    columns: int
    join: np.ufunc
    by_length: bool

    def __call__(self, runs: Runs, pieces: Pieces, chosen: NDArray[np.int64], ruler: Ruler) -> NDArray[np.float64]:
        """Return float64 ``(P, columns)`` for the pieces `chosen`."""
        out = np.zeros((len(chosen), self.columns))
        if len(chosen):
            self.kernel(chosen, pieces.start, pieces.order, runs.y, runs.x0, runs.x1, *ruler, out)
        return out


PIECE_MEASURES: Registry[PieceMeasure] = Registry("measure of pieces")
PIECE_MEASURES.add("crossings", PieceMeasure(count_crossings, 5, np.add, by_length=False))
PIECE_MEASURES.add("inscribed", PieceMeasure(inscribed_radii, 1, np.maximum, by_length=True))
PIECE_MEASURES.add("centre_line", PieceMeasure(centre_lines, 1, np.add, by_length=True))


def asked_for(names: set[str], pixel_size: Ruler) -> tuple[Asked, ...]:
    """Return the measures to take, in pixels and, where pixels are not square, with their true size too."""
    asked: list[Asked] = []
    for name, measure in PIECE_MEASURES.items():
        if name in names:
            asked.append((name, PIXELS))
            if measure.by_length and pixel_size[0] != pixel_size[1]:
                asked.append((name, pixel_size))
    return tuple(asked)
