"""The cross-validation report on folds small enough to count by hand."""

from types import SimpleNamespace

import numpy as np
import pytest

from napari_mpseg.evaluation.crossval_report import report_folds


def fold(name, grey, mask, probability, threshold=0.5):
    patch = SimpleNamespace(name="a", image=np.repeat(np.uint8(grey)[..., None], 3, 2), mask=np.array(mask, bool))
    return SimpleNamespace(
        fold=SimpleNamespace(name=name, patches=[patch]),
        model=SimpleNamespace(card=SimpleNamespace(threshold=threshold)),
        probabilities=[np.array(probability, float)],
    )


@pytest.fixture
def held():
    grey = np.zeros((6, 6))
    grey[1:3, 1:3] = 100  # the particle, 4 px
    grey[5, 5] = 60  # bright, but not a particle
    mask = grey == 100
    half = np.where(mask, 0.9, 0.1)
    half[1, 1] = 0.4  # one of its pixels is missed
    other = np.where(grey == 60, 0, grey)
    return [fold("one", grey, mask, half), fold("two", other, other == 100, other / 100)]


def test_scores_by_hand(held):
    one, two = report_folds(held).folds
    # 3 of 4 pixels found, none false: F1 = 2 * 3 / (3 + 4), IoU = 3 / 4
    assert one.f1 == pytest.approx(6 / 7)
    assert one.mean_iou == pytest.approx(3 / 4)
    assert (one.particles, one.particle_recall, one.particle_precision, one.detected) == (1, 1, 1, 1)
    assert (two.f1, two.mean_iou) == (1, 1)


def test_a_particle_found_in_two_pixels_is_detected_but_not_kept(held):
    held[0].probabilities[0][1, 2] = 0.2
    one = report_folds(held).folds[0]
    assert (one.detected, one.particle_recall) == (1, 0)


def test_the_threshold_is_the_cards(held):
    held[0].model.card.threshold = 0.3
    assert report_folds(held).folds[0].f1 == 1


def test_level_is_fitted_on_the_other_folds_only(held):
    one, two = report_folds(held).folds
    # fold two is told apart by any level from 0 to 99, so 0 is taken; in fold one that finds the 60 as well:
    assert one.level == 0
    assert one.level_f1 == pytest.approx(2 * 4 / (5 + 4))
    # fold one needs a level from 60 to 99, which is right for fold two
    assert two.level == 60
    assert two.level_f1 == 1


def test_report_as_table_and_record(held):
    report = report_folds(held)
    assert report.to_dict()["mean"]["f1"] == pytest.approx((6 / 7 + 1) / 2, abs=1e-4)
    rows = report.to_markdown().splitlines()
    assert rows[2].startswith("| one | 0.857 |")
    assert rows[-1].startswith("| mean | 0.929 |")
