"""The stored result: dense labels of the stored probability, cancel within a tile, errors that arrive."""

import threading
import time

import dask.array as da
import numpy as np
import pytest
import zarr
from skimage.measure import label

from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import Cancelled, ImageError, SettingsError, StoreError
from napari_mpseg.images.image import Image
from napari_mpseg.inference.predictor import Prepared
from napari_mpseg.inference.segmentation import MaskSettings, segment_tiles
from napari_mpseg.inference.store import create_store, open_store
from napari_mpseg.progress import CancelToken, silent


class Brightness:
    """Probability is brightness; counts its calls."""

    halo, stride, exact = 0, 1, True

    def __init__(self, delay=0.0):
        self.calls, self.delay = 0, delay

    def predict(self, window, margins=(0, 0, 0, 0)):
        self.calls += 1
        time.sleep(self.delay)
        return np.asarray(window, np.float32) / 255


def run(tmp_path, pixels, settings=None, tile=32, predictor=None, on_progress=silent, cancel=None):
    image = Image(da.from_array(pixels, chunks=48), calibration=Calibration((2.5, 2.5), "um"))
    arrays = create_store(tmp_path / "r.ome.zarr", image.shape, tile, image.calibration, "r")
    count = segment_tiles(
        Prepared(image, predictor or Brightness()),
        tmp_path / "r.ome.zarr",
        settings or MaskSettings(),
        tile_size=tile,
        on_progress=on_progress,
        cancel=cancel or CancelToken(),
    )
    return arrays, count.count


def test_labels_are_those_of_the_stored_probability(rng, tmp_path):
    from scipy.ndimage import gaussian_filter

    smooth = gaussian_filter(rng.random((150, 170)), 2)
    pixels = np.interp(smooth, (smooth.min(), smooth.max()), (0, 255)).astype(np.uint8)
    arrays, count = run(tmp_path, pixels, MaskSettings(0.6, min_size=0))
    np.testing.assert_array_equal(arrays.probability[:], pixels)
    expected = label(pixels / 255 > 0.6, connectivity=2)
    assert expected.max() > 10
    np.testing.assert_array_equal(arrays.labels[:], expected)
    assert count == expected.max()


@pytest.mark.parametrize("threshold", [0, 0.25, 0.5, 0.999])
def test_a_pixel_at_the_threshold_is_background(tmp_path, threshold):
    pixels = np.arange(256, dtype=np.uint8)[None].repeat(3, 0)
    arrays, _ = run(tmp_path, pixels, MaskSettings(threshold, 0))
    np.testing.assert_array_equal(arrays.labels[0] > 0, np.arange(256) / 255 > threshold)


def test_empty_image_has_no_particles(tmp_path):
    arrays, count = run(tmp_path, np.zeros((70, 40), np.uint8))
    assert count == 0
    assert not arrays.labels[:].any()


def test_store_is_ome_zarr_with_scale_and_units(tmp_path):
    from ome_zarr_models.v05.image import Image as OmeImage

    run(tmp_path, np.full((40, 40), 255, np.uint8))
    root = zarr.open_group(tmp_path / "r.ome.zarr", mode="r")
    OmeImage.from_zarr(root)
    OmeImage.from_zarr(root["labels/particles"])
    scale = root.attrs["ome"]["multiscales"][0]["datasets"][0]["coordinateTransformations"][0]
    assert scale == {"type": "scale", "scale": [2.5, 2.5]}
    assert root.attrs["ome"]["multiscales"][0]["axes"][0]["unit"] == "micrometer"
    assert root["labels"].attrs["ome"]["labels"] == ["particles"]
    assert open_store(tmp_path / "r.ome.zarr").labels[0, 0] == 1


def test_cancel_stops_within_one_tile_of_each_worker(tmp_path):
    cancel, predictor = CancelToken(), Brightness(0.05)
    threads = threading.active_count()  # other tests in this process may have left some
    called_at_cancel = []

    def stop(event):
        if event.done == 3 and not cancel.cancelled:
            called_at_cancel.append(predictor.calls)
            cancel.cancel()

    with pytest.raises(Cancelled):
        run(tmp_path, np.full((320, 320), 255, np.uint8), predictor=predictor, on_progress=stop, cancel=cancel)
    assert predictor.calls <= called_at_cancel[0] + 2
    assert threading.active_count() <= threads + 8


def test_progress_counts_every_tile_once(tmp_path):
    events = []
    run(tmp_path, np.full((100, 100), 255, np.uint8), on_progress=events.append)
    tiles = [event for event in events if event.stage == "Segmenting"]
    assert [event.done for event in tiles] == list(range(17))
    assert {event.total for event in tiles} == {16}


def test_an_error_in_a_tile_arrives_as_it_was_raised(tmp_path):
    class Broken(Brightness):
        def predict(self, window, margins=(0, 0, 0, 0)):
            raise ImageError("tile 7 cannot be read")

    with pytest.raises(ImageError, match="tile 7"):
        run(tmp_path, np.zeros((100, 100), np.uint8), predictor=Broken())


@pytest.mark.parametrize("values", [{"threshold": 1}, {"threshold": -0.1}, {"min_size": -1}, {"connectivity": 4}])
def test_impossible_settings_are_refused(values):
    with pytest.raises(SettingsError, match=str(next(iter(values.values())))):
        MaskSettings(**values)


def test_a_store_is_never_made_over_another(tmp_path):
    create_store(tmp_path / "s", (8, 8), 8, Calibration(), "s")
    with pytest.raises((StoreError, FileExistsError)):
        create_store(tmp_path / "s", (8, 8), 8, Calibration(), "s")
    with pytest.raises(StoreError, match="not a result store"):
        open_store(tmp_path)
