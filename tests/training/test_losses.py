"""Losses against values worked out by hand or by another library; finite always; blind to what is not known."""

import itertools

import numpy as np
import pytest
import torch
from scipy.special import expit
from torch.nn import functional as F

from napari_mpseg.errors import SettingsError, UnknownNameError
from napari_mpseg.training.run.losses import LOSSES, chosen_loss


@pytest.fixture
def example(rng):
    logits = rng.normal(0, 2, (3, 1, 5, 7))
    target = (rng.random((3, 1, 5, 7)) < 0.3).astype(float)
    return logits, target


def _tensors(*arrays):
    return [torch.tensor(array, dtype=torch.float64) for array in arrays]


# -- the same in numpy, on the known pixels of each image as flat lists ----------------------------------------------


def _entropy(z, y):
    return -(y * np.log(expit(z)) + (1 - y) * np.log(expit(-z)))


def _dice(z, y):
    return 1 - (2 * (expit(z) * y).sum() + 1) / (expit(z).sum() + y.sum() + 1)


def _bce(images):
    z, y = (np.concatenate(part) for part in zip(*images, strict=True))
    return (np.where(y > 0, 9, 1) * _entropy(z, y)).mean()


def _weighted(z, y):
    weights = np.where(y > 0, y.size / y.sum(), y.size / (y.size - y.sum()))
    return (weights * _entropy(z, y)).sum() / y.size


def _focal_tversky(z, y):
    p = expit(z)
    hit, missed, extra = (p * y).sum(), ((1 - p) * y).sum(), (p * (1 - y)).sum()
    return (1 - (hit + 1) / (hit + 0.7 * missed + 0.3 * extra + 1)) ** 0.75


def _focal(images):
    z, y = (np.concatenate(part) for part in zip(*images, strict=True))
    p = np.where(y > 0, expit(z), expit(-z))
    return (np.where(y > 0, 0.25, 0.75) * (1 - p) ** 2 * -np.log(p)).sum() / y.sum()


def _of_batch(images):
    z, y = (np.concatenate(part) for part in zip(*images, strict=True))
    return 10 * (np.where(y > 0, 3, 1) * _entropy(z, y)).mean() + _dice(z, y)


def _each(formula):
    return lambda images: np.mean([formula(z, y) for z, y in images])


REFERENCES = {
    "bce": _bce,
    "dice": _each(_dice),
    "bce+dice": _each(lambda z, y: _entropy(z, y).mean() + _dice(z, y)),
    "weighted-bce": _each(_weighted),
    "focal-tversky": _each(_focal_tversky),
    "focal": _focal,
    "bce+dice-batch": _of_batch,
}


@pytest.mark.parametrize("name", LOSSES)
def test_each_loss_is_its_formula(name, example):
    logits, target = example
    images = [(z.ravel(), y.ravel()) for z, y in zip(logits, target, strict=True)]
    assert float(LOSSES[name](*_tensors(logits, target))) == pytest.approx(REFERENCES[name](images))


@pytest.mark.parametrize("name", LOSSES)
def test_unknown_pixels_have_no_part_in_value_and_gradient(name, example, rng):
    logits, target = example
    known = rng.random(logits.shape) < 0.6
    images = [(z[k], y[k]) for z, y, k in zip(logits, target, known, strict=True)]
    given, truth = _tensors(logits, target)
    given[~torch.tensor(known)] = float("nan")  # whatever a network says there, and whatever stands there
    truth[~torch.tensor(known)] = float("nan")
    given.requires_grad_()
    loss = LOSSES[name](given, truth, torch.tensor(known))
    loss.backward()
    assert loss.item() == pytest.approx(REFERENCES[name](images))
    assert (given.grad.numpy()[~known] == 0).all()
    assert (given.grad.numpy()[known] != 0).all()


