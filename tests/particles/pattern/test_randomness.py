"""The sound tests: right about patterns that are known, and wrong about random ones as often as they say."""

import math

import numpy as np
import pytest
from scipy.ndimage import binary_dilation

from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import Cancelled, SettingsError
from napari_mpseg.particles.measure import measure
from napari_mpseg.particles.pattern import PATTERN_TESTS, PatternSettings, Region, analyse_pattern, functions
from napari_mpseg.particles.pattern.clark_evans import bounds, donnelly, two_sided
from napari_mpseg.particles.pattern.envelope import Envelope, global_envelope
from napari_mpseg.progress import CancelToken

SOUND = [name for name, test in PATTERN_TESTS.items() if test.sound]
QUICK = PatternSettings(simulations=199)


@pytest.mark.parametrize("test", SOUND)
def test_a_grid_is_self_avoiding(grid, test):
    result = analyse_pattern(grid, region=(200, 200), test=test, settings=QUICK)
    assert result.pattern_class == "self-avoiding"
    assert result.mean == pytest.approx(10)
    assert result.p <= 0.05


@pytest.mark.parametrize("test", SOUND)
def test_pairs_are_clustered(pairs, test):
    result = analyse_pattern(pairs, region=(1000, 1000), test=test, settings=QUICK)
    assert result.pattern_class == "clustered"
    assert result.mean < result.theoretical


@pytest.mark.parametrize("test", SOUND)
@pytest.mark.parametrize("region", [Region.rectangle((300, 500)), Region.circle((300, 300))], ids=["image", "circle"])
def test_random_points_are_called_so_as_often_as_promised(test, region):
    if test == "donnelly" and region.outline_px is None:
        pytest.skip("a formula for rectangles")
    rng, runs = np.random.default_rng(11), 200
    settings = PatternSettings(simulations=99, curve=False)
    wrong = sum(
        analyse_pattern(region.sample(rng, 30), region=region, test=test, settings=settings).pattern_class != "random"
        for _ in range(runs)
    )
    # 5 % of 200 is 10; a true share of 5 % gives fewer than 2 or more than 21 once in a thousand times
    assert 2 <= wrong <= 21


def test_the_clark_evans_ratio_of_the_reference(plugin_runs, mask_labels):
    """R without edge correction is an independent figure of the reference."""
    for run in plugin_runs["records"]:
        if run["statistic"] == "mean" and run["ci"] == "95%" and run.get("clark_evans_R") and run["n"] >= 10:
            result = analyse_pattern(labels=mask_labels(run["mask"]), settings=QUICK)
            assert result.mean / result.details["theoretical_without_edges"] == pytest.approx(run["clark_evans_R"])


@pytest.mark.parametrize("n", [20, 100, 400])
def test_simulated_and_donnellys_expectation_agree(n):
    """Two independent ways to the expected mean distance in a rectangle, edges included."""
    rng = np.random.default_rng(n)
    points = rng.uniform(0, 1, (n, 2)) * [399, 799]
    simulated = analyse_pattern(points, region=(400, 800), settings=PatternSettings(simulations=1999, curve=False))
    formula = analyse_pattern(points, region=(400, 800), test="donnelly")
    assert formula.theoretical == pytest.approx(donnelly(n, 400 * 800, 2400)[0])
    assert simulated.theoretical == pytest.approx(formula.theoretical, rel=0.01)
    assert simulated.details["z"] == pytest.approx(formula.statistic, abs=0.25)


def test_donnellys_formula_by_hand():
    """100 points in 10 x 10: 0.5 + (0.0514 + 0.00412) 40 / 100; variance 0.0703 / 100 + 0.037 * 40 * sqrt(1e-8)."""
    expected, error = donnelly(100, 100.0, 40.0)
    assert expected == pytest.approx(0.5 + 0.05552 * 0.4)
    assert error == pytest.approx(math.sqrt(0.000703 + 0.000148))


