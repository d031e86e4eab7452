"""The ways of painting labels: what a painted number means. A user chooses one in so many words."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_mpseg.registry import Registry

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Annotation:
    """A way of painting.

    Attributes
    ----------
    name : str
        In scripts and on the command line.
    title : str
        In menus.
    explanation : str
        One sentence for the person who paints.
    partial : bool
        Whether pixels may be left unpainted; nothing is learnt from those.
    particle : callable
        Takes labels ``(Y, X)`` and the background label, and returns where particles are, bool ``(Y, X)``.
    """

    name: str
    title: str
    explanation: str
    partial: bool
    particle: Callable[[Array, int], Array]


ANNOTATIONS: Registry[Annotation] = Registry("way of painting")


def _add(annotation: Annotation) -> None:
    ANNOTATIONS.add(annotation.name, annotation)


_add(
    Annotation(
        "dense",
        "Dense mask",
        "Every particle is painted: 0 is background, every other label is particle.",
        partial=False,
        particle=lambda labels, background: labels != 0,
    )
)
_add(
    Annotation(
        "scribbles",
        "Scribbles",
        "Only examples are painted: 0 is not painted and not learnt from, one label is background, every other label "
        "is particle.",
        partial=True,
        particle=lambda labels, background: (labels != 0) & (labels != background),
    )
)
