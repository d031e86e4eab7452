"""Second pass: the final number of every particle, written tile by tile from the stored probability.

Provisional labels are never stored: a tile is labelled again from its probability, which gives the same ones. So this
pass can be stopped anywhere and begun again.
"""

from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from napari_mpseg.inference.checksums import checksum
from napari_mpseg.inference.grid import TileGrid
from napari_mpseg.inference.labelling import number_tile
from napari_mpseg.inference.mask_settings import MaskSettings
from napari_mpseg.inference.store import open_store_for_writing

Array = np.ndarray[Any, Any]


class NumberTiles:
    """Work of one item ``(row, column)`` per tile that holds particles.

    Parameters
    ----------
    store : Path
        The result store.
    grid : TileGrid
        Its tiles.
    settings : MaskSettings
    tables : mapping
        Per tile: entry i is the final number of its i-th provisional label.
    """

    def __init__(
        self, store: Path, grid: TileGrid, settings: MaskSettings, tables: dict[tuple[int, int], Array]
    ) -> None:
        self.store, self.grid, self.settings, self.tables = store, grid, settings, tables
        self._arrays: Any = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_arrays": None}

    def needs(self, item: Hashable) -> Sequence[Hashable]:
        """Return nothing: tiles are numbered each for itself."""
        return ()

    def do(self, item: Hashable, *given: Any) -> int | None:
        """Write the labels of one tile, and return their CRC-32; None if all particles in it were dropped."""
        index: tuple[int, int] = item  # type: ignore[assignment]
        if self._arrays is None:
            self._arrays = open_store_for_writing(self.store)
        y0, y1, x0, x1 = self.grid[index].core
        mask = np.asarray(self._arrays.probability[y0:y1, x0:x1]) >= self.settings.lowest
        numbered = number_tile(mask, self.tables[index], self.settings.connectivity)
        self._arrays.labels[y0:y1, x0:x1] = numbered
        return checksum(numbered) if numbered.any() else None
