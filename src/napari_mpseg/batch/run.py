"""Do a batch, go on with it, and make its tables."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from time import monotonic

from napari_mpseg.batch.outcome import DONE, FAILED, BatchOutcome, ImageOutcome
from napari_mpseg.batch.plan import plan_batch
from napari_mpseg.batch.settings import BatchSettings
from napari_mpseg.errors import MpsegError, StoreError
from napari_mpseg.particles.sizes import SizeClasses
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback, silent

OnImage = Callable[[ImageOutcome], None]


def run_batch(
    inputs: "str | os.PathLike[str] | Iterable[str | os.PathLike[str]]",
    out: str | os.PathLike[str],
    settings: BatchSettings | None = None,
    *,
    pattern: str | None = None,
    sheet: str | os.PathLike[str] | None = None,
    sizes: SizeClasses | None = None,
    overwrite: bool = False,
    title: str = "",
    on_progress: ProgressCallback = silent,
    on_image: OnImage | None = None,
    cancel: CancelToken | None = None,
) -> BatchOutcome:
    """Segment and measure many images with the same settings, and make one table over all.

    Each image gets results of its own in `out`. One that fails is reported and the others go on. Called again after it
    was stopped or killed, it does what is not done yet.

    Parameters
    ----------
    inputs : path-like, or several
        See :func:`~napari_mpseg.batch.find.find_images`.
    out : path-like
        Folder of all results.
    settings : BatchSettings, optional
        Method and all it is told.
    pattern : str, optional
        Metadata in the names: ``"{sample}_{replicate}.tif"``; see :mod:`napari_mpseg.batch.pattern`.
    sheet : path-like, optional
        Metadata in a table: CSV with the columns file, sample, replicate, blank, volume with a unit; see
        :func:`~napari_mpseg.batch.sheet.read_sheet`. Where both say something, the sheet holds.
    sizes : SizeClasses, optional
        For counts; without, those that fit the pixel size.
    overwrite : bool
        Do again those images whose results were made from another file or with other settings.
    title : str
        Heading of the report.
    on_progress : callable, optional
        Called with :class:`~napari_mpseg.progress.Progress` events over the pixels of all images.
    on_image : callable, optional
        Called with the :class:`~napari_mpseg.batch.outcome.ImageOutcome` of each image as it ends, in this thread.
    cancel : CancelToken, optional
        Stops within one tile; what is finished stays, and the same call goes on from there.

    Returns
    -------
    BatchOutcome
        With the tables, which lie in `out` too.

    Raises
    ------
    MpsegError
        If nothing can be done at all: no image, wrong settings, a batch with other settings in `out`, full disk.
    Cancelled
        If `cancel` was set.
    """
    from napari_mpseg.pipeline import segment

    settings, cancel = settings or BatchSettings(), cancel or CancelToken()
    plan = plan_batch(inputs, out, settings, pattern=pattern, sheet=sheet, overwrite=overwrite, cancel=cancel)
    images = []
    total, gone = sum(item.pixels for item in plan.to_do), 0
    for item in plan.items:
        cancel.check()
        began = monotonic()
        try:
            if item.message:
                raise StoreError(item.message)
            result = segment(item.path, out=out, overwrite=overwrite, cancel=cancel, **settings.for_segment())
            done = ImageOutcome(item.name, item.path, DONE, "", result.count, monotonic() - began)
        except MpsegError as error:
            done = ImageOutcome(item.name, item.path, FAILED, str(error))
        gone += item.pixels
        images.append(done)
        on_progress(Progress("Batch", gone, total, "px"))
        if on_image is not None:
            on_image(done)
    return BatchOutcome(tuple(images), {"summary": Path(out) / "batch_summary.csv"}, plan.notes)


def summarise_batch(
    out: str | os.PathLike[str],
    *,
    pattern: str | None = None,
    sheet: str | os.PathLike[str] | None = None,
    sizes: SizeClasses | None = None,
    title: str = "",
    on_progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
) -> BatchOutcome:
    """Make the tables and the report of a batch again from the results in `out`; nothing is segmented.

    What a person decided since, in the tables beside the results, holds: particles that were not kept count nowhere.

    Parameters
    ----------
    out : path-like
        Folder of a batch, finished or not.
    pattern, sheet
        As for :func:`run_batch`; without, those of the run.
    sizes, title, on_progress, cancel
        As for :func:`run_batch`.

    Raises
    ------
    StoreError
        If `out` holds no batch.
    """
    raise NotImplementedError
