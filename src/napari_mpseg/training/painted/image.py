"""A labelled image that remembers how it was painted."""

from collections.abc import Mapping
from dataclasses import dataclass

from napari_mpseg.training.data.pairs import LabelledImage


@dataclass(frozen=True)
class PaintedImage(LabelledImage):
    """A labelled image made from painted labels.

    Attributes
    ----------
    kind : str
        In the registry of ways of painting: ``"dense"`` or ``"scribbles"``.
    background_label : int
        Of scribbles.
    labels : mapping of int to int, or None
        Pixels of each label but 0; None if there are very many labels.
    corner : tuple of int
        Where its first pixel lies in the image it was painted on; (0, 0) unless only the painted part of a very large
        image was taken.
    """

    kind: str = "dense"
    background_label: int = 1
    labels: Mapping[int, int] | None = None
    corner: tuple[int, int] = (0, 0)
