"""What all samplers share: a patch is augmented, patches become a batch, a generator's state becomes JSON."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from napari_mpseg.errors import SettingsError
from napari_mpseg.heads.head import Head
from napari_mpseg.heads.registry import HEADS, MASK
from napari_mpseg.training.augment.augmentation import augment
from napari_mpseg.training.data.pairs import LabelledImage
from napari_mpseg.training.patches.batch import Batch
from napari_mpseg.training.patches.windows import filled
from napari_mpseg.training.settings import Augmentation

Array = np.ndarray[Any, Any]
Patch = tuple[Array, Array, Array | None]
"""Image ``(Y, X, C)`` float32, mask ``(Y, X)`` bool, and where the mask is known, or None for everywhere.

For heads that learn from instances the mask is int32, the number of the particle; 0 is background.
"""


def cut_pair(pair: LabelledImage, y: int, x: int, size: int, *, instances: bool = False) -> Patch:
    """Cut a patch out of a labelled image, grey levels of 0 to 255.

    Where the image is smaller than the patch its last pixels are repeated, as is the mask, and count as unknown. With
    `instances`, the mask is the pair's instances.
    """
    part = (slice(y, y + size), slice(x, x + size))
    image, mask = np.asarray(pair.image[part]).astype(np.float32), pair.mask[part]
    if instances:
        assert pair.instances is not None, "told_apart has seen to it"
        mask = pair.instances[part].astype(np.int32)
    known = None if pair.known is None else pair.known[part]
    if known is None and mask.shape != (size, size):
        known = np.ones(mask.shape, bool)
    return filled(image, size), filled(mask, size), None if known is None else filled(known, size, mode="constant")


def augmented(patch: Patch, steps: Sequence[Augmentation], rng: np.random.Generator) -> Patch:
    """Change a patch at random and bring it from grey levels to 0..1."""
    image, mask, known = augment(*patch, steps, rng)
    return image / np.float32(255), mask, known


def batch_of(patches: Sequence[Patch], head: Head = HEADS[MASK]) -> Batch:
    """Put patches of one size together; targets and weights are those of the head."""
    images = np.stack([image.transpose(2, 0, 1) for image, _, _ in patches])
    several = head.channels > 1
    targets = np.stack([head.targets(mask) if several else mask[None] for _, mask, _ in patches])
    weights = np.stack([head.weights(mask) for _, mask, _ in patches]) if several else None
    known = None
    if any(part is not None for _, _, part in patches):
        known = np.stack([np.ones(mask.shape, bool)[None] if part is None else part[None] for _, mask, part in patches])
    return Batch(np.ascontiguousarray(images, np.float32), np.ascontiguousarray(targets, np.float32), known, weights)


def state_of(rng: np.random.Generator) -> dict[str, Any]:
    """Return a generator's state as plain JSON values."""

    def plain(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {str(key): plain(item) for key, item in value.items()}
        return value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value

    state: dict[str, Any] = plain(rng.bit_generator.state)
    return state


def restore(rng: np.random.Generator, state: Mapping[str, Any]) -> None:
    """Bring a generator into a state that :func:`state_of` gave.

    Raises
    ------
    SettingsError
        If the state is of another kind of generator, or damaged.
    """
    try:
        rng.bit_generator.state = dict(state)
    except (KeyError, TypeError, ValueError) as error:
        raise SettingsError(
            f"The state of the random numbers in the checkpoint cannot be used ({error}). Start the training anew."
        ) from error