@pytest.mark.parametrize("name", LOSSES)
def test_an_image_without_known_pixels_changes_nothing(name, example):
    logits, target = _tensors(*example)
    known = torch.ones(logits.shape, dtype=torch.bool)
    known[1] = False
    expected = LOSSES[name](logits[[0, 2]], target[[0, 2]])
    torch.testing.assert_close(LOSSES[name](logits, target, known), expected)
    torch.testing.assert_close(LOSSES[name](logits, target, torch.ones_like(known)), LOSSES[name](logits, target))


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("known", [None, False, True])
@pytest.mark.parametrize("fill", [0.0, 1.0, None])
def test_finite_with_finite_gradients_always(name, known, fill):
    """Empty, full and mixed masks; nothing known; logits of any size, right and wrong."""
    where = None if known is None else torch.full((2, 1, 4, 4), known)
    for size, dtype in itertools.product((0.0, 1.0, 80.0, 1e4), (torch.float32, torch.float64)):
        logits = torch.linspace(-size, size, 2 * 16, dtype=dtype).reshape(2, 1, 4, 4).requires_grad_()
        target = torch.full((2, 1, 4, 4), fill or 0.0, dtype=dtype)
        if fill is None:
            target[0, :, :2] = 1
        loss = LOSSES[name](logits, target, where)
        loss.backward()
        assert loss.shape == ()
        assert torch.isfinite(loss)
        assert torch.isfinite(logits.grad).all()
        if known is False:
            assert loss.item() == 0
            assert not logits.grad.any()


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("fill", [0.0, 1.0])
def test_finite_where_every_pixel_is_right_or_wrong_for_certain(name, sign, fill):
    logits = torch.full((2, 1, 4, 4), sign * 1e4).requires_grad_()
    loss = LOSSES[name](logits, torch.full((2, 1, 4, 4), fill))
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(logits.grad).all()


@pytest.mark.parametrize("name", LOSSES)
def test_a_perfect_prediction_costs_less_than_a_wrong_one(name, example):
    (target,) = _tensors(example[1])
    good, bad = LOSSES[name](20 * (target - 0.5), target), LOSSES[name](-20 * (target - 0.5), target)
    assert float(good) < 0.05 < float(bad)


@pytest.mark.parametrize("name", LOSSES)
def test_learning_finds_a_tiny_particle(name):
    """Four of 1024 pixels, a map of logits as network: gradient descent finds them and nothing else."""
    target = torch.zeros(2, 1, 32, 32)
    target[0, :, 5:7, 9:11] = 1
    logits = torch.zeros(2, 1, 32, 32, requires_grad=True)
    optimiser = torch.optim.Adam([logits], 0.3)
    for _ in range(60):
        optimiser.zero_grad()
        LOSSES[name](logits, target).backward()
        optimiser.step()
    assert torch.equal(logits.detach() > 0, target > 0)


# -- values by hand and by other libraries ---------------------------------------------------------------------------


def test_bce_is_the_weighted_log_loss_of_scikit_learn(example):
    from sklearn.metrics import log_loss

    logits, target = example
    weight = np.where(target.ravel() > 0, 9.0, 1.0)
    expected = log_loss(target.ravel(), expit(logits.ravel()), sample_weight=weight) * weight.sum() / target.size
    assert float(LOSSES["bce"](*_tensors(logits, target))) == pytest.approx(expected)


def test_dice_by_hand():
    # probabilities 1/2 everywhere, two of four pixels true: 1 - (2 * 1 + 1) / (2 + 2 + 1)
    logits, target = _tensors(np.zeros((1, 1, 2, 2)), [[[[1, 1], [0, 0]]]])
    assert float(LOSSES["dice"](logits, target)) == pytest.approx(1 - 3 / 5)


def test_weighted_bce_by_hand():
    # probabilities 1/2: every pixel costs ln 2, and each class as much as HW pixels
    logits, target = torch.zeros(2, 1, 4, 5), torch.zeros(2, 1, 4, 5)
    target[:, :, 0, 0] = 1
    assert float(LOSSES["weighted-bce"](logits, target)) == pytest.approx(2 * np.log(2))
    assert float(LOSSES["weighted-bce"](logits, target, reduction="sum")) == pytest.approx(2 * 20 * np.log(2))
    target[1] = 0  # the second image has background alone
    assert float(LOSSES["weighted-bce"](logits, target)) == pytest.approx(1.5 * np.log(2))


