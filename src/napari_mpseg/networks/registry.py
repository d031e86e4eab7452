"""The registry of architectures; an entry loads torch only when a network is built."""

import importlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from napari_mpseg.errors import ModelError
from napari_mpseg.registry import Registry

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class NetworkEntry:
    """One architecture.

    Attributes
    ----------
    name, title : str
        What users type, and what menus show.
    factory : str
        ``"module:function"`` returning a :class:`torch.nn.Module` with an integer ``stride`` attribute, which maps
        ``(N, C, Y, X)`` to logits ``(N, outputs, Y, X)``, for Y and X that are multiples of ``stride``. It takes
        ``in_channels`` and ``outputs``.
    source : str
        The paper or the library it comes from.
    published : mapping
        Figures of the paper: ``parameters`` and ``flops`` (multiplications plus additions at 512 x 512 x 3).
    summary : str
        One sentence on what it is and when to take it.
    weights : tuple of str
        Which trained weights its ``weights`` option can start from; empty if it has no such option.
    small : mapping
        Options of a variant that is cheap to build and run, for trying things out and for tests.
    fixed : mapping
        Arguments of the factory that belong to this entry and cannot be chosen.
    """

    name: str
    title: str
    factory: str
    source: str
    published: Mapping[str, float] = field(default_factory=dict)
    summary: str = ""
    weights: tuple[str, ...] = ()
    small: Mapping[str, Any] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)

    def build(
        self,
        in_channels: int = 3,
        *,
        outputs: int = 1,
        pretrained: bool = True,
        standardise: bool = False,
        local_contrast: int = 0,
        **options: Any,
    ) -> "nn.Module":
        """Build the network.

        Parameters
        ----------
        in_channels : int
            Channels of the images.
        outputs : int
            Logits per pixel. The first is that of particle, what others are is up to the model's head.
        pretrained : bool
            If False, a ``weights`` option is passed over: nothing is looked for or downloaded. This is for networks
            whose own weights are loaded right after.
        standardise : bool
            Let the network bring its inputs to a mean and standard deviation, to be set by its ``expect``; they are
            saved with the weights.
        local_contrast : int
            Show the network how each pixel differs from those within so many pixels around it; 0 shows it as it is.
        **options : Any
            What the architecture lets one choose.

        Returns
        -------
        torch.nn.Module
            With random weights, or those that the ``weights`` option names.

        Raises
        ------
        ModelError
            If an option is unknown to the architecture or has an impossible value, or if weights cannot be fetched.
        """
        if in_channels < 1:
            raise ModelError(f"A network needs images of 1 or more channels, not {in_channels}.")
        if outputs < 1:
            raise ModelError(f"A network gives 1 or more numbers per pixel, not {outputs}.")
        if self.weights and not pretrained:
            options["weights"] = None
        try:
            network = self._factory()(in_channels=in_channels, outputs=outputs, **{**options, **self.fixed})
        except ModelError:
            raise
        except (TypeError, ValueError, RuntimeError, ArithmeticError) as error:
            raise ModelError(f"Network {self.name!r} cannot be built with {options}: {error}.") from error
        if local_contrast:
            from napari_mpseg.networks.local_contrast import LocalContrast

            network = LocalContrast(network, local_contrast)
        if standardise and not hasattr(network, "expect"):
            from napari_mpseg.networks.standardised import Standardised

            network = Standardised(network, in_channels)
        return network

    def options(self) -> dict[str, Any]:
        """Return the options of :meth:`build` with their defaults (where the factory names them)."""
        parameters = inspect.signature(self._factory()).parameters.values()
        named = [item for item in parameters if item.kind is not inspect.Parameter.VAR_KEYWORD]
        return {item.name: item.default for item in named if item.name not in {"in_channels", "outputs", *self.fixed}}

    def _factory(self) -> Callable[..., "nn.Module"]:
        module, function = self.factory.split(":")
        factory: Callable[..., nn.Module] = getattr(importlib.import_module(module), function)
        return factory


NETWORKS: Registry[NetworkEntry] = Registry("network")


def _add(name: str, title: str, summary: str, factory: str, source: str, **more: Any) -> None:
    entry = NetworkEntry(name, title, f"napari_mpseg.networks.{factory}", source, summary=summary, **more)
    NETWORKS.add(name, entry)


