"""Merging, splitting, deleting and redrawing labels; measuring them anew."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from napari_mpseg.calibration import Calibration
from napari_mpseg.images.image import Image
from napari_mpseg.particles.measure import measure
from napari_mpseg.particles.property import PROPERTIES
from napari_mpseg.particles.review.edits import (
    EditError,
    LabelEdit,
    box_of,
    delete_label,
    edit_of_pixels,
    line_pixels,
    merge_labels,
    outline_mask,
    redraw_label,
    split_label,
    union,
)
from napari_mpseg.particles.review.remeasure import measure_labels_again


@pytest.fixture
def labels() -> np.ndarray:
    """1: 2x2 square. 3: 3x7 bar. 4: two pieces of one pixel."""
    made = np.zeros((10, 12), np.int32)
    made[1:3, 1:3] = 1
    made[5:8, 3:10] = 3
    made[0, 11] = made[9, 0] = 4
    return made


def applied(labels: np.ndarray, edit: LabelEdit) -> np.ndarray:
    after = labels.copy()
    edit.apply(after)
    assert (after[edit.y, edit.x] != labels[edit.y, edit.x]).all()
    back = after.copy()
    edit.revert(back)
    np.testing.assert_array_equal(back, labels)
    edit.turned().apply(after)
    np.testing.assert_array_equal(after, labels)
    edit.apply(after)
    return after


def test_merged_labels_get_the_smallest_number(labels: np.ndarray) -> None:
    edit = merge_labels(labels, [4, 3, 1])
    np.testing.assert_array_equal(applied(labels, edit), (labels > 0).astype(np.int32))
    assert (edit.affected, edit.created, edit.gone) == ((1, 3, 4), (), (3, 4))


@pytest.mark.parametrize("chosen", [[1], [1, 1], [0, 1], []])
def test_merging_needs_two(labels: np.ndarray, chosen: list[int]) -> None:
    with pytest.raises(EditError, match="two different"):
        merge_labels(labels, chosen)


def test_labels_that_are_not_there_are_named(labels: np.ndarray) -> None:
    for edit in (lambda: merge_labels(labels, [1, 2]), lambda: delete_label(labels, 2)):
        with pytest.raises(EditError, match="Label 2 is not in the image"):
            edit()


def test_a_line_across_parts_a_bar(labels: np.ndarray) -> None:
    edit = split_label(labels, 3, [(3, 5), (9, 5)], new_label=7)
    after = applied(labels, edit)
    assert (edit.affected, edit.created, edit.gone) == ((3, 7), (7,), ())
    # columns 6 ... 9 are the larger part; the column under the line lies as near to both
    np.testing.assert_array_equal(after[5:8, 3:5], 7)
    np.testing.assert_array_equal(after[5:8, 6:10], 3)
    np.testing.assert_array_equal(after > 0, labels > 0)
    np.testing.assert_array_equal(after[labels != 3], labels[labels != 3])


def test_a_slanted_line_leaves_no_way_over_corners() -> None:
    labels = np.ones((30, 30), np.uint8)
    after = applied(labels, split_label(labels, 1, [(0, 3), (29, 24)], new_label=2))
    assert set(np.unique(after)) == {1, 2}
    for label in (1, 2):
        assert ndimage.label(after == label, np.ones((3, 3)))[1] == 1


def test_two_crossing_strokes_make_several_parts() -> None:
    labels = np.ones((21, 21), np.int32)
    edit = split_label(labels, 1, [(10, -2), (10, 22), (-2, 22), (-2, 10), (22, 10)], new_label=5)
    assert edit.created == (5, 6, 7)
    assert len(np.unique(applied(labels, edit))) == 4


def test_a_fibre_of_one_pixel_can_be_cut() -> None:
    labels = np.zeros((5, 20), np.int32)
    labels[2, 1:19] = 1
    after = applied(labels, split_label(labels, 1, [(0, 6), (4, 6)], new_label=2))
    np.testing.assert_array_equal(after[2, 7:19], 1)
    np.testing.assert_array_equal(after[2, 1:6], 2)
    assert after[2, 6] in (1, 2)


def test_pieces_apart_from_the_line_stay(labels: np.ndarray) -> None:
    labels[labels == 1] = 3
    after = applied(labels, split_label(labels, 3, [(3, 8), (9, 8)], new_label=7))
    np.testing.assert_array_equal(after[1:3, 1:3], 3)
    np.testing.assert_array_equal(after[5:8, 9], 7)


@pytest.mark.parametrize(
    "line", [[(5, 3), (5, 6)], [(0, 0), (0, 5)], [(6, -5), (6, 2)], [(6, 5), (6, 5)], [(6, 3), (6, 6)]]
)
def test_a_line_that_does_not_part_is_refused(labels: np.ndarray, line: list[tuple[int, int]]) -> None:
    with pytest.raises(EditError, match="does not part particle 3"):
        split_label(labels, 3, line, new_label=7)


def test_a_number_beyond_the_dtype_is_refused() -> None:
    with pytest.raises(EditError, match="Label 256 does not fit into uint8"):
        split_label(np.ones((5, 5), np.uint8), 1, [(2, -1), (2, 5)], new_label=256)


def test_deleting_leaves_background(labels: np.ndarray) -> None:
    edit = delete_label(labels, 4)
    after = applied(labels, edit)
    assert edit.gone == (4,)
    np.testing.assert_array_equal(after, np.where(labels == 4, 0, labels))


def test_redrawing_replaces_the_pixels(labels: np.ndarray) -> None:
    mask = np.ones((2, 3), bool)
    after = applied(labels, redraw_label(labels, 1, mask, (0, 2)))
    expected = np.where(labels == 1, 0, labels)
    expected[0:2, 2:5] = 1
    np.testing.assert_array_equal(after, expected)


def test_redrawing_leaves_neighbours_unless_told(labels: np.ndarray) -> None:
    mask = np.ones((4, 4), bool)
    after = applied(labels, redraw_label(labels, 1, mask, (3, 2)))
    np.testing.assert_array_equal(after == 3, labels == 3)
    assert (after == 1).sum() == 16 - 3 * 2 + 0 * 1  # rows 5, 6 of columns 3 ... 5 are label 3's
    after = applied(labels, redraw_label(labels, 1, mask, (3, 2), over_others=True))
    assert (after == 1).sum() == 16


def test_a_mask_over_the_edge_is_cut_off(labels: np.ndarray) -> None:
    after = applied(labels, redraw_label(labels, 1, np.ones((4, 4), bool), (-2, -2)))
    assert (after == 1).sum() == 4
    assert box_of(after, 1) == (0, 0, 2, 2)


def test_a_new_label_can_be_drawn(labels: np.ndarray) -> None:
    edit = redraw_label(labels, 9, np.ones((1, 2), bool), (9, 5))
    assert edit.created == (9,)
    assert (applied(labels, edit) == 9).sum() == 2


@pytest.mark.parametrize(
    ("mask", "origin", "said"),
    [
        (np.zeros((2, 2), bool), (0, 0), "no pixel"),
        (np.ones((2, 2), bool), (40, 0), "no pixel"),
        (np.ones((1, 1), bool), (6, 6), "other particles"),
    ],
)
def test_an_outline_around_nothing_is_refused(
    labels: np.ndarray, mask: np.ndarray, origin: tuple[int, int], said: str
) -> None:
    with pytest.raises(EditError, match=said):
        redraw_label(labels, 1, mask, origin)


def test_a_stack_is_refused() -> None:
    with pytest.raises(EditError, match="one plane"):
        delete_label(np.ones((2, 3, 3), int), 1)


def test_only_the_rectangle_is_read(labels: np.ndarray) -> None:
    class Spy:
        shape, read = labels.shape, []

        def __getitem__(self, key: tuple[slice, slice]) -> np.ndarray:
            self.read.append(labels[key].size)
            return labels[key]

    spy = Spy()
    box = box_of(labels, 3)
    assert box == (5, 3, 8, 10)
    split_label(spy, 3, [(3, 5), (9, 5)], 7, within=box)
    delete_label(spy, 3, within=box)
    merge_labels(spy, [1, 3], within=union([(1, 1, 3, 3), box]))
    assert max(spy.read) == 7 * 9


def test_a_stroke_becomes_an_edit() -> None:
    edit = edit_of_pixels("paint", [0, 0, 1, 0], [1, 1, 2, 3], [5, 6, 0, 2], [6, 7, 4, 2])
    assert list(zip(edit.y, edit.x, edit.before, edit.after, strict=True)) == [(0, 1, 5, 7), (1, 2, 0, 4)]
    assert edit.affected == (4, 5, 7)


def test_outline_of_a_rectangle() -> None:
    mask, origin = outline_mask([(2, 3), (2, 6), (5, 6), (5, 3)])
    assert origin == (2, 3)
    assert mask.shape == (4, 4)
    assert mask.all()
    with pytest.raises(EditError, match="three corners"):
        outline_mask([(1, 1), (2, 2)])


def test_line_pixels_share_sides() -> None:
    found = line_pixels([(0, 0), (3, 7), (9, 2)])
    image = np.zeros((10, 8), bool)
    image[tuple(found.T)] = True
    assert ndimage.label(image)[1] == 1  # four neighbours
    assert image[0, 0]
    assert image[3, 7]
    assert image[9, 2]


shapes = st.integers(6, 24)


@given(st.integers(0, 2**32 - 1), shapes, shapes, st.integers(2, 5))
def test_splitting_loses_no_pixel_and_touches_no_other_particle(
    seed: int, height: int, width: int, corners: int
) -> None:
    rng = np.random.default_rng(seed)
    blobs = ndimage.gaussian_filter(rng.normal(size=(height, width)), 1.5) > 0
    labels = ndimage.label(blobs)[0].astype(np.int32)
    labels[rng.random(labels.shape) < 0.02] = 1
    line = rng.uniform(-2, max(height, width) + 2, (corners, 2))
    label = 1
    if not (labels == 1).any():
        return
    new = int(labels.max()) + 1
    try:
        edit = split_label(labels, label, line, new)
    except EditError:
        return
    after = applied(labels, edit)
    np.testing.assert_array_equal(after > 0, labels > 0)
    np.testing.assert_array_equal(after[labels != label], labels[labels != label])
    parts = {label, *range(new, new + len(edit.created))}
    assert set(np.unique(after[labels == label])) == parts
    # no part is larger than the one that keeps the number, unless that is in several pieces; new ones hang together
    for part in edit.created:
        assert ndimage.label(after == part, np.ones((3, 3)))[1] == 1
    merged = applied(after, merge_labels(after, sorted(parts)))
    np.testing.assert_array_equal(merged, labels)


@given(st.integers(0, 2**32 - 1), st.integers(2, 4))
def test_merging_keeps_the_area(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 6, (9, 11))
    chosen = rng.choice(np.arange(1, 6), count, replace=False)
    if not set(chosen) <= set(np.unique(labels)):
        return
    after = applied(labels, merge_labels(labels, chosen.tolist()))
    assert (after == chosen.min()).sum() == np.isin(labels, chosen).sum()
    np.testing.assert_array_equal(after[~np.isin(labels, chosen)], labels[~np.isin(labels, chosen)])


def scene(rng: np.random.Generator) -> tuple[np.ndarray, Image]:
    labels = ndimage.label(ndimage.gaussian_filter(rng.normal(size=(300, 260)), 3) > 0.05)[0].astype(np.int32)
    data = rng.integers(0, 255, (300, 260, 3)).astype(np.uint8)
    return labels, Image(data, channels=("red", "green", "blue"))


@pytest.mark.parametrize("pixel", [(1.0, 1.0), (2.5, 2.0)])
@pytest.mark.parametrize("name", PROPERTIES)
def test_measured_again_equals_the_whole_image(rng: np.random.Generator, name: str, pixel: tuple[float, float]) -> None:
    labels, image = scene(rng)
    calibration = Calibration(pixel, "um", "given")
    probability = rng.integers(0, 256, labels.shape).astype(np.uint8)
    more = {"image": image, "calibration": calibration, "probability": probability}
    frame = measure(labels, properties=name, **more).frame
    chosen = [label for label in (3, 17, int(labels.max()), int(labels[0].max())) if label]
    for label in chosen:
        again = measure_labels_again(labels, [label], box_of(labels, label), frame.columns[1:], **more)
        expected = frame[frame["label"] == label].reset_index(drop=True)
        pd.testing.assert_frame_equal(again, expected, rtol=1e-9, atol=1e-9)


def test_without_the_image_brightness_is_missing(rng: np.random.Generator) -> None:
    labels, image = scene(rng)
    frame = measure(labels, image, properties=["area", "intensity_mean"]).frame.assign(keep=True)
    again = measure_labels_again(labels, [3], box_of(labels, 3), frame.columns)
    assert again.columns.tolist() == [
        "label",
        "area_px",
        "intensity_mean_red",
        "intensity_mean_green",
        "intensity_mean_blue",
    ]
    assert again.iloc[0].isna().tolist() == [False, False, True, True, True]
