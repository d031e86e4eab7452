"""``napari-mpseg measure``: the particle table of a labels image."""

import argparse
from pathlib import Path

from napari_mpseg.commands.arguments import add_pixel_size, add_quiet
from napari_mpseg.commands.command import Command
from napari_mpseg.commands.console import console_work, say


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("labels", metavar="LABELS", help="labels image: 0 is background, each particle its own number")
    parser.add_argument("image", metavar="IMAGE", nargs="?", help="image of the same size, for intensities")
    parser.add_argument("--out", type=Path, default=Path(), metavar="DIR", help="folder for the table")
    add_pixel_size(parser)
    parser.add_argument("--overwrite", action="store_true", help="replace an earlier table")
    add_quiet(parser)


def run(options: argparse.Namespace) -> None:
    """Measure, write both tables, and print the counts."""
    from napari_mpseg.images.open import open_image
    from napari_mpseg.particles.measure import measure
    from napari_mpseg.particles.sizes import count_by_size
    from napari_mpseg.results.labels_file import open_labels
    from napari_mpseg.results.saving import refuse_existing, result_paths

    labels = open_labels(options.labels, options.pixel_size)
    image = open_image(options.image) if options.image else None
    calibration = labels.calibration
    if image is not None and options.pixel_size is None and not calibration.calibrated:
        calibration = image.calibration
    paths = {part: path for part, path in result_paths(options.out, labels.name).items() if part in ("csv", "parquet")}
    if not options.overwrite:
        refuse_existing(paths)
    with console_work(options.quiet) as (on_progress, cancel):
        table = measure(labels.data, image, calibration=calibration, on_progress=on_progress, cancel=cancel)
    table.to_csv(paths["csv"])
    table.to_parquet(paths["parquet"])
    say(f"{len(table)} particles, {calibration}")
    for name, number in count_by_size(table).items():
        say(f"  {name!s:>12}  {number:6d}")
    say(f"Table     {paths['csv']}")


COMMAND = Command(
    "measure",
    "measure the particles of a labels image",
    configure,
    run,
    "Measure size, shape and (with IMAGE) intensity of every labelled particle, and write LABELS_particles.csv and "
    ".parquet into DIR.",
)
