"""Losses against values worked out by hand or by another library; finite on empty masks."""

import numpy as np
import pytest
import torch

from napari_mpseg.training.losses import LOSSES


@pytest.fixture
def example(rng):
    logits = rng.normal(0, 2, (3, 1, 5, 7))
    target = (rng.random((3, 1, 5, 7)) < 0.3).astype(float)
    return logits, target


def _tensors(*arrays):
    return [torch.tensor(array, dtype=torch.float64) for array in arrays]


def test_bce_is_the_weighted_log_loss_of_scikit_learn(example):
    from sklearn.metrics import log_loss

    logits, target = example
    probability = 1 / (1 + np.exp(-logits.ravel()))
    weight = np.where(target.ravel() > 0, 9.0, 1.0)
    expected = log_loss(target.ravel(), probability, sample_weight=weight) * weight.sum() / target.size
    assert float(LOSSES["bce"](*_tensors(logits, target))) == pytest.approx(expected)


def test_dice_by_hand():
    # probabilities 1/2 everywhere, two of four pixels true: 1 - (2 * 1 + 1) / (2 + 2 + 1)
    logits, target = _tensors(np.zeros((1, 1, 2, 2)), [[[[1, 1], [0, 0]]]])
    assert float(LOSSES["dice"](logits, target)) == pytest.approx(1 - 3 / 5)


def test_dice_is_per_sample(example):
    logits, target = _tensors(*example)
    each = [float(LOSSES["dice"](logits[i : i + 1], target[i : i + 1])) for i in range(3)]
    assert float(LOSSES["dice"](logits, target)) == pytest.approx(np.mean(each))


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("fill", [0.0, 1.0])
def test_finite_with_finite_gradients_on_empty_and_full_masks(name, fill):
    logits = torch.linspace(-80, 80, 2 * 16).reshape(2, 1, 4, 4).requires_grad_()
    loss = LOSSES[name](logits, torch.full((2, 1, 4, 4), fill))
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(logits.grad).all()


@pytest.mark.parametrize("name", LOSSES)
def test_a_perfect_prediction_costs_less_than_a_wrong_one(name, example):
    _, target = example
    (target,) = _tensors(target)
    good, bad = LOSSES[name](20 * (target - 0.5), target), LOSSES[name](-20 * (target - 0.5), target)
    assert float(good) < 0.05 < float(bad)
