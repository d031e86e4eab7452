"""Between the passes: neighbouring tiles compared by what both their windows saw around the common border."""

from collections.abc import Hashable, Iterable, Sequence
from typing import Any

import numpy as np

from napari_mpseg.inference.agreement import same_particles
from napari_mpseg.inference.pieces import Pieces

Array = np.ndarray[Any, Any]
Index = tuple[int, int]


class MatchTiles:
    """Work of one item ``(row, column)`` per tile: it is compared with its neighbours to the right and below.

    Neighbours over a corner need no comparison of their own: a strip goes on beyond its border's ends, so what runs
    from the one to the other is seen, and joined, by the two tiles between them.

    Parameters
    ----------
    pieces : Pieces
        On disk.
    filled : iterable of tuple of int
        Tiles in or around which there is anything.
    connectivity : int
        Of what is compared, see :func:`~napari_mpseg.inference.agreement.same_particles`.
    """

    def __init__(self, pieces: Pieces, filled: Iterable[Index], connectivity: int) -> None:
        self.pieces, self.filled, self.connectivity = pieces, frozenset(filled), connectivity

    @property
    def items(self) -> list[Index]:
        """Tiles that there is anything to compare with, in order."""
        return [index for index in sorted(self.filled) if self._neighbours(index)]

    def needs(self, item: Hashable) -> Sequence[Hashable]:
        """Return nothing: all that is compared is on disk."""
        return ()

    def do(self, item: Hashable, *given: Any) -> list[tuple[Index, Array]]:
        """Return per neighbour which of its particles are which of the tile's, ``(n, 2)``: its own number first."""
        index: Index = item  # type: ignore[assignment]
        return [(other, self._compared(index, other)) for other in self._neighbours(index)]

    def _neighbours(self, index: Index) -> list[Index]:
        row, column = index
        return [other for other in ((row, column + 1), (row + 1, column)) if other in self.filled]

    def _compared(self, one: Index, other: Index) -> Array:
        box = self.pieces.strip(one, other)
        seen, again = self.pieces.read(one, box), self.pieces.read(other, box)
        y0, y1, x0, x1 = self.pieces.grid[one].core
        if one[0] == other[0]:
            border, core = x1 - box[2], slice(y0 - box[0], y1 - box[0])
        else:
            seen, again = seen.T, again.T
            border, core = y1 - box[0], slice(x0 - box[2], x1 - box[2])
        return same_particles(seen, again, border, core, self.connectivity)
