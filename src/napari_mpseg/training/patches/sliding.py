"""The papers' way: every patch of a sliding window with a particle, and some without, once in every epoch."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from napari_mpseg.heads.registry import HEADS
from napari_mpseg.training.data.pairs import LabelledImage
from napari_mpseg.training.patches.batch import Batch
from napari_mpseg.training.patches.sampled import augmented, batch_of, cut_pair, restore, state_of
from napari_mpseg.training.patches.windows import find_patches
from napari_mpseg.training.settings import TrainSettings


class SlidingSampler:
    """Goes through the patches that :func:`~napari_mpseg.training.patches.windows.find_patches` chose.

    Each epoch visits every patch once, in a new random order. The patches are dealt out so evenly that batches differ
    by one patch at most and none has more than the settings' batch: 11 patches in batches of up to 10 are 6 and 5. So
    none is left out, and there is no last batch of one patch, which batch normalisation cannot work with.

    Parameters
    ----------
    real, synthetic : sequence of LabelledImage
        All are gone through; shares of synthetic patches are for random crops. Images are read where a patch lies.
    settings : TrainSettings
    rng : numpy.random.Generator
        Also draws the patches without particle, and those to take if not all are, once, so the same images, settings
        and seed have the same patches.

    Raises
    ------
    SettingsError
        If no patch holds a particle.
    """

    def __init__(
        self,
        real: Sequence[LabelledImage],
        synthetic: Sequence[LabelledImage],
        settings: TrainSettings,
        rng: np.random.Generator,
    ) -> None:
        chosen = settings.patches
        self.settings = settings
        self.rng = rng
        self.head = HEADS[settings.head]
        self._images = [*real, *synthetic]
        self.patches = find_patches(
            self._images,
            rng,
            size=chosen.size,
            step=chosen.step,
            least_foreground=chosen.least_foreground,
            background_share=chosen.background_share,
        )
        if chosen.most and len(self.patches) > chosen.most:
            self.patches = self.patches[np.sort(rng.choice(len(self.patches), chosen.most, replace=False))]

    @property
    def steps_per_epoch(self) -> int:
        """Batches in one epoch."""
        return -(-len(self.patches) // self.settings.batch)

    def epoch(self) -> Iterator[Batch]:
        """Give every patch once, in a new order."""
        size = self.settings.patches.size
        for numbers in np.array_split(self.rng.permutation(len(self.patches)), self.steps_per_epoch):
            several = self.head.channels > 1
            cuts = [
                cut_pair(self._images[image], y, x, size, instances=several)
                for image, y, x in self.patches[numbers].tolist()
            ]
            yield batch_of([augmented(patch, self.settings.augmentation, self.rng) for patch in cuts], self.head)

    def state(self) -> Mapping[str, Any]:
        """Return what is needed to go on from here between two epochs, as plain JSON values."""
        return {"rng": state_of(self.rng)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state that :meth:`state` gave; images and settings must be the same."""
        restore(self.rng, state["rng"])
