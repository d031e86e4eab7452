"""Mask R-CNN from torchvision's parts, for particles: one class, grey or colour, windows of any size.

References
----------
He et al. 2017, Mask R-CNN; Babkauskas 2023, section 2.3.
"""

from collections.abc import Sequence
from typing import Any

import torch

from napari_mpseg.detection.backbones import (
    DEVIATION,
    MEAN,
    backbone_with_pyramid,
    load_trained,
    per_channel,
    take_channels,
)
from napari_mpseg.detection.region_heads import RegionHeads
from napari_mpseg.detection.settings import DetectorSettings
from napari_mpseg.networks.triton_guard import load_compiler_without_triton

load_compiler_without_triton()  # before torchvision

from torchvision.models.detection.anchor_utils import AnchorGenerator  # type: ignore[import-untyped]  # noqa: E402
from torchvision.models.detection.faster_rcnn import (  # type: ignore[import-untyped]  # noqa: E402
    FastRCNNPredictor,
    TwoMLPHead,
)
from torchvision.models.detection.generalized_rcnn import (  # type: ignore[import-untyped]  # noqa: E402
    GeneralizedRCNN,
)
from torchvision.models.detection.mask_rcnn import (  # type: ignore[import-untyped]  # noqa: E402
    MaskRCNNHeads,
    MaskRCNNPredictor,
)
from torchvision.models.detection.rpn import (  # type: ignore[import-untyped]  # noqa: E402
    RegionProposalNetwork,
    RPNHead,
)
from torchvision.models.detection.transform import (  # type: ignore[import-untyped]  # noqa: E402
    GeneralizedRCNNTransform,
    resize_boxes,
)
from torchvision.ops import MultiScaleRoIAlign  # type: ignore[import-untyped]  # noqa: E402

_POOLED = ["0", "1", "2", "3"]
_CLASSES = 2


class Detector(GeneralizedRCNN):  # type: ignore[misc]
    """A Mask R-CNN; takes a list of ``(C, Y, X)`` tensors, 0 to 1.

    In training it takes targets besides and returns losses by name; otherwise it returns, for each image, ``boxes``
    ``(D, 4)`` (x0, y0, x1, y1 in the image's own pixels), ``scores`` ``(D,)`` and ``masks`` ``(D, 1, M, M)`` inside the
    boxes. See :class:`~napari_mpseg.detection.region_heads.RegionHeads`.
    """


class WindowTransform(GeneralizedRCNNTransform):  # type: ignore[misc]
    """Scales windows, and boxes back; masks stay in their boxes."""

    def postprocess(
        self,
        result: list[dict[str, torch.Tensor]],
        image_shapes: Sequence[tuple[int, int]],
        original_image_sizes: Sequence[tuple[int, int]],
    ) -> list[dict[str, torch.Tensor]]:
        """Return the boxes in pixels of the images as they were given."""
        if self.training:
            return result
        return [
            {**found, "boxes": resize_boxes(found["boxes"], seen, original)}
            for found, seen, original in zip(result, image_shapes, original_image_sizes, strict=True)
        ]


def build_detector(settings: DetectorSettings, in_channels: int = 3, *, pretrained: bool = True) -> Detector:
    """Build a Mask R-CNN.

    Parameters
    ----------
    settings : DetectorSettings
    in_channels : int
        1 for grey images, 3 for colour.
    pretrained : bool
        Whether to load the published weights that the settings name. False where weights of its own follow.

    Raises
    ------
    ModelError
        If the weights cannot be fetched.
    """
    backbone = backbone_with_pyramid(settings)
    transform = WindowTransform(
        settings.min_size, settings.max_size, per_channel(MEAN, in_channels), per_channel(DEVIATION, in_channels)
    )
    network = Detector(backbone, _proposals(settings), _heads(settings), transform)
    trained = bool(settings.weights) and pretrained
    if trained:
        load_trained(network, settings)
    take_channels(network, in_channels, trained)
    return network


def _proposals(settings: DetectorSettings) -> Any:
    anchors = AnchorGenerator(
        tuple((size,) for size in settings.anchors), (tuple(settings.ratios),) * len(settings.anchors)
    )
    return RegionProposalNetwork(
        anchors,
        RPNHead(settings.fpn_channels, anchors.num_anchors_per_location()[0]),
        fg_iou_thresh=0.7,
        bg_iou_thresh=0.3,
        batch_size_per_image=settings.rpn_batch_size_per_image,
        positive_fraction=0.5,
        pre_nms_top_n={"training": settings.rpn_pre_nms_top_n_train, "testing": settings.rpn_pre_nms_top_n_test},
        post_nms_top_n={"training": settings.rpn_post_nms_top_n_train, "testing": settings.rpn_post_nms_top_n_test},
        nms_thresh=settings.rpn_nms_thresh,
    )


def _heads(settings: DetectorSettings) -> RegionHeads:
    boxes, masks = (_pool(settings, side) for side in (7, 14))
    return RegionHeads(
        boxes,
        TwoMLPHead(settings.fpn_channels * 7**2, settings.box_features),
        FastRCNNPredictor(settings.box_features, _CLASSES),
        fg_iou_thresh=0.5,
        bg_iou_thresh=0.5,
        batch_size_per_image=settings.box_batch_size_per_image,
        positive_fraction=0.25,
        bbox_reg_weights=None,
        score_thresh=settings.box_score_thresh,
        nms_thresh=settings.box_nms_thresh,
        detections_per_img=settings.box_detections_per_img,
        mask_roi_pool=masks,
        mask_head=MaskRCNNHeads(settings.fpn_channels, settings.mask_layers, 1),
        mask_predictor=MaskRCNNPredictor(settings.mask_layers[-1], settings.mask_layers[-1], _CLASSES),
    )


def _pool(settings: DetectorSettings, side: int) -> Any:
    return MultiScaleRoIAlign(
        _POOLED,
        side,
        2,
        canonical_scale=settings.canonical_scale,
        canonical_level=settings.canonical_level,
    )
