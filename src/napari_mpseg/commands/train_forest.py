"""``napari-mpseg train-forest``: a random forest from labelled images or strokes."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_mpseg.commands.arguments import add_quiet, count
from napari_mpseg.commands.command import Command
from napari_mpseg.commands.console import console_work, say
from napari_mpseg.commands.truth_notes import say_if_inverted

if TYPE_CHECKING:
    from napari_mpseg.methods.forest.settings import ForestSettings

SCORES = "scores.json"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "data",
        nargs="?",
        type=Path,
        metavar="DATA",
        help="folder of images with labels of the same names in 'labels', or folder with fold_1, fold_2 ... of them",
    )
    parser.add_argument(
        "--pair", nargs=2, action="append", default=[], metavar=("IMAGE", "PAINTED"), help="an image and its labels"
    )
    parser.add_argument("--out", required=True, type=Path, metavar="FOREST", help="folder to write")
    parser.add_argument(
        "--painted",
        choices=("dense", "scribbles"),
        default="dense",
        help="dense: 0 is background, all else particle; scribbles: 0 is unpainted and not learnt from",
    )
    parser.add_argument(
        "--background-label", type=count, default=1, metavar="N", help="which label of scribbles is background"
    )
    parser.add_argument("--particle-value", type=count, metavar="N", help="the value in DATA/labels that is particle")
    parser.add_argument(
        "--crossval",
        action="store_true",
        help="train one forest per fold of DATA on all other folds, and print how well each does on its fold",
    )
    parser.add_argument("--folds", type=count, metavar="N", help="how many folds to cut DATA into (without, 4)")
    parser.add_argument(
        "--features", type=_names, metavar="A,B", help="what is seen of a pixel, such as intensity,hessian"
    )
    parser.add_argument("--sigmas", type=_numbers, metavar="S,S", help="scales in pixels, such as 1,2,4,8")
    parser.add_argument("--trees", type=count, metavar="N", help="how many trees (without, 100)")
    parser.add_argument("--seed", type=count, metavar="N", help="of what is drawn by chance (without, 0)")
    parser.add_argument("--name", help="name of the forest (default: that of its folder)")
    parser.add_argument("--overwrite", action="store_true", help="replace the forest in FOREST")
    add_quiet(parser)


def run(options: argparse.Namespace) -> None:
    """Train and save one forest, or one for every fold."""
    from napari_mpseg.errors import SettingsError

    settings = _settings(options)
    if options.folds is not None and not options.crossval:
        raise SettingsError("--folds is for --crossval. Leave it out, or add --crossval.")
    if options.particle_value is not None and options.painted != "dense":
        raise SettingsError("--particle-value is for dense masks. Leave it out, or take --background-label.")
    if options.crossval:
        _crossval(options, settings)
    else:
        _train(options, settings)


def _train(options: argparse.Namespace, settings: "ForestSettings") -> None:
    from napari_mpseg.errors import StoreError
    from napari_mpseg.methods.forest.training import train_forest

    if options.out.exists() and not options.overwrite:
        raise StoreError(f"{options.out} exists. Choose another --out, or give --overwrite.")
    pairs = _pairs(options)
    with console_work(options.quiet) as (on_progress, cancel):
        forest = train_forest(
            pairs,
            painted=options.painted,
            background_label=options.background_label,
            settings=settings,
            name=options.name or options.out.name,
            on_progress=on_progress,
            cancel=cancel,
        )
    for note in forest.notes:
        say(f"Note      {note}")
    forest.save(options.out, overwrite=options.overwrite)
    learnt = ", ".join(f"{number} of {what}" for what, number in forest.card.training["pixels"].items() if number)
    say(f"Learnt    from {forest.card.training['features']} features of {learnt}")
    say(f"Forest    {options.out}")


def _pairs(options: argparse.Namespace) -> list[Any]:
    from napari_mpseg.errors import SettingsError
    from napari_mpseg.training.data.folders import fold_folders
    from napari_mpseg.training.data.pairs import folder_files, load_folders

    pairs: list[Any] = [tuple(pair) for pair in options.pair]
    if options.data is not None:
        folders = fold_folders(options.data) or [options.data]
        if options.particle_value is None:
            pairs += [pair for folder in folders for pair in folder_files(folder)]
        else:
            pairs += [pair for inside in load_folders(folders, options.particle_value) for pair in inside]
    if not pairs:
        raise SettingsError(
            "There is nothing to learn from. Give a folder of labelled images, or --pair IMAGE PAINTED."
        )
    return pairs


def _crossval(options: argparse.Namespace, settings: "ForestSettings") -> None:
    from typing import cast

    from napari_mpseg.errors import SettingsError
    from napari_mpseg.evaluation.crossval_report import report_folds
    from napari_mpseg.evaluation.protocol import protocol_header, protocol_scores
    from napari_mpseg.experiments.crossval import keep_folds
    from napari_mpseg.experiments.stored_models import write_text
    from napari_mpseg.images.truth_values import particle_share
    from napari_mpseg.methods.forest.crossval import forest_fold_trainer, predict_pairs
    from napari_mpseg.settings import to_dict
    from napari_mpseg.training.crossval import cross_validate
    from napari_mpseg.training.data.folders import folds_of

    if options.data is None or options.pair or options.painted != "dense":
        raise SettingsError("--crossval needs DATA with dense masks, and takes no --pair and no scribbles.")
    folds = folds_of(options.data, options.folds, particle_value=options.particle_value, seed=settings.seed)
    say_if_inverted(particle_share(pair.mask for fold in folds for pair in fold.patches), options.particle_value)
    keep_folds(options.out, folds, "forests")
    train, predict = cast("tuple[Any, Any]", (forest_fold_trainer(options.out, settings), predict_pairs))
    with console_work(options.quiet) as (on_progress, cancel):
        held = list(cross_validate(folds, train, predict=predict, on_progress=on_progress, cancel=cancel))
    scores, report = protocol_scores(held), report_folds(held)
    record = {"settings": to_dict(settings), "protocol": scores.to_dict(), "folds": report.to_dict()}
    write_text(options.out / SCORES, json.dumps(record, indent=2))
    say(report.to_markdown())
    say()
    say(protocol_header())
    say(scores.to_row("pixel-forest"))
    say(f"\nForests   {options.out}")


def _settings(options: argparse.Namespace) -> "ForestSettings":
    from napari_mpseg.methods.forest.features import check_features
    from napari_mpseg.methods.forest.settings import ForestSettings

    given = {name: getattr(options, name) for name in ("features", "sigmas", "trees", "seed")}
    settings = ForestSettings(**{name: value for name, value in given.items() if value is not None})
    check_features(settings)
    return settings


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no list of numbers; give scales in pixels such as 1,2,4"
        ) from None


COMMAND = Command(
    "train-forest",
    "train a random forest on labelled images or strokes",
    configure,
    run,
    """\
Train a random forest on the pixels of painted images, and write a folder that 'segment --method FOREST' takes. It sees
intensity, edges and curvature at several scales, and is trained in seconds to minutes without a graphics card.
With --crossval FOREST is a folder with one forest per fold (without-fold_1 ...) and scores.json; stopped or killed, the
same command goes on with the folds that are missing.""",
)
