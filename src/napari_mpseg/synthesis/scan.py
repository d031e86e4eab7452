"""Which of the pictures that make up a scan were taken: those that show some of the membrane."""

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.synthesis.blocks import Window
from napari_mpseg.synthesis.camera import CameraLook, Places, pictures, stage_shift
from napari_mpseg.synthesis.filter_settings import FilterPlan
from napari_mpseg.synthesis.membrane import touches_membrane


def scanned(settings: FilterPlan, look: CameraLook, places: Places) -> NDArray[np.bool_]:
    """Tell which pixels at some rows and columns lie in a picture that was taken, ``(rows, columns)``."""
    down, right = stage_shift(settings.seed, look)
    height, width = look.field
    rows, columns = (pictures(settings.seed, look, places[axis], axis)[0] for axis in (0, 1))
    taken = {
        (row, column): touches_membrane(settings, Window(row * height - down, column * width - right, height, width))
        for row in np.unique(rows).tolist()
        for column in np.unique(columns).tolist()
    }
    if all(taken.values()):
        return np.ones((len(rows), len(columns)), bool)
    return np.array([[taken[row, column] for column in columns.tolist()] for row in rows.tolist()])
