"""``napari-mpseg coco``: labels to COCO's JSON and back, and COCO's average precision."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from napari_mpseg.commands.arguments import HelpFormatter, add_pixel_size, add_quiet, count
from napari_mpseg.commands.command import Command
from napari_mpseg.commands.console import console_work, say
from napari_mpseg.errors import ImageError

if TYPE_CHECKING:
    from napari_mpseg.evaluation.coco_documents import CocoScores


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the three directions."""
    ways = parser.add_subparsers(dest="way", metavar="WAY", required=True)
    for name, (summary, text, add, work) in _WAYS.items():
        sub = ways.add_parser(name, help=summary, description=text, formatter_class=HelpFormatter)
        add(sub)
        add_quiet(sub)
        sub.set_defaults(work=work)


def run(options: argparse.Namespace) -> None:
    """Do what was asked for."""
    try:
        options.work(options)
    except MemoryError as error:
        raise ImageError(
            "There is not enough memory. Close other programs, or take fewer images at a time. Are the sizes of the "
            "images in the COCO file right?"
        ) from error


# -- COCO to labels ------------------------------------------------------------------------------------------------


def _configure_to_labels(parser: argparse.ArgumentParser) -> None:
    from napari_mpseg.coco.painting import ON_TOP

    parser.add_argument("file", type=Path, metavar="FILE.json", help="COCO file of instances, or a list of results")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for labels and tables")
    parser.add_argument(
        "--image", action="append", metavar="NAME", help="only this image, by name or id; may be repeated"
    )
    parser.add_argument("--images", type=Path, metavar="DIR", help="folder of the image files, if their size is needed")
    parser.add_argument(
        "--truth", type=Path, metavar="TRUTH.json", help="the COCO file that a list of results is about"
    )
    told = "; ".join(f"{name}: {order.definition}" for name, order in ON_TOP.items())
    parser.add_argument(
        "--on-top",
        choices=tuple(ON_TOP),
        help=f"which of two annotations gets a pixel that both claim ({told}); without, score where all have one, "
        "else smaller",
    )
    parser.add_argument("--clip", action="store_true", help="cut off what lies outside an image; otherwise an error")
    parser.add_argument("--overwrite", action="store_true", help="replace earlier files")


def _to_labels(options: argparse.Namespace) -> None:
    from napari_mpseg.coco.document import read_coco
    from napari_mpseg.coco.labels import labels_from_coco
    from napari_mpseg.commands.coco_files import check_free, places_of, write_labels

    about = read_coco(options.truth) if options.truth is not None else None
    document = read_coco(options.file, images_of=about)
    images = [document.image(name) for name in options.image] if options.image else list(document.images)
    if not images:
        raise ImageError(f"{options.file} has no images.")
    stems = places_of(images, options.out)
    check_free(options.out, stems, options.overwrite)
    particles = 0
    with console_work(options.quiet) as (on_progress, cancel):
        for image, stem in zip(images, stems, strict=True):
            found = labels_from_coco(
                document,
                image.id,
                images=options.images,
                on_top=options.on_top,
                clip=options.clip,
                on_progress=on_progress,
                cancel=cancel,
            )
            written = write_labels(found, options.out, stem, options.overwrite, on_progress, cancel)
            particles += len(found.frame)
            for path in written:
                say(f"File      {path}")
            if found.overlapping:
                say(f"Note      {image.file_name}: {found.overlapping} px were claimed by more than one particle")
            if found.hidden:
                say(f"Note      {image.file_name}: {len(found.hidden)} particles have no pixel left")
    say(f"Images    {len(images)}")
    say(f"Particles {particles:,}")


# -- labels to COCO ------------------------------------------------------------------------------------------------


