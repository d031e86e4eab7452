"""Counting against truth, with numbers worked out by hand."""

import dask.array as da
import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from skimage.measure import regionprops

from napari_mpseg.errors import ImageError, SettingsError
from napari_mpseg.evaluation import METRICS
from napari_mpseg.evaluation.count_boxes import box_evidence, label_boxes
from napari_mpseg.evaluation.count_confusion import count_confusion, count_table
from napari_mpseg.evaluation.metric import find_metric


def first_image():
    """Three true particles; two are found, one of them by two boxes, and one box stands for nothing."""
    truth = [(0, 0, 10, 10), (20, 20, 30, 30), (50, 50, 60, 60)]
    counted = [
        (0, 0, 10, 10),  # IoU 1
        (0, 0, 10, 9),  # IoU 0.9 with the same: it is taken already
        (20, 22, 30, 32),  # 80 / 120 = 0.667
        (50, 56, 60, 66),  # 40 / 160 = 0.25
    ]
    return box_evidence(counted, truth, name="first")


def second_image():
    """One true particle; nothing is counted."""
    return box_evidence([], [(5, 5, 8, 8)], name="second")


def third_image():
    """Nothing there, three boxes."""
    return box_evidence([(0, 0, 2, 2), (4, 4, 6, 6), (8, 8, 9, 9)], [], name="third")


def test_right_false_and_missed_ones_by_hand():
    one = count_confusion(first_image())
    assert (one.truth, one.counted, one.tp, one.fp, one.fn, one.error) == (3, 4, 2, 2, 1, 1)
    lenient = count_confusion(first_image(), "iou", 0.2)
    assert (lenient.tp, lenient.fp, lenient.fn) == (3, 1, 0)
    near = count_confusion(first_image(), "distance", 2.5)
    assert (near.tp, near.fp, near.fn) == (2, 2, 1)
    with pytest.raises(SettingsError, match="several"):
        count_confusion(first_image(), "overlap")


def test_table_of_images_by_hand():
    table = count_table([first_image(), second_image(), third_image()]).set_index("image")
    assert table.loc["first", ["tp", "fp", "fn", "error", "mae", "mse"]].tolist() == [2, 2, 1, 1, 1, 1]
    assert table.loc["second", ["tp", "fp", "fn", "error", "mae", "mse"]].tolist() == [0, 0, 1, -1, 1, 1]
    assert table.loc["third", ["tp", "fp", "fn", "error", "mae", "mse"]].tolist() == [0, 3, 0, 3, 3, 9]
    total = table.loc["(all images)"]
    assert total[["truth", "counted", "tp", "fp", "fn", "error"]].tolist() == [4, 7, 2, 5, 2, 3]
    assert total["mae"] == pytest.approx(5 / 3)
    assert total["mse"] == pytest.approx(11 / 3)
    with pytest.raises(SettingsError):
        count_table([])


def test_the_metric_does_not_let_errors_cancel():
    shifted = box_evidence([(0, 0, 5, 5), (40, 40, 45, 45)], [(20, 20, 25, 25), (60, 60, 65, 65)])
    assert METRICS["count-mae"].of([shifted]) == 0
    assert METRICS["count-wrong"].of([shifted]) == 4
    assert METRICS["count-wrong"].of([first_image(), second_image(), third_image()]) == pytest.approx((3 + 1 + 3) / 3)
    assert find_metric("count-wrong:0.2").of([first_image()]) == 1


def test_other_metrics_take_boxes_too():
    assert METRICS["particle-recall-iou"].of([first_image()]) == pytest.approx(2 / 3)
    assert METRICS["particle-precision-iou"].of([first_image()]) == pytest.approx(2 / 4)


@pytest.mark.parametrize("chunks", [(7, 200), (31, 13), (60, 60)])
def test_boxes_of_labels_are_scikit_images(chunks):
    rng = np.random.default_rng(1)
    labels = np.zeros((90, 120), np.int32)
    for number in rng.permutation(40):
        y, x = rng.integers(0, 85), rng.integers(0, 115)
        labels[y : y + rng.integers(1, 9), x : x + rng.integers(1, 9)] = 3 * number + 1
    expected = [region.bbox for region in regionprops(labels)]
    assert label_boxes(da.from_array(labels, chunks)).tolist() == [list(map(float, box)) for box in expected]
    grown = label_boxes(labels, (3, 2))
    assert grown[:, 0].min() >= 0
    assert grown[0].tolist() == [
        max(expected[0][0] - 3, 0),
        max(expected[0][1] - 2, 0),
        min(expected[0][2] + 3, 90),
        min(expected[0][3] + 2, 120),
    ]
    with pytest.raises(ImageError):
        label_boxes(np.zeros((3, 3)))


def test_overlaps_of_many_boxes_are_those_of_all_pairs():
    rng = np.random.default_rng(2)
    tops = [rng.integers(0, 300, (n, 2)) for n in (700, 500)]
    one, two = (np.concatenate([top, top + rng.integers(1, 40, top.shape)], 1) for top in tops)
    evidence = box_evidence(one, two)
    height = np.minimum(one[:, None, 2], two[None, :, 2]) - np.maximum(one[:, None, 0], two[None, :, 0])
    width = np.minimum(one[:, None, 3], two[None, :, 3]) - np.maximum(one[:, None, 1], two[None, :, 1])
    expected = np.clip(height, 0, None) * np.clip(width, 0, None)
    found = np.zeros_like(expected)
    pairs = evidence.particles
    found[pairs.pair_predicted, pairs.pair_truth] = pairs.pair_pixels
    np.testing.assert_array_equal(found, expected)
    # above one half a match is unique, so the most pairs are what an assignment gives
    areas = [np.prod(boxes[:, 2:] - boxes[:, :2], 1) for boxes in (one, two)]
    overlap = expected / (areas[0][:, None] + areas[1][None] - expected)
    rows, columns = linear_sum_assignment(overlap > 0.6, maximize=True)
    assert count_confusion(evidence, "iou", 0.6 + 1e-12).tp == (overlap[rows, columns] > 0.6).sum()


def test_what_are_no_boxes_is_told():
    with pytest.raises(ImageError, match="y0 < y1"):
        box_evidence([(5, 5, 5, 9)], [])
