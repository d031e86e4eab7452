"""Plots for a report, from the registry of plots."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from napari_mpseg.errors import MpsegError, UnknownNameError
from napari_mpseg.plots.registry import PLOTS, PlotEntry
from napari_mpseg.progress import CancelToken
from napari_mpseg.reports.markup import Markup
from napari_mpseg.reports.pictures import figure_markup

if TYPE_CHECKING:
    from napari_mpseg.particles.table import ParticleTable

_ONE_PER_IMAGE = ("correlation",)  # one matrix per class would be too small to be read


def figures(
    tables: "Mapping[str, ParticleTable]",
    chosen: Sequence[str],
    notes: list[str],
    cancel: CancelToken | None = None,
) -> list[Markup]:
    """Return plots of one image, or of several together.

    One image with several classes is drawn class by class, several images image by image.

    Parameters
    ----------
    tables : mapping of str to ParticleTable
        By the image's name.
    chosen : sequence of str
        Names of plots.
    notes : list of str
        Gets what could not be drawn.
    cancel : CancelToken, optional
        Looked at before each plot.

    Raises
    ------
    UnknownNameError
        If there is no plot of a name.
    Cancelled
        If `cancel` was set.
    """
    drawn = []
    for name in chosen:
        if cancel is not None:
            cancel.check()
        entry = PLOTS[name]
        try:
            figure = entry.draw(tables, **_options(entry, tables))
        except UnknownNameError:
            raise
        except MpsegError as error:
            notes.append(f"Not drawn: {entry.title.lower()}. {error}")
            continue
        drawn.append(figure_markup(figure, f"{entry.title}: {entry.summary}."))
    return drawn


def _options(entry: PlotEntry, tables: "Mapping[str, ParticleTable]") -> dict[str, Any]:
    """Return options where a report wants others than the plot's own."""
    apart = "by" in {field.name for field in dataclasses.fields(entry.options)}
    if not apart or len(tables) != 1 or entry.name in _ONE_PER_IMAGE:
        return {}
    (table,) = tables.values()
    several = "class" in table.frame and table.frame["class"].nunique() > 1
    return {"by": "class"} if several else {}
