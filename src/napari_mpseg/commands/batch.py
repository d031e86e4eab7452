"""``napari-mpseg batch``: many images, one table."""

import argparse
import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_mpseg.commands.arguments import add_quiet
from napari_mpseg.commands.command import Command
from napari_mpseg.commands.console import console_work, say
from napari_mpseg.commands.method_options import method_options
from napari_mpseg.commands.segment_arguments import add_method, add_segmenting, augmentation_names, neighbours
from napari_mpseg.errors import MpsegError, SettingsError

if TYPE_CHECKING:
    from napari_mpseg.batch.outcome import BatchOutcome, ImageOutcome
    from napari_mpseg.batch.plan import BatchItem, BatchPlan
    from napari_mpseg.batch.settings import BatchSettings
    from napari_mpseg.calibration import Calibration
    from napari_mpseg.progress import Progress, ProgressCallback

_MOST_SAMPLES = 30  # lines on the terminal; all are in the table
_MOST_NOTES = 10
_TO_SUM_UP = ("out", "pattern", "sheet", "sizes", "title", "summary_only", "quiet")  # what --summary-only uses


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "images", metavar="IMAGES", nargs="*", help="folders, files, or patterns in quotes such as 'scans/**/*.tif'"
    )
    parser.add_argument(
        "--out", required=True, type=Path, metavar="DIR", help="folder for all results; made if it is not there"
    )
    add_method(parser)
    parser.add_argument(
        "--pattern",
        metavar="NAMES",
        help="what the files' names say, such as '{sample}_{replicate:digits}.tif' or '{site}/{sample}_*'",
    )
    parser.add_argument(
        "--sheet",
        type=Path,
        metavar="CSV",
        help="table with the columns file, sample, replicate, blank (yes or no), volume_l or volume_ml",
    )
    parser.add_argument(
        "--parallel",
        default="auto",
        metavar="HOW",
        help="images:N does N images at once, each in a process of its own; chunks does one after the other, its tiles "
        "in parallel; auto takes what suits",
    )
    parser.add_argument(
        "--sizes", metavar="BORDERS", help="size classes, such as '20, 50, 100 um'; without, those that fit"
    )
    parser.add_argument("--title", default="", metavar="TEXT", help="heading of the report")
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="do again the images whose results were made from another file or with other settings, and begin anew "
        "half-done ones that were begun otherwise, by another runtime say",
    )
    parser.add_argument(
        "--summary-only",
        action="store_true",
        help="segment nothing: make the tables again from the results in DIR, with what was decided on them since",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="do nothing: show what would be done, what is known, how long it takes"
    )
    add_segmenting(parser)
    add_quiet(parser)


def run(options: argparse.Namespace) -> int | None:
    """Do it, and say what became of it; 1 if an image failed."""
    from napari_mpseg.particles.sizes import SizeClasses

    if not options.images and not options.summary_only:
        raise SettingsError("Give the images: a folder, files, or a pattern such as 'scans/*.tif'.")
    if options.dry_run and options.summary_only:
        raise SettingsError("--dry-run and --summary-only exclude each other; give one of them.")
    if options.summary_only:
        _refuse_unused(options)
    about: dict[str, Any] = {"pattern": options.pattern, "sheet": options.sheet}
    tables: dict[str, Any] = {
        "sizes": SizeClasses.parse(options.sizes) if options.sizes else None,
        "title": options.title,
    }
    with console_work(options.quiet) as (on_progress, cancel):
        steps: dict[str, Any] = {"on_progress": _in_megapixels(on_progress), "cancel": cancel}
        if options.summary_only:
            from napari_mpseg.batch.run import summarise_batch

            return _tell(summarise_batch(options.out, **about, **tables, **steps), options.out)
        settings = _settings(options)
        if options.dry_run:
            return _show_plan(options, settings, about, steps)
        from napari_mpseg.batch.run import run_batch

        outcome = run_batch(
            options.images,
            options.out,
            settings,
            **about,
            **tables,
            **steps,
            overwrite=options.overwrite,
            on_image=None if options.quiet else _say_failure,
        )
    return _tell(outcome, options.out)


