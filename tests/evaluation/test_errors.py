"""Pictures and lists of errors."""

import dask.array as da
import numpy as np
import pytest
import zarr

from napari_mpseg.errors import ImageError
from napari_mpseg.evaluation import ERROR_COLOURS, error_map, error_particles, gather_evidence

PREDICTED = np.array([[0, 3, 3, 0], [0, 0, 7, 0]])
TRUTH = np.array([[0, 1, 0, 0], [2, 0, 2, 0]])
EXPECTED = np.array([[0, 1, 2, 0], [3, 0, 1, 0]])


def test_marks_by_hand():
    marks = error_map(PREDICTED, TRUTH)
    assert marks.dtype == np.uint8
    assert marks.tolist() == EXPECTED.tolist()


def test_lazy_arrays_stay_lazy():
    store = zarr.create_array({}, shape=TRUTH.shape, chunks=(1, 2), dtype=TRUTH.dtype)
    store[:] = TRUTH
    for pair in (
        (da.from_array(PREDICTED, chunks=(1, 3)), TRUTH),
        (PREDICTED, da.from_array(TRUTH, chunks=2)),
        (PREDICTED, store),
        (da.from_array(PREDICTED, chunks=(2, 1)), store),
    ):
        marks = error_map(*pair)
        assert isinstance(marks, da.Array)
        assert marks.dtype == np.uint8
        assert marks.compute().tolist() == EXPECTED.tolist()


def test_a_look_at_a_corner_reads_a_corner():
    read = []

    def look(block):
        read.append(block.shape)
        return block

    predicted = da.zeros((100, 100), bool, chunks=(10, 10)).map_blocks(look, meta=np.zeros((0, 0), bool))
    marks = error_map(predicted, np.zeros((100, 100), bool))
    assert read == []
    marks[:10, :10].compute(scheduler="synchronous")
    assert read == [(10, 10)]


def test_unequal_shapes_are_told():
    with pytest.raises(ImageError, match=r"\(2, 3\)"):
        error_map(np.zeros((2, 3), bool), np.zeros((3, 2), bool))


def test_colours_of_the_paper():
    paper = ERROR_COLOURS["paper"]
    assert paper.table()[error_map(PREDICTED, TRUTH)].shape == (2, 4, 3)
    assert paper.table()[1:].tolist() == [[0, 0, 0], [255, 0, 0], [0, 255, 0]]


@pytest.mark.parametrize("name", list(ERROR_COLOURS))
def test_colours_can_be_told_apart(name):
    colours = ERROR_COLOURS[name].table().astype(int)
    assert colours.shape == (4, 3)
    for i in range(4):
        for j in range(i):
            assert np.abs(colours[i] - colours[j]).sum() > 60


def test_errors_to_step_through():
    truth, predicted = np.zeros((20, 20), int), np.zeros((20, 20), int)
    truth[1:3, 1:3] = 4  # found
    truth[10:13, 10:14] = 9  # missed
    predicted[2:4, 2:4] = 5
    predicted[16:18, 2:4] = 6  # false
    first, second = error_particles(gather_evidence(predicted, truth, probability=np.uint8(predicted * 10)))
    assert (first.kind, first.label, first.y, first.x, first.area) == ("missed", 9, 11, 11.5, 12)
    assert first.diameter == pytest.approx(2 * np.sqrt(12 / np.pi))
    assert (second.kind, second.label, second.y, second.x, second.area) == ("false", 6, 16.5, 2.5, 4)
    assert (first.score, second.score) == (None, pytest.approx(60 / 255))
    strict = error_particles(gather_evidence(predicted, truth), "iou", 0.5)
    assert [(error.kind, error.label) for error in strict] == [("missed", 9), ("false", 5), ("false", 6), ("missed", 4)]
