"""Rectangles cover what is marked, and not much else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_mpseg.inference.screening.boxes import boxes_around
from napari_mpseg.inference.screening.cells import CELL


def pixels_of(boxes, shape):
    covered = np.zeros(shape, bool)
    for y0, y1, x0, x1 in boxes:
        covered[y0:y1, x0:x1] = True
    return covered


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    shape=st.tuples(st.integers(40, 300), st.integers(40, 300)),
    count=st.integers(1, 12),
    halo=st.sampled_from([0, 5, 36]),
    block=st.sampled_from([8, 32, 128]),
    margins=st.tuples(*[st.integers(0, 18)] * 4),
)
def test_all_marked_cells_inside_are_covered(seed, shape, count, halo, block, margins):
    rng = np.random.default_rng(seed)
    cells = np.zeros([-(-size // CELL) for size in shape], bool)
    cells[rng.integers(0, cells.shape[0], count), rng.integers(0, cells.shape[1], count)] = True
    top, bottom, left, right = margins
    inner = (top, shape[0] - bottom, left, shape[1] - right)
    boxes = boxes_around(cells, inner, halo, block)
    if boxes is None:
        return
    asked = np.zeros(shape, bool)
    asked[inner[0] : inner[1], inner[2] : inner[3]] = True
    wanted = cells.repeat(CELL, 0).repeat(CELL, 1)[: shape[0], : shape[1]] & asked
    covered = pixels_of(boxes, shape)
    assert not (wanted & ~covered).any()
    assert not (covered & ~asked).any()
    for y0, y1, x0, x1 in boxes:
        assert (y1 - y0) % block == 0 or (y1 - y0) == inner[1] - inner[0]
        assert (x1 - x0) % block == 0 or (x1 - x0) == inner[3] - inner[2]


def test_no_mark_needs_no_rectangle():
    assert boxes_around(np.zeros((10, 10), bool), (0, 80, 0, 80), 20, 32) == []


def test_far_marks_stay_apart_and_near_ones_are_joined():
    cells = np.zeros((80, 80), bool)
    cells[[2, 2, 70], [2, 7, 70]] = True
    boxes = boxes_around(cells, (0, 640, 0, 640), 36, 32)
    assert len(boxes) == 2


@pytest.mark.parametrize("cells", [np.ones((80, 80), bool), np.indices((80, 80)).sum(0) % 10 == 0])
def test_a_full_window_is_computed_as_one(cells):
    assert boxes_around(cells, (0, 640, 0, 640), 36, 32) is None


def test_very_many_marks_are_computed_as_one():
    cells = np.zeros((400, 400), bool)
    cells[::16, ::16] = True
    assert boxes_around(cells, (0, 3200, 0, 3200), 0, 8) is None
