"""The one record of scores."""

import json
from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from napari_mpseg.errors import ImageError
from napari_mpseg.evaluation import Scores, evaluate


def test_scores_by_hand():
    truth, predicted = np.zeros((10, 10), bool), np.zeros((10, 10), bool)
    truth[0:2, 0:2] = truth[5:8, 5:8] = True  # 4 + 9 px
    predicted[0:2, 0:3] = predicted[0:3, 8:10] = True  # 6 + 6 px, 4 of them right
    scores = evaluate(predicted, truth)
    assert (scores.tp, scores.fp, scores.fn, scores.tn) == (4, 8, 9, 79)
    assert scores.precision == pytest.approx(4 / 12)
    assert scores.recall == pytest.approx(4 / 13)
    assert scores.f1 == pytest.approx(8 / 25)
    assert scores.iou == pytest.approx(4 / 21)
    assert scores.balanced_accuracy == pytest.approx((4 / 13 + 79 / 87) / 2)
    assert (scores.n_truth, scores.found, scores.missed) == (2, 1, 1)
    assert (scores.n_predicted, scores.correct, scores.false) == (2, 1, 1)
    assert scores.particle_recall == scores.particle_precision == scores.particle_f1 == 0.5


def test_a_particle_below_the_size_counts_as_pixels_only():
    truth = np.zeros((6, 6), bool)
    truth[2, 2] = True
    scores = evaluate(np.zeros((6, 6), bool), truth)
    assert (scores.fn, scores.n_truth) == (1, 0)
    assert evaluate(np.zeros((6, 6), bool), truth, min_size=1).missed == 1


def test_the_record_is_frozen_and_turns_into_json():
    scores = evaluate(np.eye(4, dtype=np.int32), np.eye(4, dtype=np.uint8))
    again = Scores(**json.loads(json.dumps(scores.to_dict())))
    assert again == scores
    with pytest.raises(FrozenInstanceError):
        scores.f1 = 0.0  # type: ignore[misc]


def test_unequal_shapes_are_told():
    with pytest.raises(ImageError, match=r"\(2, 3\) and \(3, 2\)"):
        evaluate(np.zeros((2, 3), bool), np.zeros((3, 2), bool))
