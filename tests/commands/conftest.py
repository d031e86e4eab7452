"""Pictures of known particles, and what is in a folder."""

import numpy as np
import pytest


@pytest.fixture
def squares():
    """Labels of squares of 16, 4 and 100 pixels, numbered 1, 2, 3 from the top."""
    labels = np.zeros((130, 250), np.int32)
    labels[20:24, 30:34] = 1
    labels[50:52, 60:62] = 2
    labels[100:110, 200:210] = 3
    return labels


@pytest.fixture
def names():
    """Give the sorted names of what is in a folder."""
    return lambda folder: sorted(path.name for path in folder.iterdir())
