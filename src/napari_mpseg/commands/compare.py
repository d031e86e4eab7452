"""``napari-mpseg compare``: several methods over several images, in one table and one page."""

import argparse
from pathlib import Path

from napari_mpseg.commands.arguments import add_quiet, count, tile_side
from napari_mpseg.commands.command import Command
from napari_mpseg.commands.console import console_work, say
from napari_mpseg.comparison.spec_help import SPECS

_DESCRIPTION = """\
Run several methods on the same images, score them against the same truth, and write into DIR:
  comparison.html      the table with intervals, precision-recall picture, counts per size class, pictures of the
                       errors, times and memory, on one page that needs no other file
  comparison.csv       one row per method: every metric of all images together, its mean over the images, and its
                       interval from resampling the images (bootstrap)
  per_image.csv, size_classes.csv, figures/, comparison.json (settings and versions)
  cases/               what each method gave on each image: the same command goes on where it was stopped,
                       and with more methods or images it runs only those
DATA holds images and, in its folder 'labels', the truth of the same names; or folders fold_1, fold_2 ... of that form.
"""

_EXAMPLE = """
A model that learnt from an image it is scored on is marked with a star and never counts as the best; the models of a
cross-validation are each used only on the images that they were not trained on.

A case that fails is a note and stops no other; the command then ends with exit code 1, and the same command tries it
again.

example:
  napari-mpseg compare DATA/mpnet --particle-value 0 --out comparison \\
      --methods mp-vat mp-vat-2 otsu "Yen on red=yen:channel=red" models/crossval default"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    from napari_mpseg.evaluation.errors import ERROR_COLOURS

    parser.add_argument("data", type=Path, metavar="DATA", help="folder of images with 'labels', or of fold_* folders")
    parser.add_argument(
        "--methods", required=True, nargs="+", metavar="METHOD", help="what to compare, a row each; see above"
    )
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder for the comparison")
    parser.add_argument(
        "--metrics",
        nargs="+",
        metavar="NAME",
        help="columns: metrics, families (pixel, probability, particle, count, size) or all; 'napari-mpseg evaluate "
        "--list' explains them; without, the dozen that most need",
    )
    parser.add_argument("--particle-value", type=count, metavar="N", help="the value in labels that is particle")
    parser.add_argument("--images", type=_positive, metavar="N", help="only N images, taken evenly from all")
    parser.add_argument("--fold", metavar="NAME", help="fold that the images of a plain folder were made from")
    parser.add_argument("--min-size", type=_positive, default=3, metavar="PX", help="drop particles of fewer pixels")
    parser.add_argument(
        "--resamples", type=count, default=2000, metavar="N", help="samples of the images for intervals; 0 for none"
    )
    parser.add_argument("--seed", type=count, default=0, metavar="N", help="of these samples")
    parser.add_argument(
        "--colours",
        default="paper",
        choices=tuple(ERROR_COLOURS),
        help="of the errors: those of Baek et al. 2021 (true black, false red, missed green), or safe ones",
    )
    parser.add_argument("--title", default="Comparison of methods", metavar="TEXT", help="heading of the page")
    parser.add_argument("--keep", action="store_true", help="keep labels and probabilities in DIR/results")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"), help="where to compute")
    parser.add_argument("--tile-size", type=tile_side, metavar="PX", help="side of a tile")
    add_quiet(parser)


def run(options: argparse.Namespace) -> int | None:
    """Compare, print the table as Markdown, and say where the page is."""
    from napari_mpseg.comparison.run import compare

    with console_work(options.quiet) as (on_progress, cancel):
        comparison = compare(
            options.data,
            options.methods,
            options.out,
            metrics=options.metrics or (),
            min_size=options.min_size,
            particle_value=options.particle_value,
            count=options.images,
            group=options.fold or "",
            resamples=options.resamples,
            seed=options.seed,
            colours=options.colours,
            title=options.title,
            device=options.device,
            tile_size=options.tile_size,
            keep=options.keep,
            on_progress=on_progress,
            cancel=cancel,
        )
    say(comparison.to_markdown())
    say()
    for note in comparison.notes:
        say(f"Note      {note}")
    say(f"Page      {options.out / 'comparison.html'}")
    say(f"Tables    {options.out / 'comparison.csv'}, per_image.csv, size_classes.csv")
    return 1 if comparison.failures else None


def _positive(text: str) -> int:
    """Read a whole number of 1 or more for argparse."""
    if not text.isdecimal() or int(text[:18]) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 1 or more")
    return int(text)


COMMAND = Command(
    "compare",
    "several methods over several images: one table, one page",
    configure,
    run,
    f"{_DESCRIPTION}\n{SPECS}\n{_EXAMPLE}",
)
