"""The registry of augmentations, and how a list of them is applied to a patch."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from napari_mpseg.registry import Registry
from napari_mpseg.training.augment import geometric, offline, photometric
from napari_mpseg.training.options import checked_options
from napari_mpseg.training.settings import Augmentation

Array = np.ndarray[Any, Any]
Patch = tuple[Array, Array, Array | None]
Change = Callable[..., Patch]

AUGMENTATIONS: Registry[Change] = Registry("augmentation")
AUGMENTATIONS.add("turns-and-flips", geometric.turns_and_flips)
AUGMENTATIONS.add("flips", geometric.flips)
AUGMENTATIONS.add("shift", geometric.shift)
AUGMENTATIONS.add("rotate", geometric.rotate)
AUGMENTATIONS.add("scale", geometric.scale)
AUGMENTATIONS.add("offline-turns", offline.offline_turns)
AUGMENTATIONS.add("grey", photometric.grey)
AUGMENTATIONS.add("negative", photometric.negative)
AUGMENTATIONS.add("photometric", photometric.photometric)
AUGMENTATIONS.add("brightness", photometric.brightness)
AUGMENTATIONS.add("contrast", photometric.contrast)
AUGMENTATIONS.add("blur", photometric.blur)
AUGMENTATIONS.add("hue-saturation-value", photometric.hue_saturation_value)


def augment(
    image: Array, mask: Array, known: Array | None, steps: Sequence[Augmentation], rng: np.random.Generator
) -> Patch:
    """Change a patch at random, one step after the other.

    Parameters
    ----------
    image : ndarray of float32
        ``(Y, X, C)`` in grey levels of 0 to 255.
    mask : ndarray of bool or int32
        ``(Y, X)``; or the numbers of particles, which take the nearest pixel as a mask does.
    known : ndarray of bool or None
        ``(Y, X)``; where the mask is known, None for everywhere.
    steps : sequence of Augmentation
    rng : numpy.random.Generator
        The same state gives the same changes.

    Returns
    -------
    image, mask, known
        As given, the image cut to 0..255; height and width are exchanged by some steps. What is given is not
        changed, but the result may look at it.

    Raises
    ------
    UnknownNameError
        If there is no such augmentation.
    SettingsError
        If it has no such option, or the value is impossible.
    """
    for step in steps:
        change = AUGMENTATIONS[step.name]
        options = checked_options("augmentation", step.name, change, step.options)
        image, mask, known = change(image, mask, known, rng, **options)
    return np.clip(image, 0, 255).astype(np.float32), mask, known


def check_augmentation(steps: Sequence[Augmentation], channels: int = 3) -> None:
    """Try the steps on a small patch, so that what is wrong with them is said before a training starts.

    Raises
    ------
    UnknownNameError, SettingsError
        As :func:`augment`.
    """
    patch = np.zeros((8, 8, channels), np.float32)
    augment(patch, np.zeros((8, 8), bool), None, steps, np.random.default_rng(0))


def fill_with(steps: Sequence[Augmentation], pixel: Sequence[float]) -> tuple[Augmentation, ...]:
    """Return the steps with `pixel`, such as the data set's mean, as `fill` of all that have one and were given none.

    Parameters
    ----------
    steps : sequence of Augmentation
    pixel : sequence of float
        Grey levels of 0 to 255, one per channel.
    """
    fill = [float(value) for value in pixel]
    return tuple(
        replace(step, options={**step.options, "fill": fill})
        if "fill" in inspect.signature(AUGMENTATIONS[step.name]).parameters and step.options.get("fill") is None
        else step
        for step in steps
    )
