"""Figures of a comparison: matplotlib figures on white, without a window."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_mpseg.comparison.figures.bland_altman import bland_altman_figure
from napari_mpseg.comparison.figures.error_sheet import error_sheet_figure
from napari_mpseg.comparison.figures.precision_recall import precision_recall_figure
from napari_mpseg.comparison.figures.size_classes import size_class_figure
from napari_mpseg.registry import Registry

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from napari_mpseg.comparison.comparison import Comparison

__all__ = ["FIGURES", "FigureEntry"]


@dataclass(frozen=True)
class FigureEntry:
    """A figure of a comparison.

    Attributes
    ----------
    name : str
        Of its files.
    caption : str
        What it shows.
    draw : callable
        Takes the comparison; returns the figure, or None where there is nothing to draw.
    lines : bool
        Whether it is worth keeping as SVG too.
    """

    name: str
    caption: str
    draw: "Callable[[Comparison], Figure | None]"
    lines: bool = True


FIGURES: Registry[FigureEntry] = Registry("figure")
for _entry in (
    FigureEntry(
        "precision_recall",
        "Precision and recall of pixels, all images together. Curves: every threshold of the methods that give "
        "probabilities, with their operating point marked; points alone: methods that give none. Points count the "
        "pixels of the particles that are left when small ones are dropped, so they can lie beside their curve. "
        "Grey: equal F1.",
        precision_recall_figure,
    ),
    FigureEntry(
        "bland_altman",
        "Number of particles per image: difference from truth against the mean of both (Bland and Altman 1986). Solid "
        "line: mean difference; dashed: 1.96 standard deviations off. Larger points: several images. Axes differ.",
        bland_altman_figure,
    ),
    FigureEntry(
        "size_classes",
        "Number of particles per size class, by the diameter of the circle of equal area, beside the truth.",
        size_class_figure,
    ),
    FigureEntry(
        "errors",
        "What is right and wrong around true particles, the same windows for all methods.",
        error_sheet_figure,
        lines=False,
    ),
):
    FIGURES.add(_entry.name, _entry)
