"""Do a batch, go on with it, and make its tables."""

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from napari_mpseg.batch.describe import describe
from napari_mpseg.batch.fingerprint import fingerprint
from napari_mpseg.batch.journal import Journal, record_time
from napari_mpseg.batch.outcome import DONE, FAILED, NOT_DONE, BatchOutcome, ImageOutcome
from napari_mpseg.batch.plan import DONE as DONE_BEFORE
from napari_mpseg.batch.plan import REFUSED, BatchPlan, plan_batch
from napari_mpseg.batch.settings import BatchSettings
from napari_mpseg.batch.tables import TableSettings, ToSum, batch_paths, write_tables
from napari_mpseg.batch.together import Together
from napari_mpseg.batch.ways import WAYS, Watch
from napari_mpseg.batch.work import ImageEnd, ImageJob, ImageWork
from napari_mpseg.errors import Cancelled, SettingsError, StoreError
from napari_mpseg.particles.sizes import SizeClasses
from napari_mpseg.progress import CancelToken, ProgressCallback, silent
from napari_mpseg.provenance import Provenance
from napari_mpseg.results.unfinished import Unfinished, unfinished_folder

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
        Stops within one tile, side by side within the images at work; what is finished stays, and the same call goes on
        from there.

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
    settings, cancel, out = settings or BatchSettings(), cancel or CancelToken(), Path(out).absolute()
    steps: dict[str, Any] = {"on_progress": on_progress, "cancel": cancel}
    plan = plan_batch(inputs, out, settings, pattern=pattern, sheet=sheet, overwrite=overwrite, **steps)
    _refuse_strangers(out, overwrite)
    with Unfinished(unfinished_folder(batch_paths(out)["record"])).at_work():  # two at once would mix their journals
        journal = Journal.read(out)
        journal.write([_began(plan, settings, pattern, sheet)])
        ended = _of_before(plan, journal)
        if on_image is not None:
            for outcome in ended.values():
                on_image(outcome)
        work = ImageWork(settings, out, overwrite=overwrite)
        try:
            ended |= _carried_out(plan, work, journal, on_progress, on_image, cancel)
            images = [ToSum(ended[item.name], item.metadata, _settings_of(item.name, journal)) for item in plan.items]
            return write_tables(images, out, TableSettings(sizes, title), journal.batch, plan.notes, **steps)
        except Cancelled as stop:
            stop.kept = str(out)
            raise


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
    SettingsError
        If `out` holds no batch.
    """
    out = Path(out).absolute()
    journal = Journal.read(out)
    if not journal.batch:
        raise SettingsError(
            f"{out} holds no batch. Give the folder of one, or make it: napari-mpseg batch IMAGES --out DIR."
        )
    pattern = journal.batch["pattern"] if pattern is None else pattern
    sheet = journal.batch["sheet"] if sheet is None else sheet
    told = describe([Path(one["path"]) for one in journal.batch["images"]], pattern, sheet)
    images = []
    for one in journal.batch["images"]:
        outcome = _known(one, journal)
        images.append(ToSum(outcome, told.metadata[outcome.path], _settings_of(outcome.name, journal)))
    tables = TableSettings(sizes, title)
    return write_tables(images, out, tables, journal.batch, told.notes, on_progress=on_progress, cancel=cancel)


def _refuse_strangers(out: Path, overwrite: bool) -> None:
    """Refuse a folder with tables of the same names that no batch made."""
    there = [path.name for path in batch_paths(out).values() if path.exists()]
    if there and not overwrite and not Journal.read(out).there:
        raise StoreError(
            f"{out} already holds {', '.join(there)}, and no batch that can be gone on with. Choose another folder, or "
            "ask to overwrite (--overwrite)."
        )


def _began(
    plan: BatchPlan, settings: BatchSettings, pattern: str | None, sheet: str | os.PathLike[str] | None
) -> dict[str, Any]:
    """Return the event that a batch begins: how, with which images, and what is known of them."""
    return {
        "event": "batch",
        "created": Provenance("batch").created,
        "settings": dict(plan.settings),
        "digest": plan.digest,
        "parallel": settings.parallel,
        "pattern": pattern,
        "sheet": str(Path(sheet).absolute()) if sheet is not None else None,
        "images": [
            {"name": item.name, "path": str(item.path), "refused": item.message if item.state == REFUSED else ""}
            for item in plan.items
        ],
    }


def _of_before(plan: BatchPlan, journal: Journal) -> dict[str, ImageOutcome]:
    """Return what became of the images that need not, or cannot, be done now."""
    found = {}
    for item in plan.items:
        entry = journal.entries.get(item.name)
        if item.state == DONE_BEFORE:
            particles, seconds = (entry.particles, entry.seconds) if entry else (None, None)
            found[item.name] = ImageOutcome(item.name, item.path, DONE, "", particles, seconds, True)
        elif item.state == REFUSED:
            found[item.name] = ImageOutcome(item.name, item.path, FAILED, item.message)
    return found


def _carried_out(
    plan: BatchPlan,
    work: ImageWork,
    journal: Journal,
    on_progress: ProgressCallback,
    on_image: OnImage | None,
    cancel: CancelToken,
) -> dict[str, ImageOutcome]:
    """Do what is to be done, and note every beginning and end in the journal at once."""
    jobs = [ImageJob(item.name, item.path, item.pixels, item.again, item.restart) for item in plan.to_do]
    told = Together(len(plan.items), sum(job.pixels for job in jobs), on_progress)
    ended: dict[str, ImageOutcome] = {}

    def begin(job: ImageJob) -> None:
        journal.write([_begun(job, plan.digest, journal.out)])

    def end(job: ImageJob, became: ImageEnd) -> None:
        outcome = became.outcome
        if became.no_room:  # every other image would fail as well
            raise StoreError(
                f"{outcome.message} The batch has stopped at {job.name}. What is finished is kept in {journal.out}; "
                "with room again, the same command goes on from there."
            )
        journal.write([_end(outcome, became.sha256)])
        ended[job.name] = outcome
        told.end(job.pixels)
        if on_image is not None:
            on_image(outcome)

    way, _, workers = plan.parallel.partition(":")
    if jobs:
        WAYS[way](work, jobs, int(workers or 1), Watch(begin, end), told, cancel)
    return ended


def _begun(job: ImageJob, digest: str, out: Path) -> dict[str, Any]:
    try:
        file = fingerprint(job.path)
    except OSError:  # it has vanished meanwhile; what opens it tells that
        file = {}
    return {
        "event": "begun",
        "name": job.name,
        "path": str(job.path),
        "settings": digest,
        "file": file,
        "before": record_time(out, job.name),
    }


def _end(outcome: ImageOutcome, sha256: str | None) -> dict[str, Any]:
    return {
        "event": "ended",
        "name": outcome.name,
        "status": outcome.status,
        "message": outcome.message,
        "particles": outcome.particles,
        "seconds": outcome.seconds,
        "file": {"sha256": sha256},
    }


def _known(image: Mapping[str, str], journal: Journal) -> ImageOutcome:
    """Return what the journal knows of an image of the latest batch."""
    name, path = image["name"], Path(image["path"])
    entry = journal.entries.get(name)
    if image["refused"]:
        return ImageOutcome(name, path, FAILED, image["refused"])
    if entry is None or entry.settings != journal.batch["digest"]:  # of a batch with other settings before it
        return ImageOutcome(name, path, NOT_DONE)
    if entry.ended:
        return ImageOutcome(name, path, entry.status, entry.message, entry.particles, entry.seconds, True)
    made = record_time(journal.out, name) not in (None, entry.before)
    return ImageOutcome(name, path, DONE if made else NOT_DONE, earlier=True)


def _settings_of(name: str, journal: Journal) -> str:
    entry = journal.entries.get(name)
    return entry.settings if entry is not None else ""
