"""What a review is made of: steps that can be taken back, figures, sources. No Qt here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from napari_mpseg.gui.review_pixels import Plane
from napari_mpseg.particles.review.edits import LabelEdit

Frame = Any  # a pandas.DataFrame; the stubs know too little of cells of any type
DECISIONS = ("class", "keep")


@dataclass(frozen=True)
class Step:
    """One change that can be taken back.

    Attributes
    ----------
    action : str
        As in the record.
    text : str
        For the user: ``"particle 5 rejected"``.
    before, after : pandas.DataFrame
        The rows of the table that it changed.
    pixels : tuple
        The edits of labels, each with the plane it was made in.
    measured_as : object
        How the rows were measured, see :func:`~napari_mpseg.gui.review_measure.measured_as`; None where the numbers
        before were not those of the labels.
    """

    action: str
    text: str
    before: Frame
    after: Frame
    pixels: tuple[tuple[Plane, LabelEdit], ...] = ()
    measured_as: Any = None

    @property
    def labels(self) -> tuple[int, ...]:
        """Labels it is about."""
        return tuple(int(label) for label in self.before.index)


@dataclass(frozen=True)
class Sources:
    """Where an edited particle is measured from.

    Attributes
    ----------
    image : callable
        Takes a plane's index, returns the :class:`~napari_mpseg.images.image.Image` for intensities, or None.
    probability : callable
        Takes a plane's index, returns an array ``(Y, X)`` of probabilities, uint8 or from 0 to 1, or None.
    """

    image: Callable[[tuple[int, ...]], Any] = lambda plane: None
    probability: Callable[[tuple[int, ...]], Any] = lambda plane: None


@dataclass(frozen=True)
class Counts:
    """How far the review is."""

    particles: int
    reviewed: int
    kept: int
    rejected: int
    classes: Mapping[str, int] = field(default_factory=dict)


def decisions_in(rows: Frame, label: int) -> dict[str, Any]:
    """Return the decisions in one row, for the record."""
    return {name: rows.at[label, name] for name in DECISIONS if name in rows}


def decisions_by_label(rows: Frame) -> dict[str, Any]:
    """Return the decisions of several rows for the record."""
    names = [name for name in DECISIONS if name in rows]
    if len(rows) == 1:
        return decisions_in(rows, rows.index[0])
    return {name: {str(label): value for label, value in rows[name].items()} for name in names}


def listed(labels: Sequence[int]) -> str:
    """Return the first few numbers as text."""
    return ", ".join(str(label) for label in labels[:6]) + (" …" if len(labels) > 6 else "")
