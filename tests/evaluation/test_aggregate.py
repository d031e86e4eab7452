"""Several images together: by hand, and intervals by drawing them one by one."""

import time

import numpy as np
import pytest

from napari_mpseg.errors import SettingsError, UnknownNameError
from napari_mpseg.evaluation import AGGREGATIONS, METRICS, Evidence, PixelCounts, score
from napari_mpseg.evaluation.aggregate import TABLE_1
from napari_mpseg.evaluation.bootstrap import bootstrap, bootstrap_difference

PLAIN = [
    Evidence("1", "a", PixelCounts(tp=8, fp=2, fn=0, tn=90)),
    Evidence("2", "a", PixelCounts(tp=1, fp=1, fn=2, tn=96)),
    Evidence("3", "b", PixelCounts(tp=3, fp=6, fn=1, tn=90)),
]


def test_ways_of_putting_together_by_hand():
    names = ("precision", "iou")
    # counts of all: 12, 9, 3; of fold a: 9, 3, 2; of fold b: 3, 6, 1
    assert score(PLAIN, names) == pytest.approx({"precision": 12 / 21, "iou": 12 / 24})
    per_image = {"precision": np.mean([8 / 10, 1 / 2, 3 / 9]), "iou": np.mean([8 / 10, 1 / 4, 3 / 10])}
    assert score(PLAIN, names, "mean") == pytest.approx(per_image)
    assert score(PLAIN, names, "fold-mean") == pytest.approx(
        {"precision": np.mean([9 / 12, 3 / 9]), "iou": np.mean([9 / 14, 3 / 10])}
    )
    # TP and FP averaged over two folds: 6 and 4.5; IoU per image
    assert score(PLAIN, names, "folds") == pytest.approx({"precision": 6 / 10.5, "iou": per_image["iou"]})


def test_the_columns_of_table_1_come_in_its_order():
    table = score(PLAIN, TABLE_1, "folds")
    precision, recall = 12 / 21, 12 / 15
    assert list(table.values()) == pytest.approx(
        [
            (12 / 15 + 276 / 285) / 2,
            precision,
            recall,
            np.mean([8 / 10, 1 / 4, 3 / 10]),
            *((1 + b * b) * precision * recall / (b * b * precision + recall) for b in (0.5, 1, 2)),
        ]
    )


def test_without_names_all_that_the_evidence_allows(several):
    assert list(score(several)) == list(METRICS)
    assert not set(score(PLAIN)) & {"average-precision", "best-f1"}


@pytest.mark.parametrize("how", list(AGGREGATIONS))
def test_nothing_is_nan(several, how):
    assert np.isfinite(list(score(several, how=how).values())).all()


def test_what_cannot_be_scored_is_told():
    with pytest.raises(UnknownNameError, match="fold-mean"):
        score(PLAIN, ("f1",), "median")
    with pytest.raises(UnknownNameError, match="f1"):
        score(PLAIN, ("f11",))
    with pytest.raises(SettingsError, match="none was given"):
        score([])


@pytest.mark.parametrize("how", ["total", "mean"])
def test_intervals_are_those_of_drawing_images_one_by_one(several, how):
    names = ("f1", "particle-recall-iou", "count-mae", "size-ks", "ap50")
    mine = bootstrap(several, names, how, resamples=4000, seed=1)
    generator = np.random.default_rng(2)
    drawn = [list(score([several[i] for i in generator.integers(0, 6, 6)], names, how).values()) for _ in range(400)]
    for name, values in zip(names, np.transpose(drawn), strict=True):
        low, high = np.quantile(values, [0.025, 0.975])
        margin = 0.2 * (high - low) + 1e-9
        assert mine[name].value == score(several, (name,), how)[name]
        assert mine[name].low == pytest.approx(low, abs=margin)
        assert mine[name].high == pytest.approx(high, abs=margin)


def test_equal_seeds_give_equal_intervals(several):
    first, again, other = (bootstrap(several, ("f1",), resamples=50, seed=seed)["f1"] for seed in (3, 3, 4))
    assert first == again != other


def test_folds_keep_their_images_when_drawn():
    # one image per fold: drawing within the folds changes nothing
    interval = bootstrap([PLAIN[0], PLAIN[2]], ("f1",), "fold-mean", resamples=20)["f1"]
    assert interval.low == interval.high == interval.value


def test_one_image_has_no_interval():
    assert bootstrap(PLAIN[:1], ("f1",))["f1"].low is None
    assert bootstrap_difference(PLAIN[:1], PLAIN[:1], ("f1",))["f1"].high is None


def test_a_paired_difference_is_surer_than_two_intervals():
    better = [
        Evidence(e.name, e.group, PixelCounts(e.pixels.tp, max(e.pixels.fp - 1, 0), e.pixels.fn, e.pixels.tn + 1))
        for e in PLAIN
    ]
    difference = bootstrap_difference(PLAIN, better[::-1], ("f1",))["f1"]
    expected = score(better, ("f1",))["f1"] - score(PLAIN, ("f1",))["f1"]
    assert difference.value == pytest.approx(expected)
    assert difference.low > 0
    assert difference.share_above == 1
    same = bootstrap_difference(PLAIN, PLAIN, ("f1",))["f1"]
    assert (same.value, same.low, same.high, same.share_above) == (0, 0, 0, 0.5)


def test_a_paired_difference_needs_the_same_images():
    with pytest.raises(SettingsError, match="b/3"):
        bootstrap_difference(PLAIN, PLAIN[:2], ("f1",))
    with pytest.raises(SettingsError, match="different names"):
        bootstrap_difference(PLAIN[:1] * 2, PLAIN[:1] * 2, ("f1",))


@pytest.mark.parametrize("arguments", [{"resamples": 0}, {"level": 0}, {"level": 1.0}])
def test_impossible_settings_are_refused(arguments):
    with pytest.raises(SettingsError):
        bootstrap(PLAIN, ("f1",), **arguments)


def test_sixty_images_and_fifteen_metrics_take_seconds(several):
    begin = time.process_time()
    bootstrap(several * 10, list(METRICS)[:15], resamples=2000)
    assert time.process_time() - begin < 8
