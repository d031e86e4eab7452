"""First pass: every tile's probability, stored, and what must be known of it to join the particles."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from napari_mpseg.inference.blending import add_pieces, around, window_pieces
from napari_mpseg.inference.checksums import checksum
from napari_mpseg.inference.grid import Tile, TileGrid
from napari_mpseg.inference.instance_predictor import has_own_window
from napari_mpseg.inference.journal import Journal, Record
from napari_mpseg.inference.labelling import FinalNumbers, TileSummary, join_tiles, summarise_tile
from napari_mpseg.inference.mask_settings import MaskSettings
from napari_mpseg.inference.numbering import NumberTiles
from napari_mpseg.inference.predictor import Prepared
from napari_mpseg.inference.schedulers.each import for_each
from napari_mpseg.inference.screening.tally import Skipped
from napari_mpseg.inference.store import PROBABILITY_SCALE, open_store_for_writing
from napari_mpseg.inference.thumbnail import block_sums
from napari_mpseg.inference.tiled import predict_window, tile_grid
from napari_mpseg.inference.windows import read_window
from napari_mpseg.progress import CancelToken, ProgressCallback

Array = np.ndarray[Any, Any]
Run = Callable[..., None]
"""What does work where it is to be done: a scheduler's ``run`` that knows of progress and cancel."""

TILE, WINDOW = "tile", "window"

_BAND = 32
"""Columns of tiles that are blended together; windows along the borders of bands are computed twice, one in sixteen."""


