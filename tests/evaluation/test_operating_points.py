"""Counts at every threshold like labelling at each, and thresholds chosen by an aim."""

import json
import time

import dask.array as da
import numpy as np
import pytest
from scipy import ndimage
from skimage.measure import label
from sklearn import metrics

from napari_mpseg.errors import Cancelled, ImageError, SettingsError, UnknownNameError
from napari_mpseg.evaluation import AIMS, choose_threshold, pairs
from napari_mpseg.evaluation.operating_points import count_curve, threshold_case
from napari_mpseg.inference.segmentation import MaskSettings
from napari_mpseg.progress import CancelToken


def counts_by_labelling(probability, min_size, connectivity):
    counts = np.zeros(256, int)
    for level in range(1, 256):
        sizes = np.bincount(label(probability >= level, connectivity=connectivity).ravel())[1:]
        counts[level] = (sizes >= min_size).sum()
    counts[0] = counts[1]
    return counts


def pictures():
    rng = np.random.default_rng(5)
    field = ndimage.gaussian_filter(rng.normal(size=(50, 43)), 1.5)
    return {
        "blobs": np.uint8(255 * np.clip(field / field.max(), 0, 1)),
        "noise": rng.integers(0, 256, (31, 20)).astype(np.uint8),
        "plateaus": rng.integers(0, 4, (50, 45)).astype(np.uint8) * 60,
        "flat": np.full((5, 7), 9, np.uint8),
        "full": np.full((40, 37), 255, np.uint8),
        "empty": np.zeros((6, 4), np.uint8),
        "one row": rng.integers(0, 3, (1, 50)).astype(np.uint8),
    }


@pytest.mark.parametrize("connectivity", [1, 2])
@pytest.mark.parametrize("min_size", [1, 3])
@pytest.mark.parametrize("name", list(pictures()))
def test_counts_are_those_of_labelling_at_every_level(name, min_size, connectivity, monkeypatch):
    probability = pictures()[name]
    expected = counts_by_labelling(probability, min_size, connectivity).tolist()
    assert count_curve(probability, min_size, connectivity).tolist() == expected
    monkeypatch.setattr(pairs, "_PART", 16)
    assert count_curve(probability, min_size, connectivity).tolist() == expected
    lazy = da.from_array(probability, chunks=(11, 13))
    assert count_curve(lazy, min_size, connectivity).tolist() == expected


def test_ten_megapixels_of_sparse_probability_take_about_a_second(rng):
    field = ndimage.gaussian_filter(rng.normal(size=(800, 800)).astype(np.float32), 2)
    tile = np.uint8(255 * np.clip(3 * field / field.max() - 1.5, 0, 1))
    probability = np.tile(tile, (4, 4))
    assert 0.005 < (probability > 0).mean() < 0.1
    count_curve(tile)
    begin = time.process_time()
    count_curve(probability)
    assert time.process_time() - begin < 2


@pytest.mark.parametrize(
    ("arguments", "error", "told"),
    [
        ((np.zeros((3, 3)),), ImageError, "float64"),
        ((np.zeros((3, 3, 3), np.uint8),), ImageError, r"\(3, 3, 3\)"),
        ((np.zeros((3, 3), np.uint8), -1), SettingsError, "-1"),
        ((np.zeros((3, 3), np.uint8), 3, 8), SettingsError, "8"),
    ],
)
def test_what_cannot_be_counted_is_told(arguments, error, told):
    with pytest.raises(error, match=told):
        count_curve(*arguments)


def test_counting_can_be_stopped():
    cancel = CancelToken()
    with pytest.raises(Cancelled):
        count_curve(pictures()["blobs"], cancel=cancel, on_progress=lambda event: cancel.cancel() or cancel.check())


