"""Tables of particles whose classes can be told apart."""

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def two_kinds(rng):
    """Sixty calibrated particles: the first half long and dark, the second half round and bright."""
    long = np.arange(60) < 30
    noise = rng.normal(0, 0.05, (5, 60))
    feret = np.where(long, 30.0, 10.0) * (1 + noise[0])
    frame = pd.DataFrame(
        {
            "label": np.arange(1, 61),
            "centroid_y_px": np.arange(60.0),  # would give the classes away
            "centroid_x_px": np.arange(60.0),
            "bbox_y0": np.arange(60),
            "touches_border": long,
            "orientation_deg": np.where(long, 10.0, 100.0),
            "feret_start_y_px": np.arange(60.0),
            "centre_of_mass_y_px": np.arange(60.0),
            "feret_max_px": feret,
            "feret_max_um": feret * 2,
            "circularity": np.where(long, 0.3, 0.9) + noise[1] / 2,
            "intensity_mean_red": np.where(long, 80.0, 200.0) * (1 + noise[2]),
            "something_else": np.arange(60.0),
        }
    )
    return frame, pd.Series(np.where(long, "fibre", "bead"), index=frame["label"])
