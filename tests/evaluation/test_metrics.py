"""What holds of every metric, and those of probabilities, counts and sizes against other libraries."""

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from napari_mpseg.errors import ImageError, SettingsError
from napari_mpseg.evaluation import METRICS, bland_altman, gather_evidence, precision_recall_curve
from napari_mpseg.evaluation.size import size_unit

SOME = np.zeros((12, 12), int)
SOME[2:5, 2:5] = 1
SOME[8:10, 7:11] = 2
NONE = np.zeros_like(SOME)


def evidence_of(predicted, truth, **more):
    return gather_evidence(predicted, truth, probability=np.uint8(predicted > 0) * 255, **more)


PERFECT = {"higher": 1.0, "lower": 0.0, "zero": 0.0}


@pytest.mark.parametrize("name", list(METRICS))
@pytest.mark.parametrize(
    ("predicted", "truth"),
    [(NONE, NONE), (SOME, SOME), (SOME, NONE), (NONE, SOME)],
    ids=["no", "both", "false", "miss"],
)
def test_no_metric_is_ever_undefined(name, predicted, truth):
    entry = METRICS[name]
    value = entry.of([evidence_of(predicted, truth)])
    assert np.isfinite(value)
    if predicted is truth:
        assert value == pytest.approx(PERFECT[entry.better])
    else:
        no_matter = ("specificity", "recall", "coco-ap-medium", "coco-ap-large")  # particles here are small
        assert value != pytest.approx(PERFECT[entry.better]) or name in no_matter


def test_nothing_at_one_side_gives_what_is_documented():
    diameters = np.sqrt(4 * np.array([9, 8]) / np.pi)
    for pair in ((SOME, NONE), (NONE, SOME)):
        evidence = [evidence_of(*pair)]
        assert METRICS["size-wasserstein"].of(evidence) == pytest.approx(diameters.mean())
        assert METRICS["size-ks"].of(evidence) == 1
        for name in ("best-f1", "ap50", "ap50-95", "panoptic-quality", "particle-f1"):
            assert METRICS[name].of(evidence) == 0
    assert METRICS["average-precision"].of([evidence_of(SOME, NONE)]) == 0
    assert METRICS["average-precision"].of([evidence_of(NONE, SOME)]) == pytest.approx(17 / 144)


@pytest.mark.parametrize("name", list(METRICS))
def test_one_image_twice_is_like_once(name, several):
    entry = METRICS[name]
    if "limit" in name:
        pytest.skip("a standard deviation knows how many there are")
    assert entry.of(several * 2) == pytest.approx(entry.of(several))


@pytest.mark.parametrize("name", list(METRICS))
def test_samples_are_what_repeated_images_give(name, several, rng):
    entry = METRICS[name]
    weights = rng.multinomial(6, np.full(6, 1 / 6), 8).astype(float)
    expected = [
        entry.of([e for e, times in zip(several, row, strict=True) for _ in range(int(times))]) for row in weights
    ]
    np.testing.assert_allclose(entry.sampled(several, weights), expected, atol=1e-12)
    np.testing.assert_allclose(entry.each(several), [entry.of([evidence]) for evidence in several], atol=1e-12)


def test_average_precision_and_curve_equal_scikit_learn(make_pair):
    cases = [(probability // 15 * 15, *labels) for probability, *labels in (make_pair() for _ in range(2))]
    evidences = [gather_evidence(predicted, truth, probability=probability) for probability, predicted, truth in cases]
    scores = np.concatenate([probability.ravel() for probability, _, _ in cases])
    truth = np.concatenate([truth.ravel() > 0 for _, _, truth in cases])
    expected = metrics.average_precision_score(truth, scores)
    curve = precision_recall_curve(evidences)
    assert METRICS["average-precision"].of(evidences) == pytest.approx(expected) == curve.average_precision
    precision, recall, levels = metrics.precision_recall_curve(truth, scores)
    np.testing.assert_allclose(curve.precision[levels], precision[:-1])
    np.testing.assert_allclose(curve.recall[levels], recall[:-1])
    best = max(metrics.f1_score(truth, scores >= level) for level in levels if level)
    assert METRICS["best-f1"].of(evidences) == pytest.approx(best)
    assert precision_recall_curve(evidences[0]).recall[0] == 1


def test_without_probability_its_metrics_are_refused_by_name():
    evidence = gather_evidence(SOME, SOME, name="filter 7")
    for name in ("average-precision", "best-f1"):
        with pytest.raises(ImageError, match="filter 7"):
            METRICS[name].of([evidence])
    with pytest.raises(ImageError, match="filter 7"):
        precision_recall_curve(evidence)


def test_no_image_is_no_metric():
    with pytest.raises(SettingsError, match="none was given"):
        METRICS["f1"].of([])


def test_counts_equal_scikit_learn(several):
    truth, found = ([getattr(e, side) for e in several] for side in ("n_truth", "n_predicted"))
    off = np.subtract(found, truth)
    assert METRICS["count-mae"].of(several) == pytest.approx(metrics.mean_absolute_error(truth, found))
    assert METRICS["count-mse"].of(several) == pytest.approx(metrics.mean_squared_error(truth, found))
    assert METRICS["count-rmse"].of(several) == pytest.approx(metrics.root_mean_squared_error(truth, found))
    agreement = bland_altman(several)
    assert agreement.bias == METRICS["count-bias"].of(several) == pytest.approx(off.mean())
    assert agreement.deviation == pytest.approx(off.std(ddof=1))
    assert agreement.lower == pytest.approx(off.mean() - 1.96 * off.std(ddof=1))
    assert agreement.upper == METRICS["count-limit-upper"].of(several)
    assert agreement.differences.tolist() == off.tolist()
    assert agreement.means.tolist() == ((np.array(truth) + found) / 2).tolist()


def test_agreement_of_one_image_is_its_difference(several):
    one = bland_altman(several[:1])
    assert one.lower == one.upper == one.bias == several[0].n_predicted - several[0].n_truth


def test_sizes_equal_scipy(several):
    areas = [
        np.concatenate([getattr(e.particles, side) for e in several]) for side in ("truth_areas", "predicted_areas")
    ]
    truth, found = (np.sqrt(4 * area / np.pi) for area in areas)
    assert METRICS["size-wasserstein"].of(several) == pytest.approx(stats.wasserstein_distance(truth, found))
    assert METRICS["size-ks"].of(several) == pytest.approx(stats.ks_2samp(truth, found).statistic)


def test_sizes_are_in_um_only_if_every_pixel_size_is_known():
    square = np.zeros((20, 20), int)
    square[2:6, 2:6] = 1
    large = np.zeros_like(square)
    large[2:10, 2:10] = 1
    plain, known = (gather_evidence(large, square, pixel_size_um=size) for size in (None, 2.5))
    px = np.sqrt(4 * 64 / np.pi) - np.sqrt(4 * 16 / np.pi)
    wasserstein = METRICS["size-wasserstein"]
    assert wasserstein.of([plain]) == pytest.approx(px)
    assert wasserstein.of([known]) == pytest.approx(2.5 * px)
    assert wasserstein.of([plain, known]) == pytest.approx(px)
    assert wasserstein.each([known, plain]).tolist() == pytest.approx([px, px])
    assert (size_unit([plain, known]), size_unit([known])) == ("px", "um")
