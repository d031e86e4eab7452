"""``napari-mpseg train-bundled``: train the bundled network again, and cross-validate it."""

import argparse
from pathlib import Path

from napari_mpseg.commands.arguments import count
from napari_mpseg.commands.command import Command
from napari_mpseg.commands.console import ProgressLine, say


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("data", metavar="DATA", type=Path, help="folder with fold_1, fold_2 ... of labelled patches")
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="model folder to write")
    parser.add_argument("--seed", type=count, default=0, help="the same seed gives the same weights")
    parser.add_argument(
        "--threads", type=count, default=1, help="processor threads; part of what makes a run repeatable"
    )
    parser.add_argument("--crossval", action="store_true", help="also train once per fold, held out, and report scores")
    parser.add_argument("--overwrite", action="store_true", help="replace the model in DIR")


def run(options: argparse.Namespace) -> None:
    """Cross-validate if asked, train on everything, save with the scores in the card."""
    from dataclasses import replace

    import torch

    from napari_mpseg.evaluation.crossval_report import report_folds
    from napari_mpseg.networks.modelfile import Model, save_model
    from napari_mpseg.training.bundled import RECIPE, load_folds, train_on
    from napari_mpseg.training.crossval import cross_validate

    torch.set_num_threads(max(1, options.threads))
    settings = replace(RECIPE, seed=options.seed)
    folds = load_folds(options.data)
    progress = ProgressLine()
    scores = {}
    if options.crossval:
        held = []
        for outcome in cross_validate(folds, settings, on_progress=progress):
            held.append(outcome)
            save_model(
                outcome.model, options.out.with_name(f"{options.out.name}-without-{outcome.fold.name}"), overwrite=True
            )
        report = report_folds(held)
        say(report.to_markdown())
        scores = report.to_dict()
    model = train_on([patch for fold in folds for patch in fold.patches], settings, on_progress=progress)
    card = replace(model.card, scores=scores)
    save_model(Model(model.network, card), options.out, overwrite=options.overwrite)
    say(f"Model     {options.out}")


COMMAND = Command("train-bundled", "train the bundled network again from labelled patches", configure, run)
