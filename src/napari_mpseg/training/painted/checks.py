"""What is wrong, or looks wrong, with painted labels, in words; said before training starts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from napari_mpseg.errors import SettingsError
from napari_mpseg.training.data.pairs import LabelledImage
from napari_mpseg.training.painted.image import PaintedImage
from napari_mpseg.training.painted.kinds import ANNOTATIONS

FEW_PIXELS = 20
_FEW_LABELS = 4


@dataclass(frozen=True)
class _Counts:
    """Pixels of one image."""

    name: str
    partial: bool
    particle: int
    background: int
    whole: int
    labels: Mapping[int, int] | None
    background_label: int


def check_painted(images: Sequence[LabelledImage], kind: str | None = None) -> list[str]:
    """Say what is wrong with painted labels before training starts.

    Parameters
    ----------
    images : sequence of LabelledImage
        Best from :func:`~napari_mpseg.training.painted.annotations.painted_images`, which remember how they were
        painted.
    kind : str, optional
        In the registry of ways of painting, for images that do not remember it. By default scribbles are told by not
        being known everywhere.

    Returns
    -------
    list of str
        What may be meant but looks wrong; training can go on.

    Raises
    ------
    SettingsError
        With everything that makes training impossible, one finding per line: nothing to learn from, shapes or numbers
        of channels that do not fit, an image on which nothing is painted, no particle, no background.
    """
    if not images:
        raise SettingsError("There is nothing to learn from. Choose at least one image with painted labels.")
    names = _names(images)
    problems = _shape_problems(images, names)
    if problems:
        raise SettingsError("\n".join(problems))
    counts = [_count(pair, name, kind) for pair, name in zip(images, names, strict=True)]
    problems = _channel_problems(images, names) + _paint_problems(counts)
    if problems:
        raise SettingsError("\n".join(problems))
    return _few_notes(counts) + [note for one in counts for note in _notes(one, len(counts))]


def _names(images: Sequence[LabelledImage]) -> list[str]:
    """Return names that tell the images apart: those that several share are numbered."""
    names = [pair.name for pair in images]
    return [
        name if names.count(name) == 1 else f"{name} (number {number})" for number, name in enumerate(names, start=1)
    ]


def _count(pair: LabelledImage, name: str, kind: str | None) -> _Counts:
    remembered = pair if isinstance(pair, PaintedImage) else None
    kind = remembered.kind if remembered else kind
    partial = ANNOTATIONS[kind].partial if kind is not None else pair.known is not None
    known = pair.mask.size if pair.known is None else int(np.count_nonzero(pair.known))
    particle = int(np.count_nonzero(pair.mask if pair.known is None else pair.mask & pair.known))
    return _Counts(
        name,
        partial,
        particle,
        known - particle,
        pair.mask.size,
        remembered.labels if remembered else None,
        remembered.background_label if remembered else 1,
    )


def _shape_problems(images: Sequence[LabelledImage], names: Sequence[str]) -> list[str]:
    found = []
    for pair, name in zip(images, names, strict=True):
        for what, array in (("labels", pair.mask), ("known pixels", pair.known)):
            if array is not None and tuple(array.shape) != tuple(pair.image.shape[:2]):
                found.append(
                    f"{name} has {pair.image.shape[0]} x {pair.image.shape[1]} pixels, its {what} have the shape "
                    f"{tuple(array.shape)}. They must have the same height and width."
                )
    return found


def _channel_problems(images: Sequence[LabelledImage], names: Sequence[str]) -> list[str]:
    numbers = [int(pair.image.shape[2]) for pair in images]
    if len(set(numbers)) == 1:
        return []
    each = ", ".join(f"{name}: {number}" for name, number in zip(names, numbers, strict=True))
    return [
        f"The images have different numbers of channels ({each}). Train images of one kind together, or choose the "
        "same channels of all."
    ]


def _paint_problems(counts: Sequence[_Counts]) -> list[str]:
    painted = [one for one in counts if not one.partial or one.particle + one.background]
    problems = [
        f"Nothing is painted on {one.name}. Paint on it, or take it out." for one in counts if one not in painted
    ]
    if not painted:
        return problems
    first = painted[0]
    if not any(one.particle for one in counts):
        problems.append(_no_particle(first))
    if not any(one.background for one in counts):
        problems.append(_no_background(counts, first))
    return problems


def _no_particle(one: _Counts) -> str:
    if one.partial:
        return (
            f"Only background is painted: no label other than {one.background_label} and 0. Paint some particles with "
            "another label, or change which label is background."
        )
    return "No particle is painted: all labels are 0. In a dense mask every pixel with another label is particle."


def _no_background(counts: Sequence[_Counts], one: _Counts) -> str:
    if not one.partial:
        return (
            "No background is there: no label is 0, so every pixel is particle. In a dense mask 0 is background. If 0 "
            "is what you did not paint, choose scribbles."
        )
    painted = sorted({label for each in counts for label in each.labels or ()})
    there = f" Painted are the labels {_listed(painted)}." if painted else ""
    return (
        f"No background is painted: no pixel has the label {one.background_label}.{there} Paint some background with "
        f"the label {one.background_label}, or choose the label you painted it with."
    )


def _few_notes(counts: Sequence[_Counts]) -> list[str]:
    particle, background = (sum(getattr(one, name) for one in counts) for name in ("particle", "background"))
    return [
        f"Only {number} pixels of {what} are painted in all. With more, training gives better results."
        for what, number in (("particle", particle), ("background", background))
        if number < FEW_PIXELS
    ]


def _notes(one: _Counts, images: int) -> list[str]:
    notes = []
    if one.partial:
        if one.particle + one.background == one.whole:
            notes.append(f"Every pixel of {one.name} is painted. If 0 was meant as background, choose dense mask.")
        elif not one.background and images > 1 and one.particle:
            notes.append(f"On {one.name} no background is painted (label {one.background_label}).")
        return notes
    if 2 * one.particle > one.whole:
        notes.append(
            f"{one.particle / one.whole:.0%} of {one.name} is particle. If labels and background are exchanged, invert "
            "the mask; if one of the labels is background, choose scribbles."
        )
    elif one.labels is not None and 2 <= len(one.labels) <= _FEW_LABELS:
        notes.append(
            f"{one.name} has the labels {_listed(sorted(one.labels))}, and all of them are taken as particle. If one "
            "of them is background, choose scribbles."
        )
    if not one.particle and images > 1:
        notes.append(f"No particle is painted on {one.name}; all of it is learnt as background.")
    return notes


def _listed(labels: Sequence[int], most: int = 8) -> str:
    shown = ", ".join(str(label) for label in labels[:most])
    return f"{shown} ..." if len(labels) > most else shown
