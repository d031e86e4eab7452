"""BioVoxxel's test against every run of the plugin in ImageJ."""

import math

import numpy as np
import pytest

from napari_mpseg.calibration import Calibration
from napari_mpseg.particles.pattern import PatternSettings, analyse_pattern
from napari_mpseg.particles.pattern.biovoxxel import verdict, voronoi_gaps

DISTANCE = {"centroid NND": "centroid", "average NND": "edge"}
CLASS = {
    "random particle distribution": "random",
    "clustering particles": "clustered",
    "self-avoiding particles": "self-avoiding",
}
MASKS = ("clustered", "grid", "gridjitter", "random", "random_n8", "random_n60", "student")


@pytest.mark.parametrize("neighbour", DISTANCE)
@pytest.mark.parametrize("mask", MASKS)
def test_equals_every_run_of_the_plugin(plugin_runs, mask_labels, mask, neighbour):
    runs = [run for run in plugin_runs["records"] if (run["mask"], run["neighbor"]) == (f"dist_{mask}.png", neighbour)]
    assert len(runs) == 6
    for run in runs:
        settings = PatternSettings(alpha=1 - float(run["ci"].rstrip("%")) / 100, statistic=run["statistic"])
        result = analyse_pattern(
            labels=mask_labels(run["mask"]), test="biovoxxel", distance=DISTANCE[neighbour], settings=settings
        )
        near = {"rel": 2e-7, "abs": 2e-7}
        assert result.n == run["n"]
        assert result.theoretical == pytest.approx(run["theoretical"], rel=1e-12)
        assert result.mean == pytest.approx(run["mean_nnd"], **near)
        assert result.median == pytest.approx(run["median_nnd"], **near)
        about = f"variance_about_{run['statistic']}"
        assert result.details["variance_about_compared"] == pytest.approx(run[about], **near)
        assert result.details["t_test"] == run["test"]
        assert result.details["degrees_of_freedom"] == run["dof"]
        assert result.statistic == pytest.approx(float(run["t"]), **near)
        assert result.critical == pytest.approx(run["t_critical"], abs=1e-7)
        if run["F"] is not None:
            assert result.details["F"] == pytest.approx(run["F"], **near)
        if run["F_critical"] is not None and not math.isnan(run["F_critical"]):
            assert result.details["F_critical"] == pytest.approx(run["F_critical"], abs=1e-7)
        assert result.pattern_class == CLASS[run["class"]]
        assert result.area == run["image_area_used"]


def test_there_are_84_runs(plugin_runs):
    assert len(plugin_runs["records"]) == 84


@pytest.mark.parametrize(("n", "theoretical"), [(3472, 9.087), (8179, 5.920), (14733, 4.411)])
def test_expects_the_distances_of_babkauskas_table_9(n, theoretical):
    """The thesis' images are 1280 x 896 px without the microscope's bar."""
    rng = np.random.default_rng(n)
    result = analyse_pattern(rng.uniform(0, 895, (n, 2)), region=(896, 1280), test="biovoxxel")
    assert result.theoretical == pytest.approx(theoretical, abs=0.001)


def test_reads_median_against_mean_so_random_points_look_clustered(plugin_runs):
    """Of 400 patterns of 300 random points the plugin's arithmetic called 41 % clustered."""
    (known,) = (
        row["clustering"]
        for row in plugin_runs["csr_false_positive"]
        if (row["n"], row["side_px"], row["statistic"], row["ci"]) == (300, 1000, "median", "95%")
    )
    rng = np.random.default_rng(4)
    found = [
        analyse_pattern(rng.uniform(0, 999, (300, 2)), region=(1000, 1000), test="biovoxxel").pattern_class
        for _ in range(150)
    ]
    spread = 4 * math.sqrt(known * (1 - known) * (1 / 150 + 1 / 400))
    assert found.count("clustered") / 150 == pytest.approx(known, abs=spread)


def test_a_pixel_size_changes_nothing_and_is_said(mask_labels):
    labels = mask_labels("dist_random.png")
    plain = analyse_pattern(labels=labels, test="biovoxxel")
    sized = analyse_pattern(labels=labels, test="biovoxxel", calibration=Calibration((0.5, 0.5), "um"))
    assert sized.unit == plain.unit == "px"
    assert (sized.statistic, sized.theoretical, sized.area) == (plain.statistic, plain.theoretical, plain.area)
    assert any("mixes units" in note for note in sized.notes)


def test_its_faults_are_said(mask_labels):
    notes = " ".join(analyse_pattern(labels=mask_labels("dist_random_n8.png"), test="biovoxxel").notes)
    assert "far more often than its level" in notes
    assert "divides by zero" in notes
    assert "fewer than 11" in notes


def test_the_region_is_always_the_whole_image(rng):
    half = np.zeros((100, 100), bool)
    half[:50] = True
    result = analyse_pattern(rng.uniform(0, 49, (40, 2)), region=half, test="biovoxxel")
    assert result.area == 100 * 100
    assert any("only the whole image" in note for note in result.notes)


def test_touching_particles_are_one_to_the_plugin():
    labels = np.zeros((20, 40), int)
    labels[5:8, 5:8], labels[5:8, 8:11], labels[5:8, 20:23] = 1, 2, 3
    result = analyse_pattern(labels=labels, test="biovoxxel", distance="edge")
    assert result.n == 2
    assert any("touch" in note for note in result.notes)


@pytest.mark.parametrize("count", [0, 1])
def test_gaps_of_no_neighbours_are_infinite(count):
    mask = np.zeros((9, 9), bool)
    mask[2 : 2 + count, 2 : 2 + count] = True
    assert voronoi_gaps(mask).tolist() == [math.inf] * count


def test_equal_to_the_expectation_is_random():
    """Two points as far apart as expected: the infinite t of the plugin must not make a class of it."""
    assert verdict(np.array([5.0, 5.0]), 200.0).pattern_class == "random"