def test_discs_without_overlap_are_what_random_means_for_discs():
    """Discs of 6 px laid without overlap, 20 % of the image: as points they avoid each other, as discs they do not."""
    touching = PatternSettings(simulations=199, separation=0)
    rng, radius, shape = np.random.default_rng(3), 6.0, (300, 300)
    points: list = []
    while len(points) < 160:
        place = rng.uniform(-0.5, 299.5, 2)
        if all(math.dist(place, other) >= 2 * radius for other in points):
            points.append(place)
    table = _table(np.array(points), math.pi * radius**2)
    assert analyse_pattern(table, region=shape, settings=touching).pattern_class == "random"
    as_points = PatternSettings(simulations=199, non_overlapping=False)
    assert analyse_pattern(table, region=shape, settings=as_points).pattern_class == "self-avoiding"


@pytest.mark.parametrize("distance", ["centroid", "edge"])
def test_particles_of_a_mask_are_called_random_as_often_as_promised(distance):
    """150 discs of 29 px, laid at random where they touch none: 11 % of the image. As points they all look regular."""
    rng, runs = np.random.default_rng(5), 60
    y, x = np.mgrid[-4:5, -4:5]
    disc = y**2 + x**2 <= 9
    around = binary_dilation(disc, np.ones((3, 3)))
    region = np.zeros((200, 200), bool)
    region[4:-4, 4:-4] = True  # where centres can lie
    said: dict = {True: [], False: []}
    for run in range(runs):
        labels, number = np.zeros((200, 200), int), 0
        while number < 150:
            top, left = rng.integers(0, 192, 2)
            window = labels[top : top + 9, left : left + 9]
            if not window[around].any():
                number += 1
                window[disc] = number
        for discs, answers in said.items():
            settings = PatternSettings(simulations=39, seed=run, non_overlapping=discs, curve=False)
            result = analyse_pattern(labels=labels, region=region, distance=distance, settings=settings)
            answers.append(result.pattern_class)
    assert said[True].count("random") >= 50  # 57 expected; fewer than 50 comes once in two thousand times
    assert said[False].count("self-avoiding") > 50


def _discs_apart(rng, count):
    """Labels of discs of 29 px laid at random where they touch none, and where their centres can lie."""
    y, x = np.mgrid[-4:5, -4:5]
    disc = y**2 + x**2 <= 9
    around = binary_dilation(disc, np.ones((3, 3)))
    labels, number = np.zeros((200, 200), int), 0
    while number < count:
        top, left = rng.integers(0, 192, 2)
        window = labels[top : top + 9, left : left + 9]
        if not window[around].any():
            number += 1
            window[disc] = number
    region = np.zeros((200, 200), bool)
    region[4:-4, 4:-4] = True
    return labels, region


def test_one_particle_cut_in_two_does_not_change_what_the_others_are_compared_with():
    answers = []
    for run in range(12):
        labels, region = _discs_apart(np.random.default_rng(run), 200)
        settings = PatternSettings(simulations=39, seed=run, curve=False)
        y, x = np.nonzero(labels == 7)
        labels[y[y > y.mean()], x[y > y.mean()]] = 201
        of_labels = analyse_pattern(labels=labels, region=region, settings=settings)
        of_table = analyse_pattern(measure(labels), region=region, settings=settings)
        assert (of_labels.pattern_class, of_labels.p) == (of_table.pattern_class, of_table.p)
        assert any("particles touch another, fewer than 10%" in note for note in of_labels.notes)
        answers.append(of_labels.pattern_class)
    assert answers.count("random") >= 9  # 11 expected; without the pixel between discs, 9 of 10 are self-avoiding


def test_particles_that_were_told_apart_are_compared_with_discs_that_may_touch():
    """Discs of 29 px laid at random where they overlap none: in 200 x 200 px, more than a tenth of 200 touch."""
    y, x = np.mgrid[-3:4, -3:4]
    disc = y**2 + x**2 <= 9
    answers = []
    for run in range(8):
        rng = np.random.default_rng(run)
        labels, number = np.zeros((200, 200), int), 0
        while number < 200:
            top, left = rng.integers(0, 194, 2)
            window = labels[top : top + 7, left : left + 7]
            if not window[disc].any():
                number += 1
                window[disc] = number
        settings = PatternSettings(simulations=39, seed=run, curve=False)
        result = analyse_pattern(labels=labels, region=np.pad(np.ones((194, 194), bool), 3), settings=settings)
        assert any("touch another, 10% or more" in note for note in result.notes)
        answers.append(result.pattern_class)
    assert answers.count("random") >= 5


