"""Counting in clutter: threshold, join broken strands, and one box for each particle.

Importing this package loads nothing; its names are looked up when used (PEP 562).

Examples
--------
>>> import numpy as np
>>> from napari_mpseg.particles.counting import CountSettings, count_particles
>>> count_particles(np.eye(30), CountSettings(dilate=3, erode=3)).count
1
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_mpseg.particles.counting.boxes import CountedBoxes
    from napari_mpseg.particles.counting.count import count_and_label, count_particles
    from napari_mpseg.particles.counting.settings import CountSettings

_HOMES = {
    "CountSettings": "settings",
    "CountedBoxes": "boxes",
    "count_and_label": "count",
    "count_particles": "count",
}

__all__ = ["CountSettings", "CountedBoxes", "count_and_label", "count_particles"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
