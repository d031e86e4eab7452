"""Number of particles per size class, beside the truth."""

from typing import TYPE_CHECKING

import numpy as np

from napari_mpseg.comparison.figures.marks import marks_of
from napari_mpseg.comparison.sizes import TRUTH, size_counts
from napari_mpseg.plots.figure import ink, legend, new_figure, plain, shortened
from napari_mpseg.reports.markup import size_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from napari_mpseg.comparison.comparison import Comparison

_WIDTH = 0.8  # share of a class's place that its bars take
_TRUTH_COLOUR = "#4D4D4D"


def size_class_figure(comparison: "Comparison") -> "Figure | None":
    """Draw groups of bars, the truth first in each; the counts on a scale of roots, so that few can be seen too."""
    sizes = size_counts(comparison)
    if not comparison.cases or not any(any(counts) for counts in sizes.counts.values()):
        return None
    marks = marks_of([row.label for row in comparison.rows])
    figure = new_figure((max(6.4, 0.22 * len(sizes.counts) * len(sizes.classes.names)), 4.0))
    axes = figure.subplots()
    places = np.arange(len(sizes.classes.names))
    width = _WIDTH / len(sizes.counts)
    handles = []
    for number, (label, counts) in enumerate(sizes.counts.items()):
        colour = _TRUTH_COLOUR if number == 0 else marks[label].colour
        left = places - _WIDTH / 2 + (number + 0.5) * width
        name = TRUTH if number == 0 else shortened(label)
        handles.append(axes.bar(left, counts, width * 0.92, color=colour, label=name))
    axes.set_xticks(places, [size_text(name) for name in sizes.classes.names])
    axes.set_yscale("function", functions=(_root, np.square))
    axes.set_ylim(bottom=0)
    axes.set(xlabel="Diameter of the circle of equal area", ylabel="Particles (scale of square roots)")
    plain(axes)
    legend(figure, handles)
    ink(figure)
    return figure


def _root(
    values: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]",
) -> "np.ndarray[tuple[int, ...], np.dtype[np.float64]]":
    return np.asarray(np.sqrt(np.maximum(values, 0)))
