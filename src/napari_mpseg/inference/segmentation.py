"""From a prepared method to stored probability and labels: tile by tile, then joined."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_mpseg.errors import SettingsError
from napari_mpseg.inference.grid import Tile
from napari_mpseg.inference.labelling import TileSummary, join_tiles, label_tile
from napari_mpseg.inference.memory import reused_memory
from napari_mpseg.inference.predictor import Prepared
from napari_mpseg.inference.schedule import WORKERS, RunningTasks, guarded, run_tasks
from napari_mpseg.inference.store import PROBABILITY_SCALE, ResultArrays
from napari_mpseg.inference.tiled import tile_grid, tiled_probability
from napari_mpseg.progress import CancelToken, ProgressCallback


@dataclass(frozen=True)
class MaskSettings:
    """How probability becomes particles.

    Attributes
    ----------
    threshold : float
        Pixels of a higher probability are particle; 0 or more, below 1.
    min_size : int
        Particles of fewer pixels are dropped.
    connectivity : int
        2 joins pixels that touch at a corner (8 neighbours, ImageJ's rule), 1 only at an edge (4 neighbours).
    """

    threshold: float = 0.5
    min_size: int = 3
    connectivity: int = 2

    def __post_init__(self) -> None:
        if not 0 <= self.threshold < 1:
            raise SettingsError(
                f"Threshold {self.threshold} is impossible: give a probability from 0 up to, not including, 1."
            )
        if self.min_size < 0:
            raise SettingsError(
                f"Minimum size {self.min_size} is negative. Give a number of pixels; 0 keeps everything."
            )
        if self.connectivity not in (1, 2):
            raise SettingsError(f"Connectivity {self.connectivity} is unknown: 1 is 4 neighbours, 2 is 8 neighbours.")

    @property
    def lowest(self) -> int:
        """Smallest stored (quantised) probability that counts as particle: above the threshold, never 0."""
        return max(1, math.floor(self.threshold * PROBABILITY_SCALE) + 1)


def segment_tiles(
    prepared: Prepared,
    arrays: ResultArrays,
    settings: MaskSettings,
    *,
    tile_size: int | None,
    on_progress: ProgressCallback,
    cancel: CancelToken,
) -> int:
    """Fill the arrays of a result store.

    The probability is quantised to 1/255 and thresholded as stored, so that the labels can be made again from the
    store. Labels are dense 1..N in raster order, the same as labelling the whole image at once.

    Parameters
    ----------
    prepared : Prepared
        Image and predictor.
    arrays : ResultArrays
        Empty arrays with chunks of the tile size.
    settings : MaskSettings
    tile_size : int, optional
        As the arrays were made for.

    Returns
    -------
    int
        Number of particles.

    Raises
    ------
    Cancelled
        Within one tile of the token being set; the arrays are then half filled and to be thrown away.
    """
    import dask

    image, predictor = prepared.image, prepared.predictor
    grid = tile_grid(image, predictor, tile_size)
    blocks = tiled_probability(image, predictor, tile_size).to_delayed()
    running = RunningTasks()

    def store_tile(probability: Any, tile: Tile) -> TileSummary:
        quantised = np.floor(probability * PROBABILITY_SCALE + 0.5).astype(np.uint8)
        y0, y1, x0, x1 = tile.core
        if quantised.any():
            arrays.probability[y0:y1, x0:x1] = quantised
        labels, summary = label_tile(quantised >= settings.lowest, tile, grid.shape[1], settings.connectivity)
        if summary.count:
            arrays.labels[y0:y1, x0:x1] = labels
        return summary

    work = dask.delayed(guarded(store_tile, running, cancel), pure=False, traverse=False)
    tasks = [work(blocks[tile.index], tile) for tile in grid]
    with reused_memory():
        summaries = run_tasks(
            tasks,
            stage="Segmenting",
            on_progress=on_progress,
            cancel=cancel,
            running=running,
            workers=getattr(predictor, "workers", WORKERS),
        )
    final = join_tiles(summaries, grid, settings.connectivity, settings.min_size)

    def renumber(tile: Tile) -> None:
        y0, y1, x0, x1 = tile.core
        arrays.labels[y0:y1, x0:x1] = final.tables[tile.index][arrays.labels[y0:y1, x0:x1]]

    again = dask.delayed(guarded(renumber, running, cancel), pure=False, traverse=False)
    changed = [index for index, table in final.tables.items() if not np.array_equal(table, np.arange(len(table)))]
    tasks = [again(grid[index]) for index in changed]
    run_tasks(tasks, stage="Numbering", on_progress=on_progress, cancel=cancel, running=running)
    return final.count
