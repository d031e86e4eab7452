"""Matrix of the correlations between properties."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_mpseg.errors import SettingsError
from napari_mpseg.plots.colours import DIVERGING, is_dark
from napari_mpseg.plots.columns import PlotColumn, Tables, column_of
from napari_mpseg.plots.entry import plot
from napari_mpseg.plots.figure import OWN_COLOUR, colour_bar, make_room, message, named, title
from napari_mpseg.plots.groups import Group, grouped
from napari_mpseg.plots.options import PlotOptions, option

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DEFAULT_COLUMNS = ("area", "solidity", "circularity", "compactness", "roundness", "feret_angle")
"""Those of Babkauskas 2023."""

_METHODS = {"pearson": "Pearson", "spearman": "Spearman (ranks)"}
_SYMBOLS = {"pearson": "Pearson's r", "spearman": "Spearman's ρ"}
_BY = {"none": "all together", "image": "image", "class": "class"}
_FEWEST = 3  # two particles always lie on a line
_EQUAL = 1e-12  # relative spread that is rounding alone


@dataclass(frozen=True)
class CorrelationOptions(PlotOptions):
    """Options of ``correlation``.

    Attributes
    ----------
    columns : tuple of str
        Two or more columns of numbers; empty takes area, solidity, circularity, compactness, roundness and Feret angle,
        as far as they were measured.
    method : str
        ``"pearson"`` or ``"spearman"``.
    by : str
        A matrix of all images together (``"none"``), of each image, or of each class.
    """

    columns: tuple[str, ...] = option(
        (), "Properties", "Which properties", columns="number", none="area and shape (six)"
    )
    method: str = option(
        "pearson", "Correlation", "Pearson: along a line. Spearman: of ranks, for any rising curve", choices=_METHODS
    )
    by: str = option("none", "Apart", "What is drawn apart", choices=_BY)


@plot(
    "correlation",
    "Correlation matrix",
    "how properties go together, from -1 (opposite) over 0 to 1 (alike)",
    CorrelationOptions,
)
def paint(figure: "Figure", tables: Tables, options: CorrelationOptions) -> None:
    """Draw a matrix for each group."""
    columns = _columns(tables, options.columns)
    groups = grouped(tables, options.by, columns)
    across = int(np.ceil(np.sqrt(len(groups))))
    down = int(np.ceil(len(groups) / across))
    make_room(figure, across, down, (0.6 * len(columns) + 1.2, 0.55 * len(columns) + 1.2))
    grid = figure.subplots(down, across, squeeze=False)
    shown: Any = None
    for number, (axes, group) in enumerate(zip(grid.flat, groups, strict=False)):
        shown = _draw(figure, axes, group, columns, options, outer=number % across == 0) or shown
    for axes in grid.flat[len(groups) :]:
        axes.remove()
    if shown is not None:
        used = list(grid.flat[: len(groups)])
        colour_bar(figure, shown, ax=used, shrink=0.8, label=_SYMBOLS[options.method])


def correlations(values: NDArray[np.float64], method: str) -> NDArray[np.float64]:
    """Return the correlation of each pair of columns, of the rows where both have a value.

    Parameters
    ----------
    values : numpy.ndarray
        ``(N, columns)``; missing values are nan.
    method : str
        ``"pearson"`` or ``"spearman"``.

    Returns
    -------
    numpy.ndarray
        ``(columns, columns)``; nan for a column of equal values, and for fewer than three rows.
    """
    frame = pd.DataFrame(np.where(_constant(values), np.nan, values))
    return np.clip(frame.corr(method=method, min_periods=_FEWEST).to_numpy(), -1, 1)  # type: ignore[arg-type]


def _letters(figure: "Figure", axes: "Axes", cells: int) -> float:
    """Return the height of letters, in points, so that a number fits into its cell."""
    grid = axes.get_gridspec()
    down, across = (grid.nrows, grid.ncols) if grid is not None else (1, 1)
    width, height = figure.get_size_inches()
    cell = 72 * max(min(width / across, height / down) - 1.2, 0.5) / cells
    return float(np.clip(cell / 2.6, 3.5, 9))


def _constant(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return for each column whether its values differ by no more than rounding."""
    known = np.isfinite(values)
    low = np.min(values, axis=0, where=known, initial=np.inf)
    high = np.max(values, axis=0, where=known, initial=-np.inf)
    with np.errstate(invalid="ignore"):
        return np.asarray(~(high - low > _EQUAL * np.maximum(np.abs(high), np.abs(low))))


def _columns(tables: Tables, names: tuple[str, ...]) -> list[PlotColumn]:
    if len(names) == 1:
        raise SettingsError(f"A correlation needs two columns, not {names[0]!r} alone.")
    if names:
        return [column_of(tables, name) for name in names]
    found = []
    for name in DEFAULT_COLUMNS:
        try:
            found.append(column_of(tables, name))
        except SettingsError:  # not measured
            continue
    if len(found) < 2:
        raise SettingsError(
            f"A correlation needs two of {', '.join(DEFAULT_COLUMNS)}. Measure them, or choose other columns."
        )
    return found


def _draw(
    figure: "Figure",
    axes: "Axes",
    group: Group,
    columns: list[PlotColumn],
    options: CorrelationOptions,
    *,
    outer: bool,
) -> Any:
    count = len(group.values)
    title(axes, named(group.name, count))
    for spine in axes.spines.values():
        spine.set_visible(False)
    if count < _FEWEST:
        message(axes, f"{_FEWEST} particles or more are needed, there {'is' if count == 1 else 'are'} {count}.")
        return None
    matrix = correlations(group.values, options.method)
    shown = axes.imshow(np.ma.masked_invalid(matrix), cmap=DIVERGING, vmin=-1, vmax=1)
    names = [column.short for column in columns]
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right", rotation_mode="anchor", fontsize="small")
    axes.set_yticks(range(len(names)), names if outer else [""] * len(names), fontsize="small")
    axes.tick_params(length=0)
    size = _letters(figure, axes, len(names))
    for (row, column), value in np.ndenumerate(matrix):
        if np.isfinite(value):
            colour = "white" if is_dark(shown.cmap((float(value) + 1) / 2)) else "black"
            text = f"{value:.2f}".replace("-0.00", "0.00")
            axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=size, gid=OWN_COLOUR)
    return shown
