"""``napari-mpseg segment``: find and measure the particles of an image."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from napari_mpseg.commands.arguments import add_quiet
from napari_mpseg.commands.command import Command
from napari_mpseg.commands.console import console_work, say
from napari_mpseg.commands.method_options import method_options
from napari_mpseg.commands.segment_arguments import add_method, add_segmenting, augmentation_names, neighbours

if TYPE_CHECKING:
    from napari_mpseg.images.image import Image


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("image", metavar="IMAGE", help="TIFF, OME-TIFF, OME-Zarr, zarr, PNG or JPEG")
    parser.add_argument(
        "--out", required=True, type=Path, metavar="DIR", help="folder for the results; made if it is not there"
    )
    add_method(parser)
    parser.add_argument(
        "--input",
        action="append",
        default=[],
        metavar="NAME=FILE",
        help="what the method must be given beside the image: painted=STROKES.tif, seeds=POINTS.csv",
    )
    add_segmenting(parser)
    parser.add_argument("--all-planes", action="store_true", help="segment every plane of a stack, one after the other")
    parser.add_argument("--overwrite", action="store_true", help="replace earlier results of this image")
    parser.add_argument(
        "--restart", action="store_true", help="throw away what an unfinished run has done, and start anew"
    )
    add_quiet(parser)


def run(options: argparse.Namespace) -> None:
    """Segment, write, and print the summary of each image."""
    from napari_mpseg.errors import SettingsError
    from napari_mpseg.pipeline import segment

    if options.all_planes and options.plane is not None:
        raise SettingsError("--plane and --all-planes exclude each other; give one of them.")
    given = method_options(options.method, options.set, options.input)
    with console_work(options.quiet) as (on_progress, cancel):
        for number, source in enumerate(_sources(options)):
            result = segment(
                source,
                options.method,
                options=given,
                background=options.background,
                out=options.out,
                overwrite=options.overwrite,
                threshold=options.threshold,
                min_size=options.min_size,
                connectivity=neighbours(options),
                channels=None if options.all_planes else options.channels,
                plane=options.plane,
                calibration=None if options.all_planes else options.pixel_size,
                device=options.device,
                rescale=options.rescale,
                tta=augmentation_names(options.tta),
                tile_size=options.tile_size,
                runtime=options.runtime,
                skip_empty=options.skip_empty,
                scheduler=options.scheduler,
                restart=options.restart,
                rules=options.rules,
                on_progress=on_progress,
                cancel=cancel,
            )
            say(("\n" if number else "") + result.summary())
    say(f"Results   {options.out}")


def _sources(options: argparse.Namespace) -> "Iterator[str | Image]":
    """Give the image, or every plane of the stack once none of their results is in the way."""
    if not options.all_planes:
        yield options.image
        return
    from napari_mpseg.images.open import open_planes
    from napari_mpseg.results.result_store import refuse_results
    from napari_mpseg.results.saving import check_places, result_paths

    refuse_results(options.image)
    images = open_planes(options.image, channels=options.channels, calibration=options.pixel_size)
    for image in images:
        check_places(result_paths(options.out, image.name), source=image.source, overwrite=options.overwrite)
    yield from images


COMMAND = Command(
    "segment",
    "find and measure the particles of an image",
    configure,
    run,
    """\
Find the particles of an image of any size, measure them, and write into DIR:
  NAME_particles.csv, NAME_particles.parquet   one row per particle
  NAME_overlay.png                             the image with the particles ringed
  NAME.ome.zarr                                labels and probability, for napari and other tools
  NAME_run.json                                all settings and versions
Nothing is replaced unless --overwrite is given. If it is stopped or killed, the same command
goes on from what it had finished, which lies in DIR/NAME.unfinished until then.""",
)
