"""The front door: what it takes, what it leaves out, what it says."""

import json

import numpy as np
import pandas as pd
import pytest

from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import ImageError, SettingsError, UnknownNameError
from napari_mpseg.particles import pattern as package
from napari_mpseg.particles.measure import measure
from napari_mpseg.particles.pattern import DISTANCES, PATTERN_TESTS, PatternSettings, analyse_pattern
from napari_mpseg.settings import from_dict, to_dict

QUICK = PatternSettings(simulations=99)


@pytest.fixture
def labels(rng):
    """40 squares of 3 x 3 px, none touching another, labels with gaps."""
    found = np.zeros((200, 300), np.int32)
    number = 0
    while number < 40:
        y, x = rng.integers(1, 195), rng.integers(1, 295)
        if not found[y - 1 : y + 4, x - 1 : x + 4].any():
            number += 1
            found[y : y + 3, x : x + 3] = 5 * number
    return found


def test_points_labels_and_tables_give_the_same(labels):
    table = measure(labels)
    of_table = analyse_pattern(table, region=labels.shape, settings=QUICK)
    of_labels = analyse_pattern(labels=labels, settings=QUICK)
    of_frame = analyse_pattern(table.frame, region=labels.shape, settings=QUICK)
    of_features = analyse_pattern(table.to_features(), region=labels.shape, settings=QUICK)
    assert of_table.to_dict() == of_labels.to_dict() == of_frame.to_dict() == of_features.to_dict()
    points = table.frame[["centroid_y_px", "centroid_x_px"]].to_numpy()
    assert analyse_pattern(points, region=labels.shape, settings=QUICK).mean == of_table.mean


@pytest.mark.parametrize("distance", DISTANCES)
def test_particles_that_are_not_kept_are_not_there(labels, distance):
    table = measure(labels)
    keep = np.arange(40) % 2 == 0
    without = np.where(np.isin(labels, table.labels[keep]), labels, 0)
    marked = table.with_columns(keep=keep)
    left = analyse_pattern(marked, labels=labels, distance=distance, settings=QUICK)
    assert left.n == 20
    assert left.to_dict() == analyse_pattern(labels=without, distance=distance, settings=QUICK).to_dict()


def test_what_is_kept_is_read_as_files_and_spreadsheets_write_it(labels):
    frame = measure(labels).frame
    frame["keep"] = ["False", "0", "no", None, *["True"] * 36]
    assert analyse_pattern(frame, region=labels.shape, settings=QUICK).n == 37


def test_the_tables_pixel_size_is_used(labels):
    table = measure(labels, calibration=Calibration((2.0, 2.0), "um"))
    result = analyse_pattern(table, region=labels.shape, settings=QUICK)
    assert result.unit == "um"
    assert result.area == 200 * 300 * 4


@pytest.mark.parametrize("distance", DISTANCES)
def test_particles_outside_the_region_are_left_out_and_counted(labels, distance):
    region = np.zeros(labels.shape, bool)
    region[:, :150] = True
    inside = sum(x.mean() < 150 for _, x in (np.nonzero(labels == number) for number in np.unique(labels)[1:]))
    result = analyse_pattern(labels=labels, region=region, distance=distance, settings=QUICK)
    assert result.n == inside
    assert any(f"{40 - inside} of 40 particles lie outside" in note for note in result.notes)
    assert np.isfinite(result.distances).all()


@pytest.mark.parametrize("test", PATTERN_TESTS)
@pytest.mark.parametrize("n", [0, 1, 2, 9])
def test_too_few_is_no_error(rng, test, n):
    result = analyse_pattern(rng.random((n, 2)) * 90, region=(100, 100), test=test)
    if test != "biovoxxel" or n < 2:
        assert result.pattern_class == "too few particles to say"
    assert result.n == n
    json.dumps(result.to_dict(), allow_nan=False)
    assert len(result.to_frame()) == 1
    assert result.in_words()


