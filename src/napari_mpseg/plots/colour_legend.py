"""The legend of coloured particles, as a figure."""

from typing import TYPE_CHECKING, Any

from napari_mpseg.plots.colouring import ColourLegend
from napari_mpseg.plots.colours import OTHER
from napari_mpseg.plots.figure import colour_bar, ink, ink_colour, log_axis, prepared, shortened

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LINE = 0.24  # inches
_BAR = 0.85


def legend_height(legend: ColourLegend) -> float:
    """Return how many inches a legend needs."""
    lines = len(legend.classes) + 1 + bool(legend.missing) + bool(legend.hidden)
    return (_BAR if legend.colormap else 0) + lines * _LINE + 0.2


def draw_legend(legend: ColourLegend, figure: "Figure | None" = None) -> "Figure":
    """Draw a colour bar with the unit, or a patch with name and number of each class.

    Parameters
    ----------
    legend : ColourLegend
        Of :func:`~napari_mpseg.plots.colouring.colours_by`.
    figure : matplotlib.figure.Figure, optional
        To be drawn on; what it held is removed.
    """
    drawn = prepared(figure)
    if figure is None:
        drawn.set_size_inches(3.4, legend_height(legend))
    entries = [(f"{shortened(name)} (n = {count:,})", colour) for name, colour, count in legend.classes]
    if legend.missing:
        entries.append((f"no value (n = {legend.missing:,})", OTHER))
    if legend.hidden:
        entries.append((f"rejected, hidden (n = {legend.hidden:,})", "none"))
    if legend.colormap:
        _bar(drawn, legend)
    if not legend.colormap and not entries:
        entries.append(("no particles", "none"))
    _patches(drawn, entries, "" if legend.colormap else legend.words)
    ink(drawn)
    return drawn


def _bar(figure: "Figure", legend: ColourLegend) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LogNorm, Normalize

    low, high = legend.limits
    axes = figure.subplots()
    axes.set_title(f"{legend.words}, n = {legend.count:,}", loc="left", fontsize="small")
    if low == high:
        axes.set_axis_off()
        axes.text(0, 0.5, f"all {low:g}", transform=axes.transAxes, va="center", fontsize="small")
        return
    norm: Any = LogNorm(low, high) if legend.log else Normalize(low, high)
    extend = {(True, True): "both", (True, False): "min", (False, True): "max"}.get(legend.beyond, "neither")
    shown = ScalarMappable(norm, legend.colormap)
    colour_bar(figure, shown, cax=axes, orientation="horizontal", extend=extend)
    if legend.log:
        axes.set_xlim(low, high)
        log_axis(axes, "x")


def _patches(figure: "Figure", entries: list[tuple[str, str]], heading: str) -> None:
    from matplotlib.patches import Patch

    if not entries:
        return
    edge = ink_colour(figure)
    handles = [Patch(facecolor=colour, edgecolor=edge, linewidth=0.5, label=name) for name, colour in entries]
    figure.legend(
        handles=handles,
        loc="outside lower left",
        fontsize="medium",
        frameon=False,
        title=heading or None,
        title_fontsize="medium",
        alignment="left",
        borderaxespad=0.2,
    )
