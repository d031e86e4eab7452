"""Whether particle and background of a truth may be the wrong way round. No Qt here."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_mpseg.gui.evaluate_input import full, inverted_note
from napari_mpseg.gui.visible import plane_in_view

_MOST = 256  # rows and columns that are looked at


def inverted_truth(viewer: Any, pairs: list[tuple[Any, Any]], value: int | None) -> str:
    """Return a warning if most of a truth is particle, as far as can be seen without reading it all; else nothing.

    Parameters
    ----------
    viewer : napari.Viewer or napari.components.ViewerModel
    pairs : list of tuple
        Image and truth layers.
    value : int or None
        The value that means particle; None for all but 0.
    """
    for _, truth in pairs:
        text = inverted_note(_share(viewer, truth, value), value)
        if text:
            return f"{truth.name}: {text}"
    return ""


def _share(viewer: Any, truth: Any, value: int | None) -> float:
    """Return the share of particle on a grid of the plane in view; 0 for what would have to be read from a file."""
    data, plane = full(truth), plane_in_view(viewer, truth)
    if not isinstance(data, np.ndarray) or plane is None:
        return 0.0
    picture = data[plane]
    steps = (max(1, size // _MOST) for size in picture.shape)
    seen = picture[tuple(slice(None, None, step) for step in steps)]
    particle = seen != 0 if value is None else seen == value
    return float(particle.mean()) if particle.size else 0.0
