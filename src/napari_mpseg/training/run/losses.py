"""The registry of losses.

Each is called as ``loss(logits, target, known=None, **options)`` and returns a scalar tensor:

- ``logits``: float tensor ``(N, 1, Y, X)`` before the sigmoid;
- ``target``: float tensor of the same shape, 1 is particle, 0 is background;
- ``known``: bool tensor of the same shape, or None for everywhere. Pixels that are not known have no part in the
  value and get no gradient, whatever stands there. Images without any known pixel are left out of the mean over the
  batch; without any in the whole batch the loss is 0.

All are finite, with finite gradients, on empty and on full masks.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import torch
from torch.nn import functional as F

from napari_mpseg.errors import SettingsError
from napari_mpseg.registry import Registry
from napari_mpseg.training.options import check_least, checked_options

Loss = Callable[..., torch.Tensor]
LOSSES: Registry[Loss] = Registry("loss")
REDUCTIONS = ("mean", "sum")


def chosen_loss(name: str, options: Mapping[str, Any] | None = None) -> Loss:
    """Return ``loss(logits, target, known=None)`` with its options filled in.

    Raises
    ------
    UnknownNameError
        If no loss has that name.
    SettingsError
        If the loss has no such option, or its value is impossible.
    """
    function = LOSSES[name]
    loss = partial(function, **checked_options("loss", name, function, options or {}))
    loss(torch.zeros(1, 1, 1, 1), torch.zeros(1, 1, 1, 1))  # impossible values are refused here, not mid-training
    return loss


@LOSSES.register("bce")
def bce(
    logits: torch.Tensor, target: torch.Tensor, known: torch.Tensor | None = None, *, positive_weight: float = 9.0
) -> torch.Tensor:
    """Return the mean binary cross-entropy over all known pixels, those of particles weighted.

    References
    ----------
    Baek et al. 2021 and Park et al. 2022 use a weight of 9.
    """
    check_least("positive_weight", positive_weight, 0)
    return _cross_entropy(_only_known(logits, target, known), positive_weight)


@LOSSES.register("dice")
def dice(
    logits: torch.Tensor, target: torch.Tensor, known: torch.Tensor | None = None, *, epsilon: float = 1.0
) -> torch.Tensor:
    """Return the mean over the batch of 1 - (2 sum(M M') + eps) / (sum M + sum M' + eps), on probabilities.

    References
    ----------
    Park et al. 2022, supporting information S2.
    """
    _check_epsilon(epsilon)
    pixels = _only_known(logits, target, known)
    return _mean_over_images(_dice_of_images(pixels, epsilon), pixels.known)


@LOSSES.register("bce+dice")
def bce_and_dice(
    logits: torch.Tensor,
    target: torch.Tensor,
    known: torch.Tensor | None = None,
    *,
    positive_weight: float = 1.0,
    epsilon: float = 1.0,
) -> torch.Tensor:
    """Return the mean over the batch of each image's cross-entropy plus its Dice loss.

    References
    ----------
    Baek et al. 2021; Park et al. 2022, supporting information S2: both unweighted.
    """
    check_least("positive_weight", positive_weight, 0)
    _check_epsilon(epsilon)
    pixels = _only_known(logits, target, known)
    entropy = _pixel_entropy(pixels, positive_weight).flatten(1).sum(1) / _known_per_image(pixels)
    return _mean_over_images(entropy + _dice_of_images(pixels, epsilon), pixels.known)


@LOSSES.register("weighted-bce")
def weighted_bce(
    logits: torch.Tensor, target: torch.Tensor, known: torch.Tensor | None = None, *, reduction: str = "mean"
) -> torch.Tensor:
    """Return cross-entropy in which particles and background of an image weigh the same, however few particles are.

    Per image, particle pixels weigh wT = HW / sum(Y) and the others wF = HW / (HW - sum(Y)). HW is the number of
    known pixels. A class that an image lacks adds nothing.

    Parameters
    ----------
    logits, target, known : torch.Tensor
        See the module.
    reduction : str
        ``"mean"`` divides the weighted sum by HW, which makes it the mean cross-entropy of the particles plus that of
        the background, the same for any patch size: 2 ln 2 for a network that does not know. ``"sum"`` is the paper's
        own, HW times as large.

    References
    ----------
    Lee and Jhang 2021, equations 25 to 29.
    """
    if reduction not in REDUCTIONS:
        raise SettingsError(f"reduction = {reduction!r} is unknown: give one of {', '.join(REDUCTIONS)}.")
    pixels = _only_known(logits, target, known)
    entropy = _pixel_entropy(pixels, 1.0).flatten(1)
    truth = pixels.target.flatten(1)
    size = _known_per_image(pixels)
    particles = truth.sum(1)
    of_particles = (entropy * truth).sum(1) / particles.clamp_min(1)
    of_background = (entropy * (1 - truth)).sum(1) / (size - particles).clamp_min(1)
    each = of_particles + of_background
    return _mean_over_images(each * size if reduction == "sum" else each, pixels.known)


@LOSSES.register("focal-tversky")
def focal_tversky(
    logits: torch.Tensor,
    target: torch.Tensor,
    known: torch.Tensor | None = None,
    *,
    alpha: float = 0.7,
    beta: float = 0.3,
    gamma: float = 4 / 3,
    epsilon: float = 1.0,
) -> torch.Tensor:
    """Return the mean over the batch of (1 - T)^(1/gamma), T = (TP + eps) / (TP + alpha FN + beta FP + eps).

    TP, FN and FP are sums of probabilities. With alpha above beta, pixels missed cost more than pixels too many, which
    is what tiny particles need; gamma above 1 draws the training towards images that are still segmented badly. With
    alpha = beta = 0.5, gamma = 1 and half the epsilon it is the Dice loss.

    References
    ----------
    Abraham and Khan 2019, "A novel focal Tversky loss function with improved attention U-Net for lesion
    segmentation", doi:10.1109/ISBI.2019.8759329.
    """
    for what, value in (("alpha", alpha), ("beta", beta)):
        check_least(what, value, 0)
    if not gamma > 0:
        raise SettingsError(f"gamma = {gamma} is impossible: give a number above 0, such as 1.33.")
    _check_epsilon(epsilon)
    pixels = _only_known(logits, target, known)
    probability, truth = _probability(pixels).flatten(1), pixels.target.flatten(1)
    found = (probability * truth).sum(1)
    missed = truth.sum(1) - found
    too_many = probability.sum(1) - found
    tversky = (found + epsilon) / (found + alpha * missed + beta * too_many + epsilon)
    # The root of 0 has an infinite slope: an image segmented perfectly stays a little above it.
    return _mean_over_images((1 - tversky).clamp_min(1e-6) ** (1 / gamma), pixels.known)


@LOSSES.register("focal")
def focal(
    logits: torch.Tensor,
    target: torch.Tensor,
    known: torch.Tensor | None = None,
    *,
    alpha: float = 0.25,
    gamma: float = 2.0,
) -> torch.Tensor:
    """Return cross-entropy times (1 - p)^gamma, p the probability given to the truth, summed per particle pixel.

    The mass of background that is long known as such fades away, so that few particle pixels are heard; dividing by
    their number in the batch (at least 1) instead of by that of all pixels keeps the scale however rare they are.

    References
    ----------
    Lin et al. 2017, "Focal loss for dense object detection", doi:10.1109/ICCV.2017.324.
    """
    if not 0 <= alpha <= 1:
        raise SettingsError(f"alpha = {alpha} is impossible: give the particles' weight, from 0 to 1.")
    check_least("gamma", gamma, 0)
    pixels = _only_known(logits, target, known)
    # log(1 - p), without a power whose slope could be infinite
    log_wrong = F.logsigmoid(pixels.logits * (1 - 2 * pixels.target))
    weight = alpha * pixels.target + (1 - alpha) * (1 - pixels.target)
    each = weight * torch.exp(gamma * log_wrong) * _pixel_entropy(pixels, 1.0)
    return each.sum() / pixels.target.sum().clamp_min(1)


@LOSSES.register("bce+dice-batch")
def bce_and_dice_of_batch(
    logits: torch.Tensor, target: torch.Tensor, known: torch.Tensor | None = None
) -> torch.Tensor:
    """Return the sum of cross-entropy (weight 3, times 10) and Dice over the whole batch.

    Particles fill a few hundredths of a per cent of the pixels: the factor brings the cross-entropy's gradient to
    the size of Dice's, and Dice over the batch does not reward or punish crops without any particle.
    """
    pixels = _only_known(logits, target, known)
    flat = _Pixels(*(None if part is None else part.reshape(1, -1) for part in pixels))  # type: ignore[arg-type]
    whole = _mean_over_images(_dice_of_images(flat, 1.0), flat.known)
    return 10 * _cross_entropy(pixels, 3.0) + whole


class _Pixels(NamedTuple):
    """Logits and targets, both 0 where nothing is known."""

    logits: torch.Tensor
    target: torch.Tensor
    known: torch.Tensor | None


def _only_known(logits: torch.Tensor, target: torch.Tensor, known: torch.Tensor | None) -> _Pixels:
    if known is None:
        return _Pixels(logits, target, None)
    # torch.where, not a product: what is not known may be anything, even NaN
    return _Pixels(torch.where(known, logits, 0.0), torch.where(known, target, 0.0), known)


def _cross_entropy(pixels: _Pixels, positive_weight: float) -> torch.Tensor:
    """Return the mean over all known pixels of the batch."""
    if pixels.known is None:
        weight = torch.tensor(positive_weight, device=pixels.logits.device)
        return F.binary_cross_entropy_with_logits(pixels.logits, pixels.target, pos_weight=weight)
    return _pixel_entropy(pixels, positive_weight).sum() / pixels.known.sum().clamp_min(1)


def _pixel_entropy(pixels: _Pixels, positive_weight: float) -> torch.Tensor:
    """Return the cross-entropy of each pixel, 0 where nothing is known."""
    weight = torch.tensor(positive_weight, device=pixels.logits.device)
    each = F.binary_cross_entropy_with_logits(pixels.logits, pixels.target, pos_weight=weight, reduction="none")
    return each if pixels.known is None else each * pixels.known


def _probability(pixels: _Pixels) -> torch.Tensor:
    probability = torch.sigmoid(pixels.logits)
    return probability if pixels.known is None else probability * pixels.known


def _dice_of_images(pixels: _Pixels, epsilon: float) -> torch.Tensor:
    probability = _probability(pixels).flatten(1)
    truth = pixels.target.flatten(1)
    overlap = (probability * truth).sum(1)
    return 1 - (2 * overlap + epsilon) / (probability.sum(1) + truth.sum(1) + epsilon)


def _known_per_image(pixels: _Pixels) -> torch.Tensor:
    """Return the number of known pixels of each image, at least 1, ``(N,)``."""
    if pixels.known is None:
        return torch.full_like(pixels.logits[:, 0, 0, 0], pixels.logits[0].numel())
    return pixels.known.flatten(1).sum(1).clamp_min(1).to(pixels.logits.dtype)


def _mean_over_images(each: torch.Tensor, known: torch.Tensor | None) -> torch.Tensor:
    if known is None:
        return each.mean()
    any_known = known.flatten(1).any(1)
    return (each * any_known).sum() / any_known.sum().clamp_min(1)


def _check_epsilon(epsilon: float) -> None:
    if not epsilon > 0:
        raise SettingsError(f"epsilon = {epsilon} is impossible: give a number above 0, such as 1.")
