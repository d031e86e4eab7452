"""``napari-mpseg segment``: find and measure the particles of an image."""

import argparse
from pathlib import Path
from typing import Any

from napari_mpseg.commands.arguments import add_pixel_size, add_quiet, channel_choice, count, planes, probability
from napari_mpseg.commands.command import Command
from napari_mpseg.commands.console import console_work, say


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("image", metavar="IMAGE", help="TIFF, OME-TIFF, OME-Zarr, zarr, PNG or JPEG")
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder for the results")
    parser.add_argument(
        "--method", default="default", metavar="NAME", help="a method (see 'napari-mpseg methods') or a model folder"
    )
    parser.add_argument(
        "--threshold", type=probability, metavar="P", help="probability above which pixels are particle"
    )
    parser.add_argument("--min-size", type=count, default=3, metavar="PX", help="drop particles of fewer pixels")
    add_pixel_size(parser)
    parser.add_argument(
        "--channels", type=channel_choice, metavar="LIST", help="names or numbers from 0, such as red or 0,2"
    )
    parser.add_argument(
        "--plane", type=planes, metavar="N", help="which plane of a stack, from 0 (one number per axis)"
    )
    parser.add_argument("--all-planes", action="store_true", help="segment every plane of a stack")
    parser.add_argument("--connectivity", type=int, choices=(4, 8), default=8, help="neighbours that join pixels")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"), help="where to compute")
    parser.add_argument("--tile-size", type=count, metavar="PX", help="side of a tile; less needs less memory")
    parser.add_argument("--overwrite", action="store_true", help="replace earlier results of this image")
    add_quiet(parser)


def run(options: argparse.Namespace) -> None:
    """Segment, write, and print the summary."""
    from napari_mpseg.errors import SettingsError
    from napari_mpseg.images.open import open_planes
    from napari_mpseg.pipeline import segment

    if options.all_planes and options.plane is not None:
        raise SettingsError("--plane and --all-planes exclude each other; give one of them.")
    sources: list[Any] = [options.image]
    if options.all_planes:
        sources = list(open_planes(options.image, channels=options.channels, calibration=options.pixel_size))
    with console_work(options.quiet) as (on_progress, cancel):
        for source in sources:
            result = segment(
                source,
                options.method,
                out=options.out,
                overwrite=options.overwrite,
                threshold=options.threshold,
                min_size=options.min_size,
                connectivity=2 if options.connectivity == 8 else 1,
                channels=None if options.all_planes else options.channels,
                plane=options.plane,
                calibration=None if options.all_planes else options.pixel_size,
                device=options.device,
                tile_size=options.tile_size or None,
                on_progress=on_progress,
                cancel=cancel,
            )
            say(result.summary())
            say(f"Results   {options.out}")


COMMAND = Command(
    "segment",
    "find and measure the particles of an image",
    configure,
    run,
    "Find the particles of an image of any size, measure them, and write into DIR: NAME.ome.zarr (probability and "
    "labels), NAME_particles.csv and .parquet (one row per particle), NAME_overlay.png and NAME_run.json (settings "
    "and versions).",
)
