"""``napari-mpseg crossval``: train once per fold, score each on what it never saw."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_mpseg.commands.arguments import add_quiet, count
from napari_mpseg.commands.command import Command
from napari_mpseg.commands.console import console_work, say
from napari_mpseg.commands.train import add_machine, add_preset, use_threads

if TYPE_CHECKING:
    from napari_mpseg.networks.modelfile import Model
    from napari_mpseg.progress import CancelToken, ProgressCallback
    from napari_mpseg.training.crossval import Fold, Predictor, Trainer
    from napari_mpseg.training.preset import Preset

PRESET, FOLDS, SCORES = "preset.json", "folds.json", "scores.json"


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
    from napari_mpseg.training.crossval import cross_validate
    from napari_mpseg.training.data.folders import folds_of

    preset = preset_of(options.preset, options.set)
    folds = folds_of(options.data, options.folds, particle_value=options.particle_value, seed=preset.settings.seed)
    _same_preset(options.out, preset)
    _same_data(options.out, folds)
    use_threads(options.threads)
    with console_work(options.quiet) as (on_progress, cancel):
        train = stored_trainer(preset, options.out, options.device)
        predict = _as_segmented(options.device, cancel) if preset.tta else None
        held = list(cross_validate(folds, train, predict=predict, on_progress=on_progress, cancel=cancel))
    scores = protocol_scores(held)
    folds_report = report_folds(held)
    record = {"preset": preset.name, "protocol": scores.to_dict(), "folds": folds_report.to_dict()}
    _write(options.out / SCORES, json.dumps(record, indent=2))
    say(folds_report.to_markdown())
    say()
    say(protocol_header())
    say(scores.to_row(preset.name))
    say(f"\nModels    {options.out}")


def stored_trainer(preset: "Preset", out: Path, device: str) -> "Trainer":
    """Return a trainer that keeps every fold's model in `out`, and takes it from there the next time."""
    from napari_mpseg.leftovers import remove
    from napari_mpseg.networks.modelfile import load_model, save_model
    from napari_mpseg.training.train import prepare_training

    def train(fold: "Fold", others: Sequence[Any], on_progress: "ProgressCallback", cancel: "CancelToken") -> "Model":
        place, checkpoint = out / f"without-{fold.name}", out / f"without-{fold.name}.training"
        if place.exists():
            return load_model(place)
        name = f"{preset.name}-without-{fold.name}"
        session = prepare_training(others, preset, name=name, device=device, checkpoint=checkpoint)
        for note in session.notes:
            say(f"Note      {fold.name}: {note}")
        model = session.run(on_progress=on_progress, control=cancel)
        cancel.check()
        save_model(model, place)
        remove(checkpoint)
        return model

    return train


def _as_segmented(device: str, cancel: "CancelToken") -> "Predictor":
    """Return a predictor that sees images as ``segment`` does, with the test-time augmentation of the model."""
    import numpy as np

    from napari_mpseg.images.image import Image
    from napari_mpseg.inference.tiled import tiled_probability
    from napari_mpseg.methods.network import NetworkMethod

    def predict(model: "Model", images: Sequence[Any]) -> list[Any]:
        import dask.array as da

        method = NetworkMethod(model, device)
        found = []
        for pair in images:
            image = Image(da.from_array(np.asarray(pair.image[:, :])), pair.name)
            prepared = method.prepare(image, cancel=cancel)
            found.append(tiled_probability(prepared.image, prepared.predictor).compute(scheduler="synchronous"))
        return found

    return predict


def _same_preset(out: Path, preset: "Preset") -> None:
    """Go on only with the preset that the models in `out` were trained by."""
    from napari_mpseg.errors import SettingsError
    from napari_mpseg.settings import to_dict
    from napari_mpseg.training.preset import load_preset

    out.mkdir(parents=True, exist_ok=True)
    place = out / PRESET
    if not place.exists():
        preset.save(place)
        return
    there, here = to_dict(load_preset(place)), to_dict(preset)
    if there != here:
        different = [key for key in here["settings"] if here["settings"][key] != there["settings"].get(key)]
        raise SettingsError(
            f"The models in {out} were trained with another preset (different: {', '.join(different) or 'its name'}). "
            "Choose another --out."
        )


def _same_data(out: Path, folds: "Sequence[Fold]") -> None:
    """Go on only with the folds that the models in `out` were trained on, or test images would leak into training."""
    from napari_mpseg.errors import SettingsError
    from napari_mpseg.training.session import fingerprints

    place = out / FOLDS
    here = json.dumps({fold.name: fingerprints(fold.patches) for fold in folds}, indent=1)
    if not place.exists():
        _write(place, here)
    elif place.read_text(encoding="utf-8").strip() != here:
        raise SettingsError(f"The models in {out} were trained on other images or other folds. Choose another --out.")


def _write(place: Path, text: str) -> None:
    from napari_mpseg.files import finished_at

    with finished_at(place) as part:
        part.write_text(text + "\n", encoding="utf-8")


COMMAND = Command(
    "crossval",
    "k-fold cross-validation of a training recipe",
    configure,
    run,
    """\
Train a recipe once per fold on all other folds, predict the fold that was held out, and print particle scores per fold
and the seven columns of Table 1 of Baek et al. 2021. Models and scores are kept in DIR; stopped or killed, the same
command goes on where it was.""",
)
