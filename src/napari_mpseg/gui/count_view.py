"""Where one box of a count lies in the view, and what is known of it. No Qt here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from napari_mpseg.gui.particle_table import camera_of, canvas_size
from napari_mpseg.particles.counting.boxes import DRAWN

_SHARE = 0.25  # of the canvas that a box fills when it is stepped to
_LARGEST_PIXEL = 40.0  # on the screen


def centre(viewer: Any, layer: Any, corners: Sequence[float]) -> None:
    """Bring a box to the middle of the view, close enough to be seen and with what is around it."""
    low, high = np.array(corners[:2]) - 0.5, np.array(corners[2:]) - 0.5
    start, stop = (np.asarray(layer.data_to_world(point), float)[-2:] for point in (low, high))
    camera, extent = camera_of(viewer), np.maximum(np.abs(stop - start), 1e-12)
    camera.center = (*camera.center[:-2], *((start + stop) / 2))
    pixel = float((extent / np.maximum(high - low, 1)).min())
    camera.zoom = min(_SHARE * float((np.asarray(canvas_size(viewer)) / extent).min()), _LARGEST_PIXEL / pixel)


def told(row: Any) -> str:
    """Return a line on one box."""
    state = "kept" if row["keep"] else "rejected"
    parts = [f"<b>Box {row['number']}</b>", state if row["reviewed"] else "not reviewed yet"]
    if row["confidence"] == row["confidence"]:
        parts.append(f"confidence {row['confidence']:.2f}, at most {row['confidence_max']:.2f}")
    parts.append("drawn by hand" if row["origin"] == DRAWN else f"{row['area_px']:,} px of its own")
    if len(row["labels"]) > 1:
        parts.append(f"{len(row['labels'])} particles joined")
    return " · ".join(parts)
