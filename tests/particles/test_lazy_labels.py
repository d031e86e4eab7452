"""Labels made where they are read are scikit-image's of the whole mask."""

import dask.array as da
import numpy as np
import pytest
from skimage.measure import label

from napari_mpseg.errors import Cancelled
from napari_mpseg.particles.lazy_labels import lazy_labels
from napari_mpseg.progress import CancelToken


@pytest.mark.parametrize("connectivity", [1, 2])
@pytest.mark.parametrize("tile", [7, 32, 1024])
def test_the_tiles_change_nothing(rng, tile, connectivity):
    stored = rng.integers(0, 256, (70, 83)).astype(np.uint8)
    stored[:33, 40:] = 0  # some tiles hold nothing
    for lowest in (1, 150):
        found = lazy_labels(da.from_array(stored, chunks=20), lowest, connectivity=connectivity, tile=tile)
        assert found.dtype == np.int32
        np.testing.assert_array_equal(found.compute(), label(stored >= lowest, connectivity=connectivity))


def test_it_tells_progress_and_can_be_stopped():
    events, cancel, stored = [], CancelToken(), np.ones((20, 30), np.uint8)
    lazy_labels(stored, tile=10, on_progress=events.append)
    assert [(event.done, event.total) for event in events] == [(number, 6) for number in range(1, 7)]
    with pytest.raises(Cancelled):
        lazy_labels(stored, tile=10, on_progress=lambda event: cancel.cancel(), cancel=cancel)
