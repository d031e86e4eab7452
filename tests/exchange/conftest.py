"""Labels and tables made by hand."""

import numpy as np
import pandas as pd
import pytest

from napari_mpseg.calibration import Calibration
from napari_mpseg.particles.table import ParticleTable


@pytest.fixture
def labels():
    """Square 3, ring 5, two pieces 8, one pixel in the last corner 9, two pixels that touch with a corner 12."""
    labels = np.zeros((12, 14), np.int32)
    labels[1:3, 1:3] = 3
    labels[4:9, 4:9] = 5
    labels[6, 6] = 0
    labels[1, 8:10] = labels[3, 10] = 8
    labels[11, 13] = 9
    labels[9, 0] = labels[10, 1] = 12
    return labels


@pytest.fixture
def table(labels):
    """The table of these labels; 8 was not kept."""
    numbers, areas = np.unique(labels[labels > 0], return_counts=True)
    frame = pd.DataFrame({"label": numbers.astype("int64"), "area_px": areas.astype("float64")})
    frame["area_um2"] = frame["area_px"] * 4.0
    frame["circularity"] = [1.0, 0.5, 0.25, 1.0, 0.75]
    frame["class"] = pd.Categorical(["bead", "bead", None, "fibre", "fibre"])
    frame["keep"] = [True, True, False, True, True]
    units = {"label": "", "area_px": "px2", "area_um2": "um2", "circularity": "", "class": "", "keep": ""}
    return ParticleTable(
        frame, Calibration((2.0, 2.0), "um", "given"), units, {"operation": "measure", "note": "<by hand>"}
    )