def _configure_from_labels(parser: argparse.ArgumentParser) -> None:
    from napari_mpseg.exchange.coco.shapes import SHAPES

    parser.add_argument(
        "labels",
        type=Path,
        nargs="+",
        metavar="LABELS",
        help="labels, result stores, folders of them, or of fold_1, fold_2 ...",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.json", help="the file to write")
    told = "; ".join(f"{name}: {shape.definition}" for name, shape in SHAPES.items())
    parser.add_argument("--shape", choices=tuple(SHAPES), default="polygon", help=f"how pixels are written ({told})")
    parser.add_argument("--results", action="store_true", help="write the list of results with scores instead")
    parser.add_argument("--mask", action="store_true", help="LABELS are masks: every connected piece is a particle")
    parser.add_argument(
        "--particle-value", type=count, metavar="N", help="with --mask: the value that is particle; without, all but 0"
    )
    parser.add_argument("--all", action="store_true", dest="everything", help="write particles too that were not kept")
    add_pixel_size(parser)
    parser.add_argument("--overwrite", action="store_true", help="replace FILE.json")


def _from_labels(options: argparse.Namespace) -> None:
    from napari_mpseg.commands.coco_files import sources_of
    from napari_mpseg.exchange.coco.settings import CocoSettings
    from napari_mpseg.exchange.coco.writing import write_coco

    with console_work(options.quiet) as (on_progress, cancel):
        sources = sources_of(options, on_progress, cancel)
        written = write_coco(
            options.out,
            sources,
            CocoSettings(options.shape, options.results),
            overwrite=options.overwrite,
            on_progress=on_progress,
            cancel=cancel,
        )
    say(f"Images    {written.images}")
    say(f"Particles {written.particles:,}")
    notes = list(written.notes)
    if written.particles == written.images and not options.mask:
        notes.append("every image holds a single label. If these are masks, give --mask to number connected pieces.")
    for line in notes:
        say(f"Note      {line}")
    say(f"File      {written.path}")


# -- average precision ---------------------------------------------------------------------------------------------


def _configure_evaluate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("predicted", type=Path, metavar="PRED.json", help="a list of results, or a COCO file")
    parser.add_argument("truth", type=Path, metavar="TRUTH.json", help="COCO file of the truth")
    parser.add_argument(
        "--limits",
        type=_limits,
        default=(1, 10, 100),
        metavar="N,N,N",
        help="how many particles of an image and category are looked at, best first; the last holds for average "
        "precision: give 1,10,5000 where images have thousands (default: 1,10,100, as COCO)",
    )
    parser.add_argument("--clip", action="store_true", help="cut off what lies outside an image; otherwise an error")
    parser.add_argument("--out", type=Path, metavar="FILE.json", help="write the numbers, by category too")
    parser.add_argument("--overwrite", action="store_true", help="replace FILE.json")


def _evaluate(options: argparse.Namespace) -> None:
    from napari_mpseg.coco.document import read_coco
    from napari_mpseg.commands.coco_files import write_scores
    from napari_mpseg.evaluation.coco_documents import coco_scores

    truth = read_coco(options.truth)
    predicted = read_coco(options.predicted, images_of=truth)
    with console_work(options.quiet) as (on_progress, cancel):
        scores = coco_scores(
            truth, predicted, limits=options.limits, clip=options.clip, on_progress=on_progress, cancel=cancel
        )
    for line in _table(scores):
        say(line)
    if options.out is not None:
        write_scores(scores, options)
        say(f"Table     {options.out}")


def _table(scores: "CocoScores") -> list[str]:
    several = len(scores.by_category) > 1
    heads = ["metric", "all", *(scores.by_category if several else ())]
    rows = [heads]
    for name, value in scores.total.items():
        each = [one[name] for one in scores.by_category.values()] if several else []
        rows.append([name, *(f"{number:.4f}" if number > -1 else "-" for number in [value, *each])])
    widths = [max(len(row[column]) for row in rows) for column in range(len(heads))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines.insert(1, "  ".join("-" * width for width in widths))
    if any(value == -1 for value in scores.total.values()):
        lines += ["", "-  no true particle counts (COCO's tool says -1)"]
    lines += ["", f"Images    {scores.n_images}"]
    return [*lines, f"Particles {scores.n_found:,} predicted, {scores.n_truth:,} in truth"]


def _limits(text: str) -> tuple[int, ...]:
    parts = text.split(",")
    if not all(part.strip().isdecimal() and 0 < int(part) < 10**9 for part in parts):
        raise argparse.ArgumentTypeError(f"{text!r} are no numbers of particles; give such as 1,10,100")
    return tuple(sorted({int(part) for part in parts}))


_WAYS = {
    "to-labels": (
        "from a COCO file to labels with their table",
        """\
Paint the annotations of every image into labels, filled as COCO's own tool fills them, and write their
classes, scores and areas as a table beside: DIR/NAME_labels.tif and .csv (very large images as
NAME_labels.zarr), which napari opens together. Regions marked iscrowd, of which nobody knows what is
particle, become NAME_ignored.tif.""",
        _configure_to_labels,
        _to_labels,
    ),
    "from-labels": (
        "from labels of one or many images to one COCO file",
        """\
Write particles as COCO's instances: polygon or run lengths, box and area. Where a table lies beside the
labels, classes become categories, the confidence the score, and particles not kept are left out. To
write one image of a result, 'napari-mpseg export --format coco' does the same.""",
        _configure_from_labels,
        _from_labels,
    ),
    "evaluate": (
        "average precision and recall of predictions, as COCO's own tool computes them",
        """\
Compare the masks of predicted particles with those of the truth: COCO's average precision (AP, over
IoU 0.5 to 0.95; AP50; AP75; by size), average recall (AR), and PASCAL VOC's AP50 over 11 recalls.""",
        _configure_evaluate,
        _evaluate,
    ),
}

COMMAND = Command(
    "coco",
    "labels to COCO's JSON and back, and COCO's average precision",
    configure,
    run,
    """\
Exchange particles with programs that read and write COCO's JSON of instances. docs/coco.md tells what
is written and how overlapping annotations become labels.""",
)
