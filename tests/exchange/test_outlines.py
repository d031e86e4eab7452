"""Outlines hold exactly the pixels of their particle: filled again by the even-odd rule, and by hand."""

import dask.array as da
import numpy as np
import pytest
from matplotlib.path import Path

from napari_mpseg.errors import Cancelled, ImageError
from napari_mpseg.exchange import outlines as module
from napari_mpseg.exchange.outlines import trace_outlines
from napari_mpseg.progress import CancelToken


def filled(loops, shape):
    """Fill outlines by the even-odd rule at the centres of pixels."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    centres = np.stack([x.ravel() + 0.5, y.ravel() + 0.5], 1)
    inside = np.zeros(len(centres), bool)
    for loop in loops:
        inside ^= Path(np.concatenate([loop, loop[:1]])).contains_points(centres)
    return inside.reshape(shape)


def area(loop):
    x, y = loop.T
    return (x * np.roll(y, -1) - np.roll(x, -1) * y).sum() / 2


def test_a_rectangle_by_hand():
    labels = np.zeros((5, 6), np.uint8)
    labels[1:3, 2:5] = 9
    assert {label: [loop.tolist() for loop in loops] for label, loops in trace_outlines(labels).items()} == {
        9: [[[2, 1], [5, 1], [5, 3], [2, 3]]]
    }


def test_a_ring_has_a_hole_that_runs_the_other_way():
    ring = np.ones((3, 3), int)
    ring[1, 1] = 0
    outer, hole = trace_outlines(ring)[1]
    assert outer.tolist() == [[0, 0], [3, 0], [3, 3], [0, 3]]
    assert sorted(map(tuple, hole.tolist())) == [(1, 1), (1, 2), (2, 1), (2, 2)]
    assert (area(outer), area(hole)) == (9, -1)


@pytest.mark.parametrize("mirrored", [False, True])
def test_pixels_that_touch_with_a_corner_have_one_outline(mirrored):
    labels = np.eye(3, dtype=int)
    labels = labels[:, ::-1] if mirrored else labels
    (loop,) = trace_outlines(labels)[1]
    assert area(loop) == 3
    np.testing.assert_array_equal(filled([loop], labels.shape), labels > 0)


def test_a_hole_that_touches_the_outside_with_a_corner_is_a_hole():
    labels = np.ones((3, 3), int)
    labels[1, 1] = labels[0, 0] = 0
    assert [area(loop) for loop in trace_outlines(labels)[1]] == [8, -1]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("band", [1, 2**24])
def test_any_labels_are_filled_again(seed, band, monkeypatch):
    random = np.random.default_rng(seed)
    labels = random.integers(0, 4, (17, 23)) * random.integers(1, 2**31, 1)
    monkeypatch.setattr(module, "_BAND", band)
    outlines = trace_outlines(labels)
    assert list(outlines) == np.unique(labels[labels > 0]).tolist()
    for label, loops in outlines.items():
        np.testing.assert_array_equal(filled(loops, labels.shape), labels == label)
        assert sum(map(area, loops)) == (labels == label).sum()


def test_lazy_labels_and_only_some_of_them():
    labels = np.arange(1, 101).reshape(10, 10)
    outlines = trace_outlines(da.from_array(labels, chunks=(3, 4)), [55, 7, 1000])
    assert list(outlines) == [7, 55]
    assert outlines[55][0].tolist() == [[4, 5], [5, 5], [5, 6], [4, 6]]


@pytest.mark.parametrize("shape", [(0, 0), (4, 5)])
def test_no_particles(shape):
    assert trace_outlines(np.zeros(shape, int)) == {}


def test_what_is_no_labels():
    with pytest.raises(ImageError, match="two axes"):
        trace_outlines(np.zeros((2, 3, 4), int))


def test_it_can_be_cancelled():
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        trace_outlines(np.ones((3, 3), int), cancel=token)


def test_many_particles_at_once():
    y, x = np.mgrid[:1000, :1000]
    labels = np.where((y % 8 < 5) & (x % 8 < 5), y // 8 * 125 + x // 8 + 1, 0)
    outlines = trace_outlines(labels)
    assert len(outlines) == 125 * 125
    assert all(len(loops) == 1 and area(loops[0]) == 25 for loops in outlines.values())
