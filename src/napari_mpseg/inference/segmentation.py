"""From a prepared method to stored probability and labels: tile by tile, then joined."""

from pathlib import Path

from napari_mpseg.inference.journal import Journal
from napari_mpseg.inference.labelling import TileSummary, join_tiles
from napari_mpseg.inference.mask_settings import MaskSettings
from napari_mpseg.inference.memory import reused_memory
from napari_mpseg.inference.numbering import NumberTiles
from napari_mpseg.inference.predicting import TILE, PredictTiles, finished_tiles
from napari_mpseg.inference.predictor import Prepared
from napari_mpseg.inference.schedulers import Scheduler, find_scheduler
from napari_mpseg.progress import CancelToken, ProgressCallback

__all__ = ["MaskSettings", "segment_tiles"]


def segment_tiles(
    prepared: Prepared,
    store: Path,
    settings: MaskSettings,
    *,
    tile_size: int | None = None,
    journal: Journal | None = None,
    scheduler: "str | Scheduler | None" = None,
    on_progress: ProgressCallback,
    cancel: CancelToken,
) -> int:
    """Fill a result store with probability and labels.

    The probability is quantised to 1/255 and thresholded as stored, so that the labels can be made again from the
    store. Labels are dense 1..N in raster order, the same as labelling the whole image at once.

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

    Returns
    -------
    int
        Number of particles.

    Raises
    ------
    Cancelled
        Within one tile of the token being set; what is finished is noted in the journal.
    """
    chosen = find_scheduler(scheduler)
    work = PredictTiles(prepared, store, settings, tile_size, journal)
    summaries: dict[tuple[int, int], TileSummary] = finished_tiles(work)
    done = len(summaries)

    def take(item: tuple[str, int, int], summary: TileSummary) -> None:
        summaries[item[1], item[2]] = summary

    todo = [(TILE, *tile.index) for tile in work.grid if tile.index not in summaries]
    try:
        with reused_memory():
            chosen.run(
                work,
                todo,
                stage="Segmenting",
                done=done,
                on_result=take,
                on_progress=on_progress,
                cancel=cancel,
                workers=getattr(prepared.predictor, "workers", None),
            )
    finally:
        if journal is not None:
            journal.close()
    in_order = [summaries[index] for index in sorted(summaries)]
    final = join_tiles(in_order, work.grid, settings.connectivity, settings.min_size)
    numbers = NumberTiles(store, work.grid, settings, final.tables)
    chosen.run(
        numbers,
        sorted(final.tables),
        stage="Numbering",
        on_result=lambda item, result: None,
        on_progress=on_progress,
        cancel=cancel,
    )
    return final.count
