"""Seconds that plots, colouring and the lasso take for many particles, in a real viewer.

    python benchmarks/plots_speed.py [--particles 50000] [--runs 3]

Without a display: ``xvfb-run -a python benchmarks/plots_speed.py``. The table is for docs/plots.md.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd


def seconds(work: Callable[[], Any], runs: int) -> tuple[float, float]:
    """Return the first time and the best of all others."""
    times = []
    for _ in range(runs + 1):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return times[0], min(times[1:])


def made_up(count: int, side: int) -> tuple[np.ndarray, Any]:
    """Return labels of rectangles on a grid, and their table."""
    from napari_mpseg.calibration import Calibration
    from napari_mpseg.particles.measure import measure
    from napari_mpseg.particles.review.columns import with_review_columns

    random = np.random.default_rng(0)
    across = int(np.ceil(np.sqrt(count)))
    labels = np.zeros((across * side, across * side), np.int32)
    sizes = random.integers(1, side, (count, 2))
    for number, (height, width) in enumerate(sizes):
        y, x = np.array(divmod(number, across)) * side
        labels[y : y + height, x : x + width] = number + 1
    classes = pd.Series(random.choice(["fibre", "fragment", "particle"], count))
    return labels, with_review_columns(measure(labels, calibration=Calibration((2.5, 2.5), "um")), classes)


def plots(table: Any, runs: int) -> dict[str, tuple[float, float]]:
    """Time each plot from the table to a file."""
    from napari_mpseg.plots.registry import PLOTS
    from napari_mpseg.plots.saving import save_figure

    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, entry in PLOTS.items():
            path = Path(folder) / f"{name}.png"
            found[f"`{name}`, drawn and saved as PNG"] = seconds(
                lambda entry=entry, path=path: save_figure(entry.draw({"filter": table}), path), runs
            )
        scatter = PLOTS["scatter"]
        found["`scatter` by class, saved as SVG"] = seconds(
            lambda: save_figure(scatter.draw({"filter": table}, colour="class"), Path(folder) / "s.svg"), runs
        )
    return found


def widgets(labels: np.ndarray, table: Any, runs: int) -> dict[str, tuple[float, float]]:
    """Time what a user does in the widgets."""
    import napari
    from qtpy.QtWidgets import QApplication

    from napari_mpseg.gui.colour_widget import ColourWidget
    from napari_mpseg.gui.plots_widget import PlotsWidget

    viewer = napari.Viewer()
    layer = viewer.add_labels(labels, features=table.to_features(), name="filter")
    plot, colour = PlotsWidget(viewer), ColourWidget(viewer)
    for widget in (plot, colour):
        viewer.window.add_dock_widget(widget)
    work = QApplication.processEvents
    work()

    def choose(title: str) -> None:
        plot.kind.setCurrentText(title)
        plot.refresh()
        plot.canvas.draw()
        work()

    def lasso() -> None:
        axes = plot.canvas.figure.axes[0]
        (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
        turn = np.linspace(0, 2 * np.pi, 200)
        x = (left + right) / 2 + np.cos(turn) * (right - left) / 4
        y = (low + high) / 2 + np.sin(turn) * (high - low) / 4
        plot._lasso._on_select(list(zip(x, y, strict=True)))
        plot.canvas.draw()
        work()
        assert plot.chosen.count > 100

    def reject() -> None:
        lasso()
        plot.reject()
        plot.canvas.draw()
        plot.undo()
        plot.canvas.draw()
        work()

    def coloured(column: str) -> None:
        colour.colour_by(column)
        work()

    found = {
        "widget: size distribution": seconds(lambda: choose("Size distribution"), runs),
        "widget: scatter": seconds(lambda: choose("Scatter of two properties"), runs),
        "lasso: points and labels highlighted": seconds(lasso, runs),
        "lasso, reject, undo": seconds(reject, runs),
        "selection cleared": seconds(lambda: (plot.clear_selection(), work()), runs),
    }
    colour._timer.stop()
    found["coloured by area"] = seconds(lambda: coloured("area_um2"), runs)
    found["coloured by class"] = seconds(lambda: coloured("class"), runs)
    found["back to own colours"] = seconds(lambda: (colour.restore(), work()), runs)
    assert layer in viewer.layers
    viewer.close()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--particles", type=int, default=50_000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    labels, table = made_up(options.particles, 12)
    print(f"{options.particles:,} particles on {labels.shape[1]} x {labels.shape[0]} px, seconds\n")
    print("| what | first time | best of the following |")
    print("|---|---|---|")
    for what, (first, best) in {
        **plots(table, options.runs),
        **widgets(labels, table, options.runs),
    }.items():
        print(f"| {what} | {first:.2f} | {best:.2f} |")


if __name__ == "__main__":
    main()
