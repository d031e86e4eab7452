"""Choosing points of a scatter plot: a loop drawn around many, or a click on one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.backend_bases import MouseButton
from matplotlib.path import Path
from matplotlib.widgets import LassoSelector
from numpy.typing import NDArray

from napari_mpseg.plots.colours import HIGHLIGHT

_CLICK = 5  # screen pixels that a hand moves during a click
_NEAR = 12  # screen pixels around a click in which the nearest point is taken
_DIMMED = 0.3


class PointLasso:
    """Lets the user choose points in the axes of a scatter plot.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where the points are.
    x, y : numpy.ndarray
        ``(N,)``.
    points : matplotlib.collections.PathCollection
        Dimmed while some are chosen.
    on_loop : callable
        Takes the indices of the points inside a loop.
    on_click : callable
        Takes the index of the point under a click, or None.
    """

    def __init__(
        self,
        axes: Any,
        x: NDArray[np.float64],
        y: NDArray[np.float64],
        points: Any,
        *,
        on_loop: Callable[[NDArray[np.int64]], None],
        on_click: Callable[[int | None], None],
    ) -> None:
        self._axes, self._x, self._y, self._points = axes, x, y, points
        self._opacity = points.get_alpha()
        self._on_loop, self._on_click = on_loop, on_click
        (self._chosen,) = axes.plot(
            [], [], "o", color="none", markeredgecolor=HIGHLIGHT, markerfacecolor=HIGHLIGHT, markersize=4, zorder=5
        )
        self._selector = LassoSelector(
            axes, self._on_select, useblit=True, button=MouseButton.LEFT, props={"color": HIGHLIGHT, "linewidth": 1.5}
        )

    def show(self, chosen: NDArray[np.int64]) -> None:
        """Highlight these points and dim the others; none are chosen if there are no indices."""
        self._chosen.set_data(self._x[chosen], self._y[chosen])
        self._chosen.set_rasterized(len(chosen) > 2000)
        self._points.set_alpha(_DIMMED if len(chosen) else self._opacity)
        self._axes.figure.canvas.draw_idle()

    def close(self) -> None:
        """Stop listening to the canvas."""
        self._selector.disconnect_events()

    def _on_select(self, vertices: list[tuple[float, float]]) -> None:
        # in pixels of the screen, in which the loop was drawn: straight there, not on a logarithmic axis
        loop = np.asarray(self._axes.transData.transform(np.asarray(vertices, float).reshape(-1, 2)))
        loop = loop[np.isfinite(loop).all(axis=1)]
        if not len(loop):
            return
        places = self._axes.transData.transform(np.column_stack([self._x, self._y]))
        if len(loop) < 3 or np.ptp(loop, axis=0).max() < _CLICK:
            distances = np.hypot(*(places - loop[0]).T)
            nearest = int(np.argmin(distances))
            self._on_click(nearest if distances[nearest] <= _NEAR else None)
            return
        self._on_loop(np.flatnonzero(Path(loop).contains_points(places)))
