"""``napari-mpseg demo``: the main job on a made-up filter."""

import argparse
from pathlib import Path

from napari_mpseg.commands.arguments import add_quiet, count, side
from napari_mpseg.commands.command import Command
from napari_mpseg.commands.console import console_work, say


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("image", metavar="IMAGE", nargs="?", help="a filter image of your own instead of a made-up one")
    parser.add_argument("--out", type=Path, default=Path("mpseg-demo"), metavar="DIR", help="folder for the results")
    parser.add_argument("--size", type=side, default=4096, metavar="PX", help="side of the made-up filter")
    parser.add_argument("--seed", type=count, default=7, help="another seed makes another filter")
    parser.add_argument("--overwrite", action="store_true", help="replace earlier results of IMAGE")
    add_quiet(parser)


def run(options: argparse.Namespace) -> None:
    """Make or take a filter, segment it, and say how well it went where the truth is known."""
    from napari_mpseg.pipeline import segment
    from napari_mpseg.results.saving import check_places, result_paths

    made = result_paths(options.out, "demo_filter")
    with console_work(options.quiet) as (on_progress, cancel):
        if options.image:
            result = segment(
                options.image, out=options.out, overwrite=options.overwrite, on_progress=on_progress, cancel=cancel
            )
            say(result.summary())
        else:
            from napari_mpseg.commands.demo_filter import score, write_filter

            check_places(made, overwrite=True)
            filter_file, truth = write_filter(options.out, options.size, options.seed, on_progress, cancel)
            result = segment(filter_file, out=options.out, overwrite=True, on_progress=on_progress, cancel=cancel)
            say(result.summary())
            say(score(result, truth))
    say(f"Results   {options.out.absolute()}")
    for path in result_paths(options.out, result.image.name).values():
        if path.exists():  # some parts only some methods write
            say(f"  {path.name}")


COMMAND = Command(
    "demo",
    "try the main job on a made-up stitched filter",
    configure,
    run,
    """\
Make a synthetic stitched filter (or take IMAGE), segment it with the bundled network,
measure, and write labels, table and overlay picture into DIR. An earlier made-up
filter in DIR and its results are replaced.""",
)