class PredictTiles:
    """Work of one item ``("tile", row, column)`` per tile; for predictors that see far, windows besides.

    Parameters
    ----------
    prepared : Prepared
        Image and predictor.
    store : Path
        Where the result store is; workers write their tiles into it.
    settings : MaskSettings
    tile_size : int, optional
        As the store was made for.
    journal : Journal, optional
        Where finished tiles are noted, for a run that can be gone on with.
    thumbnail_step : int
        Give the tile's part of a thumbnail of that step, too; 0 for none. Not for predictors that are blended.
    """

    def __init__(
        self,
        prepared: Prepared,
        store: Path,
        settings: MaskSettings,
        tile_size: int | None = None,
        journal: Journal | None = None,
        thumbnail_step: int = 0,
    ) -> None:
        self.prepared, self.store, self.settings, self.journal = prepared, store, settings, journal
        self.thumbnail_step = thumbnail_step if has_own_window(prepared.predictor) else 0
        self.grid: TileGrid = tile_grid(prepared.image, prepared.predictor, tile_size)
        self._arrays: Any = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_arrays": None}

    def check(self) -> None:
        """Fail where the store cannot be reached."""
        open_store_for_writing(self.store)

    def begin(self) -> None:
        """Make what is needed beside the store, once, before any tile is done."""

    def end(self) -> None:
        """Remove what was needed beside the store."""

    def needs(self, item: Hashable) -> Sequence[Hashable]:
        """Return the windows that a tile is blended of; none for exact predictors.

        Windows are kept until the tiles below them are blended: two rows of them. Each band of columns has windows of
        its own, so that these rows do not grow with the image.
        """
        kind, row, col = parts_of_item(item)
        if kind == WINDOW or self.prepared.predictor.exact:
            return ()
        return [(WINDOW, *index, self.band(col)) for index in around(self.grid, (row, col))]

    def band(self, col: int) -> int:
        """Return the band that a column of tiles lies in; 0 for exact predictors, whose tiles need no others."""
        if self.prepared.predictor.exact:
            return 0
        return min(col // _BAND, max(1, self.grid.counts[1] // _BAND) - 1)

    def do(self, item: Hashable, *given: Any) -> Any:
        """Return summary and checksum of a tile, or the pieces of a window."""
        kind, row, col = parts_of_item(item)
        index = (row, col)
        image, predictor, tile = self.prepared.image, self.prepared.predictor, self.grid[index]
        if kind == WINDOW:
            return window_pieces(image, predictor, self.grid, tile)
        if not predictor.exact:
            return self._labelled(index, quantised(add_pieces([pieces[index] for pieces in given], tile)))
        window = read_window(image, tile.window)
        seen = self._seen(window, tile) if self.thumbnail_step else None
        self._tally()  # of a tile that failed in this thread
        probability = predict_window(window, predictor, tile)
        return self._labelled(index, quantised(probability), seen, self._tally())

    def holds(self, index: tuple[int, int], noted: Mapping[str, Array]) -> bool:
        """Return whether what lies beside the store is still what the record of a finished tile says."""
        return True

    def joined(self, summaries: Sequence[TileSummary], run: Run) -> FinalNumbers:
        """Return the final numbers of the particles of all tiles."""
        return join_tiles(summaries, self.grid, self.settings.connectivity, self.settings.min_size)

    def numbering(self, tables: dict[tuple[int, int], Array]) -> NumberTiles:
        """Return the work of the second pass."""
        return NumberTiles(self.store, self.grid, self.settings, tables)

    def _tally(self) -> tuple[int, int]:
        """Return what a screen counted in this thread since it was asked last; zeros without one."""
        tally: Skipped | None = getattr(self.prepared.predictor, "tally", None)
        return tally.take_own() if tally is not None else (0, 0)

    def _seen(self, window: Array, tile: Tile) -> Array:
        top, bottom, left, right = tile.margins
        inner = window[top : window.shape[0] - bottom, left : window.shape[1] - right]
        return block_sums(inner, tile.core, self.thumbnail_step)

    def _labelled(
        self, index: tuple[int, int], values: Array, seen: Array | None = None, skipped: tuple[int, int] = (0, 0)
    ) -> "Finished":
        mask = values >= self.settings.lowest
        summary = summarise_tile(mask, self.grid[index], self.grid.shape[1], self.settings.connectivity)
        return self._stored(index, values, summary, seen, skipped, {})

    def _stored(
        self,
        index: tuple[int, int],
        values: Array,
        summary: TileSummary,
        seen: Array | None,
        skipped: tuple[int, int],
        noted: Mapping[str, Array],
    ) -> "Finished":
        """Write the probability of a tile and note it as finished, with what else is `noted` of it."""
        if self._arrays is None:
            self._arrays = open_store_for_writing(self.store)
        y0, y1, x0, x1 = self.grid[index].core
        if values.any():
            self._arrays.probability[y0:y1, x0:x1] = values
        finished = Finished(summary, checksum(values) if values.any() else None, seen, skipped)
        if self.journal is not None:
            arrays: dict[str, Array] = {
                "checksum": np.asarray(checksum(values), np.uint32),
                "skipped": np.asarray(skipped, np.int64),
                **summary.to_arrays(),
                **noted,
            }
            self.journal.append(Record(index, arrays))
        return finished


def parts_of_item(item: Hashable) -> tuple[str, int, int]:
    """Return kind, row and column of an item."""
    kind, row, col = cast("tuple[str, int, int]", item)[:3]
    return kind, row, col


@dataclass(frozen=True)
class Finished:
    """What is known of a finished tile.

    Attributes
    ----------
    summary : TileSummary
        How to join its particles with its neighbours'.
    checksum : int or None
        CRC-32 of its stored probability, if there is any.
    seen : ndarray or None
        Its part of the thumbnail.
    skipped : tuple of int
        Pixels that a screen was asked about, and those of them that were not computed.
    """

    summary: TileSummary
    checksum: int | None
    seen: Array | None = None
    skipped: tuple[int, int] = (0, 0)


def quantised(probability: Array) -> Array:
    """Return probability, 0 to 1, as it is stored: uint8, rounded, 255 stands for 1."""
    scaled = probability * PROBABILITY_SCALE
    scaled += 0.5
    found: Array = scaled.astype(np.uint8)  # cuts off: rounding, as nothing is negative
    return found


def finished_tiles(
    work: PredictTiles, on_progress: ProgressCallback, cancel: CancelToken
) -> dict[tuple[int, int], Finished]:
    """Return the tiles that the journal says are finished and whose pixels in the store are still those.

    What was noted but did not reach the disk before a power cut is done again.
    """
    if work.journal is None:
        return {}
    rows, cols = work.grid.counts
    records = {(item[0], item[1]): record for item, record in work.journal.read().items()}
    probability = open_store_for_writing(work.store).probability
    found: dict[tuple[int, int], Finished] = {}

    def checked(index: tuple[int, int]) -> Finished | None:
        y0, y1, x0, x1 = work.grid[index].core
        try:
            values = np.asarray(probability[y0:y1, x0:x1])
            if not work.holds(index, records[index].arrays):
                return None
        except Exception:  # a damaged chunk: whatever its codec raises, it is done again
            return None
        arrays = dict(records[index].arrays)
        told, (total, skipped) = int(arrays.pop("checksum")), arrays.pop("skipped").tolist()
        if checksum(values) != told:
            return None
        summary = TileSummary.from_arrays(arrays)
        return Finished(summary, told if values.any() else None, None, (total, skipped))

    def take(index: tuple[int, int], finished: Finished | None) -> None:
        if finished is not None:
            found[index] = finished

    inside = [index for index in records if index[0] < rows and index[1] < cols]
    steps: dict[str, Any] = {"on_progress": on_progress, "cancel": cancel}
    if inside:
        for_each(checked, inside, stage="Checking what is finished", on_result=take, **steps)
    return found
