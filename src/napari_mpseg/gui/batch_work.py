"""What the batch widget asks of the core, in a thread: what there is to do, and to do it. No Qt here."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_mpseg.errors import MpsegError
from napari_mpseg.gui.batch_words import in_settings, made_otherwise, said_here, said_of, with_name, with_place
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback

if TYPE_CHECKING:
    from napari_mpseg.batch.metadata import Metadata
    from napari_mpseg.batch.outcome import BatchOutcome, ImageOutcome
    from napari_mpseg.batch.plan import BatchItem, BatchPlan
    from napari_mpseg.batch.settings import BatchSettings

WAITING, HALF_DONE, FAILED = "waiting", "half done", "failed"
MADE_OTHERWISE = "made otherwise"
UNKNOWN = "unknown"  # of pixel sizes
SHARE = "share"  # unit of progress over all images
_FINEST = 1_000_000  # parts of the whole that progress is told in


@dataclass(frozen=True)
class Request:
    """What the form says.

    Attributes
    ----------
    inputs : tuple of str
        Folders, files, patterns of names.
    out : str
        Folder of the results.
    settings : BatchSettings
    pattern, sheet : str or None
        Where the columns come from.
    overwrite : bool
        Do again what was made with other settings.
    """

    inputs: tuple[str, ...]
    out: str
    settings: BatchSettings
    pattern: str | None = None
    sheet: str | None = None
    overwrite: bool = False

    def for_batch(self) -> dict[str, Any]:
        """Return keyword arguments of the functions of the core."""
        return {
            "inputs": list(self.inputs),
            "out": self.out,
            "settings": self.settings,
            "pattern": self.pattern,
            "sheet": self.sheet,
            "overwrite": self.overwrite,
        }


@dataclass(frozen=True)
class BatchRow:
    """One image, as the table shows it.

    Attributes
    ----------
    path : Path
    name : str
        What its results are called.
    values : mapping of str to str
        Of its file name or of the sheet, by column.
    size, size_tip : str
        Of a pixel, and of the image.
    state, tip : str
        What has become of it, and why.
    pixels : int
        How many it has; 0 where that is not known.
    has_result : bool
        Whether there is a result to look at, made as now or otherwise.
    """

    path: Path
    name: str
    values: Mapping[str, str] = field(default_factory=dict)
    size: str = ""
    size_tip: str = ""
    state: str = WAITING
    tip: str = ""
    pixels: int = 0
    has_result: bool = False


@dataclass(frozen=True)
class Looked:
    """What there is to do.

    Attributes
    ----------
    rows : tuple of BatchRow
    notes : tuple of str
        Files left out, names that do not fit the pattern, and so on.
    problem : str
        Why nothing can be started; empty if it can.
    parallel : str
        ``"chunks"`` or ``"images:N"``.
    """

    rows: tuple[BatchRow, ...] = ()
    notes: tuple[str, ...] = ()
    problem: str = ""
    parallel: str = "chunks"


def look_up(request: Request, *, on_progress: ProgressCallback, cancel: CancelToken) -> Looked:
    """Find the images, what they are of, and what is done already; what is wrong is told, not raised.

    Parameters
    ----------
    request : Request
    on_progress, cancel
        As everywhere.

    Raises
    ------
    Cancelled
        If `cancel` was set.
    """
    from napari_mpseg.batch.plan import look_batch

    try:
        plan = look_batch(**request.for_batch(), on_progress=on_progress, cancel=cancel)
    except MpsegError as error:
        cancel.check()
        return Looked(problem=said_here(error))
    rows = tuple(_row(item, Path(request.out)) for item in plan.items)
    return Looked(rows, plan.notes, _problem(plan, request), plan.parallel)


def _problem(plan: BatchPlan, request: Request) -> str:
    """Return why a batch cannot be done, in the words of the form; empty if it can."""
    from napari_mpseg.batch.differences import OtherSettingsError
    from napari_mpseg.batch.plan import OTHER

    if plan.problem is None:
        return ""
    if isinstance(plan.problem, OtherSettingsError):
        others = [item for item in plan.items if item.state == OTHER]
        return made_otherwise(others[0].differences, len(others))
    return with_place(said_here(plan.problem), request.settings.runtime)


def do_batch(
    request: Request, on_image: Callable[[ImageOutcome], None], *, on_progress: ProgressCallback, cancel: CancelToken
) -> BatchOutcome:
    """Do a batch, or go on with it; see :func:`~napari_mpseg.batch.run.run_batch`.

    Progress over pixels comes as a share of the whole: all pixels of a folder are more than a progress bar can count.
    """
    from napari_mpseg.batch.run import run_batch

    def tell(event: Progress) -> None:
        if event.unit == "px" and event.total:
            event = Progress(event.stage, _FINEST * event.done // event.total, _FINEST, SHARE)
        on_progress(event)

    return run_batch(**request.for_batch(), on_image=on_image, on_progress=tell, cancel=cancel)


def sum_up(request: Request, *, on_progress: ProgressCallback, cancel: CancelToken) -> BatchOutcome:
    """Make tables and report of what is done; see :func:`~napari_mpseg.batch.run.summarise_batch`."""
    from napari_mpseg.batch.run import summarise_batch

    about: dict[str, Any] = {"pattern": request.pattern, "sheet": request.sheet}
    return summarise_batch(request.out, **about, on_progress=on_progress, cancel=cancel)


class Running:
    """Tells from the progress over all images how far those at work are.

    Parameters
    ----------
    rows : sequence of BatchRow
    parallel : str
        How many images are done at once: ``"chunks"`` is one.
    """

    def __init__(self, rows: Sequence[BatchRow], parallel: str) -> None:
        self._left = {row.path: row.pixels for row in rows if row.state in (WAITING, HALF_DONE)}
        self.total, self.ended = len(rows), len(rows) - len(self._left)
        self._pixels, self._done = sum(self._left.values()), 0
        _, _, number = parallel.partition(":")
        self.at_once = int(number or 1)

    def end(self, path: Path) -> None:
        """Note that an image is done, or has failed."""
        if path in self._left:
            self._done += self._left.pop(path)
            self.ended += 1

    def states(self, event: Progress | None = None) -> dict[Path, str]:
        """Return what to say of each image at work."""
        begun = list(self._left)[: self.at_once]
        pixels = self._left[begun[0]] if begun else 0
        if event is None or self.at_once > 1 or not pixels:
            return dict.fromkeys(begun, "running")
        share = (event.fraction * self._pixels - self._done) / pixels
        return {begun[0]: f"{min(99, max(0, round(100 * share)))} %"}


def state_of(outcome: ImageOutcome) -> tuple[str, str]:
    """Return what to say of an image that has ended, and why."""
    if outcome.failed:
        return FAILED, said_of(outcome.message, outcome.path)
    tip = "Done by an earlier run. " if outcome.earlier else ""
    if outcome.seconds is not None and not outcome.earlier:
        tip = f"It took {outcome.seconds:.3g} s. "
    return (_counted(outcome.particles), f"{tip}Double click to look at it.") if outcome.status == "done" else ("", "")


def in_words(outcome: BatchOutcome) -> list[str]:
    """Return what a batch gave, a sentence each: images and particles, what is left, failures."""
    done = [one for one in outcome.images if one.status == "done"]
    lines = [f"{_number(len(done), 'image')} done, {_counted(sum(one.particles or 0 for one in done))}."]
    undone = sum(one.status == "not done" for one in outcome.images)
    if undone:
        lines.append(f"{_number(undone, 'image')} not done yet: Go on does the rest.")
    if outcome.failures:
        first = outcome.failures[0]
        told = with_name(first.path, said_of(first.message, first.path))
        lines.append(
            f"1 failed: {told}"
            if len(outcome.failures) == 1
            else f"{len(outcome.failures):,} failed, the first: {told}"
        )
    return lines


def store_of(out: str, name: str) -> Path:
    """Return where the result store of an image is, once it is done."""
    from napari_mpseg.results.saving import result_paths

    return result_paths(Path(out), name)["store"]


def _row(item: BatchItem, out: Path) -> BatchRow:
    count = _count_of(out, item.name)
    state, tip = _state(item, count)
    size = size_tip = ""
    if item.shape is not None:
        size_tip = f"{item.shape[0]:,} × {item.shape[1]:,} px"
    if item.calibration is not None:
        known = item.calibration.calibrated
        size = str(item.calibration).removesuffix(" per pixel").replace("um", "µm") if known else UNKNOWN
        size_tip += "" if known else ". Give a pixel size below, or all sizes are in pixels."
    about, has_result = _columns(item.metadata), item.state in ("done", MADE_OTHERWISE) or bool(item.differences)
    return BatchRow(item.path, item.name, about, size, size_tip, state, tip, item.pixels, has_result)


def _state(item: BatchItem, count: int | None) -> tuple[str, str]:
    """Return what to say of an image that is not at work, and why."""
    from napari_mpseg.batch import plan

    otherwise = f"Made otherwise: {in_settings(item.differences)}." if item.differences else ""
    found = "" if count is None else _counted(count)
    if item.state == plan.REFUSED:
        return FAILED, said_of(item.message, item.path)
    if item.state == plan.OTHER:
        look = " Double click to look at it." if found else ""
        return (f"{found}, {MADE_OTHERWISE}" if found else MADE_OTHERWISE), f"{otherwise}{look}"
    if item.state == plan.HALF_DONE:
        return HALF_DONE, "It goes on from there."
    if item.state == plan.DONE:
        return _counted(count), "Done by an earlier run. Double click to look at it."
    again = f"{otherwise} {found[:1].upper()}{found[1:]} so far. It is done again." if otherwise and found else ""
    return WAITING, again


def _columns(metadata: Metadata) -> dict[str, str]:
    """Return what is known of an image, as texts by heading."""
    volume, filtered, imaged = metadata.volume_l, metadata.filter_area_mm2, metadata.imaged_area_mm2
    found = {
        "sample": metadata.sample,
        "replicate": metadata.replicate,
        "volume (L)": "" if volume is None else f"{volume:g}",
        "blank": "yes" if metadata.is_blank else "",
        "filter area (mm²)": "" if filtered is None else f"{filtered:g}",
        "imaged area (mm²)": "" if imaged is None else f"{imaged:g}",
    }
    return {**{name: text for name, text in found.items() if text}, **metadata.more}


def _count_of(out: Path, name: str) -> int | None:
    from napari_mpseg.results.saving import result_paths

    try:
        return int(json.loads(result_paths(out, name)["record"].read_text(encoding="utf-8"))["particles"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _counted(particles: int | None) -> str:
    return "done" if particles is None else _number(particles, "particle")


def _number(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
