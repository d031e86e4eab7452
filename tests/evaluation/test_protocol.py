"""The seven columns of Baek et al.'s Table 1, by hand."""

from types import SimpleNamespace

import numpy as np
import pytest

from napari_mpseg.evaluation.protocol import protocol_header, protocol_scores


def fold(name, *pairs, threshold=0.5):
    return SimpleNamespace(
        fold=SimpleNamespace(
            name=name,
            patches=[SimpleNamespace(name=str(i), mask=np.array(mask, bool)) for i, (_, mask) in enumerate(pairs)],
        ),
        model=SimpleNamespace(card=SimpleNamespace(threshold=threshold)),
        probabilities=[np.array(probability, float) for probability, _ in pairs],
    )


HELD = [
    fold("a", ([[0.9, 0.9, 0.1, 0.1]], [[1, 0, 1, 0]]), ([[0.9, 0.1]], [[1, 0]])),  # 2 TP, 1 FP, 1 FN, 2 TN
    fold("b", ([[0.1, 0.1, 0.1, 0.1]], [[0, 0, 0, 0]])),  # 4 TN
]


def test_scores_by_hand():
    scores = protocol_scores(HELD)
    # averaged over two folds: TP 1, FP 0.5, FN 0.5, TN 3
    assert scores.precision == pytest.approx(1 / 1.5)
    assert scores.recall == pytest.approx(1 / 1.5)
    assert scores.balanced_accuracy == pytest.approx((1 / 1.5 + 3 / 3.5) / 2)
    assert scores.f1 == scores.f05 == scores.f2 == pytest.approx(2 / 3)
    # images: 1 of 3 pixels, perfect, and nothing where nothing is
    assert scores.mean_iou == pytest.approx((1 / 3 + 1 + 1) / 3)


def test_f_with_unequal_precision_and_recall():
    scores = protocol_scores([fold("a", ([[0.9, 0.9, 0.9, 0.1]], [[1, 0, 0, 0]]))])
    precision, recall = 1 / 3, 1.0
    for name, beta in (("f05", 0.5), ("f1", 1), ("f2", 2)):
        expected = (1 + beta**2) * precision * recall / (beta**2 * precision + recall)
        assert getattr(scores, name) == pytest.approx(expected)


def test_another_threshold():
    assert protocol_scores(HELD, threshold=0.95).recall == 0


def test_rows_fit_their_header():
    head, rule = protocol_header().splitlines()
    assert head.count("|") == rule.count("|") == protocol_scores(HELD).to_row("x").count("|")