@pytest.mark.parametrize("test", ["g-function", "l-function"])
def test_a_curve_that_is_nowhere_outside_its_band_is_random(grid, monkeypatch, test):
    """Ties can make a curve one of the most extreme though all others reach as far."""

    def tied(observed, simulated, alpha):
        return Envelope(0.01, observed.copy(), observed.copy())

    monkeypatch.setattr(functions, "global_envelope", tied)
    result = analyse_pattern(grid, region=(200, 200), test=test, settings=QUICK)
    assert result.pattern_class == "random"
    assert any("nowhere outside the band" in note for note in result.notes)


def test_a_missing_area_leaves_the_other_discs():
    rng = np.random.default_rng(4)
    table = _table(rng.uniform(0, 300, (40, 2)), 4.0)
    whole = analyse_pattern(table, region=(300, 300), settings=QUICK)
    table["area_px"] = [np.nan, *[4.0] * 39]
    result = analyse_pattern(table, region=(300, 300), settings=QUICK)
    assert result.n == 40
    assert result.details["discs_without_overlap"]
    assert result.theoretical == pytest.approx(whole.theoretical, rel=0.02)
    assert any("area of 1 of 40 particles is not known" in note for note in result.notes)
    assert not any("nan" in note for note in result.notes)
    table["area_px"] = np.nan
    none = analyse_pattern(table, region=(300, 300), settings=QUICK)
    assert not none.details["discs_without_overlap"]
    assert any("areas are not known" in note for note in none.notes)


def test_too_full_for_discs_is_said_and_points_are_laid(grid):
    result = analyse_pattern(_table(grid, math.pi * 4.9**2), region=(200, 200), settings=QUICK)
    assert not result.details["discs_without_overlap"]
    assert any("cover 75% of the region" in note for note in result.notes)


def test_lengths_follow_the_unit_and_p_does_not(pairs):
    plain = analyse_pattern(pairs, region=(1000, 1000), settings=QUICK)
    for size, unit in ((2.5, "um"), (10, "nm")):
        sized = analyse_pattern(pairs, region=(1000, 1000), settings=QUICK, calibration=Calibration((size, size), unit))
        assert sized.unit == unit
        assert (sized.mean, sized.theoretical) == pytest.approx((plain.mean * size, plain.theoretical * size))
        assert sized.area == pytest.approx(1e6 * size**2)
        assert (sized.p, sized.pattern_class) == (plain.p, plain.pattern_class)
        assert sized.statistic == pytest.approx(plain.statistic)


def test_pixels_that_are_not_square(grid):
    result = analyse_pattern(grid, region=(200, 200), settings=QUICK, calibration=Calibration((1.0, 3.0), "um"))
    assert result.mean == pytest.approx(10)  # along y; along x it is 30
    assert result.area == pytest.approx(200 * 600)


def test_the_same_seed_gives_the_same_answer(pairs):
    once, again, other = (
        analyse_pattern(pairs, region=(1000, 1000), settings=PatternSettings(simulations=99, seed=seed))
        for seed in (1, 1, 2)
    )
    assert once.to_dict() == again.to_dict()
    assert once.theoretical != other.theoretical


def test_a_region_of_random_shape_decides():
    """Random points in the left half alone are clustered in the image, and random in that half."""
    rng, half = np.random.default_rng(8), np.zeros((400, 400), bool)
    half[:, :100] = True
    points = rng.uniform(0, 1, (150, 2)) * [399, 99]
    assert analyse_pattern(points, region=(400, 400), settings=QUICK).pattern_class == "clustered"
    assert analyse_pattern(points, region=half, settings=QUICK).pattern_class == "random"


