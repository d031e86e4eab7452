"""The picture of a point pattern's test: a curve with its random band, or the distances with what was expected."""

from typing import TYPE_CHECKING

import numpy as np

from napari_mpseg.particles.pattern.result import Curve, PatternResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colours, told apart by colour-blind readers too
_BAND, _MEASURED, _EXPECTED, _MEDIAN = "#999999", "#0072B2", "#D55E00", "#009E73"
_BINS = 24


def draw_pattern(result: PatternResult, figure: "Figure", ink: str = "#1A1A1A") -> None:
    """Draw what a test found on an empty figure.

    Parameters
    ----------
    result : PatternResult
        With at least two distances, else the figure says that there are too few particles.
    figure : matplotlib.figure.Figure
        Drawn on; its background stays.
    ink : str
        Colour of axes and texts.
    """
    axes = figure.add_subplot()
    axes.set_facecolor(figure.get_facecolor())
    unit = "µm" if result.unit == "um" else result.unit
    if len(result.distances) < 2:
        axes.set_axis_off()
        axes.text(0.5, 0.5, "Too few particles", color=ink, ha="center", va="center", transform=axes.transAxes)
        return
    if result.curve is not None:
        _draw_curve(axes, result.curve, unit)
    else:
        _draw_distances(axes, result, unit)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_edgecolor(ink)
    axes.tick_params(color=ink, labelcolor=ink)
    axes.xaxis.label.set_color(ink)
    axes.yaxis.label.set_color(ink)
    axes.legend(frameon=False, labelcolor=ink, fontsize="small")


def _draw_curve(axes: "Axes", curve: Curve, unit: str) -> None:
    low = np.concatenate([[0.0], curve.low])
    high = np.concatenate([[0.0], curve.high])
    distance = np.concatenate([[0.0], curve.distance])
    axes.fill_between(distance, low, high, color=_BAND, alpha=0.45, linewidth=0, label="random patterns")
    axes.plot(curve.distance, curve.expected, color=_EXPECTED, linestyle="--", label="their mean")
    axes.plot(curve.distance, curve.observed, color=_MEASURED, linewidth=2, label="measured")
    axes.set_xlabel(f"Distance ({unit})")
    lengths = curve.axis.startswith("L")
    axes.set_ylabel(f"{curve.axis} ({unit})" if lengths else curve.axis.replace(" with ", " with\n"))
    axes.set_xlim(0, curve.distance[-1])
    if not lengths:
        axes.set_ylim(0, 1.02)


def _draw_distances(axes: "Axes", result: PatternResult, unit: str) -> None:
    far = 1.1 * max(float(result.distances.max()), result.theoretical)
    axes.hist(result.distances, bins=_BINS, range=(0, far), color=_BAND, alpha=0.6, label="measured")
    for value, colour, style, name in (
        (result.theoretical, _EXPECTED, "--", "expected mean"),
        (result.mean, _MEASURED, "-", "mean"),
        (result.median, _MEDIAN, ":", "median"),
    ):
        if np.isfinite(value):
            axes.axvline(value, color=colour, linestyle=style, linewidth=2, label=name)
    axes.set_xlabel(f"Distance to the nearest neighbour ({unit})")
    axes.set_ylabel("Particles")
    axes.set_xlim(0, far)
