"""``napari-mpseg crossval``: train once per fold, score each on what it never saw."""

import argparse
import json
from pathlib import Path

from napari_mpseg.commands.arguments import add_quiet, count
from napari_mpseg.commands.command import Command
from napari_mpseg.commands.console import console_work, say
from napari_mpseg.commands.train import add_machine, add_preset, use_threads
from napari_mpseg.commands.truth_notes import say_if_inverted

SCORES = "scores.json"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "data", type=Path, metavar="DATA", help="folder with fold_1, fold_2 ... of images and labels, or with both"
    )
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder for models and scores")
    add_preset(parser, "nile-red")
    parser.add_argument("--folds", type=count, metavar="N", help="how many folds to cut DATA into (without, 4)")
    parser.add_argument("--particle-value", type=count, metavar="N", help="the value in labels that is particle")
    add_machine(parser)
    add_quiet(parser)


def run(options: argparse.Namespace) -> None:
    """Train what is not there yet, and print the table."""
    from napari_mpseg.commands.presets import preset_of
    from napari_mpseg.evaluation.crossval_report import report_folds
    from napari_mpseg.evaluation.protocol import protocol_header, protocol_scores
    from napari_mpseg.experiments.crossval import stored_cross_validation
    from napari_mpseg.experiments.stored_models import write_text
    from napari_mpseg.experiments.told_apart import object_scores, object_table, tells_apart
    from napari_mpseg.images.truth_values import particle_share
    from napari_mpseg.training.data.folders import folds_of

    preset = preset_of(options.preset, options.set)
    folds = folds_of(options.data, options.folds, particle_value=options.particle_value, seed=preset.settings.seed)
    say_if_inverted(particle_share(pair.mask for fold in folds for pair in fold.patches), options.particle_value)
    use_threads(options.threads)
    with console_work(options.quiet) as (on_progress, cancel):
        held = stored_cross_validation(
            folds,
            preset,
            options.out,
            device=options.device,
            say=lambda note: say(f"Note      {note}"),
            on_progress=on_progress,
            cancel=cancel,
        )
    scores = protocol_scores(held)
    folds_report = report_folds(held)
    record = {"preset": preset.name, "protocol": scores.to_dict(), "folds": folds_report.to_dict()}
    objects = object_scores(held) if tells_apart(preset) else None
    if objects is not None:
        record["particles"] = objects
    write_text(options.out / SCORES, json.dumps(record, indent=2))
    say(folds_report.to_markdown())
    if objects is not None:
        say("\nParticles as the models tell them apart, beside the labels of the truth; counts per image:\n")
        say(object_table(objects))
    say()
    say(protocol_header())
    say(scores.to_row(preset.name))
    say(f"\nModels    {options.out}")


COMMAND = Command(
    "crossval",
    "k-fold cross-validation of a training recipe",
    configure,
    run,
    """\
Train a recipe once per fold on all other folds, predict the fold that was held out, and print particle scores per fold
and the seven columns of Table 1 of Baek et al. 2021. Where the recipe tells touching particles apart (a head, or a
Mask R-CNN), particles are those it tells apart, and recall and precision at IoU 0.5, panoptic quality and count errors
are printed, too. Models and scores are kept in DIR; stopped or killed, the same
command goes on where it was.""",
)
