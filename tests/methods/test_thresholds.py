"""Thresholds choose the levels ImageJ chooses, however the image is read."""

import csv

import dask.array as da
import numpy as np
import pytest

from napari_mpseg.errors import SettingsError
from napari_mpseg.images.image import Image
from napari_mpseg.images.open import open_image
from napari_mpseg.methods.grey import GreyScale, grey_histogram
from napari_mpseg.methods.registry import METHODS, MethodEntry, resolve_method
from napari_mpseg.methods.threshold import max_entropy_level
from napari_mpseg.progress import CancelToken, silent


def test_max_entropy_and_grey_values_equal_imagej_on_every_patch(reference, shared_data):
    with (reference / "auto_thresholds.csv").open() as file:
        rows = [
            row
            for row in csv.DictReader(file)
            if (row["method"], row["channel"], row["background"]) == ("MaxEntropy", "grey_unweighted", "dark")
        ]
    compared = 0
    for row in rows:
        path = shared_data / "mpnet" / f"fold_{row['dataset']}" / row["image"]
        if not path.exists():
            continue
        scale, histogram = grey_histogram(open_image(path), silent, CancelToken())
        assert max_entropy_level(histogram) == int(float(row["t"])), path.name
        grey = scale.apply(np.asarray(open_image(path).data))
        assert (grey > int(float(row["t"]))).sum() == int(float(row["n_foreground"]))
        assert (grey.min(), grey.max()) == (int(row["channel_min"]), int(row["channel_max"]))
        compared += 1
    assert compared >= 60


def test_grey_is_the_mean_rounded_half_up():
    pixels = np.array([[[1, 0, 0], [1, 1, 0], [255, 255, 255], [10, 11, 12]]], np.uint8)
    assert GreyScale().apply(pixels).tolist() == [[0, 1, 255, 11]]
    assert GreyScale().apply(np.array([[[1, 2]]], np.uint8)).tolist() == [[2]]


def test_wider_images_are_scaled_by_their_range(rng):
    pixels = rng.integers(1000, 5001, (70, 90)).astype(np.uint16)
    pixels[0, 0], pixels[1, 1] = 1000, 5000
    scale, histogram = grey_histogram(Image(da.from_array(pixels, chunks=32)), silent, CancelToken())
    assert (scale.low, scale.high) == (1000, 5000)
    assert scale.apply(np.array([[1000, 3000, 5000]], np.uint16)).tolist() == [[0, 128, 255]]
    assert histogram.sum() == pixels.size


@pytest.mark.parametrize("value", [np.nan, np.inf, 3.0])
def test_images_without_a_range_give_no_particles(value):
    image = open_image(np.full((20, 20), value, np.float32))
    prepared = METHODS["max-entropy"].build().prepare(image)
    assert not prepared.predictor.predict(np.asarray(image.data)).any()


def test_one_grey_value_leaves_nothing_above():
    histogram = np.zeros(256, int)
    histogram[80] = 1000
    assert max_entropy_level(histogram) == 255
    assert max_entropy_level(np.zeros(256, int)) == 255


def test_two_values_are_told_apart():
    histogram = np.zeros(256, int)
    histogram[[20, 200]] = 990, 10
    assert 20 <= max_entropy_level(histogram) < 200


def test_fixed_level_is_exclusive_and_checked():
    prepared = METHODS["fixed-level"].build(level=100).prepare(open_image(np.zeros((2, 2), np.uint8)))
    found = prepared.predictor.predict(np.array([[99, 100, 101]], np.uint8))
    assert found.tolist() == [[0, 0, 1]]
    with pytest.raises(SettingsError, match="300"):
        METHODS["fixed-level"].build(level=300)


def test_margins_are_left_out():
    prepared = METHODS["fixed-level"].build(level=0).prepare(open_image(np.zeros((2, 2), np.uint8)))
    window = np.zeros((6, 8), np.uint8)
    window[2, 3] = 9
    found = prepared.predictor.predict(window, (2, 1, 3, 1))
    assert found.shape == (3, 4)
    assert found[0, 0] == 1


@pytest.mark.parametrize("name", METHODS)
def test_every_method_is_described_and_predicts_a_grey_and_a_colour_image(name, rng):
    entry = resolve_method(name)
    assert isinstance(entry, MethodEntry)
    assert entry.summary.endswith(".")
    method = entry.build()
    method.describe()
    for shape in ((40, 52), (40, 52, 3)):
        pixels = rng.integers(0, 60, shape).astype(np.uint8)
        prepared = method.prepare(open_image(pixels))
        predictor = prepared.predictor
        assert 40 % predictor.stride == 52 % predictor.stride == 0
        found = predictor.predict(np.asarray(prepared.image.data))
        assert found.shape == (40, 52)
        assert found.dtype == np.float32
        assert 0 <= found.min() <= found.max() <= 1
