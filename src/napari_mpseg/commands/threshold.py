"""``napari-mpseg threshold``: the threshold of a model, chosen on labelled images by an aim."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from napari_mpseg.commands.arguments import add_quiet, count
from napari_mpseg.commands.command import Command
from napari_mpseg.commands.console import console_work, say
from napari_mpseg.commands.truth_notes import say_if_inverted

if TYPE_CHECKING:
    from napari_mpseg.operating_point import Choice

_FEW = 4  # names that are told


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("model", metavar="MODEL", help="model folder, forest's folder, or 'default'")
    parser.add_argument(
        "data", type=Path, metavar="DATA", help="folder of images with their truth in 'labels', or of fold_* folders"
    )
    parser.add_argument(
        "--aim",
        type=_aim,
        default="best-f1",
        metavar="AIM",
        help="best-f1, best-f0.5, best-f2, recall-at-least=0.95, precision-at-least=0.9, count-bias-zero (not for "
        "networks that tell touching particles apart) or equal-area",
    )
    parser.add_argument("--store", action="store_true", help="write the threshold into the model's card")
    parser.add_argument(
        "--store-as", type=Path, metavar="DIR", help="write it into the card of a copy of the model instead"
    )
    parser.add_argument(
        "--particle-value", type=count, metavar="N", help="the value in labels that is particle; without, all but 0"
    )
    parser.add_argument(
        "--min-size", type=count, default=3, metavar="PX", help="particles of fewer pixels do not count"
    )
    parser.add_argument("--connectivity", type=int, choices=(4, 8), default=8, help="neighbours that join pixels")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"), help="where to compute")
    add_quiet(parser)


def run(options: argparse.Namespace) -> None:
    """Choose, print what thresholds around it lead to, and store it if asked to."""
    from napari_mpseg.errors import ModelError, SettingsError, StoreError
    from napari_mpseg.operating_point import BUNDLED, choose_operating_point, store_threshold

    if options.store and options.store_as is not None:
        raise SettingsError("--store and --store-as exclude each other; give one of them.")
    if options.store and options.model == BUNDLED:
        raise ModelError("The bundled model cannot be changed. Store the threshold in a copy: --store-as DIR.")
    if options.store_as is not None and options.store_as.exists():
        raise StoreError(f"{options.store_as} is already there. Choose another --store-as.")
    aim, value = options.aim if isinstance(options.aim, tuple) else (options.aim, None)
    with console_work(options.quiet) as (on_progress, cancel):
        choice = choose_operating_point(
            options.model,
            options.data,
            aim,
            value,
            particle_value=options.particle_value,
            min_size=options.min_size,
            connectivity=2 if options.connectivity == 8 else 1,
            device=options.device,
            on_progress=on_progress,
            cancel=cancel,
        )
    _tell(choice)
    every = sum(int(case.levels.sum()) for case in choice.cases)
    true = sum(int(case.levels[1].sum()) for case in choice.cases)
    say_if_inverted(true / max(1, every), options.particle_value)
    if options.store or options.store_as is not None:
        place = store_threshold(options.model, choice.point.threshold, choice.record(), out=options.store_as)
        say(f"Stored    in the card of {place}; the weights are unchanged")
    else:
        say("Stored    not; give --store to write it into the model's card")


def _tell(choice: "Choice") -> None:
    from napari_mpseg.evaluation.operating_points import AIMS

    say(f"threshold  precision  recall     F1{'  particles' if choice.counted else ''}")
    for row in choice.rows():
        numbers = "  ".join(
            (
                f"{row['threshold']:9.3f}",
                f"{row['precision']:9.3f}",
                f"{row['recall']:6.3f}",
                f"{row['f1']:5.3f}",
                *([f"{row['particles']:9,}"] if choice.counted else []),
            )
        )
        say(f"{numbers}  {row['note']}".rstrip())
    point, true = choice.point, sum(case.n_truth for case in choice.cases)
    wanted = f" {point.value:g}" if point.value is not None else ""
    say(f"\nImages    {len(choice.images)}, {true:,} true particles (of {choice.min_size} px or more)")
    say(f"Aim       {AIMS[point.aim].title}{wanted}")
    say(f"Threshold {point.threshold:.3f} (before: {choice.before:g})")
    if not point.fulfilled:
        say("Note      no threshold reaches the aim; this one comes nearest")
    if not choice.counted:
        say(
            "Note      the model tells touching particles apart, so none are counted at every threshold, and the "
            "figures are of pixels. Count with 'napari-mpseg batch' and 'evaluate'"
        )
    if choice.seen:
        names = ", ".join(list(choice.seen)[:_FEW]) + (" ..." if len(choice.seen) > _FEW else "")
        say(
            f"Warning   the model has learnt from {len(choice.seen)} of the {len(choice.images)} images ({names}): the "
            "threshold is too hopeful. Choose it on images that were kept aside."
        )
    elif choice.selected:
        say(
            f"Note      {len(choice.selected)} of the {len(choice.images)} images have served to select this model or "
            "its threshold before: do not report results on them"
        )
    if not choice.seen and not choice.told:
        say("Note      the model does not say what it has learnt from; make sure that it is none of these images")


def _aim(text: str) -> tuple[str, float | None]:
    from napari_mpseg.errors import MpsegError
    from napari_mpseg.experiments.operating_point import parse_aim

    try:
        return parse_aim(text)
    except MpsegError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


COMMAND = Command(
    "threshold",
    "choose a model's threshold on labelled images",
    configure,
    run,
    """\
Segment labelled images with MODEL, and choose the threshold that serves a stated aim best, on all images
together. Take images that the model has not learnt from, and others than those you will report results on.
For a Mask R-CNN the threshold is the least score of a particle. With --store the threshold becomes the model's own,
which 'segment' takes when none is given.""",
)
