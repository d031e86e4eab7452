"""One colour and one mark for each method, in all figures."""

from collections.abc import Sequence
from dataclasses import dataclass

from napari_mpseg.plots.colours import group_colours

_MARKERS = "osD^vP<>X*"


@dataclass(frozen=True)
class Mark:
    """How a method is drawn."""

    colour: str
    marker: str


def marks_of(labels: Sequence[str]) -> dict[str, Mark]:
    """Return the mark of each method, by its place among all."""
    colours = group_colours(len(labels))
    return {label: Mark(colours[n], _MARKERS[n % len(_MARKERS)]) for n, label in enumerate(labels)}
