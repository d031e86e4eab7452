"""The registry of samplers, and random crops that mostly lie around particles."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from scipy import ndimage

from napari_mpseg.errors import SettingsError
from napari_mpseg.heads.registry import HEADS
from napari_mpseg.registry import Registry
from napari_mpseg.training.data.pairs import LabelledImage
from napari_mpseg.training.patches.batch import Batch, Sampler
from napari_mpseg.training.patches.pixel_index import PixelIndex
from napari_mpseg.training.patches.sampled import Patch, augmented, batch_of, cut_pair, restore, state_of
from napari_mpseg.training.patches.sliding import SlidingSampler
from napari_mpseg.training.settings import TrainSettings

Array = np.ndarray[Any, Any]
SamplerFactory = Callable[
    [Sequence[LabelledImage], Sequence[LabelledImage], TrainSettings, np.random.Generator], Sampler
]
"""Takes real and synthetic images, the settings and the generator of all random numbers."""

SAMPLERS: Registry[SamplerFactory] = Registry("sampler")


class CropSampler:
    """Draws augmented crops.

    Every particle is as likely as any other, large or small; the crop lies around one of its pixels at random. The
    other crops lie anywhere, or, where an image was painted in part, around a painted pixel of the background, so
    that every crop holds something to learn from.

    Parameters
    ----------
    real : sequence of LabelledImage
        Images of the same number of channels; they are read where a crop lies.
    synthetic : sequence of LabelledImage
        Drawn from with the settings' share; may be empty.
    settings : TrainSettings
    rng : numpy.random.Generator

    Raises
    ------
    SettingsError
        If no image has a known pixel.
    """

    def __init__(
        self,
        real: Sequence[LabelledImage],
        synthetic: Sequence[LabelledImage],
        settings: TrainSettings,
        rng: np.random.Generator,
    ) -> None:
        self.settings = settings
        self.rng = rng
        self.head = HEADS[settings.head]
        self._pools = [_Pool(part, self.head.channels > 1) for part in (real, synthetic)]
        if not self._pools[0].images:
            raise SettingsError("There is nothing to learn from: no image has a painted pixel. Paint some first.")

    @property
    def steps_per_epoch(self) -> int:
        """Batches in one epoch; all are full, so there may be a few more crops than the settings say."""
        return -(-self.settings.patches.per_epoch // self.settings.batch)

    def epoch(self) -> Iterator[Batch]:
        """Give the batches of the next epoch."""
        for _ in range(self.steps_per_epoch):
            yield self.batch()

    def state(self) -> Mapping[str, Any]:
        """Return what is needed to go on from here, as plain JSON values."""
        return {"rng": state_of(self.rng)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state that :meth:`state` gave."""
        restore(self.rng, state["rng"])

    def batch(self) -> Batch:
        """Return as many crops as the settings' batch."""
        return batch_of([self.crop() for _ in range(self.settings.batch)], self.head)

    def crop(self) -> Patch:
        """Return one augmented crop: image ``(Y, X, C)`` float32 0..1, mask ``(Y, X)``, and where it is known."""
        rng, chosen = self.rng, self.settings.patches
        # the order of the draws is part of the recipe: changing it changes what every seed gives
        pool = self._pools[int(bool(self._pools[1].images) and rng.random() < chosen.synthetic_share)]
        edge = min(8, chosen.size // 4)
        if pool.particles and rng.random() < chosen.particle_share:
            index, pixels = pool.particles[rng.integers(len(pool.particles))]
            pixel = pixels[rng.integers(len(pixels))]
            corner = pixel - rng.integers(edge, chosen.size - edge, 2)
        else:
            index = int(rng.integers(len(pool.images)))
            painted = pool.background[index]
            if painted is None:
                shape = np.array(pool.images[index].mask.shape)
                corner = rng.integers(0, np.maximum(shape - chosen.size, 0) + 1)
            else:
                pixel = painted.pixel(int(rng.integers(len(painted))))
                corner = pixel - rng.integers(edge, chosen.size - edge, 2)
        pair = pool.images[index]
        y, x = np.clip(corner, 0, np.maximum(np.array(pair.mask.shape) - chosen.size, 0))
        patch = cut_pair(pair, int(y), int(x), chosen.size, instances=self.head.channels > 1)
        return augmented(patch, self.settings.augmentation, rng)


class _Pool:
    """Images with what crops are laid around.

    Attributes
    ----------
    images : list of LabelledImage
        Those with known pixels.
    particles : list of tuple
        For each particle its image's index and its pixels ``(P, 2)``.
    background : list of PixelIndex or None
        For each image its painted background, or all that is painted where that is none; None where the image is known
        everywhere.
    """

    def __init__(self, images: Sequence[LabelledImage], instances: bool = False) -> None:
        self.images = [pair for pair in images if pair.known is None or pair.known.any()]
        self.particles = [
            (index, pixels) for index, pair in enumerate(self.images) for pixels in _particles(pair, instances)
        ]
        self.background = [_background(pair) for pair in self.images]


def _particles(pair: LabelledImage, instances: bool = False) -> list[Array]:
    """Return the pixels ``(P, 2)`` of each particle in reading order.

    Particles are connected pixels, in the order of their first ones; or what the instances say, in that of numbers.
    """
    mask = pair.mask if pair.known is None else pair.mask & pair.known
    if not mask.any():
        return []
    if instances and pair.instances is not None:
        labels = np.zeros(mask.shape, np.int64)
        labels[mask] = np.unique(pair.instances[mask], return_inverse=True)[1].ravel() + 1
    else:
        labels, _ = ndimage.label(mask, np.ones((3, 3)))
    pixels = np.argwhere(labels).astype(np.int32)
    own = labels[labels > 0]
    by_particle = pixels[np.argsort(own, kind="stable")]
    return np.split(by_particle, np.cumsum(np.bincount(own)[1:])[:-1])


def _background(pair: LabelledImage) -> PixelIndex | None:
    if pair.known is None:
        return None
    background = PixelIndex(pair.known & ~pair.mask)
    return background if len(background) else PixelIndex(pair.known)


SAMPLERS.add("around-particles", CropSampler)
SAMPLERS.add("sliding", SlidingSampler)
