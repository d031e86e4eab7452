"""``napari-mpseg export``: particles in the formats of other programs."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_mpseg.commands.arguments import add_pixel_size, add_quiet
from napari_mpseg.commands.command import Command
from napari_mpseg.commands.console import console_work, say
from napari_mpseg.errors import SettingsError, StoreError

if TYPE_CHECKING:
    from napari_mpseg.particles.review.audit import AuditRecord
    from napari_mpseg.reports.loading import MeasuredFiles


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "result",
        metavar="RESULT",
        help="a folder that 'segment' or 'measure' wrote into, one NAME.ome.zarr of it, labels that napari saved with "
        "their table, or a table (CSV or Parquet)",
    )
    parser.add_argument(
        "--format",
        action="append",
        required=True,
        metavar="FORMAT",
        dest="formats",
        help="csv, parquet, imagej-results, imagej-rois, coco or coco-results; may be repeated",
    )
    parser.add_argument(
        "--labels",
        type=Path,
        metavar="LABELS",
        help="the labels the table was measured on, for a table without a store",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the files")
    parser.add_argument("--all", action="store_true", dest="everything", help="write particles too that were not kept")
    add_pixel_size(parser)
    parser.add_argument("--overwrite", action="store_true", help="replace files of an earlier export")
    add_quiet(parser)


def run(options: argparse.Namespace) -> None:
    """Write the files and say which."""
    from napari_mpseg.exchange.export import export
    from napari_mpseg.reports.loading import measured_files

    images = measured_files(options.result)
    if options.labels is not None and len(images) > 1:
        names = ", ".join(image.table.name for image in images)
        raise SettingsError(f"{options.result} holds several tables ({names}). With --labels, give one of them.")
    audits = [image.audit() for image in images]
    _check_places(images, audits, options)
    with console_work(options.quiet) as (on_progress, cancel):
        # all are opened before the first is written
        tables = [image.item(calibration=options.pixel_size).table for image in images]
        labels = [_labels(image, options) for image in images]
        for image, table, drawn, audit in zip(images, tables, labels, audits, strict=True):
            paths = export(
                table,
                options.out,
                image.name,
                options.formats,
                labels=drawn,
                audit=audit,
                everything=options.everything,
                overwrite=options.overwrite,
                on_progress=on_progress,
                cancel=cancel,
            )
            left_out = 0 if options.everything else len(table) - len(table.kept())
            more = f", {left_out} not kept and left out" if left_out else ""
            say(f"Particles {len(table) - left_out}{more}")
            for path in paths.values():
                say(f"File      {path}")


def _check_places(
    images: "Sequence[MeasuredFiles]", audits: "Sequence[AuditRecord]", options: argparse.Namespace
) -> None:
    """Refuse all images where one of them could not be written: half an export looks like a whole one."""
    from napari_mpseg.exchange.export import export_paths

    taken: dict[Path, str] = {}
    there = []
    for image, audit in zip(images, audits, strict=True):
        for path in export_paths(
            options.out, image.name, options.formats, audit=bool(len(audit) or audit.unread)
        ).values():
            if path in taken:
                raise StoreError(f"{image.name} and {taken[path]} would both become {path}. Export one of them alone.")
            taken[path] = image.name
            there += [str(path)] if os.path.lexists(path) else []
    if there and not options.overwrite:
        raise StoreError(f"{', '.join(there)}: already there. Choose another --out, or give --overwrite.")


def _labels(image: "MeasuredFiles", options: argparse.Namespace) -> Any:
    """Return the labels, if a format needs them: those given, or those in the result store."""
    from napari_mpseg.exchange.export import EXPORTS
    from napari_mpseg.results.labels_file import open_labels

    if not any(EXPORTS[name].needs_labels for name in options.formats):
        return None
    found = open_labels(options.labels) if options.labels is not None else image.labels()
    if found is None:
        raise SettingsError(
            f"There is no result store beside {image.table}. Give the labels it was measured on: --labels LABELS.tif"
        )
    return found.data


COMMAND = Command(
    "export",
    "write measured particles as tables, for ImageJ (Results table, ROIs) and as COCO's JSON",
    configure,
    run,
    """\
Write particles into DIR, in one or more formats:
  csv             the table as text
  parquet         the table with units, pixel size and provenance inside
  imagej-results  the table under ImageJ's column names, to be opened in ImageJ
  imagej-rois     outlines for ImageJ's ROI Manager (needs: pip install "napari-mpseg[imagej]")
  coco            COCO's JSON of instances: polygons, boxes, areas, classes as categories
  coco-results    COCO's list of results with scores, for its evaluation
NAME_export.json beside them holds settings, definitions and versions; NAME_audit.jsonl and
NAME_audit.csv what a reviewer changed, where the labels were saved with a record of it.""",
)
