"""A contact sheet: what is right and wrong in the same windows, a row per window, a column per method."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.comparison.case import Case
from napari_mpseg.comparison.pictures import Picture
from napari_mpseg.evaluation.errors import ERROR_COLOURS, ErrorColours
from napari_mpseg.plots.figure import legend, new_figure, shortened

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from napari_mpseg.comparison.comparison import Comparison

_MOST_ROWS = 8
_CELL = 1.25  # inches
_NAMES = ("right", "false", "missed")


def error_sheet_figure(comparison: "Comparison") -> "Figure | None":
    """Draw the windows of up to eight images, or several of each where there are fewer images."""
    labels = [row.label for row in comparison.rows if comparison.cases_of(row.label)]
    windows = _windows(comparison)
    if not labels or not windows:
        return None
    colours = ERROR_COLOURS[comparison.settings.colours]
    figure = new_figure((_CELL * (len(labels) + 1) + 0.9, (_CELL + 0.05) * len(windows) + 0.9))
    panels = figure.subplots(len(windows), len(labels) + 1, squeeze=False)
    cases = {(case.method, case.image): case for case in comparison.cases}
    for row, (picture, place, window) in zip(panels, windows, strict=True):
        row[0].imshow(_pixels(picture, window), cmap="gray", interpolation="nearest")
        row[0].set_ylabel(shortened(picture.name, 18), fontsize="x-small")
        for axes, label in zip(row[1:], labels, strict=True):
            case = cases.get((label, picture.name))
            if case is not None and len(case.crops) > place:
                axes.imshow(colours.table()[case.crops[place]], interpolation="nearest")
            else:
                axes.text(0.5, 0.5, "failed", ha="center", va="center", fontsize="x-small", transform=axes.transAxes)
    for axes in panels.flat:
        axes.set(xticks=[], yticks=[])
        for spine in axes.spines.values():
            spine.set(edgecolor="#B0B0B0", linewidth=0.6)
    for axes, name in zip(panels[0], ["image", *labels], strict=True):
        axes.set_title(shortened(name, 16), fontsize="x-small")
    _legend(figure, colours)
    return figure


def _windows(comparison: "Comparison") -> list[tuple[Picture, int, Any]]:
    """Return which windows to show: of images with true particles, evenly from the one with most to that with least."""
    first: dict[str, Case] = {}
    for case in comparison.cases:
        first.setdefault(case.image, case)
    shown = [picture for picture in comparison.pictures if picture.name in first]
    with_truth = [picture for picture in shown if first[picture.name].evidence.n_truth]
    ranked = sorted(with_truth or shown, key=lambda picture: -first[picture.name].evidence.n_truth)
    if len(ranked) >= _MOST_ROWS:
        ranked = [ranked[int(place)] for place in np.linspace(0, len(ranked) - 1, _MOST_ROWS).round()]
        return [(picture, 0, first[picture.name].windows[0]) for picture in ranked]
    each = max(1, _MOST_ROWS // max(1, len(ranked)))
    return [
        (picture, place, window)
        for picture in ranked
        for place, window in enumerate(first[picture.name].windows[:each])
    ]


def _pixels(picture: Picture, window: Any) -> NDArray[np.float64]:
    """Return the image in a window, its range stretched so that faint particles are seen."""
    top, left, height, width = (int(value) for value in window)
    image = picture.opened
    pixels = np.asarray(image.data[top : top + height, left : left + width]).astype(np.float64)
    if pixels.ndim == 3:
        pixels = pixels[..., :3] if image.n_channels >= 3 else pixels.mean(2)
    pixels = np.nan_to_num(pixels)
    low, high = float(pixels.min()), float(pixels.max())
    return np.clip((pixels - low) / (high - low if high > low else 1), 0, 1)


def _legend(figure: "Figure", colours: ErrorColours) -> None:
    from matplotlib.patches import Patch

    patches = [
        Patch(facecolor=colour, label=name) for name, colour in zip(_NAMES, colours.by_value().values(), strict=True)
    ]
    legend(figure, patches)
