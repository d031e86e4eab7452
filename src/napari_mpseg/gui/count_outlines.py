"""Boxes as napari's shapes: corners, colours, widths of lines. No Qt here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from napari_mpseg.particles.counting.marks import MARKS, marks_of

_WIDTHS = (2.0, 4.0)  # least and most, in pixels, of the line of a large box, by the size of the image
_OF_SIDE = 0.1  # of the shorter side of a small box
_VISIBLE = 1000  # pixels of the screen that the whole image is thought to fill
_RGBA = {kind: [*(int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)), 1.0] for kind, colour in MARKS.items()}


@dataclass(frozen=True)
class Shown:
    """A layer of boxes, and which of them it was showing when it was left.

    Attributes
    ----------
    layer : napari.layers.Shapes
    known, removed, skipped : frozenset of int
        Boxes on it; found ones whose shape was removed; found ones that were shown before these.
    """

    layer: Any
    known: frozenset[int]
    removed: frozenset[int] = frozenset()
    skipped: frozenset[int] = frozenset()


def rectangles(corners: np.ndarray) -> np.ndarray:
    """Return boxes y0, x0, y1, x1 in pixels as napari's ``(N, 4, 2)``, where a pixel's centre is a whole number."""
    y0, x0, y1, x1 = (corners.astype(float) - 0.5).T
    return np.stack([np.stack([y0, y0, y1, y1], 1), np.stack([x0, x1, x1, x0], 1)], 2)


def corners_of(shape: Any) -> list[float]:
    """Return the box around a shape of napari's, in pixels."""
    points = np.asarray(shape, float)[:, -2:] + 0.5
    return [float(value) for value in (*points.min(0), *points.max(0))]


def within(corners: Sequence[float], shape: Sequence[int]) -> list[float] | None:
    """Return corners in whole pixels of an image of some height and width; None if they lie wholly outside."""
    height, width = shape
    y0, x0, y1, x1 = (float(value) for value in corners)
    if y1 <= 0 or x1 <= 0 or y0 >= height or x0 >= width:
        return None
    y0, x0, y1, x1 = (float(round(value)) for value in (y0, x0, y1, x1))
    y0, x0 = min(max(y0, 0.0), height - 1.0), min(max(x0, 0.0), width - 1.0)
    return [y0, x0, min(max(y1, y0 + 1), height), min(max(x1, x0 + 1), width)]


def widths_of(corners: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """Return how wide the line of each box is: thinner for small boxes, but to be seen when the image is seen whole."""
    longer = max(shape)
    most = min(max(_WIDTHS[0], longer / 500), _WIDTHS[1])
    sides = (corners[:, 2:] - corners[:, :2]).min(1)
    return np.clip(sides * _OF_SIDE, min(longer / _VISIBLE, most), most)


def colours_of(frame: pd.DataFrame) -> np.ndarray:
    """Return the colour of each box, ``(N, 4)``."""
    return np.array([_RGBA[kind] for kind in marks_of(frame)])


def colour_of(row: Any) -> str:
    """Return the colour of one box."""
    frame = pd.DataFrame([{name: row[name] for name in ("confidence", "origin", "keep")}])
    return MARKS[str(marks_of(frame)[0])]
