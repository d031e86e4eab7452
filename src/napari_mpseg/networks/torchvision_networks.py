"""FCN and DeepLabV3 with a ResNet-101 encoder, from torchvision (Park et al. 2022)."""

from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import torch
from torch import nn

from napari_mpseg.errors import ModelError
from napari_mpseg.networks.downloads import fetching, refuse_damaged, require_reachable
from napari_mpseg.networks.library import LibraryNetwork, first_convolution
from napari_mpseg.networks.triton_guard import load_compiler_without_triton

_STRIDE = 8  # the encoder's last two stages are dilated instead of strided
_COCO_CLASSES = 21


class TorchvisionNetwork(LibraryNetwork):
    """A segmentation network of torchvision."""

    def logits(self, x: torch.Tensor) -> torch.Tensor:
        """Return the network's logits for normalised images."""
        found: torch.Tensor = self.network(x)["out"]
        return found


def build(architecture: str, in_channels: int = 3, weights: str | None = None, outputs: int = 1) -> TorchvisionNetwork:
    """Build a network of torchvision.

    Parameters
    ----------
    architecture : str
        ``"fcn_resnet101"`` or ``"deeplabv3_resnet101"``.
    in_channels : int
        Channels of the input.
    weights : str or None
        ``"coco"``: all but the last layer from torchvision's weights of COCO with the classes of VOC;
        ``"imagenet"``: the encoder from ImageNet; None: random.
    outputs : int
        Logits per pixel; the first is that of particle.

    Raises
    ------
    ModelError
        If there are no such weights, or they cannot be fetched.
    """
    load_compiler_without_triton()
    from torchvision.models import segmentation  # type: ignore[import-untyped]

    if weights not in (None, "coco", "imagenet"):
        raise ModelError(f"{architecture} has no weights {weights!r}. Choose 'coco', 'imagenet' or none.")
    network = getattr(segmentation, architecture)(weights=None, weights_backbone=None, num_classes=_COCO_CLASSES)
    expected = _load(network, architecture, weights) if weights else None
    *_, last = network.classifier
    network.classifier[len(network.classifier) - 1] = nn.Conv2d(last.in_channels, outputs, 1)
    if in_channels != 3:
        first = network.backbone.conv1
        network.backbone.conv1 = (
            first_convolution(first, in_channels) if weights else nn.Conv2d(in_channels, 64, 7, 2, 3, bias=False)
        )
    wrapped = TorchvisionNetwork(network, in_channels, _STRIDE)
    if expected is not None:
        wrapped.expect(expected.mean, expected.std)
    return wrapped


def _load(network: nn.Module, architecture: str, weights: str) -> Any:
    """Load trained weights into the network and return the transforms that they were trained with."""
    from torchvision.models import ResNet101_Weights, get_model_weights

    if weights == "coco":
        source = get_model_weights(architecture).COCO_WITH_VOC_LABELS_V1
        state = fetched_state(source, f"COCO weights of {architecture}")
        network.load_state_dict({key: value for key, value in state.items() if not key.startswith("aux_classifier.")})
    else:
        source = ResNet101_Weights.IMAGENET1K_V1
        state = fetched_state(source, "ImageNet weights of ResNet-101")
        backbone = network.backbone
        assert isinstance(backbone, nn.Module)
        backbone.load_state_dict({key: value for key, value in state.items() if not key.startswith("fc.")})
    return source.transforms()


def fetched_state(source: Any, name: str) -> dict[str, torch.Tensor]:
    """Return the weights as torchvision loads them: from torch's cache, or fetched and checked."""
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    file = folder / Path(urlparse(source.url).path).name
    with fetching(name, f"copy the file {file.name} into {folder}"):
        if file.exists():
            refuse_damaged(file)
        else:
            require_reachable(source.url)
        try:
            state: dict[str, torch.Tensor] = source.get_state_dict(progress=False, check_hash=True, weights_only=True)
        except RuntimeError as error:  # the hub's word for a file that does not match its hash
            raise ModelError(f"The {name} came damaged: {error}. Try again.") from error
    return state
