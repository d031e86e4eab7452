"""Between the passes: neighbouring tiles compared by what both their windows saw around the common border."""

from collections.abc import Hashable, Iterable, Sequence
from typing import Any

import numpy as np

from napari_mpseg.inference.agreement import same_particles, touching_alone
from napari_mpseg.inference.pieces import Pieces

Array = np.ndarray[Any, Any]
Index = tuple[int, int]


class MatchTiles:
    """Work of one item ``(row, column)`` per tile: it is compared with those to the right and below, corners too.

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
        """Return per neighbour which of its particles are which of the tile's, ``(n, 2)``: the tile's number first."""
        index: Index = item  # type: ignore[assignment]
        return [(other, self._compared(index, other)) for other in self._neighbours(index)]

    def _neighbours(self, index: Index) -> list[Index]:
        row, column = index
        beside = ((row, column + 1), (row + 1, column - 1), (row + 1, column), (row + 1, column + 1))
        return [other for other in beside if other in self.filled]

    def _compared(self, one: Index, other: Index) -> Array:
        box = self.pieces.strip(one, other)
        seen, again = self.pieces.read(one, box), self.pieces.read(other, box)
        near, far = self._along(one, other, box)
        rows, columns = (slice(min(a.start, b.start), max(a.stop, b.stop)) for a, b in zip(near, far, strict=True))
        agreed = same_particles(seen, again, (rows, columns), self.connectivity)
        if one[0] != other[0] and one[1] != other[1]:
            return agreed
        alone = touching_alone(agreed, seen[near].ravel(), again[far].ravel(), self.connectivity)
        return np.concatenate([agreed, alone])

    def _along(
        self, one: Index, other: Index, box: tuple[int, int, int, int]
    ) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
        """Return where in the strip the pixels lie that each tile has along the border, or at the corner."""
        near, far = [], []
        for axis in (0, 1):
            start, (low, high) = box[2 * axis], self.pieces.grid[one].core[2 * axis : 2 * axis + 2]
            inside, beyond = {
                -1: ((low, low + 1), (low - 1, low)),
                0: ((low, high), (low, high)),
                1: ((high - 1, high), (high, high + 1)),
            }[other[axis] - one[axis]]
            near.append(slice(inside[0] - start, inside[1] - start))
            far.append(slice(beyond[0] - start, beyond[1] - start))
        return (near[0], near[1]), (far[0], far[1])
