"""The protocol of Lee and Jhang 2021: five-fold cross-validation, and metrics weighted by recall.

References
----------
Lee and Jhang 2021, section 4; Tables 1 to 3.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_mpseg.errors import SettingsError
from napari_mpseg.experiments.grouping import datasets_of
from napari_mpseg.experiments.protocol import (
    ROUNDS,
    Block,
    Column,
    Inventory,
    Protocol,
    ProtocolSettings,
    Published,
)
from napari_mpseg.experiments.rounds import Division, Round
from napari_mpseg.training.patches.splits import share_split

if TYPE_CHECKING:
    from napari_mpseg.training.preset import Preset

FOLDS = 5


@dataclass(frozen=True)
class LeeJhangSettings(ProtocolSettings):
    """Settings of the protocol.

    Attributes
    ----------
    validation : float
        Share of the images that are not tested on; 0.1 with five folds is the paper's 72, 8 and 20 %.
    """

    validation: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.validation < 1:
            raise SettingsError(f"validation = {self.validation} is impossible: give a share above 0 and below 1.")


def divide(settings: LeeJhangSettings, inventory: Inventory) -> Division:
    """Return one round per fold: it tests, and of the others a share validates."""
    datasets = datasets_of(inventory, settings, FOLDS)
    shares = (1 - settings.validation, settings.validation, 0.0)
    rounds = []
    for test, numbers in datasets.items():
        others = [number for name, group in datasets.items() if name != test for number in group]
        totals = [inventory.totals[number] for number in others]
        keys = None if inventory.keys is None else [inventory.keys[number] for number in others]
        parts = share_split(totals, shares, settings.seed, keys)
        train, validation = (tuple(sorted(others[k] for k in part)) for part in (parts.train, parts.validation))
        rounds.append(Round(f"without-{test}", test, train, validation, numbers))
    return Division(datasets, tuple(rounds))


def recipe(preset: "Preset") -> "Preset":
    """Return the preset as it is: the paper does not say which epoch is kept."""
    return preset


def _row(*values: float) -> dict[str, float]:
    return dict(zip((column.metric for column in COLUMNS), values, strict=True))


COLUMNS = (
    Column("precision", "precision", ROUNDS),
    Column("recall", "recall", ROUNDS),
    Column("f1", "F1", ROUNDS),
    Column("iou", "IoU", ROUNDS),
    Column("rw-f1", "r.w. F1", ROUNDS),
    Column("rw-miou", "r.w. mIoU", ROUNDS),
)
LEE_JHANG = Protocol(
    name="lee-2021",
    title="Lee and Jhang 2021: five-fold cross-validation, weighted by recall",
    source="Lee and Jhang 2021",
    summary="Five folds: 20 % test, 8 % validate, 72 % are trained on. Every metric is taken of each fold's pixels "
    "together, and averaged over the folds; r.w. is times recall.",
    settings=LeeJhangSettings,
    divide=divide,
    recipe=recipe,
    presets=(
        "lee-jhang-unet",
        "lee-jhang-half-unet",
        "lee-jhang-multiresunet",
        "lee-jhang-half-multiresunet",
        "lee-jhang-quarter-multiresunet",
    ),
    methods=(),
    columns=COLUMNS,
    blocks=(Block("folds", "Mean over the folds", "Metrics of each test fold's pixels together, averaged."),),
    published=Published(
        "Tables 1 to 3 of Lee and Jhang 2021, averages",
        {
            "U-net": _row(0.0174, 0.3556, 0.0328, 0.0173, 0.0306, 0.0162),
            "Half U-net": _row(0.0272, 0.5478, 0.0517, 0.0270, 0.0475, 0.0249),
            "MultiResUNet": _row(0.0466, 0.9235, 0.0834, 0.0462, 0.0781, 0.0433),
            "Half MultiResUNet": _row(0.2778, 0.9437, 0.4279, 0.2728, 0.4032, 0.2570),
            "Quarter MultiResUNet": _row(0.1575, 0.9637, 0.2685, 0.1563, 0.2584, 0.1505),
        },
    ),
    open_choices=(
        "The paper does not say by what the images are divided: here by similar totals of particle pixels.",
        "What validation decides is not said: here nothing but what is written into the model's card, unless the "
        "preset keeps its best epoch.",
        "The paper tests on crops of 512 px; here every image is predicted whole, tile by tile.",
        "A probability above 0.5 is particle, unless the preset says otherwise.",
    ),
)
