"""How well a detector does on labelled images it is not trained on."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from napari_mpseg.detection.found import labelled
from napari_mpseg.detection.network import Detector
from napari_mpseg.detection.sampling import cut_particles
from napari_mpseg.detection.target import Target, target_of
from napari_mpseg.detection.windows import detect
from napari_mpseg.training.data.pairs import LabelledImage
from napari_mpseg.training.patches.windows import window_corners
from napari_mpseg.training.run.objects import f1, object_counts
from napari_mpseg.training.run.validation import Validation

Array = np.ndarray[Any, Any]
_SEED = 0


def validate_detector(
    network: Detector, images: Sequence[LabelledImage], size: int, device: torch.device, least_score: float, most: int
) -> Validation:
    """Score a detector; it is left in training.

    Parameters
    ----------
    images : sequence of LabelledImage
        With instances.
    size : int
        Side of the windows.
    least_score : float
        Particles below it do not count.
    most : int
        At most so many windows are looked at, spread evenly over all; 0 for all.

    Returns
    -------
    Validation
        The mean loss of the windows (the sum of the five that are learnt from); of all windows together, the
        intersection over union of all particles found with all true ones, as one mask; and the F1 of particles.
    """
    losses, hits, union, objects = [], 0, 0, np.zeros(3, np.int64)
    # the same anchors and proposals are drawn every time, and the run's own random numbers stay as they are
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(_SEED)
        for pixels, target in _windows(images, size, most):
            losses.append(_loss(network, pixels, target, device))
            network.eval()
            labels, _ = labelled(detect(network, pixels, device), pixels.shape[:2], least_score)
            network.train()
            found, true = labels > 0, target.instances > 0
            hits += int(np.count_nonzero(found & true))
            union += int(np.count_nonzero(found | true))
            objects += object_counts(target.instances, labels)
    loss = float(np.mean(losses)) if losses else 0.0
    return Validation(loss, hits / union if union else 1.0, f1(*objects.tolist()))


def tensors(images: Sequence[Array], targets: Sequence[Target], device: torch.device) -> tuple[Any, Any]:
    """Return images ``(C, Y, X)`` and their particles as a detector takes them in training."""

    def target_tensors(target: Target) -> Mapping[str, torch.Tensor]:
        return {
            "boxes": torch.from_numpy(target.boxes).to(device),
            "labels": torch.ones(len(target), dtype=torch.int64, device=device),
            "instances": torch.from_numpy(target.instances).to(device),
        }

    return [torch.from_numpy(image).to(device) for image in images], [target_tensors(target) for target in targets]


def _loss(network: Detector, pixels: Array, target: Target, device: torch.device) -> float:
    """Return the loss of one window; running means of batch normalisation stay as they are."""
    network.train()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()
    with torch.no_grad():
        losses = network(*tensors([np.ascontiguousarray(pixels.transpose(2, 0, 1))], [target], device))
    network.train()
    return float(sum(losses.values()))


def _windows(images: Sequence[LabelledImage], size: int, most: int) -> Iterator[tuple[Array, Target]]:
    """Give pixels ``(Y, X, C)``, 0 to 1, and particles of windows side by side."""
    places = [(pair, int(y), int(x)) for pair in images for y, x in window_corners(pair.mask.shape, size, size)]
    if most and len(places) > most:
        places = [places[index * len(places) // most] for index in range(most)]
    for pair, y, x in places:
        pixels, labels = cut_particles(pair, y, x, size)
        yield pixels / np.float32(255), target_of(labels, least_at_border=1)
