"""A cross-validation whose models are kept: what ``napari-mpseg crossval`` does between its arguments and its table."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_mpseg.experiments.stored_models import Record, check_preset, keep_preset, stored_model
from napari_mpseg.training.data.fingerprints import fingerprints, older_fingerprints

if TYPE_CHECKING:
    from napari_mpseg.evaluation.held_out import HeldOutFold
    from napari_mpseg.networks.modelfile import Model
    from napari_mpseg.progress import CancelToken, ProgressCallback
    from napari_mpseg.training.crossval import Fold, Predictor, Trainer
    from napari_mpseg.training.preset import Preset

PRESET, FOLDS = "preset.json", "folds.json"


def stored_cross_validation(
    folds: "Sequence[Fold]",
    preset: "Preset",
    out: Path,
    *,
    device: str = "auto",
    say: Callable[[str], None] = lambda text: None,
    on_progress: "ProgressCallback",
    cancel: "CancelToken",
) -> "list[HeldOutFold]":
    """Train once per fold on all others, and predict the fold; models that are in `out` are taken from there.

    Where the models tell particles apart themselves, the fold is segmented as ``segment`` does it, and what comes back
    has ``labels`` beside the probabilities; see :class:`~napari_mpseg.experiments.told_apart.ToldApartFold`.

    Parameters
    ----------
    folds : sequence of Fold
    preset : Preset
    out : Path
        Folder of the models; what they were trained by and on is kept beside them.
    say : callable
        Gets what the user should know, one text each.

    Raises
    ------
    SettingsError
        If the models in `out` are of another preset or of other folds.
    Cancelled
    """
    from napari_mpseg.experiments.operating_point import check_operating_point
    from napari_mpseg.experiments.told_apart import ToldApartFold, segmented, tells_apart
    from napari_mpseg.training.crossval import cross_validate

    check_operating_point(preset.settings)
    check_preset(out / PRESET, preset)
    keep_folds(out, folds, "models")
    keep_preset(out / PRESET, preset)
    train = stored_trainer(preset, out, device, say)
    if tells_apart(preset):
        predict: Predictor | None = segmented(device, cancel)
        held = cross_validate(folds, train, predict=predict, on_progress=on_progress, cancel=cancel)
        return [ToldApartFold.of(one) for one in held]
    predict = as_segmented(device, cancel) if preset.tta else None
    return list(cross_validate(folds, train, predict=predict, on_progress=on_progress, cancel=cancel))


def keep_folds(out: Path, folds: "Sequence[Fold]", what: str) -> None:
    """Write down which images are in which fold, or go on only with the same ones.

    Raises
    ------
    SettingsError
        If the models (`what`) in `out` are of other images or folds.
    """
    Record(
        out / FOLDS,
        {fold.name: fingerprints(fold.patches) for fold in folds},
        f"The {what} in {out} were trained on other images or other folds",
        older=lambda: {fold.name: older_fingerprints(fold.patches) for fold in folds},
    ).check_and_keep()


def stored_trainer(
    preset: "Preset", out: Path, device: str, say: Callable[[str], None] = lambda text: None
) -> "Trainer":
    """Return a trainer that keeps every fold's model in `out`, and takes it from there the next time."""

    def train(fold: "Fold", others: Sequence[Any], on_progress: "ProgressCallback", cancel: "CancelToken") -> "Model":
        from napari_mpseg.experiments.operating_point import finisher
        from napari_mpseg.training.train import prepare_training

        def prepare(checkpoint: Path) -> Any:
            name = f"{preset.name}-without-{fold.name}"
            return prepare_training(others, preset, name=name, device=device, checkpoint=checkpoint)

        return stored_model(
            out / f"without-{fold.name}",
            prepare,
            finish=finisher(device, on_progress, cancel),
            say=lambda note: say(f"{fold.name}: {note}"),
            on_progress=on_progress,
            cancel=cancel,
        )

    return train


def as_segmented(device: str, cancel: "CancelToken") -> "Predictor":
    """Return a predictor that sees images as ``segment`` does, with the test-time augmentation of the model."""
    from napari_mpseg.experiments.labelled_prediction import predict_labelled

    return lambda model, images: [predict_labelled(model, pair, device, cancel) for pair in images]
