"""Histogram and cumulative curve of a size."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.errors import SettingsError
from napari_mpseg.particles.sizes import SizeClasses
from napari_mpseg.plots.bins import bin_edges
from napari_mpseg.plots.columns import PlotColumn, Tables, column_of
from napari_mpseg.plots.entry import plot
from napari_mpseg.plots.figure import ink_colour, legend, log_axis, message, named, of_missing, plain, title
from napari_mpseg.plots.groups import Group, grouped
from napari_mpseg.plots.options import BY, PlotOptions, option
from napari_mpseg.plots.words import unit_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

_MOST_POINTS = 2000  # of a cumulative curve; more cannot be told apart


@dataclass(frozen=True)
class SizeDistributionOptions(PlotOptions):
    """Options of ``size-distribution``.

    Attributes
    ----------
    column : str
        Any length or area, by its full name or its stem.
    by : str
        ``"image"``, ``"class"`` or ``"none"``.
    log : bool
        Logarithmic size axis, with bars of equal width on it.
    percent : bool
        Bars in percent of each group's particles instead of numbers.
    bins : int
        Number of bars; 0 chooses it.
    borders : str
        Borders of size classes to be marked: ``"20, 50, 100, 500 um"``, or ``"usual"`` for those that fit the pixel
        size; empty for none. Only where the column is a length.
    """

    column: str = option("feret_max", "Size", "Which size", columns="size")
    by: str = option("image", "Apart", "What is drawn apart", choices=BY)
    log: bool = option(True, "Logarithmic", "Sizes on a logarithmic axis")
    percent: bool = option(False, "Percent", "Bars in percent of each group instead of numbers")
    bins: int = option(0, "Bars", "How many bars", highest=1000, none="automatic")
    borders: str = option(
        "", "Borders", "Mark borders of size classes: “usual”, or such as 20, 50, 100 um", none="none"
    )


@plot(
    "size-distribution",
    "Size distribution",
    "how many particles have which size, as bars and as a cumulative curve",
    SizeDistributionOptions,
)
def paint(figure: "Figure", tables: Tables, options: SizeDistributionOptions) -> None:
    """Draw bars above, the cumulative curve below."""
    column = column_of(tables, options.column)
    groups = grouped(tables, options.by, [column])
    bars, curve = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    bars.set_ylabel("Particles (%)" if options.percent else "Particles")
    curve.set(xlabel=column.words, ylabel="Smaller or equal (%)")
    shown = [(group, _shown(group, log=options.log)) for group in groups]
    plain(bars)
    plain(curve)
    everything = np.concatenate([values for _, values in shown])
    missing = sum(len(group.values) for group in groups) - len(everything)
    note = of_missing(missing, "no size, or 0 on a logarithmic axis" if options.log else "no size")
    if not len(everything):
        message(bars, "No particles to show.")
        curve.set(xticks=[], yticks=[])
        title(bars, f"{named(groups[0].name, 0)}" if len(groups) == 1 else "n = 0", note)
        return
    edges = bin_edges(everything, log=options.log, count=options.bins)
    handles = [_draw(bars, curve, group, values, edges, options, len(groups)) for group, values in shown]
    if options.log:
        log_axis(curve, "x")
    curve.set_ylim(0, 102)
    bars.set_ylim(bottom=0)
    if not options.percent:
        bars.yaxis.get_major_locator().set_params(integer=True)
    if len(groups) == 1:
        title(bars, named(groups[0].name, len(everything)), note)
    else:
        title(bars, "", note)
        legend(figure, handles)
    _mark_borders(bars, curve, tables, column, options)


def _shown(group: Group, *, log: bool) -> NDArray[np.float64]:
    values = group.values[:, 0]
    values = values[np.isfinite(values)]
    return np.sort(values[values > 0] if log else values)


def _draw(
    bars: "Axes",
    curve: "Axes",
    group: Group,
    values: NDArray[np.float64],
    edges: NDArray[np.float64],
    options: SizeDistributionOptions,
    groups: int,
) -> "Patch":
    """Draw one group, and return what the legend shows of it."""
    from matplotlib.patches import Patch

    counts = np.histogram(values, edges)[0].astype(float)
    if options.percent and len(values):
        counts *= 100 / len(values)
    many = groups > 1
    bars.stairs(counts, edges, fill=True, color=group.colour, alpha=0.25 if many else 0.75)
    bars.stairs(counts, edges, color=group.colour, linewidth=1.2 if many else 0.4)
    if len(values):
        x, y = cumulative(values)
        curve.plot(
            np.r_[edges[0], x, edges[-1]], np.r_[0, y, 100], drawstyle="steps-post", color=group.colour, linewidth=1.5
        )
    return Patch(color=group.colour, label=named(group.name, len(values)))


def cumulative(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return sizes and the percentage of values that are not larger; of very many values, 2000 of them.

    Parameters
    ----------
    values : numpy.ndarray
        ``(N,)``, sorted, one or more.
    """
    last = np.flatnonzero(np.r_[np.diff(values) > 0, True])
    if len(last) > _MOST_POINTS:
        last = last[np.unique(np.linspace(0, len(last) - 1, _MOST_POINTS).round().astype(int))]
    return values[last], 100 * (last + 1) / len(values)


def _mark_borders(
    bars: "Axes", curve: "Axes", tables: Tables, column: PlotColumn, options: SizeDistributionOptions
) -> None:
    if not options.borders.strip():
        return
    unit = column.name.rpartition("_")[2]
    usual = options.borders.strip().lower() == "usual"
    first = next(iter(tables.values()))
    classes = SizeClasses.default_for(first.calibration) if usual else SizeClasses.parse(options.borders)
    if classes.unit != unit:
        raise SettingsError(
            f"Borders in {unit_words(classes.unit)} cannot be marked on {column.words}. Plot a length in "
            f"{unit_words(classes.unit)}, or leave borders empty."
        )
    low, high = bars.get_xlim()
    for edge in classes.edges:
        if low < edge < high:
            for axes in (bars, curve):
                axes.axvline(edge, color=ink_colour(axes.figure), linewidth=0.8, linestyle=":", gid="border")
            bars.annotate(
                f"{edge:g}", (edge, 1), xycoords=("data", "axes fraction"), xytext=(2, -2), textcoords="offset points",
                fontsize="x-small", va="top",
            )  # fmt: skip
