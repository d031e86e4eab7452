"""Patches for a detector: cut out, mirrored where the image ends, changed at random, with their particles."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from scipy import ndimage

from napari_mpseg.detection.target import Target, target_of
from napari_mpseg.registry import Registry
from napari_mpseg.training.augment.augmentation import augment
from napari_mpseg.training.data.pairs import LabelledImage
from napari_mpseg.training.patches.sampled import restore, state_of
from napari_mpseg.training.patches.windows import find_patches
from napari_mpseg.training.settings import TrainSettings

Array = np.ndarray[Any, Any]
Place = tuple[int, int, int]
"""Number of the image, y and x of a patch's first pixel."""


@dataclass(frozen=True)
class DetectionBatch:
    """Patches for one step.

    Attributes
    ----------
    images : tuple of ndarray
        float32 ``(C, Y, X)``, 0 to 1.
    targets : tuple of Target
    """

    images: tuple[Array, ...]
    targets: tuple[Target, ...]


class Places(Protocol):
    """Where the patches of an epoch lie."""

    count: int

    def draw(self, rng: np.random.Generator) -> Sequence[Place]:
        """Return `count` places."""
        ...


PLACES: Registry[Any] = Registry("way to choose patches")
"""Each takes images, settings and the generator, and returns :class:`Places`; names are those of other networks."""


class DetectionSampler:
    """Draws augmented patches with their particles; patches without any are among them.

    Parameters
    ----------
    images : sequence of LabelledImage
        Known everywhere, with instances.
    settings : TrainSettings
    rng : numpy.random.Generator

    Raises
    ------
    UnknownNameError
        If patches cannot be chosen that way.
    SettingsError
        If no patch holds what the settings ask for.
    """

    def __init__(self, images: Sequence[LabelledImage], settings: TrainSettings, rng: np.random.Generator) -> None:
        self.images, self.settings, self.rng = images, settings, rng
        self._places: Places = PLACES[settings.patches.name](images, settings, rng)

    @property
    def steps_per_epoch(self) -> int:
        """Batches in one epoch; the last may be smaller."""
        return -(-self._places.count // self.settings.batch)

    def epoch(self) -> Iterator[DetectionBatch]:
        """Give the batches of the next epoch."""
        places, size = self._places.draw(self.rng), self.settings.batch
        for first in range(0, len(places), size):
            patches = [self._patch(*place) for place in places[first : first + size]]
            yield DetectionBatch(tuple(image for image, _ in patches), tuple(target for _, target in patches))

    def state(self) -> Mapping[str, Any]:
        """Return what is needed to go on from here, as plain JSON values."""
        return {"rng": state_of(self.rng)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state that :meth:`state` gave."""
        restore(self.rng, state["rng"])

    def _patch(self, number: int, y: int, x: int) -> tuple[Array, Target]:
        image, labels = cut_particles(self.images[number], y, x, self.settings.patches.size)
        image, labels, _ = augment(image, labels, None, self.settings.augmentation, self.rng)
        levels = np.ascontiguousarray(image.transpose(2, 0, 1)) / np.float32(255)
        return levels, target_of(np.asarray(labels))


def cut_particles(pair: LabelledImage, y: int, x: int, size: int) -> tuple[Array, Array]:
    """Cut out a patch, mirrored where the image is smaller.

    Returns
    -------
    image : ndarray of float32
        ``(size, size, C)`` in grey levels of 0 to 255.
    labels : ndarray of int32
        ``(size, size)``; a particle that is seen again in the mirror is another one, unless the two touch.
    """
    assert pair.instances is not None, "with_instances has seen to it"
    part = (slice(y, y + size), slice(x, x + size))
    image, labels = np.asarray(pair.image[part]).astype(np.float32), np.asarray(pair.instances[part]).astype(np.int32)
    missing = [(0, size - length) for length in labels.shape]
    if any(after for _, after in missing):
        image = np.pad(image, [*missing, (0, 0)], mode="symmetric")
        labels = _apart(np.pad(labels, missing, mode="symmetric"), labels.shape)
    return image, labels


def _apart(labels: Array, shape: tuple[int, ...]) -> Array:
    """Give new numbers to what lies in the mirror and does not touch the image."""
    from skimage.measure import label

    parts = label(labels, background=0, connectivity=2)
    inside = np.zeros(int(parts.max()) + 1, bool)
    inside[parts[: shape[0], : shape[1]]] = True
    return np.where(inside[parts], labels, np.where(labels > 0, parts + labels.max(), 0)).astype(np.int32)


@PLACES.register("sliding")
class SlidingPlaces:
    """Every window that holds enough particle, in another order in each epoch; see ``find_patches``."""

    def __init__(self, images: Sequence[LabelledImage], settings: TrainSettings, rng: np.random.Generator) -> None:
        chosen = settings.patches
        self._corners = find_patches(
            images,
            rng,
            size=chosen.size,
            step=chosen.step,
            least_foreground=chosen.least_foreground,
            background_share=chosen.background_share,
        )
        if chosen.most and len(self._corners) > chosen.most:
            self._corners = self._corners[np.sort(rng.choice(len(self._corners), chosen.most, replace=False))]
        self.count = len(self._corners)

    def draw(self, rng: np.random.Generator) -> list[Place]:
        """Return all corners, shuffled."""
        return [(int(n), int(y), int(x)) for n, y, x in self._corners[rng.permutation(self.count)]]


@PLACES.register("around-particles")
class RandomPlaces:
    """Random windows, a share of them around a particle: every particle as likely as any other."""

    def __init__(self, images: Sequence[LabelledImage], settings: TrainSettings, rng: np.random.Generator) -> None:
        self._shapes = [pair.mask.shape for pair in images]
        self._size, self._share = settings.patches.size, settings.patches.particle_share
        self.count = settings.patches.per_epoch
        self._particles = [
            (number, (rows.start + rows.stop) // 2, (columns.start + columns.stop) // 2)
            for number, pair in enumerate(images)
            for rows, columns in filter(None, ndimage.find_objects(np.asarray(pair.instances).astype(np.int32)))
        ]

    def draw(self, rng: np.random.Generator) -> list[Place]:
        """Return new places."""
        return [self._one(rng) for _ in range(self.count)]

    def _one(self, rng: np.random.Generator) -> Place:
        edge = min(8, self._size // 4)
        if self._particles and rng.random() < self._share:
            number, y, x = self._particles[rng.integers(len(self._particles))]
            down, right = rng.integers(edge, self._size - edge, 2)
            corner = (y - int(down), x - int(right))
        else:
            number = int(rng.integers(len(self._shapes)))
            spare = np.maximum(np.array(self._shapes[number]) - self._size, 0)
            corner = (int(rng.integers(spare[0] + 1)), int(rng.integers(spare[1] + 1)))
        height, width = self._shapes[number]
        y, x = (max(0, min(place, length - self._size)) for place, length in zip(corner, (height, width), strict=True))
        return number, y, x
