"""Counts against truth: differences over means, one panel for each method."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_mpseg.comparison.figures.marks import Mark, marks_of
from napari_mpseg.evaluation.count import BlandAltman, bland_altman
from napari_mpseg.plots.colours import OTHER
from napari_mpseg.plots.figure import ink, new_figure, plain, shortened, title

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from napari_mpseg.comparison.comparison import Comparison

_ACROSS = 4


def bland_altman_figure(comparison: "Comparison") -> "Figure | None":
    """Draw predicted minus true number of particles over the mean of both, one point for each image."""
    labels = [row.label for row in comparison.rows if comparison.cases_of(row.label)]
    if not labels:
        return None
    across = min(_ACROSS, len(labels))
    down = math.ceil(len(labels) / across)
    figure = new_figure((max(4.0, 2.6 * across), 2.5 * down + 0.3))
    # axes of their own: beside a method that finds hundreds too many, all others would be a dot
    panels = figure.subplots(down, across, squeeze=False)
    marks = marks_of([row.label for row in comparison.rows])
    for axes, label in zip(panels.flat, labels, strict=False):
        _panel(axes, bland_altman(comparison.evidence_of(label)), marks[label], label)
    for axes in panels.flat[len(labels) :]:
        axes.set_axis_off()
    figure.supxlabel("Mean of true and predicted number", fontsize="medium")
    figure.supylabel("Predicted − true", fontsize="medium")
    ink(figure)
    return figure


def _panel(axes: Any, counts: BlandAltman, mark: Mark, label: str) -> None:
    points, often = np.unique(np.stack([counts.means, counts.differences], 1), axis=0, return_counts=True)
    mean, low, high = counts.bias, counts.lower, counts.upper
    axes.axhline(0, color=OTHER, linewidth=0.7)
    axes.axhline(mean, color=mark.colour, linewidth=1.4)
    for limit in {low, high} - {mean}:
        axes.axhline(limit, color=mark.colour, linewidth=1, linestyle="--")
    axes.scatter(
        points[:, 0],
        points[:, 1],
        s=14 * np.sqrt(often),
        color=mark.colour,
        marker=mark.marker,
        edgecolor="#1A1A1A",
        linewidth=0.5,
        zorder=3,
    )
    spread = f"{low:+.3g} to {high:+.3g}" if len(counts.names) > 1 else "one image"
    title(axes, shortened(label), f"mean {mean:+.3g}, {spread}".replace("-", "−"))
    axes.margins(0.1)
    plain(axes)
