"""Precision over recall, of pixels."""

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_mpseg.comparison.figures.marks import Mark, marks_of
from napari_mpseg.evaluation.metric import METRICS
from napari_mpseg.evaluation.probability import precision_recall_curve
from napari_mpseg.plots.colours import OTHER
from napari_mpseg.plots.figure import ink, legend, new_figure, plain, shortened

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from napari_mpseg.comparison.comparison import Comparison

_EQUAL_F1 = (0.2, 0.4, 0.6, 0.8)


def precision_recall_figure(comparison: "Comparison") -> "Figure | None":
    """Draw curves of the methods that give probabilities, and points of all."""
    labels = [row.label for row in comparison.rows if comparison.cases_of(row.label)]
    if not labels:
        return None
    figure = new_figure((6.4, 5.6))
    axes = figure.subplots()
    _equal_f1(axes)
    marks = marks_of([row.label for row in comparison.rows])
    handles = [_method(axes, comparison, label, marks[label]) for label in labels]
    axes.set(xlim=(0, 1.01), ylim=(0, 1.01), xlabel="Recall", ylabel="Precision", aspect="equal")
    plain(axes)
    legend(figure, handles)
    ink(figure)
    return figure


def _method(axes: Any, comparison: "Comparison", label: str, mark: Mark) -> Any:
    from matplotlib.lines import Line2D

    evidence = comparison.evidence_of(label)
    graded = comparison.graded(label)
    if graded:
        curve = precision_recall_curve(evidence)
        shown = curve.levels > 0  # at level 0 everything is particle
        shown[curve.recall + (curve.precision < 1) == 0] = False  # nothing is predicted any more
        axes.plot(curve.recall[shown], curve.precision[shown], color=mark.colour, linewidth=1.6, zorder=2)
    x, y = METRICS["recall"].of(evidence), METRICS["precision"].of(evidence)
    point: dict[str, Any] = {
        "marker": mark.marker,
        "markerfacecolor": mark.colour,
        "markeredgecolor": "#1A1A1A",
        "markersize": 8,
    }
    axes.plot([x], [y], linestyle="none", clip_on=False, zorder=3, **point)
    return Line2D([], [], color=mark.colour, linestyle="-" if graded else "none", label=shortened(label), **point)


def _equal_f1(axes: Any) -> None:
    for f1 in _EQUAL_F1:
        recall = np.linspace(f1 / (2 - f1), 1, 100)
        axes.plot(recall, f1 * recall / (2 * recall - f1), color=OTHER, linewidth=0.7, alpha=0.6, zorder=1)
        axes.annotate(
            f"F1 {f1:g}",
            (1, f1 / (2 - f1)),
            xytext=(9, 0),
            textcoords="offset points",
            va="center",
            fontsize="x-small",
            annotation_clip=False,
        )
