"""Which particle a pixel belongs to, for heads that learn from it: as it was labelled, or as far as it can be told."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from napari_mpseg.errors import SettingsError
from napari_mpseg.heads.registry import HEADS
from napari_mpseg.training.data.compacting import compact
from napari_mpseg.training.data.pairs import LabelledImage

Array = np.ndarray[Any, Any]


def told_apart(images: Sequence[LabelledImage], head: str) -> tuple[list[LabelledImage], list[str]]:
    """Return the images with the instances that a head learns from, and what the user should know of them.

    Where all particles of an image have the same label, its connected pixels are taken for one particle each.

    Parameters
    ----------
    images : sequence of LabelledImage
        Returned as they are for a head that learns of the mask alone.
    head : str
        In :data:`~napari_mpseg.heads.registry.HEADS`.

    Raises
    ------
    SettingsError
        If only scribbles were painted on an image: they do not say where a particle ends.
    """
    if HEADS[head].channels == 1:
        return list(images), []
    found, guessed = [], []
    for pair in images:
        if pair.instances is None and pair.known is not None:
            raise SettingsError(
                f"The head {head!r} learns where one particle ends and another begins, and {pair.name} was painted "
                "with scribbles, which do not say it. Paint whole particles, each with a label of its own, and train "
                "with 'Painted as: Dense mask' in napari, painted='dense' in a script, --painted dense in a terminal. "
                "Or do without: 'Tell touching particles apart: No' in napari, head='mask' elsewhere."
            )
        whole = with_instances(pair)
        if whole is not pair and int(whole.instances.max(initial=0)) > 1:  # type: ignore[union-attr]
            guessed.append(pair.name)
        found.append(whole)
    return found, one_label_notes(guessed)


def of_one_label(images: Sequence[LabelledImage]) -> list[str]:
    """Return the names of the images whose particles all have the same label, as far as anything is painted."""
    return [
        pair.name
        for pair in images
        if bool(np.any(pair.mask)) and (pair.instances is None or not _has_several(pair.instances))
    ]


def one_label_notes(names: Sequence[str]) -> list[str]:
    """Return what the user should know of images whose particles all have the same label."""
    if not names:
        return []
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return [
        f"All particles of {shown} have the same label, so connected pixels are taken for one particle each, and those "
        "that touch for one. Give each particle a label of its own."
    ]


def with_instances(pair: LabelledImage) -> LabelledImage:
    """Return the image with instances; the same if it has several.

    Where all particles have the same label, its connected pixels are taken for one particle each.
    """
    if pair.instances is not None and _has_several(pair.instances):
        return pair
    return replace(pair, instances=_components(pair.mask))


def _has_several(instances: Array) -> bool:
    """Return whether there is more than one label beside 0; looks no further than it must."""
    first = 0
    for row in instances:
        own = row[row != 0]
        if not own.size:
            continue
        first = first or int(own[0])
        if (own != first).any():
            return True
    return False


def _components(mask: Array) -> Array:
    from napari_mpseg.heads.pieces import pieces_of

    return compact(pieces_of(np.asarray(mask))[0])


def instance_digests(images: Sequence[LabelledImage]) -> list[str]:
    """Return the SHA-256 of each image's instances, which tells runs of heads apart."""
    return [
        hashlib.sha256(np.ascontiguousarray(pair.instances).tobytes()).hexdigest() if pair.instances is not None else ""
        for pair in images
    ]
