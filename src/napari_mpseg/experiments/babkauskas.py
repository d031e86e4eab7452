"""The semantic part of the protocol of Babkauskas 2023: one division into training, validation and test.

References
----------
Babkauskas 2023, sections 3.1 and 3.2.2; Table 7.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_mpseg.errors import SettingsError
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
from napari_mpseg.training.patches.splits import share_split

if TYPE_CHECKING:
    from napari_mpseg.training.preset import Preset


@dataclass(frozen=True)
class BabkauskasSettings(ProtocolSettings):
    """Settings of the protocol.

    Attributes
    ----------
    validation, test : float
        Shares of the images. The paper tests on 6 images of 28, and validates on 16 of the 396 copies of the others.
    """

    validation: float = 0.1
    test: float = 0.21

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (self.validation > 0 and self.test > 0 and self.validation + self.test < 1):
            raise SettingsError(
                f"validation = {self.validation} and test = {self.test} must be above 0 and leave some to train on."
            )
        if self.folds:
            raise SettingsError("babkauskas-2023 has no folds, but one division. Leave out folds.")


def divide(settings: BabkauskasSettings, inventory: Inventory) -> Division:
    """Return the one round."""
    shares = (1 - settings.validation - settings.test, settings.validation, settings.test)
    parts = share_split(inventory.totals, shares, settings.seed, inventory.keys)
    train, validation, test = (tuple(part) for part in parts)
    datasets = {"train": train, "validation": validation, "test": test}
    return Division(datasets, (Round("trained", "test", train, validation, test),))


def recipe(preset: "Preset") -> "Preset":
    """Return the preset keeping the epoch of highest validation IoU."""
    if preset.settings.keep == "best-iou" and preset.settings.validation:
        return preset
    return preset.changed(keep="best-iou", validation=preset.settings.validation or 0.1)


COLUMNS = (
    Column("iou", "IoU", IMAGES),
    Column("precision", "precision"),
    Column("recall", "recall"),
    Column("f1", "F1"),
)
BABKAUSKAS = Protocol(
    name="babkauskas-2023",
    title="Babkauskas 2023: semantic segmentation, one division",
    source="Babkauskas 2023",
    summary="Whole images for training, validation and test; the epoch of highest validation IoU is kept; IoU of each "
    "test image, averaged.",
    settings=BabkauskasSettings,
    divide=divide,
    recipe=recipe,
    presets=(
        "babkauskas-unet-r18",
        "babkauskas-unet-r18-scratch",
        "babkauskas-unet-r34",
        "babkauskas-unet-r34-scratch",
    ),
    methods=("otsu",),
    columns=COLUMNS,
    blocks=(Block("test", "Test images", "IoU averaged over the test images; all else of their pixels together."),),
    published=Published(
        "Table 7 of Babkauskas 2023",
        {
            "U-Net, ResNet-18, pre-trained": {"iou": 0.8549},
            "U-Net, ResNet-18": {"iou": 0.8466},
            "U-Net, ResNet-34, pre-trained": {"iou": 0.8766},
            "U-Net, ResNet-34": {"iou": 0.8512},
        },
    ),
    open_choices=(
        "The paper validates on turned copies of images it trains on; here whole images are kept aside.",
        "Precision, recall and F1 are not in the paper.",
    ),
)
