"""From a mask to labels."""

import numpy as np
import pytest
from scipy import ndimage

from napari_mpseg.errors import ImageError, SettingsError
from napari_mpseg.particles import label_mask

MASK = np.array(
    [
        [0, 0, 1, 0, 0],
        [0, 1, 0, 0, 0],
        [0, 0, 0, 1, 1],
        [1, 0, 0, 1, 0],
    ]
)


def test_corners_connect_or_not() -> None:
    assert label_mask(MASK)[MASK > 0].tolist() == [1, 1, 2, 2, 3, 2]
    assert label_mask(MASK, connectivity=1).max() == 4


def test_small_particles_go_and_numbers_stay_dense() -> None:
    labels = label_mask(MASK, connectivity=1, min_size=3)
    assert np.unique(labels).tolist() == [0, 1]
    assert np.count_nonzero(labels) == 3


@pytest.mark.parametrize("connectivity", [1, 2])
def test_same_particles_as_scipy(rng: np.random.Generator, connectivity: int) -> None:
    mask = rng.random((90, 70)) > 0.6
    ours = label_mask(mask, connectivity=connectivity)
    theirs, count = ndimage.label(mask, ndimage.generate_binary_structure(2, connectivity))
    assert ours.max() == count
    assert len(np.unique(np.stack([ours, theirs]).reshape(2, -1), axis=1).T) == count + 1
    first = [np.flatnonzero(ours == number)[0] for number in range(1, count + 1)]
    assert first == sorted(first)
    assert ours.dtype == np.int32


@pytest.mark.parametrize("shape", [(0, 0), (1, 1), (5, 4)])
def test_no_particles(shape: tuple[int, int]) -> None:
    assert not label_mask(np.zeros(shape, bool)).any()


def test_reasons() -> None:
    with pytest.raises(ImageError, match="two axes"):
        label_mask(np.zeros((2, 2, 2)))
    with pytest.raises(SettingsError, match="Connectivity 8"):
        label_mask(MASK, connectivity=8)
    with pytest.raises(SettingsError, match="-1"):
        label_mask(MASK, min_size=-1)
