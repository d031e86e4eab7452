"""How well a network does on labelled images it is not trained on."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from napari_mpseg.heads.head import Head
from napari_mpseg.heads.registry import HEADS, MASK
from napari_mpseg.training.data.pairs import LabelledImage
from napari_mpseg.training.run.objects import f1, object_counts

Array = np.ndarray[Any, Any]
WINDOW = 256


@dataclass(frozen=True)
class Validation:
    """Scores on what was kept aside.

    Attributes
    ----------
    loss : float
        Mean over windows of 256 px that hold known pixels, weighted by how many.
    iou : float
        Intersection over union at probability 0.5, of all known pixels together; 1 where nothing is true or found.
    object_f1 : float or None
        Of heads that tell particles apart: F1 of the particles found in the windows, each by itself, at an
        intersection over union above 0.5.
    """

    loss: float
    iou: float
    object_f1: float | None = None


def validate(
    network: nn.Module,
    images: Sequence[LabelledImage],
    loss_of: Callable[..., Any],
    device: torch.device,
    most: int = 0,
    head: Head = HEADS[MASK],
) -> Validation:
    """Score a network; it is left in the mode (training or not) it was in.

    Parameters
    ----------
    most : int
        At most so many windows are looked at, spread evenly over all; 0 for all.
    head : Head
        What the network answers. With several outputs, `loss_of` takes weights, too.
    """
    training = network.training
    network.eval()
    stride = int(getattr(network, "stride", 1))
    total, weight, hits, union = 0.0, 0, 0, 0
    several = head.channels > 1
    objects = np.zeros(3, np.int64)
    with torch.inference_mode():
        for pixels, mask, known in _windows(images, stride, most, several):
            batch = torch.from_numpy(pixels / np.float32(255)).permute(2, 0, 1)[None].to(device)
            truth, seen = (torch.from_numpy(array)[None, None].to(device) for array in (mask > 0, known))
            logits = network(batch).float()
            count = int(seen.sum())
            if several:
                targets, counted = (torch.from_numpy(of(mask))[None].to(device) for of in (head.targets, head.weights))
                total += float(loss_of(logits, targets, seen, counted)) * count
                objects += _counted(head, logits, mask, known)
            else:
                total += float(loss_of(logits, truth.float(), seen)) * count
            weight += count
            found = (logits[:, :1] > 0) & seen
            hits += int((found & truth).sum())
            union += int((found | (truth & seen)).sum())
    network.train(training)
    told = f1(*objects.tolist()) if several else None
    return Validation(total / max(weight, 1), hits / union if union else 1.0, told)


def _counted(head: Head, logits: torch.Tensor, labels: Array, known: Array) -> tuple[int, int, int]:
    """Return particles matched, true and found in a window, as far as it is known."""
    found = head.decode(torch.sigmoid(logits[0]).cpu().numpy(), 0.5)
    return object_counts(np.where(known, labels, 0), np.where(known, found, 0))


def _windows(
    images: Sequence[LabelledImage], stride: int, most: int, instances: bool
) -> Iterator[tuple[Any, Any, Any]]:
    """Give pixels, mask (or instances) and known of windows that hold known pixels, padded to the stride."""
    side = -(-WINDOW // stride) * stride
    places = [(pair, part) for pair in images for part in _known_parts(pair, side)]
    if most and len(places) > most:
        places = [places[index * len(places) // most] for index in range(most)]
    for pair, part in places:
        mask = pair.instances[part].astype(np.int32) if instances and pair.instances is not None else pair.mask[part]
        known = pair.known[part] if pair.known is not None else np.ones(mask.shape, bool)
        pixels = np.asarray(pair.image[part], np.float32)
        extra = [(0, -size % stride) for size in mask.shape]
        yield np.pad(pixels, [*extra, (0, 0)], mode="edge"), np.pad(mask, extra), np.pad(known, extra)


def _known_parts(pair: LabelledImage, side: int) -> Iterator[tuple[slice, slice]]:
    height, width = pair.mask.shape
    for y in range(0, height, side):
        for x in range(0, width, side):
            part = (slice(y, y + side), slice(x, x + side))
            if pair.known is None or pair.known[part].any():
                yield part
