"""Both passes for methods that tell particles apart by themselves: tiles are joined by agreement, not by touching."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np

from napari_mpseg.errors import ModelError
from napari_mpseg.inference.checksums import checksum
from napari_mpseg.inference.grid import TileGrid
from napari_mpseg.inference.instance_predictor import InstancePredictor, WindowInstances
from napari_mpseg.inference.labelling import FinalNumbers, TileSummary, in_order, number_groups, starts_of
from napari_mpseg.inference.matching import Index, MatchTiles
from napari_mpseg.inference.numbering import NumberTiles
from napari_mpseg.inference.pieces import Pieces, numbered_pieces, pieces_place, summarise_pieces
from napari_mpseg.inference.predicting import Finished, PredictTiles, Run, parts_of_item, quantised
from napari_mpseg.inference.store import open_store_for_writing
from napari_mpseg.inference.windows import read_window
from napari_mpseg.leftovers import remove

Array = np.ndarray[Any, Any]


class PredictInstances(PredictTiles):
    """Work of one item ``("tile", row, column)`` per tile, each from its own window.

    Parameters
    ----------
    *args, **kwargs
        As for :class:`~napari_mpseg.inference.predicting.PredictTiles`; the predictor is an ``InstancePredictor``.

    Raises
    ------
    ModelError
        If the predictor compares nothing around borders, or more than its windows hold.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.predictor: InstancePredictor = self.prepared.predictor  # type: ignore[assignment]
        overlap = checked_overlap(self.predictor, self.grid)
        self.pieces = Pieces(pieces_place(self.store), self.grid, overlap)

    def begin(self) -> None:
        """Make room for the pieces."""
        self.pieces.make()

    def end(self) -> None:
        """Remove the pieces, unless a later run may want to go on from them: then they go with all it has left."""
        if self.journal is None:
            remove(self.pieces.place)

    def needs(self, item: Hashable) -> Sequence[Hashable]:
        """Return nothing: windows are not blended, whether the predictor is exact or not."""
        return ()

    def do(self, item: Hashable, *given: Any) -> Finished:
        """Store probability and pieces of a tile, and return what is to be known of it."""
        _, *index = parts_of_item(item)
        tile = self.grid[index[0], index[1]]
        window = read_window(self.prepared.image, tile.window)
        seen = self._seen(window, tile) if self.thumbnail_step else None
        self._tally()  # of a tile that failed in this thread
        found = self.predictor.predict_instances(window, tile.margins, self.settings.least)
        _check(found, window, self.predictor)
        (y0, y1, x0, x1), (top, left) = self.pieces.box(tile.index), (tile.window[0], tile.window[2])
        numbers = numbered_pieces(np.asarray(found.labels)[y0 - top : y1 - top, x0 - left : x1 - left])
        if numbers.any():
            self.pieces.write(tile.index, numbers)
        summary = summarise_pieces(numbers, (y0, y1, x0, x1), tile, self.grid.shape[1])
        (y0, y1, x0, x1) = tile.core
        probability = np.asarray(found.probability, np.float32)[y0 - top : y1 - top, x0 - left : x1 - left]
        noted = {"pieces": np.asarray(checksum(numbers), np.uint32)}
        return self._stored(tile.index, quantised(probability), summary, seen, self._tally(), noted)

    def holds(self, index: Index, noted: Mapping[str, Array]) -> bool:
        """Return whether the pieces of a finished tile are still what its record says."""
        if "pieces" not in noted:
            return False
        return checksum(self.pieces.read(index, self.pieces.box(index))) == int(noted["pieces"])

    def joined(self, summaries: Sequence[TileSummary], run: Run) -> FinalNumbers:
        """Join what neighbouring windows agree on, and number it."""
        filled = in_order(summaries)
        start_of = dict(zip((summary.index for summary in filled), starts_of(filled).tolist(), strict=False))
        match = MatchTiles(self.pieces, start_of, self.settings.connectivity)
        pairs = [np.zeros((0, 2), np.int64)]

        def take(index: Index, found: list[tuple[Index, Array]]) -> None:
            for neighbour, same in found:
                pairs.append(same - 1 + np.array([start_of[index], start_of[neighbour]]))

        run(match, match.items, stage="Joining", on_result=take)
        joined = np.concatenate(pairs)
        # of a particle that has no pixel in a tile's core, its window tells what is another one, and no more
        own = np.concatenate([np.zeros(0, np.int64), *(summary.areas for summary in filled)]) > 0
        one, other = joined[own[joined].all(1)].T
        return number_groups(filled, one, other, self.settings.min_size)

    def numbering(self, tables: dict[Index, Array]) -> "NumberPieces":
        """Return the work of the second pass."""
        return NumberPieces(self.pieces, self.store, self.grid, self.settings, tables)


class NumberPieces(NumberTiles):
    """Work of one item ``(row, column)`` per tile with particles: its pieces get their final numbers.

    Parameters
    ----------
    pieces : Pieces
        On disk.
    *args
        As for :class:`~napari_mpseg.inference.numbering.NumberTiles`.
    """

    def __init__(self, pieces: Pieces, *args: Any) -> None:
        super().__init__(*args)
        self.pieces = pieces

    def do(self, item: Hashable, *given: Any) -> int | None:
        """Write the labels of one tile, and return their CRC-32; None if all particles in it were dropped."""
        index: Index = item  # type: ignore[assignment]
        y0, y1, x0, x1 = core = self.grid[index].core
        numbered = self.tables[index][self.pieces.read(index, core)]
        if self._arrays is None:
            self._arrays = open_store_for_writing(self.store)
        self._arrays.labels[y0:y1, x0:x1] = numbered
        return checksum(numbered) if numbered.any() else None


def checked_overlap(predictor: InstancePredictor, grid: TileGrid) -> int:
    """Return how many pixels on either side of a border are compared.

    Raises
    ------
    ModelError
        If windows do not hold them, or there are none.
    """
    if 1 <= predictor.overlap <= grid.halo:
        return predictor.overlap
    raise ModelError(
        f"{type(predictor).__name__} compares {predictor.overlap} pixels on either side of a border, and its windows "
        f"reach {grid.halo} pixels beyond it: give an overlap from 1 to the halo."
    )


def _check(found: WindowInstances, window: Array, predictor: InstancePredictor) -> None:
    for name in ("probability", "labels"):
        shape = getattr(found, name).shape
        if shape != window.shape[:2]:
            raise ModelError(
                f"{type(predictor).__name__} gave {name} of {shape} for a window of {window.shape[:2]} pixels: both "
                "must be of the whole window, its margins included."
            )