def _refuse_unused(options: argparse.Namespace) -> None:
    """Refuse what --summary-only makes no use of, which would be taken for done otherwise."""
    usual = argparse.ArgumentParser()
    configure(usual)
    defaults = vars(usual.parse_args(["--out", os.fspath(options.out)]))
    given = [name for name, value in defaults.items() if getattr(options, name) != value and name not in _TO_SUM_UP]
    if "images" in given:
        raise SettingsError("--summary-only sums up the latest batch in DIR; it takes no images. Leave them out.")
    if given:
        flags = [f"--{name.replace('_', '-')}" for name in given]
        told = " and ".join([", ".join(flags[:-1]), flags[-1]] if len(flags) > 1 else flags)
        raise SettingsError(f"--summary-only segments nothing, so {told} would change nothing. Leave it out.")


def _settings(options: argparse.Namespace) -> "BatchSettings":
    from napari_mpseg.batch.settings import BatchSettings

    tta = augmentation_names(options.tta)
    return BatchSettings(
        method=options.method,
        options=method_options(options.method, options.set, []),
        background=options.background,
        threshold=options.threshold,
        min_size=options.min_size,
        channels=tuple(options.channels) if options.channels is not None else None,
        plane=options.plane,
        connectivity=neighbours(options),
        pixel_size=_as_text(options.pixel_size),
        rules=options.rules,
        tta=tuple(tta) if tta is not None else None,
        rescale=options.rescale,
        tile_size=options.tile_size,
        device=options.device,
        runtime=None if options.runtime == "auto" else options.runtime,
        skip_empty=options.skip_empty,
        scheduler=options.scheduler,
        parallel=options.parallel,
    )


def _as_text(calibration: "Calibration | None") -> str | None:
    if calibration is None:
        return None
    height, width = calibration.pixel_size
    return f"{height!r}x{width!r}{calibration.unit}"


