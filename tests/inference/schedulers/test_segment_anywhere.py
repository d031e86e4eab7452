"""A whole segmentation gives the same labels and the same table wherever its tiles are done."""

import os
import signal

import numpy as np
import pytest
import tifffile

from napari_mpseg.errors import Cancelled
from napari_mpseg.images import open_image
from napari_mpseg.inference.mask_settings import MaskSettings
from napari_mpseg.inference.predictor import Prepared
from napari_mpseg.inference.segmentation import segment_tiles
from napari_mpseg.inference.store import create_store, open_store
from napari_mpseg.pipeline import segment
from napari_mpseg.progress import CancelToken, silent

TILE = 96


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    rng = np.random.default_rng(5)
    values = 40 + 20 * rng.random((500, 700))
    for y, x in rng.integers(5, 480, (90, 2)):
        values[y : y + rng.integers(2, 20), x : x + rng.integers(2, 40)] = 200
    path = tmp_path_factory.mktemp("picture") / "a.tif"
    tifffile.imwrite(path, values.astype(np.uint8), tile=(128, 128), compression="zlib")
    return path


@pytest.mark.parametrize("where", ["pool", "client"])
def test_labels_and_table_are_the_same(picture, tmp_path, request, where):
    here = segment(picture, "otsu", out=tmp_path / "here", tile_size=TILE)
    there = segment(picture, "otsu", out=tmp_path / "there", tile_size=TILE, scheduler=request.getfixturevalue(where))
    assert here.count > 20
    np.testing.assert_array_equal(np.asarray(there.labels), np.asarray(here.labels))
    np.testing.assert_array_equal(np.asarray(there.probability), np.asarray(here.probability))
    tables = [next((tmp_path / name).glob("*.csv")).read_text() for name in ("here", "there")]
    assert tables[0] == tables[1]


def test_windows_that_are_blended_are_the_same(picture, tmp_path, scheduler, far_seeing):
    stores = [
        blended(picture, tmp_path / str(number), far_seeing, one) for number, one in enumerate(("threads", scheduler))
    ]
    assert (np.asarray(stores[0].probability) % 255).any()
    for one, other in zip(stores[0].__dict__.values(), stores[1].__dict__.values(), strict=True):
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))


def test_a_worker_that_is_killed_changes_nothing(picture, tmp_path, client, far_seeing):
    victim = [sorted(client.run(os.getpid).values())[0]]

    def kill(event):
        if event.stage == "Segmenting" and event.done == 9 and victim:
            os.kill(victim.pop(), signal.SIGKILL)

    here = blended(picture, tmp_path / "here", far_seeing, "threads")
    there = blended(picture, tmp_path / "there", far_seeing, client, kill)
    assert not victim
    np.testing.assert_array_equal(np.asarray(there.labels), np.asarray(here.labels))


def test_cancelling_leaves_a_run_that_can_be_gone_on_with(picture, tmp_path, client):
    cancel = CancelToken()

    def stop(event):
        if event.stage == "Segmenting" and event.done == 12:
            cancel.cancel()

    options = {"out": tmp_path / "there", "tile_size": TILE, "scheduler": client}
    with pytest.raises(Cancelled):
        segment(picture, "otsu", on_progress=stop, cancel=cancel, **options)
    events = []
    there = segment(picture, "otsu", on_progress=events.append, **options)
    assert next(event.done for event in events if event.stage == "Segmenting") >= 12
    here = segment(picture, "otsu", tile_size=TILE)
    np.testing.assert_array_equal(np.asarray(there.labels), np.asarray(here.labels))


def blended(picture, folder, predictor, scheduler, on_progress=silent):
    image = open_image(picture)
    folder.mkdir()
    path = folder / "a.ome.zarr"
    create_store(path, image.shape, TILE, image.calibration, "a")
    segment_tiles(
        Prepared(image, predictor),
        path,
        MaskSettings(),
        tile_size=TILE,
        scheduler=scheduler,
        on_progress=on_progress,
        cancel=CancelToken(),
    )
    return open_store(path)