@pytest.fixture
def cases(make_pair):
    made = [make_pair() for _ in range(3)]
    return [(probability // 15 * 15, truth) for probability, _, truth in made]  # few steps to try one by one


@pytest.fixture
def pixels(cases):
    probability = np.concatenate([one.ravel() for one, _ in cases])
    return probability, np.concatenate([truth.ravel() > 0 for _, truth in cases])


@pytest.mark.parametrize(("aim", "beta"), [("best-f1", 1), ("best-f0.5", 0.5), ("best-f2", 2)])
def test_the_best_f_is_scikit_learns(cases, pixels, aim, beta):
    probability, truth = pixels
    every = [metrics.fbeta_score(truth, probability >= level, beta=beta) for level in range(15, 256, 15)]
    point = choose_threshold(cases, aim)
    assert point.reached == pytest.approx(max(every))
    found = probability >= MaskSettings(point.threshold).lowest
    assert metrics.fbeta_score(truth, found, beta=beta) == pytest.approx(max(every))
    assert point.precision == pytest.approx(metrics.precision_score(truth, found))
    assert point.recall == pytest.approx(metrics.recall_score(truth, found))


@pytest.mark.parametrize(
    ("aim", "demanded", "other"),
    [
        ("recall-at-least", metrics.recall_score, metrics.precision_score),
        ("precision-at-least", metrics.precision_score, metrics.recall_score),
    ],
)
@pytest.mark.parametrize("value", [0.5, 0.8])
def test_at_least_is_kept_at_the_least_cost(cases, pixels, aim, demanded, other, value):
    probability, truth = pixels
    found = [probability >= level for level in range(15, 256, 15) if (probability >= level).any()]
    possible = [other(truth, mask) for mask in found if demanded(truth, mask) >= value]
    point = choose_threshold(cases, aim, value)
    at = probability >= point.level
    assert point.fulfilled
    assert point.reached == pytest.approx(demanded(truth, at))
    assert point.reached >= value
    assert other(truth, at) == pytest.approx(max(possible))


def test_what_cannot_be_reached_is_told():
    truth, probability = np.zeros((8, 8), bool), np.zeros((8, 8), np.uint8)
    truth[:2], truth[6] = True, True
    probability[1:4] = 100
    recall = choose_threshold([(probability, truth)], "recall-at-least", 0.9)
    assert (recall.fulfilled, recall.reached) == (False, pytest.approx(1 / 3))
    precision = choose_threshold([(probability, truth)], "precision-at-least", 0.5)
    assert (precision.fulfilled, precision.reached) == (False, pytest.approx(1 / 3))


def test_the_right_number_counts_particles_not_pixels():
    # three true particles; at 100 or more there are three, with a halo that makes their area wrong; above 200 one
    truth, probability = np.zeros((20, 30), bool), np.zeros((20, 30), np.uint8)
    for x, inner in ((3, 220), (12, 180), (22, 180)):
        probability[5:11, x - 1 : x + 5] = 100
        truth[6:10, x : x + 4] = True
        probability[6:10, x : x + 4] = inner
    probability[0, :] = 20  # one particle too many at the lowest levels
    point = choose_threshold([(probability, truth)], "count-bias-zero")
    assert (point.reached, point.count_bias, point.f1) == (0, 0, 1)
    assert 100 < point.level <= 180
    area = choose_threshold([(probability, truth)], "equal-area")
    assert (area.reached, area.level) == (1, point.level)


def test_the_middle_of_equally_good_thresholds_is_taken():
    truth = np.zeros((6, 6), bool)
    truth[1:4, 1:4] = True
    point = choose_threshold([(truth * np.uint8(255), truth)], "best-f1")
    assert (point.level, point.threshold, point.f1) == (128, 0.5, 1)


@pytest.mark.parametrize("level", [1, 2, 128, 254, 255])
def test_a_threshold_lets_its_level_pass_and_none_below(level):
    truth = np.ones((4, 4), bool)
    truth[0] = False
    probability = np.where(truth, level, level - 1).astype(np.uint8)
    point = choose_threshold([(probability, truth)], "best-f1")
    assert MaskSettings(point.threshold).lowest == point.level == level


@pytest.mark.parametrize("aim", list(AIMS))
def test_every_aim_finds_a_threshold_even_of_nothing(aim):
    empty, some = np.zeros((9, 9), np.uint8), np.zeros((9, 9), np.uint8)
    some[2:5, 2:5] = 90
    for probability in (empty, some):
        for truth in (empty, some):
            point = choose_threshold([(probability, truth)], aim)
            assert 0 < point.threshold < 1
            json.dumps(point.to_dict(), allow_nan=False)


def test_cases_may_be_prepared_and_used_for_several_aims(cases):
    prepared = [threshold_case(*case) for case in cases]
    assert choose_threshold(prepared, "best-f2") == choose_threshold(cases, "best-f2")
    sizes = [np.bincount(truth.ravel())[1:] for _, truth in cases]
    assert [case.n_truth for case in prepared] == [(size >= 3).sum() for size in sizes]


@pytest.mark.parametrize("connectivity", [1, 2])
def test_truth_and_prediction_are_counted_by_the_same_neighbours(connectivity):
    truth = np.zeros((20, 20), bool)
    truth[2:5, 2:5] = truth[5:8, 5:8] = True  # they touch at a corner
    truth[12:15, 12:15] = True
    expected = ndimage.label(truth, np.ones((3, 3)) if connectivity == 2 else None)[1]
    case = threshold_case(truth * np.uint8(200), truth, connectivity=connectivity)
    assert (case.n_truth, case.counts[100]) == (expected, expected)
    point = choose_threshold([(truth * np.uint8(200), truth)], "count-bias-zero", connectivity=connectivity)
    assert (point.count_bias, point.f1) == (0, 1)


@pytest.mark.parametrize(
    ("arguments", "error", "told"),
    [
        (([], "best-f1"), SettingsError, "none was given"),
        (([(np.zeros((2, 2), np.uint8), np.zeros((2, 2), bool))], "best"), UnknownNameError, "best-f1"),
        (([(np.zeros((2, 2), np.uint8), np.zeros((2, 2), bool))], "best-f1", 0.5), SettingsError, "0.5"),
        (([(np.zeros((2, 2), np.uint8), np.zeros((2, 2), bool))], "recall-at-least", 90), SettingsError, "90"),
        (([(np.zeros((2, 2), np.uint8), np.zeros((3, 2), bool))], "best-f1"), ImageError, r"\(3, 2\)"),
        (([(np.zeros((2, 2)), np.zeros((2, 2), bool))], "best-f1"), ImageError, "float64"),
    ],
)
def test_impossible_choices_are_told(arguments, error, told):
    with pytest.raises(error, match=told):
        choose_threshold(*arguments)
