"""Pixel counts and metrics against scikit-learn, and the cases in which a metric would be undefined."""

import dask.array as da
import numpy as np
import pytest
import zarr
from sklearn import metrics

from napari_mpseg.errors import ImageError, UnknownNameError
from napari_mpseg.evaluation import METRICS, Evidence, PixelCounts, count_pixels

SKLEARN = {
    "precision": metrics.precision_score,
    "recall": metrics.recall_score,
    "specificity": lambda truth, predicted: metrics.recall_score(truth, predicted, pos_label=0),
    "f1": metrics.f1_score,
    "dice": metrics.f1_score,
    "iou": metrics.jaccard_score,
    "f0.5": lambda truth, predicted: metrics.fbeta_score(truth, predicted, beta=0.5),
    "f2": lambda truth, predicted: metrics.fbeta_score(truth, predicted, beta=2.0),
    "balanced-accuracy": metrics.balanced_accuracy_score,
    "rw-f1": lambda truth, predicted: metrics.f1_score(truth, predicted) * metrics.recall_score(truth, predicted),
    "rw-miou": lambda truth, found: metrics.jaccard_score(truth, found) * metrics.recall_score(truth, found),
}
PIXEL = [name for name, entry in METRICS.items() if entry.family == "pixel"]


def value(name, counts):
    return METRICS[name].of([Evidence("image", pixels=counts)])


def test_counts_by_hand():
    predicted = np.array([[0, 3, 3], [0, 0, 7]])
    truth = np.array([[0, 1, 0], [2, 0, 2]])
    assert count_pixels(predicted, truth) == PixelCounts(tp=2, fp=1, fn=1, tn=2)
    assert count_pixels(predicted > 0, truth > 0).total == 6


@pytest.mark.parametrize("name", PIXEL)
@pytest.mark.parametrize("share", [0.02, 0.5])
def test_every_metric_equals_scikit_learn(name, share, rng):
    truth = rng.random((60, 70)) < share
    predicted = truth ^ (rng.random(truth.shape) < 0.05)
    expected = SKLEARN[name](truth.ravel(), predicted.ravel())
    assert value(name, count_pixels(predicted, truth)) == pytest.approx(expected)


@pytest.mark.parametrize("name", PIXEL)
def test_nothing_to_find_and_nothing_found_is_perfect(name):
    empty = np.zeros((4, 5), bool)
    assert value(name, count_pixels(empty, empty)) == 1.0
    assert value(name, PixelCounts()) == 1.0


@pytest.mark.parametrize("name", ["precision", "recall", "f0.5", "f1", "f2", "iou", "dice", "rw-f1", "rw-miou"])
def test_a_find_where_nothing_is_and_a_miss_are_wrong(name):
    empty, some = np.zeros((4, 5), bool), np.eye(4, 5, dtype=bool)
    assert value(name, count_pixels(some, empty)) == 0
    assert value(name, count_pixels(empty, some)) == 0


def test_balanced_accuracy_averages_over_the_classes_of_the_truth():
    empty, some = np.zeros((4, 5), bool), np.eye(4, 5, dtype=bool)
    assert value("balanced-accuracy", count_pixels(some, empty)) == pytest.approx(16 / 20)
    assert value("balanced-accuracy", count_pixels(empty, some)) == pytest.approx(0.5)
    assert value("balanced-accuracy", PixelCounts(tp=3, fn=1)) == pytest.approx(0.75)


def test_specificity_where_everything_is_particle():
    assert value("specificity", PixelCounts(tp=4)) == 1
    assert value("specificity", PixelCounts(tp=3, fn=1)) == 0


def test_dask_and_zarr_count_like_numpy(rng):
    truth = rng.random((2100, 300)) < 0.1
    predicted = np.where(rng.random(truth.shape) < 0.1, 5, 0).astype(np.uint16)
    store = zarr.create_array({}, shape=truth.shape, chunks=(700, 130), dtype=bool)
    store[:] = truth
    lazy = da.from_array(predicted, chunks=(611, 100))
    expected = metrics.confusion_matrix(truth.ravel(), predicted.ravel() > 0).ravel()
    counts = count_pixels(lazy, store)
    assert [counts.tn, counts.fp, counts.fn, counts.tp] == expected.tolist()
    assert count_pixels(predicted, lazy).fn == 0


def test_counts_add_up():
    assert PixelCounts(1, 2, 3, 4) + PixelCounts(10, 20, 30, 40) == PixelCounts(11, 22, 33, 44)


def test_unequal_shapes_are_told():
    with pytest.raises(ImageError, match=r"\(3, 4\) and \(4, 3\)"):
        count_pixels(np.zeros((3, 4), int), np.zeros((4, 3), int))


@pytest.mark.parametrize(
    ("array", "told"),
    [
        (np.zeros((3, 4), float), "float64"),
        (np.zeros((3, 4, 3), int), "(3, 4, 3)"),
        ([[0, 1]], "list"),
    ],
)
def test_what_is_neither_labels_nor_mask_is_refused(array, told):
    with pytest.raises(ImageError) as error:
        count_pixels(array, np.zeros((3, 4), int))
    assert told in str(error.value)


def test_an_unknown_metric_names_the_known_ones():
    with pytest.raises(UnknownNameError, match="balanced-accuracy"):
        METRICS["accuracy"]
