"""Violins of a property: its distribution, median and quartiles, side by side."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.plots.columns import Tables, column_of
from napari_mpseg.plots.densities import line_density
from napari_mpseg.plots.entry import plot
from napari_mpseg.plots.figure import ink_colour, log_axis, message, of_missing, plain, shortened, title
from napari_mpseg.plots.groups import Group, grouped
from napari_mpseg.plots.options import BY, PlotOptions, option

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FEW = 10
"""Fewer particles than this are shown one by one: a density would be made up."""

_HALF_WIDTH = 0.42
_TURNED = 4  # more groups than this have turned names


@dataclass(frozen=True)
class ViolinOptions(PlotOptions):
    """Options of ``violin-area``.

    Attributes
    ----------
    column : str
        Any column of numbers, by its full name or its stem.
    by : str
        ``"image"``, ``"class"`` or ``"none"``.
    log : bool
        Logarithmic axis; the density is then that of the logarithms.
    """

    column: str = option("area", "Property", "Which property", columns="number")
    by: str = option("image", "Apart", "What is drawn apart", choices=BY)
    log: bool = option(True, "Logarithmic", "Values on a logarithmic axis")


@plot(
    "violin-area",
    "Violin of area",
    "how a property is distributed in each image or class, with median and quartiles",
    ViolinOptions,
)
def paint(figure: "Figure", tables: Tables, options: ViolinOptions) -> None:
    """Draw a violin for each group, or its particles where they are few."""
    column = column_of(tables, options.column)
    groups = grouped(tables, options.by, [column])
    axes = figure.subplots()
    plain(axes)
    axes.set_ylabel(column.words)
    values = [_shown(group, log=options.log) for group in groups]
    count = sum(map(len, values))
    missing = sum(len(group.values) for group in groups) - count
    note = of_missing(missing, "no value, or not above 0 on a logarithmic axis" if options.log else "no value")
    if not count:
        message(axes, "No particles to show.")
        title(axes, "n = 0", note)
        return
    for place, (group, shown) in enumerate(zip(groups, values, strict=True), 1):
        _draw(axes, place, group, shown, log=options.log)
    if options.log:
        log_axis(axes, "y")
    names = [f"{shortened(group.name, 20)}\nn = {len(shown):,}" for group, shown in zip(groups, values, strict=True)]
    turned = len(groups) > _TURNED
    axes.set_xticks(range(1, len(groups) + 1), names)
    axes.tick_params(axis="x", length=0, labelrotation=90 if turned else 0, labelsize="small")
    axes.set_xlim(0.4, len(groups) + 0.6)
    title(axes, "dot: median, bar: quartiles", note)


def _shown(group: Group, *, log: bool) -> NDArray[np.float64]:
    values = group.values[:, 0]
    values = values[np.isfinite(values)]
    return values[values > 0] if log else values


def _draw(axes: "Axes", place: int, group: Group, values: NDArray[np.float64], *, log: bool) -> None:
    colour = ink_colour(axes.figure)
    if not len(values):
        return
    if len(values) < FEW or values.min() == values.max():
        single = np.unique(values) if len(values) >= FEW else values
        axes.plot(np.full(len(single), place), single, "o", color=group.colour, alpha=0.8, markersize=5)
        if len(values) < FEW:
            axes.plot(place, np.median(values), "_", color=colour, markersize=18)
        return
    heights, density = line_density(values, log=log)
    half = _HALF_WIDTH * density / density.max()
    axes.fill_betweenx(
        heights, place - half, place + half, facecolor=group.colour, edgecolor=group.colour, alpha=0.75, linewidth=0.8
    )
    low, middle, high = np.quantile(values, (0.25, 0.5, 0.75))
    axes.vlines(place, low, high, color=colour, linewidth=4, gid="quartiles")
    axes.plot(place, middle, "o", color="white", markeredgecolor="black", markersize=6, gid="median")
