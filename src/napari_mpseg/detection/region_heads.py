"""The part of a Mask R-CNN that looks at proposals: score, box and mask of each, within a fixed amount of memory.

torchvision's own keeps a mask of the whole window for every particle: with 3000 of them 0.8 GB in training and in
use, and 2.5 GB for the layers of the mask head. Here proposals go through the heads some at a time where nothing is
learnt, masks stay as small as the head makes them (28 x 28), and in training they are cut out of one label image.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch.nn import functional as F

from napari_mpseg.networks.triton_guard import load_compiler_without_triton

load_compiler_without_triton()  # before torchvision

from torchvision.models.detection.roi_heads import RoIHeads, fastrcnn_loss  # type: ignore[import-untyped]  # noqa: E402
from torchvision.ops import roi_align  # type: ignore[import-untyped]  # noqa: E402

Features = Mapping[str, torch.Tensor]
Shapes = Sequence[tuple[int, int]]
AT_ONCE = 128
"""Proposals that go through a head together where nothing is learnt."""
_CROPS_AT_ONCE = 32


class RegionHeads(RoIHeads):  # type: ignore[misc]
    """Box head and mask head, with weights named as in torchvision's; two classes, background and particle."""

    def forward(
        self,
        features: Features,
        proposals: list[torch.Tensor],
        image_shapes: Shapes,
        targets: Sequence[Mapping[str, torch.Tensor]] | None = None,
    ) -> tuple[list[dict[str, torch.Tensor]], dict[str, torch.Tensor]]:
        """Return what was found in each image, or in training the losses.

        Parameters
        ----------
        features : mapping of str to Tensor
            Levels of the pyramid, ``(N, C, Y, X)``.
        proposals : list of Tensor
            For each image ``(P, 4)``: x0, y0, x1, y1 in pixels of the scaled image.
        image_shapes : sequence of tuple
            Height and width of each scaled image.
        targets : sequence of mapping
            In training: ``boxes`` ``(T, 4)``, ``labels`` ``(T,)`` of ones, and ``instances``, int ``(Y, X)``, where
            the particle of box t is t + 1.

        Returns
        -------
        found : list of dict
            For each image ``boxes`` ``(D, 4)``, ``labels``, ``scores`` ``(D,)`` and ``masks`` ``(D, 1, M, M)``, the
            probability inside each box. Empty in training.
        losses : dict
            Of class, box and mask. Empty otherwise.
        """
        if self.training:
            assert targets is not None
            return [], self._losses(features, proposals, image_shapes, targets)
        found = []
        for number, (boxes, shape) in enumerate(zip(proposals, image_shapes, strict=True)):
            own = {name: level[number : number + 1] for name, level in features.items()}
            found.append(self._found(own, boxes, shape))
        return found, {}

    def check_targets(self, targets: Any) -> None:
        """Accept targets without a mask for each particle."""

    def _losses(
        self,
        features: Features,
        proposals: list[torch.Tensor],
        shapes: Shapes,
        targets: Sequence[Mapping[str, torch.Tensor]],
    ) -> dict[str, torch.Tensor]:
        boxes, matched, labels, regression = self.select_training_samples(proposals, targets)
        logits, deltas = self.box_predictor(self.box_head(self.box_roi_pool(features, boxes, shapes)))
        of_class, of_box = fastrcnn_loss(logits, deltas, labels, regression)
        particle = [own > 0 for own in labels]
        boxes = [own[chosen] for own, chosen in zip(boxes, particle, strict=True)]
        masks = self.mask_predictor(self.mask_head(self.mask_roi_pool(features, boxes, shapes)))[:, 1]
        wanted = [
            instance_crops(target["instances"], own[chosen] + 1, box, shape, masks.shape[-1])
            for target, own, chosen, box, shape in zip(targets, matched, particle, boxes, shapes, strict=True)
        ]
        truth = torch.cat(wanted)
        of_mask = F.binary_cross_entropy_with_logits(masks, truth) if truth.numel() else masks.sum() * 0
        return {"loss_classifier": of_class, "loss_box_reg": of_box, "loss_mask": of_mask}

    def _found(self, features: Features, proposals: torch.Tensor, shape: tuple[int, int]) -> dict[str, torch.Tensor]:
        def box_heads(boxes: torch.Tensor) -> torch.Tensor:
            answers = self.box_predictor(self.box_head(self.box_roi_pool(features, [boxes], [shape])))
            return torch.cat(answers, 1)

        def mask_heads(boxes: torch.Tensor) -> torch.Tensor:
            answers = self.mask_predictor(self.mask_head(self.mask_roi_pool(features, [boxes], [shape])))
            found: torch.Tensor = answers[:, 1:2].sigmoid()
            return found

        classes = self.box_predictor.cls_score.out_features
        answers = _some_at_a_time(box_heads, proposals)
        logits, deltas = answers[:, :classes], answers[:, classes:]
        boxes, scores, labels = self.postprocess_detections(logits, deltas, [proposals], [shape])
        masks = _some_at_a_time(mask_heads, boxes[0])
        return {"boxes": boxes[0], "scores": scores[0], "labels": labels[0], "masks": masks}


def _some_at_a_time(heads: Callable[[torch.Tensor], torch.Tensor], boxes: torch.Tensor) -> torch.Tensor:
    return torch.cat([heads(part) for part in torch.split(boxes, AT_ONCE)])


def instance_crops(
    instances: torch.Tensor, numbers: torch.Tensor, boxes: torch.Tensor, shape: tuple[int, int], side: int
) -> torch.Tensor:
    """Return what the mask head is to answer in each box.

    Parameters
    ----------
    instances : Tensor of int
        ``(Y, X)``.
    numbers : Tensor of int
        ``(P,)``: whose mask.
    boxes : Tensor
        ``(P, 4)`` in pixels of an image of `shape`, which `instances` may be larger or smaller than.
    shape : tuple of int
    side : int
        Of a mask.

    Returns
    -------
    Tensor
        ``(P, side, side)``, 0 to 1: the share of each bin that the particle covers, as RoIAlign samples it.
    """
    scale = boxes.new_tensor([instances.shape[1] / shape[1], instances.shape[0] / shape[0]]).repeat(2)
    crops = []
    parts = (torch.split(values, _CROPS_AT_ONCE) for values in (numbers, boxes * scale))
    for numbers_here, boxes_here in zip(*parts, strict=True):
        masks = (instances[None] == numbers_here[:, None, None]).to(boxes.dtype)
        own = torch.arange(len(masks), device=boxes.device, dtype=boxes.dtype)
        crops.append(roi_align(masks[:, None], torch.cat([own[:, None], boxes_here], 1), side)[:, 0])
    return torch.cat(crops)
