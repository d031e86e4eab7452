"""Density of the direction in which particles lie."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.plots.columns import Tables, column_of
from napari_mpseg.plots.densities import AxialDensity, axial_density
from napari_mpseg.plots.entry import plot
from napari_mpseg.plots.figure import ink_colour, legend, message, named, of_missing, plain, title
from napari_mpseg.plots.groups import Group, grouped
from napari_mpseg.plots.options import BY, PlotOptions, option

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class FeretAngleOptions(PlotOptions):
    """Options of ``feret-angle``.

    Attributes
    ----------
    column : str
        Any angle of which 0 and 180 degrees are the same.
    by : str
        ``"image"``, ``"class"`` or ``"none"``.
    bandwidth : float
        Standard deviation of the kernel in degrees; 0 chooses it.
    """

    column: str = option("feret_angle", "Angle", "Which angle", columns="angle")
    by: str = option("image", "Apart", "What is drawn apart", choices=BY)
    bandwidth: float = option(
        0.0, "Smoothing", "Standard deviation of the kernel, in degrees", highest=90, none="automatic"
    )


def angles_of(group: Group) -> NDArray[np.float64]:
    """Return the finite angles of a group, 0 up to 180."""
    values = group.values[:, 0]
    return values[np.isfinite(values)] % 180


@plot(
    "feret-angle",
    "Feret angle, density",
    "in which direction particles lie: density of the angle of the largest Feret diameter",
    FeretAngleOptions,
)
def paint(figure: "Figure", tables: Tables, options: FeretAngleOptions) -> None:
    """Draw one curve for each group, and the density without any preferred direction."""
    column = column_of(tables, options.column)
    groups = grouped(tables, options.by, [column])
    axes = figure.subplots()
    plain(axes)
    axes.set(xlabel=column.words, ylabel="Density (per °)", xlim=(0, 180))
    angles = [angles_of(group) for group in groups]
    count = sum(map(len, angles))
    note = of_missing(sum(len(group.values) for group in groups) - count, "no angle")
    if not count:
        message(axes, "No particles to show.")
        title(axes, "n = 0", note)
        return
    axes.set_xticks(range(0, 181, 30))
    handles, found = [], []
    for group, degrees in zip(groups, angles, strict=True):
        if len(degrees):
            density = axial_density(degrees, bandwidth=options.bandwidth)
            found.append(density)
            label = _told(group, degrees, density)
            handles += axes.plot(density.degrees, density.density, color=group.colour, linewidth=1.8, label=label)
            if len(groups) == 1:
                axes.fill_between(density.degrees, density.density, color=group.colour, alpha=0.25, linewidth=0)
    axes.axhline(1 / 180, color=ink_colour(figure), linewidth=0.8, linestyle="--", gid="uniform")
    axes.set_ylim(0, 1.1 * max(1 / 180, *(float(density.density.max()) for density in found)))
    axes.annotate(
        "no preferred direction",
        (178, 1 / 180),
        xytext=(0, 2),
        textcoords="offset points",
        ha="right",
        va="bottom",
        fontsize="x-small",
    )
    if len(groups) == 1:
        title(axes, str(handles[0].get_label()), note)
    else:
        title(axes, "", note)
        legend(figure, handles)


def _told(group: Group, degrees: NDArray[np.float64], density: AxialDensity) -> str:
    """Return the name, the number, the mean axis and how strongly particles keep to it."""
    return f"{named(group.name, len(degrees))}, mean {density.mean:.0f}°, R = {density.strength:.2f}"
