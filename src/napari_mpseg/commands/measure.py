"""``napari-mpseg measure``: the particle table of a labels image."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_mpseg.commands.arguments import add_pixel_size, add_plane, add_quiet, add_rules
from napari_mpseg.commands.command import Command
from napari_mpseg.commands.console import console_work, say
from napari_mpseg.commands.decisions import keep_decisions
from napari_mpseg.errors import ImageError

if TYPE_CHECKING:
    from napari_mpseg.images.image import Image
    from napari_mpseg.particles.table import ParticleTable
    from napari_mpseg.progress import CancelToken, ProgressCallback


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "labels",
        metavar="LABELS",
        help="a result of 'segment' (NAME.ome.zarr), or any image file in which 0 is background and each particle has "
        "its own number",
    )
    parser.add_argument("image", metavar="IMAGE", nargs="?", help="image of the same size, for intensities")
    parser.add_argument("--out", type=Path, default=Path(), metavar="DIR", help="folder for the table")
    parser.add_argument(
        "--mask", action="store_true", help="LABELS is a mask: everything but 0 is particle; number connected pieces"
    )
    parser.add_argument(
        "--properties",
        nargs="+",
        metavar="NAME",
        help="what to measure: properties or sets (default, shape, intensity, imagej, all ...)",
    )
    parser.add_argument(
        "--perimeter",
        default="imagej",
        metavar="NAME",
        help="estimator of perimeter and circularity: imagej, or crofton, which does not depend on how particles lie",
    )
    add_rules(parser)
    add_pixel_size(parser)
    add_plane(parser)
    parser.add_argument("--overwrite", action="store_true", help="replace an earlier table")
    add_quiet(parser)


def run(options: argparse.Namespace) -> None:
    """Measure, write both tables, and print the counts."""
    from napari_mpseg.files import finished_together
    from napari_mpseg.images.open import open_image
    from napari_mpseg.results.labels_file import open_labels
    from napari_mpseg.results.saving import TABLES, check_places, result_paths
    from napari_mpseg.results.summary import class_lines, size_lines

    labels = open_labels(options.labels, options.pixel_size, options.plane)
    image = open_image(options.image, plane=labels.plane or None) if options.image else None
    if image is not None and options.pixel_size is None and not labels.calibration.calibrated:
        labels = labels.with_calibration(image.calibration)
    paths = {part: path for part, path in result_paths(options.out, labels.name).items() if part in TABLES}
    check_places(paths, overwrite=options.overwrite)
    with (
        console_work(options.quiet) as (on_progress, cancel),
        finished_together(paths, overwrite=options.overwrite) as parts,
    ):
        table = _measured(labels, image, options, on_progress, cancel)
        # what is to be replaced is there until the end
        table, decisions = keep_decisions(table, options.labels, paths.values(), renumbered=options.mask)
        table.to_csv(parts["csv"])
        table.to_parquet(parts["parquet"])
        cancel.check()
    say(f"Labels    {labels.name}: {labels.shape[1]} x {labels.shape[0]} px, {labels.calibration}")
    say(f"Particles {len(table)}")
    say("\n".join([*size_lines(table), *class_lines(table)]))
    if decisions:
        say(decisions)
    say(f"Table     {paths['csv']}")


def _measured(
    labels: "Image", image: Any, options: argparse.Namespace, on_progress: "ProgressCallback", cancel: "CancelToken"
) -> "ParticleTable":
    from napari_mpseg.commands.mask import label_pieces
    from napari_mpseg.particles.classes.rules import find_rules
    from napari_mpseg.particles.reviewable import RULES, measure_for_review

    how: dict[str, Any] = {
        "calibration": labels.calibration,
        "properties": options.properties,
        "perimeter": options.perimeter,
        "rules": find_rules(options.rules or RULES),
        "on_progress": on_progress,
        "cancel": cancel,
    }
    if not options.mask:
        _refuse_pictures(labels)
        table = measure_for_review(labels.data, image, **how)
        if len(table) == 1:
            pieces = label_pieces(labels, cancel=cancel).count
            if pieces > 1:
                raise ImageError(
                    f"{labels.source} holds a single label, {table.labels[0]}, in {pieces} pieces, so it looks like a "
                    "mask and would count as one particle. Give --mask to make every connected piece a particle."
                )
        return table
    numbered = label_pieces(labels, on_progress, cancel)
    return measure_for_review(numbered.labels, image, **how)


def _refuse_pictures(labels: "Image") -> None:
    if labels.data.ndim == 3:
        raise ImageError(
            f"{labels.source} is a picture with {labels.n_channels} channels, and labels have one number per pixel. "
            "If it is a mask, drawn in any colour on black, give --mask."
        )
    if labels.dtype == bool:
        raise ImageError(
            f"{labels.source} is a mask of yes and no, which does not say which pixels belong together. "
            "Give --mask to make every connected piece a particle."
        )


COMMAND = Command(
    "measure",
    "measure the particles of a labels image or a mask",
    configure,
    run,
    """\
Measure size, shape and (with IMAGE) intensity of every labelled particle, and write
NAME_particles.csv and NAME_particles.parquet into DIR. What a review decided stays: classes given by hand and
particles rejected in the table saved with LABELS, or in the one that is replaced.""",
)
