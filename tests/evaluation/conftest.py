"""Evidence of small random images."""

import numpy as np
import pytest
from scipy import ndimage

from napari_mpseg.evaluation import gather_evidence

CORNERS = np.ones((3, 3))


@pytest.fixture
def make_pair(rng):
    """Make a probability (uint8), the labels above 127 in it, and a truth that is somewhat different."""

    def make(shape=(60, 70), shift=1):
        field = ndimage.gaussian_filter(rng.normal(size=shape), 1.5)
        noisy = field + 0.3 * ndimage.gaussian_filter(rng.normal(size=shape), 1.5)
        probability = np.uint8(255 * np.clip(np.roll(noisy, shift, 0) / noisy.max(), 0, 1))
        truth = ndimage.label(field > 0.5 * field.max(), CORNERS)[0]
        return probability, ndimage.label(probability > 127, CORNERS)[0], truth

    return make


@pytest.fixture
def several(make_pair):
    """Evidence of six images in two folds; one image is empty on both sides."""
    evidences = []
    for number in range(6):
        probability, predicted, truth = make_pair()
        if number == 5:
            probability, predicted, truth = probability * 0, predicted * 0, truth * 0
        name, group = f"image {number}", "ab"[number % 2]
        evidences.append(gather_evidence(predicted, truth, probability=probability, name=name, group=group))
    return evidences
