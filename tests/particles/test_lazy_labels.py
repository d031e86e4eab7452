"""Labels made where they are read are scikit-image's of the whole mask."""

import dask
import dask.array as da
import numpy as np
import pytest
import zarr
from skimage.measure import label
from skimage.morphology import remove_small_objects

from napari_mpseg.errors import Cancelled, ImageError, SettingsError
from napari_mpseg.particles.lazy_labels import label_chunks, lazy_labels
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
    assert [(event.done, event.total) for event in events] == [(number, 6) for number in range(7)]
    with pytest.raises(Cancelled):
        lazy_labels(stored, tile=10, on_progress=lambda event: cancel.cancel(), cancel=cancel)


@pytest.mark.parametrize("kind", ["numpy", "dask", "unevenly chunked", "zarr"])
def test_whatever_holds_the_mask(rng, kind):
    mask = rng.random((90, 110)) > 0.6
    held = {
        "numpy": lambda: mask,
        "dask": lambda: da.from_array(mask, chunks=32),
        "unevenly chunked": lambda: da.from_array(mask, chunks=((50, 40), (7, 3, 100))),
        "zarr": lambda: zarr.array(mask.astype(np.float32) * -0.5, chunks=(40, 60)),
    }[kind]()
    np.testing.assert_array_equal(label_chunks(held, tile=32).compute(), label(mask, connectivity=2))


def test_small_particles_go_across_chunks_too(rng):
    mask = rng.random((80, 80)) > 0.75
    found = label_chunks(da.from_array(mask, chunks=16), min_size=4, tile=16).compute()
    large = remove_small_objects(label(mask, connectivity=2), max_size=3)
    np.testing.assert_array_equal(found, label(large > 0, connectivity=2))


def test_chunks_are_the_masks_own_where_they_serve():
    square, flat = da.zeros((900, 900), chunks=300, dtype=bool), da.zeros((900, 900), chunks=(300, 900), dtype=bool)
    assert label_chunks(square).chunksize == (300, 300)
    assert label_chunks(flat).chunksize == (900, 900)


def test_labels_are_computed_on_any_scheduler_of_dask(rng):
    mask = rng.random((60, 60)) > 0.6
    found = label_chunks(da.from_array(mask, chunks=20), tile=20)
    for scheduler in ("synchronous", "threads"):
        with dask.config.set(scheduler=scheduler):
            np.testing.assert_array_equal(found.compute(), label(mask, connectivity=2))


def test_reasons():
    with pytest.raises(ImageError, match="two axes"):
        label_chunks(np.zeros((2, 2, 2)))
    with pytest.raises(SettingsError, match="Connectivity 8"):
        label_chunks(np.zeros((2, 2)), connectivity=8)
