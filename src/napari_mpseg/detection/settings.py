"""What a Mask R-CNN is built like: every number of the published table, and what makes a lighter one."""

from dataclasses import dataclass

from napari_mpseg.errors import SettingsError

BACKBONES = ("resnet18", "resnet34", "resnet50", "resnet101")
WEIGHTS = (None, "imagenet", "coco")
LEVELS = 5
"""Of the pyramid that anchors lie on: strides of 4, 8, 16, 32 and 64 pixels."""


@dataclass(frozen=True)
class DetectorSettings:
    """Architecture and limits of a Mask R-CNN, in torchvision's names.

    The defaults are model 1 of Babkauskas 2023.

    Attributes
    ----------
    backbone : str
        Of :data:`BACKBONES`.
    weights : str or None
        What it starts from: ``"imagenet"`` (the backbone), ``"coco"`` (all but the last layers; ``resnet50`` only), or
        nothing. With trained weights batch normalisation is frozen, without it learns.
    min_size, max_size : int
        Pixels to which the short and at most the long side of a window is scaled.
    anchors : tuple of int
        Side of the anchors in pixels of the scaled window, one for each level of the pyramid, finest first.
    ratios : tuple of float
        Height by width of the anchors on every level.
    canonical_scale, canonical_level : int
        A box of w x h pixels is looked at on the level floor(canonical_level + log2(sqrt(w h) / canonical_scale)),
        limited to 2 (stride 4) to 5 (stride 32).
    rpn_nms_thresh : float
        Proposals that overlap more than this (intersection over union of boxes) with a better one are dropped.
    rpn_batch_size_per_image : int
        Anchors that a training step looks at.
    rpn_pre_nms_top_n_train, rpn_pre_nms_top_n_test : int
        Proposals of each level that are kept before suppression.
    rpn_post_nms_top_n_train, rpn_post_nms_top_n_test : int
        Proposals that are kept after it.
    box_batch_size_per_image : int
        Proposals that a training step classifies.
    box_detections_per_img : int
        At most so many particles are found in a window.
    box_score_thresh : float
        Particles below this score are never told.
    box_nms_thresh : float
        As `rpn_nms_thresh`, of particles.
    fpn_channels, box_features : int
        Widths of the pyramid and of the box head.
    mask_layers : tuple of int
        Widths of the convolutions of the mask head.
    """

    backbone: str = "resnet50"
    weights: str | None = "imagenet"
    min_size: int = 256
    max_size: int = 256
    anchors: tuple[int, ...] = (10, 24, 32, 48, 64)
    ratios: tuple[float, ...] = (0.5, 1.0, 2.0)
    canonical_scale: int = 128
    canonical_level: int = 3
    rpn_nms_thresh: float = 0.2
    rpn_batch_size_per_image: int = 2000
    rpn_pre_nms_top_n_train: int = 3500
    rpn_pre_nms_top_n_test: int = 3500
    rpn_post_nms_top_n_train: int = 2500
    rpn_post_nms_top_n_test: int = 2500
    box_batch_size_per_image: int = 2000
    box_detections_per_img: int = 1500
    box_score_thresh: float = 0.05
    box_nms_thresh: float = 0.5
    fpn_channels: int = 256
    box_features: int = 1024
    mask_layers: tuple[int, ...] = (256, 256, 256, 256)

    def __post_init__(self) -> None:
        _one_of(self, "backbone", BACKBONES)
        _one_of(self, "weights", WEIGHTS)
        if len(self.anchors) != LEVELS:
            raise SettingsError(
                f"anchors = {list(self.anchors)} is impossible: give {LEVELS} sizes, one for each level of the pyramid."
            )
        counts = (*self.anchors, *self.mask_layers, *(getattr(self, name) for name in _COUNTS))
        if min(counts) < 1 or not self.mask_layers:
            raise SettingsError("Sizes and counts of a Mask R-CNN must be 1 or more, and it has a layer for masks.")
        if not self.ratios or min(self.ratios) <= 0:
            raise SettingsError(f"ratios = {list(self.ratios)} is impossible: give positive numbers.")
        if self.max_size < self.min_size:
            raise SettingsError(f"max_size = {self.max_size} must not be smaller than min_size = {self.min_size}.")
        for name in ("rpn_nms_thresh", "box_score_thresh", "box_nms_thresh"):
            if not 0 <= getattr(self, name) <= 1:
                raise SettingsError(f"{name} = {getattr(self, name)} is impossible: give a number from 0 to 1.")
        changed = [name for name in _SHAPES if getattr(self, name) != getattr(DetectorSettings, name)]
        if self.weights == "coco" and changed:
            raise SettingsError(
                f"There are no COCO weights for another {', '.join(changed)}. Leave that as it is, or choose other "
                "weights."
            )


_COUNTS = (
    "min_size",
    "canonical_scale",
    "canonical_level",
    "rpn_batch_size_per_image",
    "rpn_pre_nms_top_n_train",
    "rpn_pre_nms_top_n_test",
    "rpn_post_nms_top_n_train",
    "rpn_post_nms_top_n_test",
    "box_batch_size_per_image",
    "box_detections_per_img",
    "fpn_channels",
    "box_features",
)
_SHAPES = ("backbone", "fpn_channels", "box_features", "mask_layers")


def _one_of(settings: DetectorSettings, name: str, known: tuple[str | None, ...]) -> None:
    value = getattr(settings, name)
    if value not in known:
        raise SettingsError(f"{name} = {value!r} is unknown: give one of {', '.join(map(str, known))}.")
