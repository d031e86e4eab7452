"""Any two properties against each other."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.plots.colours import OTHER, class_colours, group_colours
from napari_mpseg.plots.columns import PlotColumn, Tables, column_of
from napari_mpseg.plots.entry import plot
from napari_mpseg.plots.figure import colour_bar, legend, log_axis, message, named, of_missing, plain, title
from napari_mpseg.plots.groups import NO_CLASS, classes_of
from napari_mpseg.plots.options import PlotOptions, option

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RASTERISED = 2000
"""More points than this are drawn as pixels inside SVG and PDF files, which stay small."""

POINTS = "points"
"""Mark (``gid``) of the points."""


@dataclass(frozen=True)
class ScatterOptions(PlotOptions):
    """Options of ``scatter``.

    Attributes
    ----------
    x, y : str
        Any columns of numbers, by their full names or stems.
    log_x, log_y : bool
        Logarithmic axes.
    colour : str
        ``"class"``, or any column of numbers; empty for a colour per image.
    """

    x: str = option("feret_max", "Across", "Property on the horizontal axis", columns="number")
    y: str = option("circularity", "Upwards", "Property on the vertical axis", columns="number")
    log_x: bool = option(False, "Across: logarithmic", "Horizontal axis logarithmic")
    log_y: bool = option(False, "Upwards: logarithmic", "Vertical axis logarithmic")
    colour: str = option("", "Colour", "What the colour of a point tells", columns="any", none="image")


@dataclass(frozen=True)
class ScatterPoints:
    """The points that are drawn, in the order in which they are.

    Attributes
    ----------
    x, y : numpy.ndarray
        float64 ``(N,)``, finite; above zero on a logarithmic axis.
    image : numpy.ndarray
        int64 ``(N,)``; which of the tables each point is from.
    row : numpy.ndarray
        int64 ``(N,)``; its row in the concatenated kept tables.
    labels : numpy.ndarray
        int64 ``(N,)``; its label.
    missing : int
        Number of particles that have no point.
    x_words, y_words : str
        The axes.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    image: NDArray[np.int64]
    row: NDArray[np.int64]
    labels: NDArray[np.int64]
    missing: int
    x_words: str
    y_words: str


def scatter_points(tables: Tables, options: ScatterOptions) -> ScatterPoints:
    """Return where each particle lies in the plot.

    Parameters
    ----------
    tables : mapping of str to ParticleTable
        Kept particles of each image.
    options : ScatterOptions
        Of which the colour plays no part.

    Raises
    ------
    SettingsError
        If a column is not there.
    """
    columns = [column_of(tables, options.x), column_of(tables, options.y)]
    x, y = (np.concatenate([column.values(table) for table in tables.values()]) for column in columns)
    image = np.repeat(np.arange(len(tables)), [len(table) for table in tables.values()])
    labels = np.concatenate([table.labels for table in tables.values()])
    there = np.isfinite(x) & np.isfinite(y)
    there &= ((x > 0) | (not options.log_x)) & ((y > 0) | (not options.log_y))
    row = np.flatnonzero(there)
    missing = len(x) - len(row)
    return ScatterPoints(x[row], y[row], image[row], row, labels[row], missing, columns[0].words, columns[1].words)


@plot(
    "scatter",
    "Scatter of two properties",
    "any two properties against each other, one point for each particle",
    ScatterOptions,
)
def paint(figure: "Figure", tables: Tables, options: ScatterOptions) -> None:
    """Draw a point for each particle."""
    points = scatter_points(tables, options)
    axes = figure.subplots()
    plain(axes)
    axes.set(xlabel=points.x_words, ylabel=points.y_words)
    note = of_missing(points.missing, "no value, or not above 0 on a logarithmic axis")
    if not len(points.x):
        message(axes, "No particles to show.")
        title(axes, "n = 0", note)
        return
    looks, handles, heading, words = _colours(tables, points, options.colour)
    many = len(points.x)
    shown = axes.scatter(
        points.x,
        points.y,
        s=24 if many < 300 else 10 if many < 5000 else 4,
        alpha=0.8 if many < 5000 else 0.5,
        linewidths=0,
        rasterized=many > RASTERISED,
        gid=POINTS,
        **looks,
    )
    if options.log_x:
        log_axis(axes, "x")
    if options.log_y:
        log_axis(axes, "y")
    if words:
        colour_bar(figure, shown, ax=axes, label=words)
    legend(figure, handles, heading)
    title(axes, "" if handles else f"n = {many:,}" if len(tables) > 1 else named(next(iter(tables)), many), note)


def _colours(tables: Tables, points: ScatterPoints, colour: str) -> tuple[dict[str, Any], list[Any], str, str]:
    """Return how points look, the legend's entries and heading, and the words of a colour bar."""
    if not colour:
        palette = group_colours(len(tables))
        names = list(tables)
        if len(names) == 1:
            return {"color": palette[0]}, [], "", ""
        return *_by_code(points.image, names, palette), "", ""
    if colour == "class":
        classes = classes_of(tables)
        names = [*map(str, classes.cat.categories), NO_CLASS]
        known = class_colours(names[:-1])
        codes = classes.cat.codes.to_numpy().astype(np.int64)[points.row]
        return *_by_code(codes % len(names), names, [*(known[name] for name in names[:-1]), OTHER]), "Class", ""
    column: PlotColumn = column_of(tables, colour)
    values = np.concatenate([column.values(table) for table in tables.values()])[points.row]
    if not np.isfinite(values).any():
        return {"color": OTHER}, [], "", ""
    low, high = np.nanquantile(values, (0.01, 0.99))
    if low == high:
        low, high = float(np.nanmin(values)), float(np.nanmax(values))
    looks = {"c": np.ma.masked_invalid(values), "cmap": "viridis", "vmin": low, "vmax": high, "plotnonfinite": True}
    return looks, [], "", column.words


def _by_code(codes: NDArray[np.int64], names: list[str], palette: list[str]) -> tuple[dict[str, Any], list[Any]]:
    from matplotlib.colors import to_rgba_array
    from matplotlib.lines import Line2D

    counts = np.bincount(codes, minlength=len(names))
    handles = [
        Line2D([], [], marker="o", linestyle="", color=colour, label=named(name, int(count)))
        for name, colour, count in zip(names, palette, counts, strict=True)
        if count
    ]
    return {"c": to_rgba_array(palette)[codes]}, handles
