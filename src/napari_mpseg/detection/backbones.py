"""Backbones with a feature pyramid, and the trained weights they start from."""

from typing import Any

import torch
from torch import nn

from napari_mpseg.detection.settings import DetectorSettings
from napari_mpseg.networks.library import first_convolution
from napari_mpseg.networks.torchvision_networks import fetched_state
from napari_mpseg.networks.triton_guard import load_compiler_without_triton

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's red, green and blue, which trained weights expect."""


def backbone_with_pyramid(settings: DetectorSettings) -> Any:
    """Return a colour backbone with random weights and its pyramid: levels ``"0"`` to ``"3"`` and ``"pool"``."""
    load_compiler_without_triton()
    from torchvision import models  # type: ignore[import-untyped]
    from torchvision.models.detection.backbone_utils import BackboneWithFPN  # type: ignore[import-untyped]
    from torchvision.ops.misc import FrozenBatchNorm2d  # type: ignore[import-untyped]

    norm = FrozenBatchNorm2d if settings.weights else nn.BatchNorm2d
    body = getattr(models, settings.backbone)(weights=None, norm_layer=norm)
    widths = [body.inplanes // 8 * 2**level for level in range(4)]
    levels = {f"layer{level + 1}": str(level) for level in range(4)}
    network = BackboneWithFPN(body, levels, widths, settings.fpn_channels)
    if settings.weights == "coco":  # these were trained so
        for module in network.modules():
            if isinstance(module, FrozenBatchNorm2d):
                module.eps = 0.0
    return network


def load_trained(network: Any, settings: DetectorSettings) -> None:
    """Put the published weights that the settings name into a detector that takes colour images.

    Raises
    ------
    ModelError
        If they cannot be fetched; the message says how to do without.
    """
    from torchvision import models

    if settings.weights == "imagenet":
        source = models.get_model_weights(settings.backbone).DEFAULT
        state = fetched_state(source, f"ImageNet weights of {settings.backbone}")
        body = network.backbone.body
        left_out = ("fc.",)
        body.load_state_dict(
            {
                name: value
                for name, value in state.items()
                if not name.startswith(left_out) and not name.endswith("num_batches_tracked")
            }
        )
    elif settings.weights == "coco":
        from torchvision.models.detection import (  # type: ignore[import-untyped]
            MaskRCNN_ResNet50_FPN_Weights,
            maskrcnn_resnet50_fpn,
        )

        state = fetched_state(MaskRCNN_ResNet50_FPN_Weights.COCO_V1, "COCO weights of Mask R-CNN")
        published = maskrcnn_resnet50_fpn(weights=None, weights_backbone=None)
        published.load_state_dict(state)  # knows the older names in the file
        _take_what_fits(network, published.state_dict())


def _take_what_fits(network: nn.Module, state: dict[str, torch.Tensor]) -> None:
    """Load all tensors but those of other classes or anchors."""
    own = network.state_dict()
    fits = {name: value for name, value in state.items() if name in own and own[name].shape == value.shape}
    network.load_state_dict(fits, strict=False)


def take_channels(network: Any, in_channels: int, trained: bool) -> None:
    """Let the first convolution take another number of channels; a grey one meets the sum of the colours' kernels."""
    first = network.backbone.body["conv1"]
    if in_channels != first.in_channels:
        fresh = nn.Conv2d(in_channels, first.out_channels, 7, 2, 3, bias=False)
        network.backbone.body["conv1"] = first_convolution(first, in_channels) if trained else fresh


def per_channel(values: tuple[float, float, float], channels: int) -> list[float]:
    """Return one value per channel: a grey image takes the mean, more channels repeat red, green and blue."""
    if channels == 1:
        return [sum(values) / 3]
    return [values[channel % 3] for channel in range(channels)]
