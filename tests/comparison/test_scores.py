"""Intervals, tables and counts against figures made by hand."""

import numpy as np
import pytest

from napari_mpseg.comparison import compare
from napari_mpseg.comparison.case import Case
from napari_mpseg.comparison.comparison import Comparison, Row, metric_names
from napari_mpseg.comparison.pictures import Picture
from napari_mpseg.comparison.settings import CompareSettings
from napari_mpseg.comparison.sizes import size_counts
from napari_mpseg.comparison.tables import per_image_frame, table_1
from napari_mpseg.errors import SettingsError
from napari_mpseg.evaluation.evidence import Evidence, ParticleEvidence
from napari_mpseg.evaluation.pixel import PixelCounts

COUNTS = [(30, 10, 5), (4, 1, 9), (0, 3, 2), (50, 2, 2), (7, 7, 7), (12, 0, 1)]  # tp, fp, fn of six images


def made(counts, groups=None, **settings):
    """Return a comparison of one row with these counts."""
    pictures, cases = [], []
    for number, (tp, fp, fn) in enumerate(counts):
        name, group = f"{number}.png", groups[number] if groups else ""
        pictures.append(Picture(name, np.zeros((100, 100)), np.zeros((100, 100), bool), group))
        pixels = PixelCounts(tp, fp, fn, 10_000 - tp - fp - fn)
        cases.append(Case("method", name, Evidence(name, group, pixels), 10_000))
    return Comparison((Row("method", ""),), tuple(pictures), CompareSettings(**settings), 3, tuple(cases))


def test_interval_is_that_of_images_drawn_by_hand():
    comparison = made(COUNTS, metrics=("f1",), resamples=4000, seed=3)
    rng = np.random.default_rng(99)  # another generator state: only the distribution can agree
    values = []
    for _ in range(4000):
        tp, fp, fn = np.sum([COUNTS[k] for k in rng.integers(0, 6, 6)], axis=0)
        values.append(2 * tp / (2 * tp + fp + fn))
    low, high = np.percentile(values, [2.5, 97.5])
    score = comparison.score("method", comparison.metrics[0])
    assert score.total == pytest.approx(2 * 103 / (2 * 103 + 23 + 26))
    assert (score.low, score.high) == (pytest.approx(low, abs=0.02), pytest.approx(high, abs=0.02))


def test_same_seed_same_interval_and_none_for_one_image():
    first, second = (made(COUNTS, metrics=("recall",), resamples=200, seed=1) for _ in range(2))
    metric = first.metrics[0]
    assert first.score("method", metric) == second.score("method", metric)
    one = made(COUNTS[:1], metrics=("recall",))
    assert one.score("method", metric).low is None
    assert "no intervals" in " ".join(one.notes)
    assert made(COUNTS, metrics=("recall",), resamples=0).score("method", metric).high is None


def test_table_1_as_the_paper_puts_it_together():
    comparison = made(COUNTS, ["one", "one", "one", "two", "two", "two"])
    ((_, (accuracy, precision, recall, iou, f05, f1, f2)),) = table_1(comparison, "folds")
    tp, fp, fn = np.sum(COUNTS, axis=0)
    tn = 60_000 - tp - fp - fn
    p, r = tp / (tp + fp), tp / (tp + fn)
    assert accuracy == pytest.approx((r + tn / (tn + fp)) / 2)
    assert (precision, recall) == (pytest.approx(p), pytest.approx(r))
    assert iou == pytest.approx(np.mean([a / (a + b + c) for a, b, c in COUNTS]))
    for value, b in ((f05, 0.5), (f1, 1), (f2, 2)):
        assert value == pytest.approx((1 + b**2) * p * r / (b**2 * p + r))
    ((_, means),) = table_1(comparison, "fold-mean")
    folds = [np.sum(COUNTS[:3], axis=0), np.sum(COUNTS[3:], axis=0)]
    assert means[1] == pytest.approx(np.mean([tp / (tp + fp) for tp, fp, _ in folds]))


def test_size_classes_by_the_circle_of_equal_area():
    areas = np.array([3, 78, 79, 400])  # a circle of 10 px across has 78.5 px
    comparison = made(COUNTS[:1])
    evidence = Evidence("0.png", particles=ParticleEvidence(truth_areas=areas, predicted_areas=areas[:2]))
    comparison = Comparison(comparison.rows, comparison.pictures, cases=(Case("method", "0.png", evidence, 10_000),))
    sizes = size_counts(comparison)
    assert sizes.classes.names == ("<10 px", "10-20 px", "20-50 px", "50-200 px", ">=200 px")
    assert sizes.counts == {"truth": (2, 1, 1, 0, 0), "method": (2, 0, 0, 0, 0)}


def test_size_classes_in_micrometres_where_the_pixel_size_is_known():
    comparison = made(COUNTS[:1])
    particles = ParticleEvidence(truth_areas=np.array([100]), predicted_areas=np.array([100]))
    evidence = Evidence("0.png", particles=particles, pixel_size_um=2.5)  # 11.28 px are 28.2 um
    comparison = Comparison(comparison.rows, comparison.pictures, cases=(Case("method", "0.png", evidence, 10_000),))
    sizes = size_counts(comparison)
    assert dict(zip(sizes.classes.names, sizes.counts["truth"], strict=True))["20-50 um"] == 1


def test_rows_per_image_hold_counts_and_metrics(pairs):
    frame = per_image_frame(compare(pairs, ["fixed-level:level=90"], metrics=["precision", "average-precision"]))
    assert frame["image"].tolist() == ["a.png", "b.png"]
    assert frame["tp"].tolist() == [89, 89]
    assert frame["precision"].tolist() == pytest.approx([89 / 99, 89 / 104])
    assert frame["average-precision"].isna().all()  # a threshold gives no probabilities
    assert frame["particles_truth"].tolist() == [2, 2]
    assert frame["particles_predicted"].tolist() == [3, 3]


def test_families_stand_for_their_metrics():
    assert "f0.5" in metric_names(["pixel"])
    assert metric_names(["f1", "f1", "count-bias"]) == ("f1", "count-bias")
    assert set(metric_names(["pixel", "size"])) < set(metric_names(["all"]))


@pytest.mark.parametrize("wrong", [{"resamples": -1}, {"level": 0}, {"level": 1}])
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(SettingsError):
        CompareSettings(**wrong)
