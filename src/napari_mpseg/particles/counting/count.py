"""The front door: a mask, labels or a probability of any size in, boxes out."""

import uuid
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import SettingsError
from napari_mpseg.inference.grid import Tile, TileGrid
from napari_mpseg.inference.schedulers import Scheduler, find_scheduler
from napari_mpseg.particles.counting.boxes import CountedBoxes, box_frame
from napari_mpseg.particles.counting.grouping import Groups, group_tiles
from napari_mpseg.particles.counting.joining import core_of
from napari_mpseg.particles.counting.settings import CountSettings
from napari_mpseg.particles.counting.source import CountSource, steps_of
from napari_mpseg.particles.counting.tiles import CountTiles
from napari_mpseg.progress import CancelToken, ProgressCallback, silent

_TILE = 1024


def count_particles(
    source: Any,
    settings: CountSettings | None = None,
    *,
    graded: bool | None = None,
    probability: Any = None,
    numbered: bool = False,
    calibration: Calibration | None = None,
    tile: int | None = None,
    scheduler: str | Scheduler | None = None,
    on_progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
) -> CountedBoxes:
    """Count particles: threshold, join broken strands, one box for each outer contour.

    The image is read tile by tile, each with as much around it as joining reaches, and what touches across tiles is
    joined afterwards: the boxes are those of the whole image, whatever the tiles or chunks. Memory is that of a few
    tiles, and a few numbers for each particle.

    Parameters
    ----------
    source : array
        ``(Y, X)`` (numpy, dask, zarr). Booleans and whole numbers: a mask or labels, not 0 is particle. Real numbers
        from 0 to 1: a probability.
    settings : CountSettings, optional
        Without, 15 and 9 px as in the paper.
    graded : bool, optional
        Take whole numbers as a probability too: uint8 with 255 for 1, as results store it, or uint16.
    probability : array, optional
        ``(Y, X)``, for the confidence of a mask or of labels.
    numbered : bool
        The whole numbers mean particles: pieces of the same number are one particle, and boxes know their numbers.
        Labels whose strands are joined lie in one box; where the settings join nothing, each has one of its own.
    calibration : Calibration, optional
        Pixel size.
    tile : int, optional
        Side of a tile in pixels.
    scheduler : str or Scheduler, optional
        Where tiles are done, see :mod:`napari_mpseg.inference.schedulers`; default threads.
    on_progress, cancel
        See :mod:`napari_mpseg.progress`.

    Returns
    -------
    CountedBoxes
        In raster order of each particle's first joined pixel; all are kept, none is reviewed.

    Raises
    ------
    ImageError
        If an array is of the wrong shape or kind.
    SettingsError
        If the settings need a pixel size, or a side is an even number of pixels.
    Cancelled
        If `cancel` was set.

    Notes
    -----
    After Badillo-Cardenas et al. 2022. A box is that of the joined pixels; area and confidence are those of the pixels
    that were particle before. Joined pixels without any of these are no particle.

    Broken strands are joined wherever they lie near enough, also those of labels that were told apart before, as
    touching particles are. To keep these apart, join nothing: ``CountSettings(dilate=0, erode=0)``.

    Examples
    --------
    >>> strand = np.zeros((20, 40), bool)
    >>> strand[10, 5:12] = strand[10, 20:30] = True
    >>> counted = count_particles(strand)
    >>> counted.count, counted.corners.tolist()
    (1, [[7.0, 2.0, 14.0, 33.0]])
    """
    plan = _plan(source, settings, graded, probability, numbered, calibration, tile)
    groups = _grouped(plan, scheduler, on_progress, cancel)
    return plan.boxes(groups)