@pytest.mark.parametrize(("step", "said"), [(6, True), (20, False)])
def test_neighbours_few_pixels_apart_are_said_to_be_too_close_to_tell(step, said):
    points = np.array([[step * (i // 10), step * (i % 10)] for i in range(100)], float)
    notes = analyse_pattern(_table(points, 4.0), region=(250, 250), settings=QUICK).notes
    assert any("pixels are coarse" in note for note in notes) == said


def test_long_particles_are_said_to_fit_badly():
    points = np.array([[10.0 * i, 10.0 * i] for i in range(12)])
    notes = analyse_pattern(_table(points, math.pi * 8**2), region=(600, 600), settings=QUICK).notes
    assert any("as long, bent or cut" in note for note in notes)


def test_cancelling_stops(pairs):
    cancel = CancelToken()
    events = []

    def stop(event):
        events.append(event)
        if event.done == 5:
            cancel.cancel()

    with pytest.raises(Cancelled):
        analyse_pattern(pairs, region=(1000, 1000), on_progress=stop, cancel=cancel)
    assert [event.done for event in events] == list(range(6))
    assert events[0].total == 999


@pytest.mark.parametrize("test", ["donnelly", "l-function"])
def test_edges_do_not_go_with_tests_of_points(mask_labels, test):
    with pytest.raises(SettingsError, match="Choose the distance 'centroid'"):
        analyse_pattern(labels=mask_labels("dist_random.png"), test=test, distance="edge")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"alpha": 0}, "alpha of 0"),
        ({"simulations": 0}, "give 1 or more"),
        ({"fewest": 1}, "2 or more"),
        ({"statistic": "mode"}, "'mode' is neither"),
        ({"separation": -1}, "-1 pixels"),
        ({"seed": -1}, "negative"),
    ],
)
def test_impossible_settings(values, message):
    with pytest.raises(SettingsError, match=message):
        PatternSettings(**values)


@pytest.mark.parametrize(("alpha", "needed"), [(0.05, 39), (0.01, 199), (0.001, 1999)])
@pytest.mark.parametrize("test", [test for test in SOUND if test != "donnelly"])
def test_too_few_simulations_for_the_level(grid, test, alpha, needed):
    with pytest.raises(SettingsError, match=f"give {needed} or more"):
        analyse_pattern(
            grid, region=(200, 200), test=test, settings=PatternSettings(alpha=alpha, simulations=needed - 1)
        )


def test_p_values_by_counting():
    simulated = np.arange(1.0, 100.0)  # 1 ... 99
    assert two_sided(0.0, simulated) == 0.02
    assert two_sided(100.0, simulated) == 0.02
    assert two_sided(3.5, simulated) == 0.08
    assert two_sided(50.0, simulated) == 1.0
    low, high = bounds(simulated, 0.05)
    assert two_sided(low - 0.5, simulated) <= 0.05 < two_sided(low, simulated)
    assert two_sided(high + 0.5, simulated) <= 0.05 < two_sided(high, simulated)


def test_an_envelope_of_one_distance_is_the_ranks():
    simulated = np.arange(1.0, 100.0)[:, None]
    for observed, p in ((0.0, 0.02), (100.0, 0.02), (2.5, 0.06)):
        band = global_envelope(np.array([observed]), simulated, 0.05)
        assert band.p == pytest.approx(p)
        assert (band.low[0] > observed or band.high[0] < observed) == (p <= 0.05)


def test_random_curves_leave_the_envelope_as_often_as_promised(rng):
    left = 0
    for _ in range(400):
        curves = rng.normal(size=(100, 30)).cumsum(axis=1)
        band = global_envelope(curves[0], curves[1:], 0.05)
        outside = bool(((curves[0] < band.low) | (curves[0] > band.high)).any())
        assert outside == (band.p <= 0.05)
        left += outside
    assert 6 <= left <= 38  # 20 expected; limits of one in a thousand


def _table(points, area):
    import pandas as pd

    return pd.DataFrame({"centroid_y_px": points[:, 0], "centroid_x_px": points[:, 1], "area_px": area})
