"""One colour and one mark for each method, in all figures."""

from collections.abc import Sequence
from dataclasses import dataclass

from napari_mpseg.plots.colours import group_colours

_FAINT = ("#F0E442",)  # yellow lines are hardly seen on white
_MARKERS = "osD^vP<>X*"


@dataclass(frozen=True)
class Mark:
    """How a method is drawn."""

    colour: str
    marker: str


def marks_of(labels: Sequence[str]) -> dict[str, Mark]:
    """Return the mark of each method, by its place among all."""
    colours = [colour for colour in group_colours(len(labels) + 2 * len(_FAINT)) if colour not in _FAINT]
    return {label: Mark(colours[n], _MARKERS[n % len(_MARKERS)]) for n, label in enumerate(labels)}