def _in_megapixels(on_progress: "ProgressCallback") -> "ProgressCallback":
    """Return what shows pixels by the million, or by the thousand where there are few."""

    def show(event: "Progress") -> None:
        if event.unit == "px":
            step, unit = (1_000_000, "Mpx") if event.total >= 100_000_000 else (1_000, "kpx")
            total = -(-event.total // step)
            done = total if event.done == event.total else event.done // step
            event = replace(event, done=done, total=total, unit=unit)
        on_progress(event)

    return show


def _say_failure(outcome: "ImageOutcome") -> None:
    if outcome.failed:
        say(f"Failed    {outcome.name}: {outcome.message}")


def _show_plan(
    options: argparse.Namespace, settings: "BatchSettings", about: Mapping[str, Any], steps: Mapping[str, Any]
) -> int | None:
    """Print what would be done."""
    from napari_mpseg.batch.estimate import estimate_seconds
    from napari_mpseg.batch.plan import REFUSED, plan_batch

    plan = plan_batch(options.images, options.out, settings, **about, **steps, overwrite=options.overwrite)
    for line in _aligned([_heads(plan), *(_cells(item, plan) for item in plan.items)]):
        say(line)
    for item in plan.items:
        if item.state == REFUSED:
            say(f"Refused   {item.name}: {item.message}")
    _say_notes(plan.notes)
    pixels = sum(item.pixels for item in plan.to_do)
    say(f"To do     {len(plan.to_do)} of {len(plan.items)} images, {pixels / 1e6:.4g} Mpx, {_way(plan.parallel)}")
    try:
        seconds = estimate_seconds(plan, settings, options.out, cancel=steps["cancel"])
    except MpsegError as error:
        say(f"Time      not known: {error}")
        return 1
    if seconds is not None:
        say(f"Time      about {_duration(seconds)}")
    return None


def _heads(plan: "BatchPlan") -> list[str]:
    return ["image", "state", "width x height", "pixel size", *_columns(plan)]


def _columns(plan: "BatchPlan") -> list[str]:
    """Return the columns of metadata that any image has."""
    return list(dict.fromkeys(name for item in plan.items for name in _known(item)))


def _cells(item: "BatchItem", plan: "BatchPlan") -> list[str]:
    known = _known(item)
    size = f"{item.shape[1]} x {item.shape[0]}" if item.shape else "-"
    calibrated = item.calibration is not None and item.calibration.calibrated
    pixel = str(item.calibration).removesuffix(" per pixel") if calibrated else "not known" if item.shape else "-"
    state = f"{item.state}, again" if item.again else item.state
    return [item.name, state, size, pixel, *(known.get(name, "-") for name in _columns(plan))]


def _known(item: "BatchItem") -> dict[str, str]:
    about = item.metadata
    found = {
        "sample": about.sample,
        "replicate": about.replicate,
        "blank": "yes" if about.is_blank else "",
        "volume_l": "" if about.volume_l is None else f"{about.volume_l:g}",
        "filter_area_mm2": "" if about.filter_area_mm2 is None else f"{about.filter_area_mm2:g}",
        "imaged_area_mm2": "" if about.imaged_area_mm2 is None else f"{about.imaged_area_mm2:g}",
        **about.more,
    }
    return {name: text for name, text in found.items() if text}


def _aligned(rows: list[list[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _tell(outcome: "BatchOutcome", out: Path) -> int | None:
    """Print what became of a batch, and return its exit code."""
    done = [one for one in outcome.images if one.status == "done"]
    before = sum(one.earlier for one in done)
    earlier = f" ({before} of them by an earlier run)" if before else ""
    undone = [one for one in outcome.images if one.status == "not done"]
    say(f"Images    {len(done)} of {len(outcome.images)} done{earlier}")
    rejected = int(outcome.summary["not_kept"].sum())
    say(f"Particles {int(outcome.summary['particles'].sum())}" + (f", and {rejected} not kept" if rejected else ""))
    _say_samples(outcome)
    _say_notes(outcome.notes)
    for one in outcome.failures:
        say(f"Failed    {one.name}: {one.message}")
    if undone:
        say(f"Not done  {len(undone)} images; the batch itself goes on with them")
    paths = outcome.paths
    say(f"Tables    {paths['summary']}, {paths['samples'].name}")
    if "report" in paths:
        say(f"Report    {paths['report']}")
    return 1 if outcome.failures else None


def _say_samples(outcome: "BatchOutcome") -> None:
    """Print a line per sample, where samples are known at all."""
    from napari_mpseg.batch.metadata import sample_title

    frame = outcome.samples[outcome.samples["size_class"] == "all"]
    if not (outcome.summary["sample"].fillna("") != "").any():
        return
    for row in frame.head(_MOST_SAMPLES).to_dict("records"):
        text = f"{_counted(row['replicates'], 'filter')}, {row['count_mean']:.4g} particles each"
        if abs(row["filter_mean"] - row["count_mean"]) > 0:
            text += f", {row['filter_mean']:.4g} on the whole filter"
        if row["corrected_mean"] == row["corrected_mean"] and row["blanks"] == row["blanks"]:
            text += f", {row['corrected_mean']:.4g} without the blanks'"
        if row["per_litre_mean"] == row["per_litre_mean"]:
            text += f", {row['per_litre_mean']:.4g} per litre"
            text += f" ({row['per_litre_low']:.4g} to {row['per_litre_high']:.4g})"
        if row["detection"]:
            text += f", {row['detection']}"
        say(f"Sample    {sample_title(row['sample'], row['blank'] == 'yes')}: {text}")
    if len(frame) > _MOST_SAMPLES:
        say(f"          and {len(frame) - _MOST_SAMPLES} more, in the table")


def _say_notes(notes: tuple[str, ...]) -> None:
    for note in notes[:_MOST_NOTES]:
        say(f"Note      {note}")
    if len(notes) > _MOST_NOTES:
        say(f"          and {len(notes) - _MOST_NOTES} more")


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _way(parallel: str) -> str:
    number = re.sub(r"\D", "", parallel)
    return f"{number} images at once" if number else "one image after the other"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


COMMAND = Command(
    "batch",
    "segment and measure many images: one table, one report, particles per litre",
    configure,
    run,
    """\
Segment and measure many images with the same settings. DIR gets the results of each, as 'segment' writes
them, and over all images:
  batch_summary.csv   one row per image: what it is of, what became of it, counts, density
  batch_samples.csv   per sample and size class: replicates, blanks subtracted, limit of detection, particles per litre
  batch_report.html   all of it on one page
  batch_run.json      settings and versions
An image that fails is reported, and the others go on; exit code 1 tells of it at the end. If it is stopped or
killed, the same command goes on from what is finished. With other settings it refuses to mix results.

examples:
  napari-mpseg batch scans --out results --pattern '{sample}_{replicate}' --pixel-size 2.5um
  napari-mpseg batch 'scans/**/*.tif' --out results --sheet samples.csv --method max-entropy
  napari-mpseg batch scans --out results --sheet samples.csv --dry-run
  napari-mpseg batch --summary-only --out results""",
)
