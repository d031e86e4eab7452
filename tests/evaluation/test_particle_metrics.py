"""Particle metrics by hand, and matching against a dense assignment."""

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from napari_mpseg.errors import SettingsError
from napari_mpseg.evaluation import METRICS, Evidence, find_metric, gather_evidence, match_particles
from napari_mpseg.evaluation.evidence import ParticleEvidence
from napari_mpseg.evaluation.matching import by_distance


def bars(*spans, width=40, row=0):
    """Label horizontal bars ``(start, stop)`` in one row of an image of three."""
    labels = np.zeros((3, width), int)
    for number, (start, stop) in enumerate(spans, 1):
        labels[row, start:stop] = number
    return labels


TRUTH = bars((0, 10), (12, 18), (20, 24), (30, 36))
#                IoU 8/10, IoU 4/8,  IoU 1/7,  false
PREDICTED = bars((0, 8), (14, 20), (23, 27), (37, 40))
EVIDENCE = [gather_evidence(PREDICTED, TRUTH)]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("particle-recall", 3 / 4),
        ("particle-precision", 3 / 4),
        ("particle-recall-iou", 2 / 4),
        ("particle-precision-iou", 2 / 4),
        ("particle-f1-iou", 2 / 4),
        ("particle-f1-iou:0.51", 1 / 4),
        ("particle-f1-iou:0.14", 3 / 4),
        # centres: 4.5 14.5 21.5 32.5 and 3.5 16.5 24.5 38
        ("particle-recall-distance", 3 / 4),
        ("particle-recall-distance:2", 2 / 4),
        ("particle-recall-distance:1", 1 / 4),
        # matched above 0.5: only the first, IoU 0.8; three missed, three false
        ("segmentation-quality", 0.8),
        ("recognition-quality", 1 / (1 + 1.5 + 1.5)),
        ("panoptic-quality", 0.8 / 4),
    ],
)
def test_bars_by_hand(name, expected):
    assert find_metric(name).of(EVIDENCE) == pytest.approx(expected)


def test_two_images_together_are_pooled():
    perfect = gather_evidence(TRUTH, TRUTH)
    # pairs 1 + 4, sum of IoU 0.8 + 4, alone 6
    assert METRICS["panoptic-quality"].of([*EVIDENCE, perfect]) == pytest.approx(4.8 / 8)
    assert METRICS["particle-recall"].of([*EVIDENCE, perfect]) == pytest.approx(7 / 8)


def ranked(*detections, missed=0):
    """Make evidence of predicted particles ``(score, right)``; each right one covers its true particle exactly."""
    right = [i for i, (_, good) in enumerate(detections) if good]
    n_truth, n_found = len(right) + missed, len(detections)
    return Evidence(
        "image",
        particles=ParticleEvidence(
            truth_labels=np.arange(n_truth),
            predicted_labels=np.arange(n_found),
            truth_areas=np.full(n_truth, 10),
            predicted_areas=np.full(n_found, 10),
            truth_centres=np.zeros((n_truth, 2)),
            predicted_centres=np.zeros((n_found, 2)),
            scores=np.array([score for score, _ in detections]),
            pair_truth=np.arange(len(right)),
            pair_predicted=np.array(right, int),
            pair_pixels=np.full(len(right), 10),
        ),
    )


def test_eleven_points_by_hand():
    # ranks: right, false, right, false, false, right; 5 true: recall 1/5, 2/5, 3/5 with precision 1, 2/3, 1/2
    evidence = ranked((0.9, 1), (0.8, 0), (0.7, 1), (0.6, 0), (0.5, 0), (0.4, 1), missed=2)
    # 0, .1, .2 -> 1; .3, .4 -> 2/3; .5, .6 -> 1/2; the rest 0
    assert METRICS["ap50"].of([evidence]) == pytest.approx((3 * 1 + 2 * 2 / 3 + 2 * 1 / 2) / 11)
    # of 101: 0 to 0.2 are 21 levels, to 0.4 and to 0.6 20 each; all ten overlaps are alike
    assert METRICS["ap50-95"].of([evidence]) == pytest.approx((21 + 20 * 2 / 3 + 20 / 2) / 101)


def test_equal_scores_enter_together():
    for detections in ([(1, 1), (1, 0)], [(1, 0), (1, 1)]):
        assert METRICS["ap50"].of([ranked(*detections)]) == pytest.approx(0.5)


def test_images_are_ranked_together():
    first, second = ranked((0.9, 1), (0.3, 0)), ranked((0.5, 1))
    assert METRICS["ap50"].of([first, second]) == 1.0
    assert METRICS["ap50"].of([ranked((0.9, 0), (0.3, 1)), second]) == pytest.approx(2 / 3)


def test_higher_overlaps_ask_for_more():
    # one particle of IoU 8/10: right at 0.5 to 0.8, seven of ten overlaps
    evidence = gather_evidence(bars((0, 8)), bars((0, 10)))
    assert METRICS["ap50"].of([evidence]) == 1
    assert METRICS["ap50-95"].of([evidence]) == pytest.approx(0.7)


def test_a_prediction_on_a_too_small_particle_is_neutral_in_every_metric():
    evidence = [gather_evidence(bars((0, 3)), bars((0, 2)))]
    over_many = ("ap50-95", "coco-ap", "coco-ap-small", "coco-ar")
    for name in over_many:
        assert METRICS[name].of(evidence) == pytest.approx(0.4)  # the IoU is 2/3: neutral at 0.5, 0.55, 0.6, 0.65
    assert METRICS["coco-ap75"].of(evidence) == 0
    others = (*over_many, "coco-ap75")
    names = [name for name, entry in METRICS.items() if entry.family == "particle" and name not in others]
    assert {name: METRICS[name].of(evidence) for name in names} == dict.fromkeys(names, 1.0)


def test_distance_pairs_as_many_as_possible_and_then_the_nearest(rng):
    for spread in (10, 40):
        truth, predicted = rng.random((40, 2)) * spread, rng.random((50, 2)) * spread
        particles = ParticleEvidence(
            truth_areas=np.full(40, 5), predicted_areas=np.full(50, 5), truth_centres=truth, predicted_centres=predicted
        )
        matching = by_distance(particles, 3.0)
        distance = cdist(truth, predicted)
        rows, columns = linear_sum_assignment(np.where(distance <= 3, distance, 1e4))
        near = distance[rows, columns] <= 3
        assert len(matching.truth) == near.sum()
        assert len(set(matching.truth)) == len(set(matching.predicted)) == near.sum()
        expected = distance[rows[near], columns[near]].sum()
        assert distance[matching.truth, matching.predicted].sum() == pytest.approx(expected)


def test_particles_may_be_matched_by_distance_directly():
    match = match_particles(PREDICTED, TRUTH, criterion="distance", threshold=2)
    assert match.found_labels.tolist() == [1, 2]
    assert match.false_labels.tolist() == [3, 4]


@pytest.mark.parametrize(
    "name",
    ["f1:2", "particle-f1:0.5", "particle-f1-iou:much", "particle-f1-iou:0", "particle-f1-iou:1.5", "ap50:0.6"],
)
def test_parameters_that_make_no_sense_are_refused(name):
    with pytest.raises(SettingsError):
        find_metric(name)


def test_a_parameter_is_told_in_name_title_and_definition():
    entry = find_metric("particle-f1-distance:5")
    assert (entry.name, entry.title) == ("particle-f1-distance:5", "particle F1 (5 px)")
    assert "at most 5 px apart" in entry.definition
