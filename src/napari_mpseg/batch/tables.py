"""The tables and the report of a batch, from the results that lie in its folder."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_mpseg.batch.filters import CountedImage
from napari_mpseg.batch.markup import failed_section, samples_section
from napari_mpseg.batch.metadata import Metadata, sample_title
from napari_mpseg.batch.numbers import written_number
from napari_mpseg.batch.outcome import DONE, FAILED, BatchOutcome, ImageOutcome
from napari_mpseg.batch.samples import SampleCounts, count_samples
from napari_mpseg.batch.summary import SummedImage, images_frame
from napari_mpseg.errors import MpsegError, StoreError
from napari_mpseg.exchange.names import file_stem
from napari_mpseg.files import finished_together
from napari_mpseg.particles.sizes import SizeClasses
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback, silent
from napari_mpseg.provenance import Provenance
from napari_mpseg.reports.builder import ENDINGS as REPORT
from napari_mpseg.reports.builder import ReportBuilder
from napari_mpseg.reports.item import ReportItem, ReportSettings
from napari_mpseg.reports.loading import measured_files
from napari_mpseg.results.saving import ENDINGS

if TYPE_CHECKING:
    import pandas as pd

_NAMES = {
    **{f"report_{part}": f"batch_report{ending}" for part, ending in REPORT.items()},
    "summary": "batch_summary.csv",
    "samples": "batch_samples.csv",
    "record": "batch_run.json",  # the last to be put in its place
}
_REPORT_PARTS = tuple(f"report_{part}" for part in REPORT)
_PLOTS = ("size-distribution",)


@dataclass(frozen=True)
class ToSum:
    """One image that is to be in the tables.

    Attributes
    ----------
    outcome : ImageOutcome
    metadata : Metadata
    settings : str
        Digest of the settings it was made with.
    """

    outcome: ImageOutcome
    metadata: Metadata
    settings: str = ""


@dataclass(frozen=True)
class TableSettings:
    """How the tables are made.

    Attributes
    ----------
    sizes : SizeClasses or None
        Size classes; None takes those that fit the pixel size.
    title : str
        Heading of the report.
    """

    sizes: SizeClasses | None = None
    title: str = ""


def batch_paths(out: Path) -> dict[str, Path]:
    """Return where the tables, the report and the record of a batch lie."""
    return {part: out / name for part, name in _NAMES.items()}


def write_tables(
    images: Sequence[ToSum],
    out: Path,
    settings: TableSettings,
    record: Mapping[str, Any],
    notes: Sequence[str],
    *,
    on_progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
) -> BatchOutcome:
    """Write ``batch_summary.csv``, ``batch_samples.csv``, ``batch_report.html`` and ``batch_run.json``; all or none.

    Parameters
    ----------
    images : sequence of ToSum
        In the order of the tables.
    out : Path
        Folder of the batch.
    settings : TableSettings
    record : mapping
        Settings of the batch, for its record.
    notes : sequence of str
        What is known beside.
    on_progress, cancel
        See :mod:`napari_mpseg.progress`.

    Raises
    ------
    StoreError
        If the place cannot be written.
    Cancelled
        If `cancel` was set.
    """
    cancel = cancel or CancelToken()
    title = settings.title or f"Batch of {len(images)} image{'' if len(images) == 1 else 's'}"
    builder = ReportBuilder(ReportSettings(title, settings.sizes, pattern=(), plots=_PLOTS, brief=True))
    paths = batch_paths(out)
    with finished_together(paths, overwrite=True, optional=_REPORT_PARTS) as parts:
        summed = []
        for done, image in enumerate(images):
            cancel.check()
            on_progress(Progress("Summing up", done, len(images), "images"))
            summed.append(_summed(image, out, builder, cancel))
        on_progress(Progress("Summing up", len(images), len(images), "images"))
        frame = images_frame(summed)
        counted = count_samples([CountedImage(one.outcome.name, one.metadata, one.counts) for one in summed])
        told = (*notes, *counted.notes, *_versions(builder))
        _write(parts, frame, counted, builder, summed, told, cancel)
        outcomes = tuple(one.outcome for one in summed)
        _write_record(parts["record"], record, outcomes, settings, told)
        cancel.check()
    shown = {part: path for part, path in paths.items() if part in ("summary", "samples", "record")}
    if builder.summaries:
        shown["report"] = paths["report_html"]
    return BatchOutcome(outcomes, shown, told, frame, counted.frame)


def _summed(image: ToSum, out: Path, builder: ReportBuilder, cancel: CancelToken) -> SummedImage:
    """Read the results of an image and add them to the report."""
    if image.outcome.status != DONE:
        return SummedImage(image.outcome, image.metadata, image.settings)
    try:
        item = _item(image, out)
        summary = builder.add(item, cancel=cancel)
    except MpsegError as error:
        outcome = replace(image.outcome, status=FAILED, message=f"Its results cannot be read: {error}")
        return SummedImage(outcome, image.metadata, image.settings)
    return SummedImage(image.outcome, image.metadata, image.settings, summary)


def _item(image: ToSum, out: Path) -> ReportItem:
    """Return an image's particles: those of its newest table, with what a person decided on them."""
    store = out / f"{file_stem(image.outcome.name)}{ENDINGS['store']}"
    if not store.exists():
        raise StoreError(f"{store} is not there any more. Run the batch again.")
    about = image.metadata
    sample = sample_title(about.sample, about.is_blank) if about.sample else ""
    return replace(measured_files(store)[0].item(), name=image.outcome.name, sample=sample)


def _write(
    parts: Mapping[str, Path],
    frame: "pd.DataFrame",
    counted: SampleCounts,
    builder: ReportBuilder,
    summed: Sequence[SummedImage],
    notes: Sequence[str],
    cancel: CancelToken,
) -> None:
    frame.to_csv(parts["summary"], index=False, encoding="utf-8", float_format=written_number)
    counted.frame.to_csv(parts["samples"], index=False, encoding="utf-8", float_format=written_number)
    if builder.summaries:
        failed = [one.outcome for one in summed if one.outcome.status != DONE]
        first = [failed_section(failed, notes), samples_section(counted.frame, _samples(summed))]
        builder.write({part: parts[f"report_{part}"] for part in REPORT}, first, cancel)


def _samples(summed: Sequence[SummedImage]) -> set[str]:
    """Return the names of samples, without those of images that stand for themselves."""
    return {one.metadata.sample for one in summed if one.metadata.sample}


def _write_record(
    path: Path,
    record: Mapping[str, Any],
    outcomes: Sequence[ImageOutcome],
    settings: TableSettings,
    notes: Sequence[str],
) -> None:
    sizes = settings.sizes.text if settings.sizes is not None else None
    images = [
        {"name": one.name, "path": str(one.path), "status": one.status, "message": one.message} for one in outcomes
    ]
    told = Provenance("batch", {**record, "sizes": sizes}, {"images": images}).to_dict()
    told["notes"] = list(notes)
    path.write_text(json.dumps(told, indent=2, ensure_ascii=False, default=str) + "\n", encoding="utf-8")


def _versions(builder: ReportBuilder) -> list[str]:
    versions = sorted({str(one.provenance["version"]) for one in builder.summaries if one.provenance.get("version")})
    return [f"The images were done with several versions: {', '.join(versions)}."] if len(versions) > 1 else []
