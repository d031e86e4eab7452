"""An earlier stage of a recipe: what a network learns from before it sees the labelled images.

References
----------
Lee et al. 2022, whose networks learn from synthetic images first and are transferred to real ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from napari_mpseg.errors import SettingsError

SHARED = ("network", "network_options", "head", "shrink", "standardise")
"""Settings that both stages share, since one network goes through both."""


@dataclass(frozen=True)
class EarlierStage:
    """What is learnt first.

    Attributes
    ----------
    images : str
        What made the images: a name in :data:`~napari_mpseg.training.made_images.MAKERS` (``"synthetic"``,
        ``"semi"``), or a folder of images with labels of the same names in its sub-folder ``labels``.
    count : int
        How many images are made. Of a folder all are taken.
    options : mapping
        Of what makes the images.
    changes : mapping
        Settings of the recipe that are different in this stage, by dotted name: ``{"epochs": 20,
        "optimiser.learning_rate": 1e-3}``. What chooses on validation images is left to the recipe's own stage unless
        it is named here: nothing is kept aside, and the last or averaged weights go on.
    """

    images: str = "synthetic"
    count: int = 96
    options: Mapping[str, Any] = field(default_factory=dict)
    changes: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.images:
            raise SettingsError("before.images is empty: give 'synthetic', 'semi' or a folder of labelled images.")
        if self.count < 1:
            raise SettingsError(f"before.count = {self.count} is impossible: give at least 1 image.")
        shared = [path for path in self.changes if path.partition(".")[0] in SHARED]
        if shared:
            raise SettingsError(
                f"before.{shared[0]} cannot differ: one network goes through both stages. Change {shared[0]} itself."
            )
