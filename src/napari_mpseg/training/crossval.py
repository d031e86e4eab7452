"""k-fold cross-validation: every fold is predicted by a network that never saw it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from napari_mpseg.images.resampling import enlarged
from napari_mpseg.networks.modelfile import Model
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback, silent
from napari_mpseg.training.data.colours import with_channels
from napari_mpseg.training.data.pairs import LabelledImage
from napari_mpseg.training.data.shrinking import shrunk_pair

Trainer = Callable[["Fold", Sequence[LabelledImage], ProgressCallback, CancelToken], Model]
"""Takes the fold that is held out, the patches of all others, where to tell progress, and when to stop."""


Predictor = Callable[[Model, Sequence[LabelledImage]], Sequence[Any]]


@dataclass(frozen=True)
class Fold:
    """One group of labelled images."""

    name: str
    patches: tuple[LabelledImage, ...]


@dataclass(frozen=True)
class HeldOut:
    """A fold with the network that was trained on all others, and what it says of the fold.

    Attributes
    ----------
    fold : Fold
    model : Model
    probabilities : tuple of ndarray
        float32 ``(Y, X)`` for each patch of the fold.
    """

    fold: Fold
    model: Model
    probabilities: tuple[np.ndarray[Any, Any], ...]


def cross_validate(
    folds: Sequence[Fold],
    train: Trainer,
    *,
    predict: Predictor | None = None,
    on_progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
) -> Iterator[HeldOut]:
    """Train once per fold on all other folds, and predict the fold held out.

    Parameters
    ----------
    folds : sequence of Fold
    train : callable
        See :data:`Trainer`.
    predict : callable, optional
        Takes the model and the labelled images, and returns a probability ``(Y, X)`` for each; default the network
        alone, on whole images.

    Raises
    ------
    Cancelled
        If `cancel` was set: a half-trained network says nothing of the fold.
    """
    cancel = cancel or CancelToken()
    for held in folds:
        others = [patch for fold in folds if fold is not held for patch in fold.patches]
        model = train(held, others, _named(on_progress, held.name), cancel)
        cancel.check()
        yield HeldOut(held, model, tuple((predict or predict_plainly)(model, held.patches)))


def _named(on_progress: ProgressCallback, fold: str) -> ProgressCallback:
    def tell(event: Progress) -> None:
        on_progress(replace(event, stage=f"{event.stage} without {fold}"))

    return tell


def predict_plainly(model: Model, images: Sequence[LabelledImage]) -> tuple[np.ndarray[Any, Any], ...]:
    """Return what the network says of each image, without test-time augmentation."""
    patches = [with_channels(pair, model.card.in_channels) for pair in images]
    return predict_patches(model.network, patches, model.card.shrink)


def predict_patches(
    network: nn.Module, patches: Sequence[LabelledImage], shrink: int = 1
) -> tuple[np.ndarray[Any, Any], ...]:
    """Return the probability of each labelled image as a whole, float32 ``(Y, X)``."""
    network.eval()
    device = next(network.parameters()).device
    stride = int(getattr(network, "stride", 1))
    found = []
    for patch in patches:
        pixels = np.asarray(shrunk_pair(patch, shrink).image[:, :], np.float32)
        batch = torch.from_numpy(pixels / np.float32(255)).permute(2, 0, 1)[None].to(device)
        height, width = pixels.shape[:2]
        batch = F.pad(batch, (0, -width % stride, 0, -height % stride), mode="replicate")
        with torch.inference_mode():
            logits = network(batch)[0, 0, :height, :width]
        whole = enlarged(torch.sigmoid(logits.float()).cpu().numpy(), shrink)
        found.append(whole[: patch.mask.shape[0], : patch.mask.shape[1]])
    return tuple(found)
