"""``napari-mpseg train-bundled``: train the bundled network again, and cross-validate it."""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_mpseg.commands.arguments import add_quiet, count
from napari_mpseg.commands.command import Command
from napari_mpseg.commands.console import console_work, say
from napari_mpseg.errors import StoreError
from napari_mpseg.networks.modelfile import Model, save_model
from napari_mpseg.progress import CancelToken, ProgressCallback

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_mpseg.training.crossval import Fold
    from napari_mpseg.training.settings import TrainSettings


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("data", metavar="DATA", type=Path, help="folder with fold_1, fold_2 ... of labelled patches")
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="model folder to write")
    parser.add_argument("--seed", type=count, default=0, help="the same seed gives the same weights")
    parser.add_argument(
        "--threads", type=count, default=1, help="processor threads; part of what makes a run repeatable"
    )
    parser.add_argument("--crossval", action="store_true", help="also train once per fold, held out, and report scores")
    parser.add_argument("--overwrite", action="store_true", help="replace the models in DIR and beside it")
    add_quiet(parser)


def run(options: argparse.Namespace) -> None:
    """Cross-validate if asked, train on everything, save with the scores in the card."""
    import torch

    from napari_mpseg.training.bundled import RECIPE, load_folds, train_on

    settings = replace(RECIPE, seed=options.seed)
    folds = load_folds(options.data)
    places = [options.out, *(_fold_place(options.out, fold) for fold in folds if options.crossval)]
    _refuse_taken(places, overwrite=options.overwrite)
    torch.set_num_threads(max(1, options.threads))
    with console_work(options.quiet) as (on_progress, cancel):
        scores = _cross_validated(folds, settings, options, on_progress, cancel) if options.crossval else {}
        patches = [patch for fold in folds for patch in fold.patches]
        model = train_on(patches, settings, on_progress=on_progress, cancel=cancel)
        cancel.check()
        save_model(Model(model.network, replace(model.card, scores=scores)), options.out, overwrite=options.overwrite)
    say(f"Model     {options.out}")


def _cross_validated(
    folds: "Sequence[Fold]",
    settings: "TrainSettings",
    options: argparse.Namespace,
    on_progress: ProgressCallback,
    cancel: CancelToken,
) -> dict[str, Any]:
    """Train without each fold in turn, keep these models, print the report and return its figures."""
    from napari_mpseg.evaluation.crossval_report import report_folds
    from napari_mpseg.training.bundled import train_on
    from napari_mpseg.training.crossval import cross_validate

    def train(fold: "Fold", others: Any, on_progress: ProgressCallback, cancel: CancelToken) -> Model:
        return train_on(others, settings, on_progress=on_progress, cancel=cancel)

    held = []
    for outcome in cross_validate(folds, train, on_progress=on_progress, cancel=cancel):
        save_model(outcome.model, _fold_place(options.out, outcome.fold), overwrite=options.overwrite)
        held.append(outcome)
    report = report_folds(held)
    say(report.to_markdown())
    return report.to_dict()


def _fold_place(out: Path, fold: "Fold") -> Path:
    return out.with_name(f"{out.name}-without-{fold.name}")


def _refuse_taken(places: "Sequence[Path]", *, overwrite: bool) -> None:
    """Say before the long work, not after it, that its results would have no place."""
    taken = [place for place in places if place.exists()]
    if taken and not overwrite:
        raise StoreError(f"{', '.join(map(str, taken))} exists. Choose another --out, or give --overwrite.")


COMMAND = Command("train-bundled", "train the bundled network again from labelled patches", configure, run)
