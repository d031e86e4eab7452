"""Measured anywhere and in any order, the table is the same, bit by bit; only small findings travel."""

import pickle

import dask.array as da
import numpy as np
import pandas as pd
import pytest
import zarr

from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import Cancelled, StoreError
from napari_mpseg.images.image import Image
from napari_mpseg.inference.store import create_store, open_store
from napari_mpseg.particles import blocks, label_mask
from napari_mpseg.particles.gathering import MeasureBlocks
from napari_mpseg.particles.inputs import inputs_of
from napari_mpseg.particles.measure import measure
from napari_mpseg.particles.reviewable import measure_for_review
from napari_mpseg.progress import CancelToken, Progress

CHUNK = 40


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch):
    """Read every chunk by itself, as chunks of 2048 pixels are."""
    monkeypatch.setattr(blocks, "BLOCK_SIZE", CHUNK)


@pytest.fixture
def labels(rng):
    return label_mask(rng.random((170, 210)) > 0.64)  # near percolation: particles over many blocks


class Shuffled:
    """Does items in any order, each as if on another machine."""

    name = "shuffled"

    def __init__(self, seed):
        self.random, self.largest = np.random.default_rng(seed), 0

    def run(self, work, items, *, stage, unit, done=0, on_result, on_progress, cancel, workers=None):
        content = pickle.dumps(work)
        items = list(items)
        for number, item in enumerate(self.random.permutation(items), 1):
            cancel.check()
            result = pickle.dumps(pickle.loads(content).do(int(item)))
            self.largest = max(self.largest, len(result))
            on_result(int(item), pickle.loads(result))
            on_progress(Progress(stage, number, len(items), unit))


def given(labels, rng):
    colours = rng.normal(1000, 300, (*labels.shape, 3)).astype(np.float32)  # sums of these depend on their order
    return {
        "labels": da.from_array(labels, chunks=CHUNK),
        "image": Image(colours, channels=("red", "green", "blue")),
        "calibration": Calibration((2.0, 0.7), "um"),
        "probability": rng.random(labels.shape).astype(np.float32),
        "properties": "all",
    }


@pytest.mark.parametrize("seed", [1, 2])
def test_the_order_of_arrival_changes_no_bit(labels, rng, seed):
    arguments = given(labels, rng)
    expected = measure(**arguments).frame
    assert len(expected) > 50
    pd.testing.assert_frame_equal(measure(**arguments, scheduler=Shuffled(seed)).frame, expected, check_exact=True)


def test_threads_change_no_bit(labels, rng):
    arguments = given(labels, rng)
    found = measure(**arguments, scheduler="threads:3").frame
    pd.testing.assert_frame_equal(found, measure(**arguments).frame, check_exact=True)


@pytest.fixture
def files(labels, rng, tmp_path):
    """Write image, labels and probability as files, as a run leaves them."""
    image = zarr.create_array(tmp_path / "i.zarr", shape=labels.shape, chunks=(32, 32), dtype=np.uint8)
    image[...] = rng.integers(0, 255, labels.shape)
    arrays = create_store(tmp_path / "r.ome.zarr", labels.shape, CHUNK, Calibration(), "r")
    arrays.labels[...] = labels
    arrays.probability[...] = np.where(labels > 0, 200, 3)
    return tmp_path


def test_processes_read_for_themselves(files):
    arrays, image = open_store(files / "r.ome.zarr"), zarr.open_array(files / "i.zarr", mode="r")
    expected = measure_for_review(arrays.labels, image, probability=arrays.probability).frame
    found = measure_for_review(arrays.labels, image, probability=arrays.probability, scheduler="processes:2").frame
    pd.testing.assert_frame_equal(found, expected, check_exact=True)


def test_what_travels_does_not_grow_with_the_pixels(rng):
    small = {}
    for side in (200, 1600):
        labels = np.zeros((side, side), np.int32)
        labels[: side // 2, : side // 2] = 1  # one particle over the middle of the block
        labels[:3, -3:] = 2
        work = MeasureBlocks(labels, inputs_of(labels * 1.5, None, labels.shape), (), False)
        work.blocks = [blocks.Block(0, 0, side, side)]
        small[side] = len(pickle.dumps(work.do(0)))
    assert abs(small[1600] - small[200]) < 64
    assert small[1600] < 4000


def test_progress_and_cancel(labels):
    events, cancel = [], CancelToken()
    chunked = da.from_array(labels, chunks=CHUNK)
    measure(chunked, scheduler="threads", on_progress=events.append)
    assert events[-1] == Progress("Measuring", 30, 30, "blocks")
    assert [event.done for event in events] == sorted(event.done for event in events)
    with pytest.raises(Cancelled):
        measure(chunked, scheduler="threads", on_progress=lambda event: cancel.cancel(), cancel=cancel)


@pytest.mark.parametrize("scheduler", [None, "threads"])
def test_a_damaged_chunk_is_told(files, scheduler):
    path = files / "r.ome.zarr/labels/particles/0/c/1/1"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(
        StoreError, match=r"Rows 40 to 80, columns 40 to 80 of .*r\.ome\.zarr.* segment the image again"
    ):
        measure(open_store(files / "r.ome.zarr").labels, scheduler=scheduler)


def test_arrays_of_zarr_need_not_be_of_a_store(labels):
    held = zarr.array(labels, chunks=(CHUNK, CHUNK))
    pd.testing.assert_frame_equal(measure(held).frame, measure(labels).frame, check_exact=True)
