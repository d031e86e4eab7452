"""Rose diagram of the direction in which particles lie."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.plots.columns import Tables, column_of
from napari_mpseg.plots.entry import plot
from napari_mpseg.plots.feret_angle import angles_of
from napari_mpseg.plots.figure import make_room, message, named, title
from napari_mpseg.plots.groups import Group, grouped
from napari_mpseg.plots.options import BY, PlotOptions, option

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.projections.polar import PolarAxes


@dataclass(frozen=True)
class FeretRoseOptions(PlotOptions):
    """Options of ``feret-rose``.

    Attributes
    ----------
    column : str
        Any angle of which 0 and 180 degrees are the same.
    by : str
        ``"image"``, ``"class"`` or ``"none"``.
    bins : int
        Number of sectors in half a turn.
    equal_area : bool
        The area of a sector tells the number, not its length: a long sector does not look more than it is.
    """

    column: str = option("feret_angle", "Angle", "Which angle", columns="angle")
    by: str = option("image", "Apart", "What is drawn apart", choices=BY)
    bins: int = option(18, "Sectors", "Number of sectors in half a turn", lowest=2, highest=180)
    equal_area: bool = option(True, "Area tells number", "The area of a sector tells the number, not its length")


@plot(
    "feret-rose",
    "Feret angle, rose",
    "in which direction particles lie: a sector for each range of angles, as seen in the image",
    FeretRoseOptions,
)
def paint(figure: "Figure", tables: Tables, options: FeretRoseOptions) -> None:
    """Draw a rose for each group."""
    column = column_of(tables, options.column)
    groups = grouped(tables, options.by, [column])
    columns = int(np.ceil(np.sqrt(len(groups))))
    rows = int(np.ceil(len(groups) / columns))
    make_room(figure, columns, rows, (3.2, 3.2))
    grid = figure.subplots(rows, columns, subplot_kw={"projection": "polar"}, squeeze=False)
    for axes, group in zip(grid.flat, groups, strict=False):
        _draw(axes, group, options, alone=len(groups) == 1)
    for axes in grid.flat[len(groups) :]:
        axes.remove()
    meaning = "area" if options.equal_area else "length"
    figure.supxlabel(f"{column.words}; the {meaning} of a sector tells the number of particles", fontsize="small")


def sectors(degrees: NDArray[np.float64], bins: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the middles of the sectors of a full turn in radians, and the number of particles in each.

    A particle counts in both of its directions. The first sector has its middle at 0 degrees, so that particles that
    lie along the axes are not parted by a border.
    """
    width = 180 / bins
    which = np.floor(degrees / width + 0.5).astype(np.int64) % bins
    counts = np.bincount(which, minlength=bins)
    middles = np.deg2rad(np.arange(2 * bins) * width)
    return middles, np.r_[counts, counts]


def _draw(axes: "PolarAxes", group: Group, options: FeretRoseOptions, *, alone: bool) -> None:
    degrees = angles_of(group)
    axes.set_theta_zero_location("E")
    axes.set_thetagrids(range(0, 360, 45), [f"{angle % 180}°" for angle in range(0, 360, 45)], fontsize="x-small")
    missing = len(group.values) - len(degrees)
    title(axes, named(group.name, len(degrees)), f"{missing:,} without an angle" if missing else "")
    if not len(degrees):
        axes.set_yticks([])
        message(axes, "No particles to show.")
        return
    middles, counts = sectors(degrees, options.bins)
    lengths = np.sqrt(counts) if options.equal_area else counts.astype(float)
    axes.bar(
        middles, lengths, width=np.pi / options.bins, color=group.colour, alpha=0.8, edgecolor="white", linewidth=0.4
    )
    rings = _rings(int(counts.max()))
    rings = rings if alone else rings[-1:]
    axes.set_yticks(np.sqrt(rings) if options.equal_area else rings, [f"{ring:,}" for ring in rings])
    axes.tick_params(axis="y", labelsize="x-small")
    axes.set_rlabel_position(67.5)


def _rings(most: int) -> NDArray[np.int64]:
    """Return two to four round numbers up to the largest."""
    power = 10 ** int(np.log10(most))
    step = next(
        step for step in (power // 10 * 2, power // 2, power, 2 * power, 5 * power) if step and most <= 4 * step
    )
    return np.arange(step, most + 1, step)