_LEE = "Lee and Jhang 2021"
_add(
    "half-multiresunet",
    "Half MultiResUNet",
    "Stages 0, 1, bottom, 7 and 8 of MultiResUNet: light, exact in tiles, made for objects of 3 to 10 px; the bundled "
    "network is one.",
    "multires:half_multiresunet",
    _LEE,
    published={"parameters": 0.2149e6, "flops": 42.9e9},
)
_add(
    "quarter-multiresunet",
    "Quarter MultiResUNet",
    "Stages 0, bottom and 8 of MultiResUNet: the lightest, for the smallest objects on an even background.",
    "multires:quarter_multiresunet",
    _LEE,
    published={"parameters": 0.0445e6, "flops": 21.9e9},
)
_add(
    "multiresunet",
    "MultiResUNet",
    "U-Net of MultiRes blocks with residual paths as skip connections, all five stages.",
    "multires:multiresunet",
    _LEE,
    published={"parameters": 13.5469e6, "flops": 204.8e9},
    small={"width": 6},
)
_add(
    "unet",
    "U-Net",
    "The classic: five stages of two 3x3 convolutions, nearest-neighbour upsampling, skips by concatenation.",
    "unet:unet",
    _LEE,
    published={"parameters": 21.9776e6, "flops": 329.7e9},
    small={"width": 7},
)
_add(
    "half-unet",
    "Half U-Net",
    "Stages 0, 1, a narrower bottom and the two matching decoder stages of U-Net, for small objects.",
    "unet:half_unet",
    _LEE,
    published={"parameters": 1.7724e6, "flops": 204.0e9},
    small={"width": 10},
)

_SKIPS = "Lee et al. 2022"
_add(
    "unet-standard",
    "U-Net, standard skips",
    "Five levels with transposed convolutions; every decoder stage receives the encoder level of its own size.",
    "skip_variants:unet_standard",
    _SKIPS,
    small={"width": 8},
)
_add(
    "unet-semi-dense",
    "U-Net, semi-dense skips",
    "As the standard one, but the k-th decoder stage receives the encoder levels 1 to k, resized.",
    "skip_variants:unet_semi_dense",
    _SKIPS,
    small={"width": 8},
)
_add(
    "unet-reverse",
    "U-Net, reverse skips",
    "As the standard one, but the deepest decoder stage receives the shallowest encoder level, and so on upwards; "
    "best at camouflaged particles in the paper.",
    "skip_variants:unet_reverse",
    _SKIPS,
    small={"width": 8},
)

_SMP_DECODERS = (
    ("Unet", "U-Net", "U-Net decoder; with a ResNet-101 encoder the network of Baek et al. 2021 and Park et al. 2022."),
    ("UnetPlusPlus", "U-Net++", "Nested U-Net: dense skips between all stages; heavy, used by Park et al. 2022."),
    ("MAnet", "MA-Net", "U-Net decoder with attention over positions and scales."),
    ("Linknet", "LinkNet", "Skips are added, not concatenated: quick and light."),
    ("FPN", "FPN", "Feature pyramid: predictions of several scales summed; coarse at a quarter of the resolution."),
    ("PSPNet", "PSPNet", "Pools the whole image at four scales; coarse, for large structures."),
    ("PAN", "PAN", "Pyramid attention on a light decoder; coarse at a quarter of the resolution."),
    (
        "DeepLabV3",
        "DeepLabV3",
        "Dilated convolutions see wide context; coarse at an eighth of the resolution.",
    ),
    ("DeepLabV3Plus", "DeepLabV3+", "DeepLabV3 with a decoder that sharpens outlines from an early stage."),
    ("UPerNet", "UPerNet", "Pyramid pooling and a feature pyramid, fused; coarse at a quarter of the resolution."),
    ("Segformer", "SegFormer", "A light decoder of 1x1 convolutions, meant for the encoders mit_b0 to mit_b5."),
    ("DPT", "DPT", "Dense prediction from a vision transformer; encoders are the library's tu-vit... ones."),
)
_VIT = {"encoder": "tu-vit_tiny_patch16_224", "decoder_intermediate_channels": [16, 16, 16, 16]}
for _class, _title, _summary in _SMP_DECODERS:
    _add(
        f"smp-{_class.lower()}",
        f"{_title} (SMP)",
        _summary,
        "smp_networks:build",
        "segmentation-models-pytorch",
        weights=("imagenet",),
        small={**_VIT, "decoder_fusion_channels": 16} if _class == "DPT" else {"encoder": "resnet18"},
        fixed={"decoder": _class},
    )

for _name, _title, _summary in (
    ("fcn_resnet101", "FCN, ResNet-101", "Fully convolutional network, coarse at an eighth of the resolution"),
    ("deeplabv3_resnet101", "DeepLabV3, ResNet-101", "Dilated convolutions and pooling of the whole image"),
):
    _add(
        _name,
        f"{_title} (torchvision)",
        f"{_summary}; used by Park et al. 2022 from weights of COCO.",
        "torchvision_networks:build",
        "torchvision",
        weights=("coco", "imagenet"),
        fixed={"architecture": _name},
    )
