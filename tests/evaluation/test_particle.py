"""Matching of particles: small cases counted by hand, large ones against a plain loop."""

import time

import dask.array as da
import numpy as np
import pytest
from scipy import ndimage

from napari_mpseg.errors import ImageError, SettingsError, UnknownNameError
from napari_mpseg.evaluation import match_particles


def picture(*rows: str) -> np.ndarray:
    return np.array([[0 if c == "." else int(c) for c in row] for row in rows])


TRUTH = picture(
    "111...22..",
    "111...22..",
    "..........",
    "3.....444.",
    "......444.",
)
PREDICTED = picture(
    "11........",
    "11....55..",
    "...222.5..",
    "3...2.....",
    "......6666",
)


def test_found_missed_and_false_by_hand():
    match = match_particles(PREDICTED, TRUTH)
    assert (match.n_truth, match.found, match.missed) == (3, 3, 0)
    # 1, 5 and 6 are right, 2 is false; 3 is too small to count and so is what it lies on.
    assert (match.n_predicted, match.correct, match.false) == (4, 3, 1)
    assert match.false_labels.tolist() == [2]
    assert match.recall == 1.0
    assert match.precision == 0.75
    assert match.f1 == pytest.approx(6 / 7)


def test_size_one_counts_everything():
    match = match_particles(PREDICTED, TRUTH, min_size=1)
    assert (match.n_truth, match.found, match.n_predicted, match.correct) == (4, 4, 5, 4)


def test_iou_by_hand():
    # 1: 4/6; 5 with 2: 2/5; 6 with 4: 3/7.
    assert match_particles(PREDICTED, TRUTH, criterion="iou", threshold=0.5).found_labels.tolist() == [1]
    assert match_particles(PREDICTED, TRUTH, criterion="iou", threshold=0.41).found_labels.tolist() == [1, 4]
    low = match_particles(PREDICTED, TRUTH, criterion="iou", threshold=0.4)
    assert low.found_labels.tolist() == [1, 2, 4]
    assert low.missed_labels.tolist() == []
    assert low.false_labels.tolist() == [2]


def test_iou_gives_each_particle_to_one_partner_only():
    truth, halves = picture("111111"), picture("111222")
    match = match_particles(halves, truth, criterion="iou", threshold=0.5)
    assert (match.found, match.correct, match.false) == (1, 1, 1)
    assert match_particles(halves, truth).correct == 2


def test_predicted_particles_below_the_size_do_not_find():
    match = match_particles(picture("11......"), picture("1111...."))
    assert (match.n_truth, match.found, match.n_predicted) == (1, 0, 0)


def test_a_prediction_on_a_particle_that_does_not_count_is_neither_right_nor_false():
    match = match_particles(picture("1111...."), picture("11......"))
    assert (match.n_truth, match.n_predicted, match.false) == (0, 0, 0)
    assert match.precision == match.recall == match.f1 == 1.0


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64])
def test_masks_of_any_kind_are_cut_into_pieces(dtype):
    value = 255 if dtype is np.uint8 else 1
    truth = ((TRUTH > 0) * value).astype(dtype)
    match = match_particles((PREDICTED > 0).astype(dtype) * dtype(value), truth, min_size=1)
    assert match.n_truth == 4
    # Corner to corner is one piece: 2 and 5 touch side by side, 6 stands alone.
    assert match.n_predicted == ndimage.label(PREDICTED > 0, np.ones((3, 3)))[1]


def test_nothing_at_all():
    empty, some = np.zeros((5, 5), int), picture("111", "111")
    match = match_particles(empty, empty)
    assert (match.recall, match.precision, match.f1) == (1.0, 1.0, 1.0)
    only_false = match_particles(some, np.zeros_like(some))
    assert (only_false.recall, only_false.precision, only_false.f1) == (0.0, 0.0, 0.0)
    only_missed = match_particles(np.zeros_like(some), some)
    assert (only_missed.recall, only_missed.precision, only_missed.f1) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize("criterion", ["overlap", "iou"])
def test_many_random_particles_like_a_plain_loop(criterion, rng):
    truth = ndimage.label(ndimage.gaussian_filter(rng.normal(size=(300, 300)), 2) > 0.12)[0]
    predicted = ndimage.label(ndimage.gaussian_filter(rng.normal(size=(300, 300)), 2) > 0.1)[0]
    predicted[:150] = np.where(truth[:150] > 0, truth[:150] + predicted.max(), 0)
    predicted = np.unique(predicted, return_inverse=True)[1].reshape(truth.shape)
    found, correct = set(), set()
    for label in range(1, truth.max() + 1):
        mine = truth == label
        if mine.sum() < 3:
            continue
        for other in np.unique(predicted[mine]):
            area = (predicted == other).sum()
            common = ((predicted == other) & mine).sum()
            if other and area >= 3 and (criterion == "overlap" or common / (area + mine.sum() - common) >= 0.5):
                found.add(label)
                correct.add(int(other))
    match = match_particles(predicted, truth, criterion=criterion)
    assert set(match.found_labels.tolist()) == found
    assert match.correct == len(correct)
    assert match.n_truth == (np.bincount(truth.ravel())[1:] >= 3).sum()


def test_chunks_make_no_difference(rng):
    truth = ndimage.label(rng.random((200, 2200)) > 0.7)[0]
    predicted = ndimage.label(rng.random((200, 2200)) > 0.7)[0]
    whole = match_particles(predicted, truth)
    lazy = match_particles(da.from_array(predicted, chunks=(70, 300)), da.from_array(truth, chunks=1000))
    assert (lazy.found, lazy.correct, lazy.n_truth, lazy.n_predicted) == (
        whole.found,
        whole.correct,
        whole.n_truth,
        whole.n_predicted,
    )


@pytest.mark.slow
def test_a_whole_filter_with_thousands_of_particles_takes_seconds(rng):
    truth = np.zeros((5424, 7140), np.int32)
    y, x = np.mgrid[10:5400:60, 10:7100:70]
    for dy in range(5):
        for dx in range(5):
            truth[y + dy, x + dx] = np.arange(1, y.size + 1).reshape(y.shape)
    begin = time.process_time()
    match = match_particles(np.roll(truth, 2, 0), truth)
    assert time.process_time() - begin < 10
    assert match.found == match.n_truth == y.size


@pytest.mark.parametrize(
    ("arguments", "error", "told"),
    [
        ({"threshold": 0.0}, SettingsError, "0.0"),
        ({"threshold": 1.5}, SettingsError, "1.5"),
        ({"min_size": 0}, SettingsError, "0"),
        ({"criterion": "touch"}, UnknownNameError, "overlap"),
    ],
)
def test_impossible_settings_are_refused(arguments, error, told):
    with pytest.raises(error, match=told):
        match_particles(TRUTH, TRUTH, **arguments)


def test_labels_may_be_large_and_have_gaps():
    match = match_particles(np.array([[7, 7, 2**40, 2**40]]), np.array([[5, 5, 0, 0]]), min_size=1)
    assert match_particles(np.array([[7, 7, 2**40]]), picture("123"), min_size=1).correct == 2
    assert match.false_labels.tolist() == [2**40]


def test_bad_labels_are_refused():
    with pytest.raises(ImageError, match="-1"):
        match_particles(picture("123") - 2, picture("123"))
    with pytest.raises(ImageError, match="int64"):
        match_particles(np.array([[1, 2**63]], np.uint64), picture("12"))
    with pytest.raises(ImageError, match=r"\(1, 2\) and \(1, 3\)"):
        match_particles(picture("12"), picture("123"))
