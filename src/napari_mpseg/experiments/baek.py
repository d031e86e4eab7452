"""The protocol of Baek et al. 2021: a test set, and a cross-validation over the other datasets.

References
----------
Baek et al. 2021, sections 4.2 to 5; Table 1.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_mpseg.errors import SettingsError
from napari_mpseg.experiments.grouping import datasets_of
from napari_mpseg.experiments.protocol import (
    IMAGES,
    Block,
    Column,
    Inventory,
    Protocol,
    ProtocolSettings,
    Published,
)
from napari_mpseg.experiments.rounds import Division, Round

if TYPE_CHECKING:
    from napari_mpseg.training.preset import Preset

DATASETS = 5
_AUTO, _EACH = "auto", "each"


@dataclass(frozen=True)
class BaekSettings(ProtocolSettings):
    """Settings of the protocol.

    Attributes
    ----------
    test : str
        The dataset that is the test set; ``"auto"`` takes the first of five or more, and of fewer each in turn;
        ``"each"`` takes each in turn.
    """

    test: str = _AUTO


def divide(settings: BaekSettings, inventory: Inventory) -> Division:
    """Return every round: one dataset tests, one of the others validates, the rest are trained on."""
    datasets = datasets_of(inventory, settings, DATASETS)
    if len(datasets) < 3:
        there = "is 1" if len(datasets) == 1 else f"are {len(datasets)}"
        raise SettingsError(
            f"Three datasets or more are needed, to train, to validate and to test, and there {there}. Give folds=3 or "
            "more to divide all images anew."
        )
    rounds = []
    for test in _tested(settings.test, list(datasets)):
        others = [name for name in datasets if name != test]
        for validation in others:
            train = sorted(number for name in others if name != validation for number in datasets[name])
            rounds.append(
                Round(
                    f"without-{test}-validated-on-{validation}",
                    test,
                    tuple(train),
                    datasets[validation],
                    datasets[test],
                )
            )
    return Division(datasets, tuple(rounds))


def recipe(preset: "Preset") -> "Preset":
    """Return the preset keeping the epoch of lowest validation loss."""
    share = preset.settings.validation or 1 / (DATASETS - 1)
    if preset.settings.keep == "best-loss" and preset.settings.validation:
        return preset
    return preset.changed(keep="best-loss", validation=share)


def _tested(test: str, names: list[str]) -> list[str]:
    if test == _AUTO:
        return names[:1] if len(names) >= DATASETS else names
    if test == _EACH:
        return names
    if test not in names:
        raise SettingsError(f"There is no dataset {test!r} to test on. There are: {', '.join(names)}; or 'each'.")
    return [test]


def _row(*values: float) -> dict[str, float]:
    return dict(zip((column.metric for column in COLUMNS), values, strict=True))


COLUMNS = (
    Column("balanced-accuracy", "mAcc"),
    Column("precision", "precision"),
    Column("recall", "recall"),
    Column("iou", "mIoU", IMAGES),
    Column("f0.5", "F0.5"),
    Column("f1", "F1"),
    Column("f2", "F2"),
)
PUBLISHED = Published(
    "Table 1 of Baek et al. 2021",
    {
        "MP-VAT": _row(0.986, 0.431, 0.971, 0.392, 0.485, 0.597, 0.777),
        "MP-VAT 2.0": _row(0.719, 0.002, 0.455, 0.139, 0.003, 0.005, 0.012),
        "U-Net (1)": _row(0.934, 0.505, 0.868, 0.559, 0.551, 0.638, 0.759),
        "U-Net (2)": _row(0.906, 0.587, 0.812, 0.557, 0.622, 0.682, 0.755),
        "U-Net (3)": _row(0.899, 0.594, 0.799, 0.519, 0.626, 0.681, 0.747),
    },
)
BAEK = Protocol(
    name="baek-2021",
    title="Baek et al. 2021: a test set and four-fold cross-validation",
    source="Baek et al. 2021",
    summary="Five datasets of similar totals of particle pixels: one tests; of the other four each validates once, and "
    "the rest are trained on. The epoch, and then the fold, of lowest validation loss is kept.",
    settings=BaekSettings,
    divide=divide,
    recipe=recipe,
    presets=("baek-unet-1", "baek-unet-2", "baek-unet-3"),
    methods=("mp-vat", "mp-vat-2"),
    columns=COLUMNS,
    blocks=(
        Block(
            "folds",
            "Averaged over the folds",
            "TP, FP, FN and TN of the test images averaged over the models of all folds; IoU of every test image and "
            "model, averaged.",
        ),
        Block(
            "best", "Best fold", "Of every test set only the model of the fold with the lowest validation loss.", True
        ),
    ),
    published=PUBLISHED,
    open_choices=(
        "The paper averages counts over the four folds, and also speaks of the one best fold: both are shown.",
        "Which dataset tests: the first. Where DATA has three or four fold_* folders, each tests once, and the others "
        "are cross-validated among themselves.",
        "The paper thins the patches of every dataset to 20,000 at random; here all are taken, unless the preset's "
        "patches.most says how many of all training images together (60000 for three datasets).",
        "Validation loss is taken over all pixels of the validation images, in windows of 256 px, each pixel once.",
        "Epochs are not given: the preset's.",
        "Mean IoU counts an image without particles in truth and prediction as 1, and one with in the prediction only "
        "as 0.",
        "Thresholds are 0.5, or what the preset says.",
    ),
)
