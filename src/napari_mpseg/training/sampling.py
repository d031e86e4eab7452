"""Random crops from labelled images, mostly around particles, and their augmentation."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import ndimage

from napari_mpseg.training.pairs import LabelledImage
from napari_mpseg.training.settings import TrainSettings

Array = np.ndarray[Any, Any]


class CropSampler:
    """Draws augmented crops.

    Every particle is as likely as any other, large or small; the crop lies around one of its pixels at random.

    Parameters
    ----------
    real : sequence of LabelledImage
        uint8 images of the same number of channels.
    synthetic : sequence of LabelledImage
        Drawn from with the settings' share; may be empty.
    settings : TrainSettings
    rng : numpy.random.Generator
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
        self._pools = [(list(real), _particles(real)), (list(synthetic), _particles(synthetic))]

    def batch(self) -> tuple[Array, Array]:
        """Return images ``(N, C, Y, X)`` float32 0..1 and masks ``(N, 1, Y, X)`` float32 0 or 1."""
        crops = [self.crop() for _ in range(self.settings.batch)]
        images = np.stack([image.transpose(2, 0, 1) for image, _ in crops])
        masks = np.stack([mask[None] for _, mask in crops])
        return np.ascontiguousarray(images, np.float32), np.ascontiguousarray(masks, np.float32)

    def crop(self) -> tuple[Array, Array]:
        """Return one augmented crop: image ``(Y, X, C)`` float32 0..1, mask ``(Y, X)`` bool."""
        rng, settings = self.rng, self.settings
        images, particles = self._pools[int(bool(self._pools[1][0]) and rng.random() < settings.synthetic_share)]
        side = settings.crop
        if particles and rng.random() < settings.particle_share:
            index, pixels = particles[rng.integers(len(particles))]
            edge = min(8, side // 4)
            corner = pixels[rng.integers(len(pixels))] - rng.integers(edge, side - edge, 2)
        else:
            index = int(rng.integers(len(images)))
            corner = rng.integers(0, np.maximum(np.array(images[index].mask.shape) - side, 0) + 1)
        pair = images[index]
        y, x = np.clip(corner, 0, np.maximum(np.array(pair.mask.shape) - side, 0))
        image = pair.image[y : y + side, x : x + side].astype(np.float32)
        mask = pair.mask[y : y + side, x : x + side]
        return _augmented(_filled(image, side), _filled(mask, side), settings, rng)


def _particles(images: Sequence[LabelledImage]) -> list[tuple[int, Array]]:
    """Return for each particle its image's index and its pixels ``(P, 2)``."""
    found = []
    for index, pair in enumerate(images):
        labels, count = ndimage.label(pair.mask, np.ones((3, 3)))
        found += [(index, np.argwhere(labels == label)) for label in range(1, count + 1)]
    return found


def _filled(values: Array, side: int) -> Array:
    """Repeat the edge of a crop from an image smaller than the crop."""
    missing = [(0, side - size) for size in values.shape[:2]] + [(0, 0)] * (values.ndim - 2)
    return np.pad(values, missing, mode="edge") if any(after for _, after in missing) else values


def _augmented(image: Array, mask: Array, settings: TrainSettings, rng: np.random.Generator) -> tuple[Array, Array]:
    turns = int(rng.integers(4))
    image, mask = np.rot90(image, turns), np.rot90(mask, turns)
    if rng.random() < 0.5:
        image, mask = image[:, ::-1], mask[:, ::-1]
    if rng.random() < settings.grey_share:
        image = np.repeat(image.mean(2, keepdims=True), image.shape[2], 2)
    image = image * np.exp(rng.normal(0, settings.gain))
    image = image + rng.normal(0, settings.offset) + rng.normal(0, settings.offset / 4, image.shape[2])
    image = image + rng.normal(0, 1, image.shape) * rng.uniform(0, settings.noise)
    return np.clip(image, 0, 255).astype(np.float32) / 255, mask
