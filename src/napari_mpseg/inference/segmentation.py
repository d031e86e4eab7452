"""From a prepared method to stored probability and labels: tile by tile, then joined."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from napari_mpseg.inference.checksums import array_checksum
from napari_mpseg.inference.instance_predictor import finds_instances
from napari_mpseg.inference.instance_tiles import PredictInstances
from napari_mpseg.inference.journal import Journal
from napari_mpseg.inference.mask_settings import MaskSettings
from napari_mpseg.inference.memory import reused_memory
from napari_mpseg.inference.predicting import TILE, Finished, PredictTiles, finished_tiles
from napari_mpseg.inference.predictor import Prepared, TilePredictor
from napari_mpseg.inference.schedulers import Scheduler, find_scheduler
from napari_mpseg.inference.streams import streams
from napari_mpseg.inference.thumbnail import Thumbnail
from napari_mpseg.progress import CancelToken, ProgressCallback

__all__ = ["MaskSettings", "Segmented", "segment_tiles"]


@dataclass(frozen=True)
class Segmented:
    """What a filled store holds.

    Attributes
    ----------
    count : int
        Number of particles.
    checksums : dict of str to str
        Of ``"probability"`` and ``"labels"``, see :mod:`napari_mpseg.inference.checksums`.
    skipped : tuple of int
        Pixels that a screen was asked about, and those of them that were not computed; zeros without a screen.
    """

    count: int
    checksums: dict[str, str]
    skipped: tuple[int, int]


def segment_tiles(
    prepared: Prepared,
    store: Path,
    settings: MaskSettings,
    *,
    tile_size: int | None = None,
    journal: Journal | None = None,
    scheduler: "str | Scheduler | None" = None,
    thumbnail: Thumbnail | None = None,
    on_progress: ProgressCallback,
    cancel: CancelToken,
) -> Segmented:
    """Fill a result store with probability and labels.

    The probability is quantised to 1/255 and thresholded as stored, so that the labels can be made again from the
    store. Labels are dense 1..N in raster order, the same as labelling the whole image at once.

    Of an ``InstancePredictor`` labels are the particles that it tells apart, joined where neighbouring windows agree,
    and cannot be made again from the probability.

    Parameters
    ----------
    prepared : Prepared
        Image and predictor.
    store : Path
        A result store with chunks of the tile size; empty, or begun by an earlier run with the same settings.
    settings : MaskSettings
    tile_size : int, optional
        As the store was made for.
    journal : Journal, optional
        Where finished tiles are noted. Tiles that an earlier run noted there are not done again.
    scheduler : str or Scheduler, optional
        Where tiles are done; default threads of this process.
    thumbnail : Thumbnail, optional
        Of the image that `prepared` holds; filled as tiles pass.

    Returns
    -------
    Segmented

    Raises
    ------
    Cancelled
        Within one tile of the token being set; what is finished is noted in the journal.
    """
    chosen = find_scheduler(scheduler)
    passes: type[PredictTiles] = PredictInstances if finds_instances(prepared.predictor) else PredictTiles
    work = passes(prepared, store, settings, tile_size, journal, thumbnail.step if thumbnail is not None else 0)
    work.begin()
    tiles = finished_tiles(work, on_progress, cancel)
    done = len(tiles)

    def take(item: tuple[str, int, int], finished: Finished) -> None:
        index = (item[1], item[2])
        if thumbnail is not None and finished.seen is not None:
            thumbnail.add(work.grid[index].core, finished.seen)
        tiles[index] = replace(finished, seen=None)

    run = partial(chosen.run, on_progress=on_progress, cancel=cancel)
    left = sorted((tile.index for tile in work.grid if tile.index not in tiles), key=lambda index: work.band(index[1]))
    todo = [(TILE, *index) for index in left]
    try:
        side_by_side = _side_by_side(prepared.predictor) if chosen.name == "threads" else 1
        with reused_memory(), streams(side_by_side):
            workers = getattr(prepared.predictor, "workers", None)
            run(work, todo, stage="Segmenting", done=done, on_result=take, workers=workers)
    finally:
        if journal is not None:
            journal.close()
    if thumbnail is not None:
        thumbnail.complete(work.grid, on_progress, cancel)
    final = work.joined([tiles[index].summary for index in sorted(tiles)], run)
    labels: dict[tuple[int, int], int | None] = {}
    run(work.numbering(final.tables), sorted(final.tables), stage="Numbering", on_result=labels.__setitem__)
    work.end()
    probability = {index: finished.checksum for index, finished in tiles.items()}
    checksums = {"probability": _together(probability), "labels": _together(labels)}
    total, skipped = (sum(finished.skipped[part] for finished in tiles.values()) for part in (0, 1))
    return Segmented(final.count, checksums, (total, skipped))


def _side_by_side(predictor: TilePredictor) -> int:
    """Return how many of a network's passes are to go side by side on this machine's processor; 1 for all others."""
    inner: Any = predictor
    while not hasattr(inner, "device") and hasattr(inner, "predictor"):
        inner = inner.predictor
    device = getattr(inner, "device", None)
    return int(getattr(predictor, "workers", 1)) if getattr(device, "type", "") == "cpu" else 1


def _together(tiles: Mapping[tuple[int, int], int | None]) -> str:
    return array_checksum({index: found for index, found in tiles.items() if found is not None})