def count_and_label(
    source: Any,
    settings: CountSettings | None = None,
    *,
    graded: bool | None = None,
    probability: Any = None,
    calibration: Calibration | None = None,
    tile: int | None = None,
    scheduler: str | Scheduler | None = None,
    on_progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
) -> tuple[CountedBoxes, Any]:
    """Count particles, and give their pixels the numbers of their boxes.

    Parameters and errors are those of :func:`count_particles`.

    Returns
    -------
    CountedBoxes
        The label of each is its number.
    dask.array.Array
        int32 ``(Y, X)``, made where it is read: the pixels that were particle before joining. A particle whose strands
        were joined lies in several pieces.
    """
    plan = _plan(source, settings, graded, probability, False, calibration, tile)
    groups = _grouped(plan, scheduler, on_progress, cancel)
    boxes = plan.boxes(groups)
    boxes.frame["labels"] = pd.Series([(int(number),) for number in boxes.frame["number"]], dtype="object")
    return boxes, _labels(plan.tiles, groups)


@dataclass(frozen=True)
class _Plan:
    tiles: CountTiles
    calibration: Calibration

    def boxes(self, groups: Groups) -> CountedBoxes:
        seen = self.tiles.source.sure
        sure = mean = np.full(len(groups.own), np.nan)
        if seen is not None:
            whole = steps_of(seen.dtype)
            mean, sure = groups.sums / (whole * groups.own), groups.largest / whole
        frame = box_frame(
            np.arange(1, len(groups.own) + 1),
            groups.boxes,
            groups.own,
            confidence=mean,
            confidence_max=sure,
            labels=groups.numbers,
        )
        return CountedBoxes(frame, self.tiles.grid.shape, self.calibration, self.tiles.settings)


def _plan(
    source: Any,
    settings: CountSettings | None,
    graded: bool | None,
    probability: Any,
    numbered: bool,
    calibration: Calibration | None,
    tile: int | None,
) -> _Plan:
    settings, calibration = settings or CountSettings(), calibration or Calibration()
    data = source if hasattr(source, "shape") and hasattr(source, "dtype") else np.asarray(source)
    graded = data.dtype.kind == "f" if graded is None else graded
    sizes = settings.sizes(calibration)
    if tile is not None and tile < 1:
        raise SettingsError(f"A tile of {tile} px is impossible. Give 1 or more.")
    of = CountSource(data, probability, graded, settings.threshold, numbered and not graded)
    grid = TileGrid(of.shape, tile or max(_TILE, 4 * sizes.reach), sizes.reach)
    tiles = CountTiles(of, grid, settings, sizes)
    return _Plan(replace(tiles, sizes=replace(sizes, largest_hole=0.0)) if tiles.apart else tiles, calibration)


def _grouped(
    plan: _Plan, scheduler: str | Scheduler | None, on_progress: ProgressCallback, cancel: CancelToken | None
) -> Groups:
    tiles, found = plan.tiles, []
    find_scheduler(scheduler).run(
        tiles,
        [tile.index for tile in tiles.grid],
        stage="Counting",
        on_result=lambda index, counted: found.append(counted),
        on_progress=on_progress,
        cancel=cancel or CancelToken(),
    )
    return group_tiles(found, tiles.grid, tiles.settings, tiles.sizes)


def _labels(tiles: CountTiles, groups: Groups) -> Any:
    import dask.array as da

    name = f"counted-{uuid.uuid4().hex}"
    graph = {(name, *tile.index): (_numbered, tiles, tile, groups.tables.get(tile.index)) for tile in tiles.grid}
    return da.Array(graph, name, tiles.grid.chunks, dtype=np.int32)


def _numbered(tiles: CountTiles, tile: Tile, table: NDArray[np.int32] | None) -> NDArray[np.int32]:
    """Return the numbers of a tile's own pixels."""
    if table is None:
        return np.zeros(tile.core_shape, np.int32)
    own, pieces = tiles.pieces(tile, tiles.source.read(tile.window))
    labels = np.asarray(pieces.labels(table[1:]))
    assert labels.shape == tuple(part.stop - part.start for part in core_of(tile))
    return np.where(own, labels, np.int32(0))
