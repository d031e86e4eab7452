"""k-fold cross-validation: every fold is predicted by a network that never saw it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from napari_mpseg.networks.modelfile import Model
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback, silent
from napari_mpseg.training.bundled import RECIPE, Fold, train_on
from napari_mpseg.training.pairs import LabelledImage
from napari_mpseg.training.settings import TrainSettings


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
    settings: TrainSettings = RECIPE,
    *,
    on_progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
) -> Iterator[HeldOut]:
    """Train once per fold on all other folds, and predict the fold held out."""
    for held in folds:
        others = [patch for fold in folds if fold is not held for patch in fold.patches]
        model = train_on(others, settings, on_progress=_named(on_progress, held.name), cancel=cancel)
        if cancel is not None:
            cancel.check()  # a half-trained network says nothing of the fold
        yield HeldOut(held, model, predict_patches(model.network, held.patches))


def _named(on_progress: ProgressCallback, fold: str) -> ProgressCallback:
    def tell(event: Progress) -> None:
        on_progress(replace(event, stage=f"{event.stage} without {fold}"))

    return tell


def predict_patches(network: nn.Module, patches: Sequence[LabelledImage]) -> tuple[np.ndarray[Any, Any], ...]:
    """Return the probability of each uint8 patch as a whole, float32 ``(Y, X)``."""
    network.eval()
    stride = int(getattr(network, "stride", 1))
    found = []
    for patch in patches:
        batch = torch.from_numpy(patch.image.astype(np.float32) / 255).permute(2, 0, 1)[None]
        height, width = patch.mask.shape
        batch = F.pad(batch, (0, -width % stride, 0, -height % stride), mode="replicate")
        with torch.inference_mode():
            logits = network(batch)[0, 0, :height, :width]
        found.append(torch.sigmoid(logits).numpy())
    return tuple(found)
