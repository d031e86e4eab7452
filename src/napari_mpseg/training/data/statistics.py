"""Mean and standard deviation of training images."""

from collections.abc import Sequence

import numpy as np

from napari_mpseg.training.data.pairs import LabelledImage

_ROWS = 1024


def mean_and_deviation(images: Sequence[LabelledImage]) -> tuple[list[float], list[float]]:
    """Return both per channel, of all pixels of all images together, on the scale of 0 to 1."""
    count, total, squares = 0, 0.0, 0.0
    for pair in images:
        for y in range(0, pair.image.shape[0], _ROWS):
            band = np.asarray(pair.image[y : y + _ROWS, :], np.float64) / 255
            count += band.shape[0] * band.shape[1]
            total = total + band.sum((0, 1))
            squares = squares + (band**2).sum((0, 1))
    mean = np.atleast_1d(total) / count
    deviation = np.sqrt(np.maximum(np.atleast_1d(squares) / count - mean**2, 0))
    # an image of one value has nothing to divide by
    return [float(value) for value in mean], [float(value) or 1.0 for value in deviation]
