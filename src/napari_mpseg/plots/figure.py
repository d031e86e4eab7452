"""Parts of every figure: its start, its ink, messages, titles and legends. Nothing global is touched."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from napari_mpseg.plots.colours import is_dark

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIZE = (6.4, 4.8)
"""Inches."""

OWN_COLOUR = "own colour"
"""Mark (``gid``) of texts and lines that keep their colour whatever the background is."""

_FREE_SIZE = "size may change"  # mark of a figure whose size nobody has chosen
_LONGEST = 28  # letters of a name in a legend
_SMALL = "small"
_LIGHT, _DARK = "#E8E8E8", "#1A1A1A"


def new_figure(size: tuple[float, float] = SIZE) -> "Figure":
    """Return an empty white figure that can be saved, without a window."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained", facecolor="white")
    figure.set_gid(_FREE_SIZE)
    FigureCanvasAgg(figure)
    return figure


def prepared(figure: "Figure | None") -> "Figure":
    """Return a figure ready to be drawn on: a new one, or the given one emptied, with its background and size."""
    if figure is None:
        return new_figure()
    figure.clear()
    figure.set_layout_engine("constrained")
    return figure


def make_room(figure: "Figure", across: int, down: int, panel: tuple[float, float]) -> None:
    """Make a figure larger, unless it was given, so that each of its panels has so many inches."""
    if figure.get_gid() == _FREE_SIZE:
        figure.set_size_inches(max(SIZE[0], across * panel[0]), max(SIZE[1], down * panel[1]))


def log_axis(axes: "Axes", name: Literal["x", "y"]) -> None:
    """Make an axis logarithmic, with numbers as people write them: 20, 50, 100, not powers of ten.

    To be called when everything is drawn.
    """
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

    axes.set(**{f"{name}scale": "log"})
    axis = axes.xaxis if name == "x" else axes.yaxis
    low, high = sorted(axes.get_xlim() if name == "x" else axes.get_ylim())
    decades = math.log10(high / low)
    if decades < 0.7:
        axis.set_major_locator(MaxNLocator(4))
    else:
        axis.set_major_locator(LogLocator(subs=(1, 2, 5) if decades < 2.5 else (1,), numticks=12))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}" if value < 1e6 else f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def colour_bar(figure: "Figure", shown: Any, **where: Any) -> None:
    """Draw a colour bar without outline, opaque, and without seams between the colours."""
    bar = figure.colorbar(shown, **where)
    bar.set_alpha(1)
    bar.outline.set_visible(False)
    if bar.solids is not None:
        bar.solids.set(alpha=1, edgecolor="face")


def ink(figure: "Figure") -> None:
    """Give axes, texts and legends a colour that can be read on the figure's background."""
    from matplotlib.legend import Legend
    from matplotlib.text import Text

    background, colour = figure.get_facecolor(), ink_colour(figure)
    for axes in figure.axes:
        axes.set_facecolor(background)
        axes.tick_params(which="both", color=colour, labelcolor=colour)
        axes.grid(False, which="both") if axes.name != "polar" else axes.grid(color=colour, alpha=0.25, linewidth=0.6)
        for spine in axes.spines.values():
            spine.set_edgecolor(colour)
    for text in figure.findobj(Text):
        if text.get_gid() != OWN_COLOUR:
            text.set_color(colour)
    for legend in figure.findobj(Legend):
        legend.get_frame().set(facecolor=background, edgecolor="none", alpha=0.8)


def ink_colour(figure: Any) -> str:
    """Return the colour that can be read on the figure's background."""
    from matplotlib.colors import to_rgb

    return _LIGHT if is_dark(to_rgb(figure.get_facecolor())) else _DARK


def message(axes: "Axes", text: str) -> None:
    """Say in the axes why there is nothing to see."""
    axes.text(
        0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", wrap=True, fontsize="medium", style="italic"
    )
    if axes.name != "polar":
        axes.set(xticks=[], yticks=[])


def title(axes: "Axes", text: str, note: str = "") -> None:
    """Write what is shown above the axes, with a second, smaller line."""
    axes.set_title("\n".join(line for line in (text, note) if line), loc="left", fontsize=_SMALL)


def named(name: str, count: int) -> str:
    """Return a group's name with its number of particles, short enough for a legend."""
    return f"{shortened(name)} (n = {count:,})"


def shortened(name: str, longest: int = _LONGEST) -> str:
    """Return a name with its middle left out where it is long; dollars are no formulas."""
    if len(name) > longest:
        end = (longest - 1) // 2
        name = f"{name[: longest - 1 - end]}…{name[-end:]}"
    return name.replace("$", r"\$")


def legend(figure: "Figure", handles: Sequence[Any], heading: str = "") -> None:
    """Write the legend above all axes, in two columns where names are short."""
    if handles:
        widest = max(len(str(handle.get_label())) for handle in handles)
        figure.legend(
            handles=list(handles),
            loc="outside upper left",
            ncols=min(len(handles), 1 if widest > 30 else 2 if widest > 14 else 3),
            fontsize=_SMALL,
            frameon=False,
            title=heading or None,
            title_fontsize=_SMALL,
            alignment="left",
        )


def plain(axes: "Axes") -> None:
    """Take away the lines that carry nothing."""
    axes.spines[["top", "right"]].set_visible(False)


def of_missing(missing: int, why: str) -> str:
    """Return the note on particles that are not shown, or nothing."""
    return f"{missing:,} not shown: {why}" if missing else ""