@pytest.mark.parametrize(("alpha", "beta", "gamma"), [(0.7, 0.3, 4 / 3), (0.5, 0.5, 1.0), (0.2, 0.9, 2.0)])
def test_focal_tversky_is_that_of_segmentation_models_pytorch(example, alpha, beta, gamma):
    from segmentation_models_pytorch.losses import TverskyLoss

    logits, target = _tensors(*example)
    # there alpha weighs pixels too many, beta those missed, and gamma is the power itself
    other = TverskyLoss("binary", smooth=1.0, alpha=beta, beta=alpha, gamma=1 / gamma)
    expected = np.mean([float(other(logits[[i]], target[[i]])) for i in range(3)])
    found = LOSSES["focal-tversky"](logits, target, alpha=alpha, beta=beta, gamma=gamma)
    assert float(found) == pytest.approx(expected)


def test_focal_is_that_of_torchvision(example):
    from torchvision.ops import sigmoid_focal_loss

    logits, target = _tensors(*example)
    for alpha, gamma in ((0.25, 2.0), (0.6, 0.5)):
        expected = sigmoid_focal_loss(logits, target, alpha, gamma, "sum") / target.sum()
        torch.testing.assert_close(LOSSES["focal"](logits, target, alpha=alpha, gamma=gamma), expected)


def test_loss_of_the_bundled_network_to_the_last_bit(rng):
    """Its weights can be made again only if nothing in this sum is rounded otherwise."""
    values = torch.tensor(rng.normal(-3, 3, (4, 1, 96, 96)), dtype=torch.float32)
    target = torch.tensor(rng.random((4, 1, 96, 96)) < 0.05, dtype=torch.float32)
    ours, theirs = values.clone().requires_grad_(), values.clone().requires_grad_()
    p, t = torch.sigmoid(theirs.reshape(1, -1)).flatten(1), target.reshape(1, -1).flatten(1)
    dice = (1 - (2 * (p * t).sum(1) + 1.0) / (p.sum(1) + t.sum(1) + 1.0)).mean()
    expected = 10 * F.binary_cross_entropy_with_logits(theirs, target, pos_weight=torch.tensor(3.0)) + dice
    found = LOSSES["bce+dice-batch"](ours, target)
    expected.backward()
    found.backward()
    assert torch.equal(found, expected)
    assert torch.equal(ours.grad, theirs.grad)


# -- options ---------------------------------------------------------------------------------------------------------


def test_options_are_filled_in(example):
    logits, target = _tensors(*example)
    assert float(chosen_loss("bce", {"positive_weight": 1})(logits, target)) == pytest.approx(
        float(F.binary_cross_entropy_with_logits(logits, target))
    )
    torch.testing.assert_close(chosen_loss("dice")(logits, target, None), LOSSES["dice"](logits, target))


@pytest.mark.parametrize("name", LOSSES)
def test_an_unknown_option_is_refused_with_those_there_are(name):
    with pytest.raises(SettingsError, match=r"has no setting 'wieght'\. It has:"):
        chosen_loss(name, {"wieght": 1})


def test_unknown_names_and_impossible_values_are_refused():
    with pytest.raises(UnknownNameError, match="Did you mean 'dice'"):
        chosen_loss("dise")
    for name, options in (
        ("bce", {"positive_weight": -1}),
        ("bce", {"positive_weight": "nine"}),
        ("bce+dice", {"positive_weight": float("nan")}),
        ("dice", {"epsilon": 0}),
        ("weighted-bce", {"reduction": "median"}),
        ("focal-tversky", {"gamma": 0}),
        ("focal-tversky", {"alpha": -0.1}),
        ("focal", {"alpha": 2}),
        ("focal", {"gamma": -1}),
    ):
        with pytest.raises(SettingsError, match=next(iter(options))):
            chosen_loss(name, options)
