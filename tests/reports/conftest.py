"""A table whose sums can be worked out by hand."""

import numpy as np
import pandas as pd
import pytest

from napari_mpseg.calibration import Calibration
from napari_mpseg.particles.table import ParticleTable
from napari_mpseg.reports.item import ReportItem

SHAPE = (1000, 2000)


@pytest.fixture
def table():
    """Seven particles on pixels of 2 um: areas 100 to 600 px and one of 10000 px, which was not kept."""
    area = np.array([100.0, 200.0, 300.0, 400.0, 500.0, 600.0, 10000.0])
    frame = pd.DataFrame(
        {
            "label": np.arange(1, 8),
            "confidence": [0.9, 0.8, 0.7, 0.6, 0.5, 1.0, 0.1],
            "class": pd.Categorical(
                ["fibre", "fibre", "film", None, "film", "film", "film"], ["fibre", "bead", "film"]
            ),
            "keep": [True] * 6 + [False],
            "centroid_y_px": [10.0, 50.0, 100.0, 200.0, 400.0, 800.0, 900.0],
            "centroid_x_px": [10.0, 500.0, 1000.0, 200.0, 1400.0, 1800.0, 900.0],
            "area_px": area,
            "area_um2": area * 4,
            "feret_max_px": [5.0, 9.9, 10.0, 30.0, 100.0, 300.0, 400.0],
            "feret_max_um": [10.0, 19.8, 20.0, 60.0, 200.0, 600.0, 800.0],
            "feret_angle_deg": [10.0, 170.0, 10.0, 170.0, 10.0, 170.0, 90.0],
            "circularity": [0.1, 0.2, 0.5, 0.6, 0.9, 1.0, 0.0],
            "touches_border": [False] * 7,
        }
    )
    units = {"area_px": "px2", "area_um2": "um2", "feret_max_px": "px", "feret_max_um": "um", "feret_angle_deg": "deg"}
    units = {name: units.get(name, "px" if name.endswith("_px") else "") for name in frame.columns}
    return ParticleTable(frame, Calibration((2.0, 2.0), "um", "given"), units)


@pytest.fixture
def item(table):
    provenance = {
        "operation": "segment",
        "created": "2024-01-02T03:04:05+00:00",
        "version": "0.1.0",
        "settings": {"method": "max-entropy", "threshold": 0.5, "tta": ["flips"]},
        "model": {"name": "net", "digest": "abc"},
    }
    return ReportItem("filter 1", table, SHAPE, provenance=provenance, notes=("Colours were <odd>.",))
