"""Cross-validation of forests, one stored per fold: every image is predicted by a forest that never saw it."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_mpseg.errors import SettingsError
from napari_mpseg.methods.forest.forest import Forest, load_forest
from napari_mpseg.methods.forest.predictor import ForestPredictor
from napari_mpseg.methods.forest.settings import ForestSettings
from napari_mpseg.methods.forest.training import train_forest
from napari_mpseg.progress import CancelToken, ProgressCallback

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_mpseg.training.crossval import Fold
    from napari_mpseg.training.data.pairs import LabelledImage

    FoldTrainer = Callable[["Fold", Sequence["LabelledImage"], ProgressCallback, CancelToken], Forest]


def forest_fold_trainer(out: Path, settings: ForestSettings | None = None) -> "FoldTrainer":
    """Return a trainer for cross-validation that keeps every fold's forest, and takes it from there the next time.

    Parameters
    ----------
    out : Path
        Folder; the forest that did not see fold F is ``out/without-F``.
    settings : ForestSettings, optional

    Returns
    -------
    callable
        As :func:`~napari_mpseg.training.crossval.cross_validate` takes it. It raises SettingsError if a forest that is
        there already was trained with other settings.
    """
    settings = settings or ForestSettings()

    def train(
        fold: "Fold", others: "Sequence[LabelledImage]", on_progress: ProgressCallback, cancel: CancelToken
    ) -> Forest:
        place = out / f"without-{fold.name}"
        if place.exists():
            forest = load_forest(place)
            if forest.card.settings != settings:
                raise SettingsError(
                    f"{place} was trained with other settings. Choose another folder, or the same ones."
                )
            return forest
        name = f"pixel-forest-without-{fold.name}"
        forest = train_forest(others, settings=settings, name=name, on_progress=on_progress, cancel=cancel)
        forest.save(place)
        return forest

    return train


def predict_pairs(forest: Forest, images: "Sequence[LabelledImage]") -> list[np.ndarray[Any, Any]]:
    """Return the probability of each labelled image, float32 ``(Y, X)``."""
    from napari_mpseg.images.scaling import Scaling

    levels = ForestPredictor(forest, Scaling("fixed", 0.0, 255.0, clip=False))
    return [levels.predict(np.asarray(pair.image[:, :])) for pair in images]
