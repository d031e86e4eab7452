"""``napari-mpseg report``: one page on the particles of one image or many."""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from napari_mpseg.commands.arguments import add_pixel_size, add_quiet, side
from napari_mpseg.commands.command import Command
from napari_mpseg.commands.console import console_work, say

if TYPE_CHECKING:
    from napari_mpseg.reports.item import ReportItem, ReportSettings


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "results",
        metavar="RESULT",
        nargs="+",
        help="a folder that 'segment' or 'measure' wrote into, one NAME.ome.zarr of it, or a table (CSV or Parquet)",
    )
    parser.add_argument("--out", type=Path, default=Path(), metavar="DIR", help="folder for the report")
    parser.add_argument("--name", default="report", metavar="NAME", help="what the files' names begin with")
    parser.add_argument("--title", default="Particle report", metavar="TEXT", help="heading of the report")
    parser.add_argument(
        "--sizes",
        metavar="BORDERS",
        help="size classes, such as '20, 50, 100, 500 um'; without, those that fit the pixel size",
    )
    parser.add_argument(
        "--rules",
        metavar="NAME",
        help="rule set in place of the classes in the table, such as mp-vat or four-shapes; classes of yours stay",
    )
    parser.add_argument(
        "--pattern", action="append", metavar="TEST", help="test of the point pattern (may be repeated), or 'none'"
    )
    parser.add_argument("--plot", action="append", metavar="PLOT", help="a plot (may be repeated), or 'none'")
    parser.add_argument(
        "--shape",
        nargs=2,
        type=side,
        metavar=("H", "W"),
        help="height and width of the images in pixels, for tables alone",
    )
    add_pixel_size(parser)
    parser.add_argument("--overwrite", action="store_true", help="replace an earlier report")
    add_quiet(parser)


def run(options: argparse.Namespace) -> None:
    """Write the report and say where it is."""
    from napari_mpseg.reports.report import write_report

    settings = _settings(options)
    with console_work(options.quiet) as (on_progress, cancel):
        paths = write_report(
            _items(options),
            options.out,
            settings,
            name=options.name,
            overwrite=options.overwrite,
            on_progress=on_progress,
            cancel=cancel,
        )
    say(f"Report    {paths['html']}")
    say(f"Tables    {paths['images']}, {paths['counts'].name}")


def _settings(options: argparse.Namespace) -> "ReportSettings":
    from napari_mpseg.particles.sizes import SizeClasses
    from napari_mpseg.reports.item import ReportSettings

    settings = ReportSettings(
        title=options.title,
        sizes=SizeClasses.parse(options.sizes) if options.sizes else None,
        rules=options.rules,
    )
    if options.pattern:
        settings = replace(settings, pattern=_chosen(options.pattern))
    return replace(settings, plots=_chosen(options.plot)) if options.plot else settings


def _chosen(names: list[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name != "none")


def _items(options: argparse.Namespace) -> "list[ReportItem]":
    from napari_mpseg.reports.loading import measured_files

    return [
        found.item(shape=tuple(options.shape) if options.shape else None, calibration=options.pixel_size)
        for given in options.results
        for found in measured_files(given)
    ]


COMMAND = Command(
    "report",
    "write a report on measured particles: counts, sizes, shapes, point pattern, plots",
    configure,
    run,
    """\
Write NAME.html, a page that needs no other file, and beside it NAME_images.csv (a row per image),
NAME_counts.csv (particles per class and size class) and NAME_settings.json. Particles that a reviewer
did not keep are left out.""",
)