@pytest.mark.parametrize("test", PATTERN_TESTS)
def test_too_few_says_how_many_the_test_needs(test):
    settings = PatternSettings(simulations=99, fewest=7)
    result = analyse_pattern(np.array([[4.0, 5.0]]), region=(100, 100), test=test, settings=settings)
    assert result.in_words() == f"too few particles to say: 1, and {2 if test == 'biovoxxel' else 7} are needed"


def test_all_outside_is_too_few():
    result = analyse_pattern(np.full((20, 2), 500.0), region=(100, 100))
    assert (result.pattern_class, result.n) == ("too few particles to say", 0)


@pytest.mark.parametrize("test", PATTERN_TESTS)
def test_a_result_as_json_and_as_row(labels, test):
    result = analyse_pattern(labels=labels, test=test, settings=QUICK)
    told = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert told["n"] == 40
    assert told["test"] == test
    assert from_dict(PatternSettings, told["settings"]) == QUICK
    row = result.to_frame().iloc[0]
    assert row["class"] == result.pattern_class
    assert {"theoretical_nnd_px", "median_nnd_px", "mean_nnd_px", "n", "test", "critical_value", "statistic"} <= set(
        row.index
    )
    assert row["test"] == PATTERN_TESTS[test].title + (f", {result.details['t_test']}" if test == "biovoxxel" else "")
    assert row["median_nnd_px"] == np.median(result.distances)


def test_the_sentence():
    rng = np.random.default_rng(0)
    centres = rng.uniform(100, 900, (8, 2))
    points = np.concatenate([centre + rng.normal(0, 8, (20, 2)) for centre in centres])
    result = analyse_pattern(points, region=(1000, 1000), calibration=Calibration((0.5, 0.5), "um"))
    words = result.in_words()
    assert words.startswith("clustered: mean nearest-neighbour distance ")
    assert f"{result.mean:.4g} µm, expected {result.theoretical:.4g} µm if random, 160 particles, p = 0.002" in words


def test_the_curve_for_the_figure(labels):
    curve = analyse_pattern(labels=labels, settings=QUICK).curve
    for values in (curve.observed, curve.expected, curve.low, curve.high):
        assert values.shape == curve.distance.shape
        assert (np.diff(values) >= 0).all()  # shares only grow with distance
        assert values.max() <= 1
    assert (curve.low <= curve.high).all()


@pytest.mark.parametrize(
    ("given", "message", "kind"),
    [
        ({}, "Which particles", SettingsError),
        ({"particles": np.zeros((4, 2))}, "Give the region", SettingsError),
        ({"particles": np.zeros((4, 3)), "region": (9, 9)}, r"shape \(4, 3\)", ImageError),
        ({"particles": [[np.nan, 1]], "region": (9, 9)}, "finite", ImageError),
        ({"particles": pd.DataFrame({"label": [1]}), "region": (9, 9)}, "no column 'centroid_y_px'", SettingsError),
        ({"labels": np.zeros((4, 4))}, "whole numbers", ImageError),
        ({"labels": np.zeros((4, 4), int), "region": np.ones((5, 4))}, "5 x 4 pixels, the labels 4 x 4", ImageError),
        ({"labels": np.zeros((4, 4), int), "region": np.zeros((4, 4))}, "empty", ImageError),
        ({"labels": np.zeros((4, 4), int), "test": "clark"}, "clark-evans", UnknownNameError),
        ({"labels": np.zeros((4, 4), int), "distance": "border"}, "border", UnknownNameError),
    ],
)
def test_what_cannot_be_analysed(given, message, kind):
    with pytest.raises(kind, match=message):
        analyse_pattern(**given)


def test_no_particles_at_all():
    for distance in DISTANCES:
        assert analyse_pattern(labels=np.zeros((9, 9), int), distance=distance).n == 0


def test_settings_go_to_json_and_back():
    settings = PatternSettings(alpha=0.01, simulations=499, seed=3, non_overlapping=False)
    assert from_dict(PatternSettings, json.loads(json.dumps(to_dict(settings)))) == settings


def test_the_package_tells_its_names():
    for name in package.__all__:
        assert getattr(package, name) is not None
    with pytest.raises(AttributeError, match="guess"):
        package.guess  # noqa: B018
