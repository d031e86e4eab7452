"""Particle tables made up for plots: known columns, classes, pixel size."""

import numpy as np
import pandas as pd
import pytest

from napari_mpseg.calibration import Calibration
from napari_mpseg.particles.table import ParticleTable

UNITS = {"area_px": "px2", "area_um2": "um2", "feret_max_px": "px", "feret_max_um": "um", "feret_angle_deg": "deg"}


def make_table(count, seed=0, unit="um", pixel=2.5, **columns):
    """Return `count` particles; `columns` replace those made up."""
    random = np.random.default_rng(seed)
    pixels = np.maximum(1, np.round(random.lognormal(3, 1.2, count)))
    feret = np.sqrt(pixels) * random.uniform(1.1, 3, count)
    frame = pd.DataFrame(
        {
            "label": np.arange(1, count + 1),
            "class": pd.Categorical(random.choice(["fibre", "fragment", "film"], count)),
            "keep": np.ones(count, bool),
            "area_px": pixels,
            f"area_{unit}2": pixels * pixel**2,
            "feret_max_px": feret,
            f"feret_max_{unit}": feret * pixel,
            "feret_angle_deg": random.uniform(0, 180, count),
            "circularity": random.beta(3, 1.5, count),
            "solidity": random.uniform(0.4, 1, count),
            "compactness": random.uniform(0.2, 1, count),
            "roundness": random.uniform(0.1, 1, count),
        }
    ).assign(**columns)
    units = {column: UNITS.get(column, "") for column in frame}
    units |= {f"area_{unit}2": f"{unit}2", f"feret_max_{unit}": unit}
    return ParticleTable(frame, Calibration((pixel, pixel), unit), units)


@pytest.fixture
def table():
    return make_table


@pytest.fixture(autouse=True)
def _nothing_global(recwarn):
    """Drawing warns about nothing, opens no window and changes no global setting."""
    import sys

    import matplotlib

    before = matplotlib.rcParams.copy()
    yield
    assert not [str(one.message) for one in recwarn]
    assert matplotlib.rcParams.copy() == before
    pyplot = sys.modules.get("matplotlib.pyplot")  # another test may have loaded it
    assert pyplot is None or not pyplot.get_fignums()
