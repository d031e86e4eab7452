"""Recipes of Mask R-CNN: the four of Babkauskas 2023, and a light one for processors."""

from typing import Any

from napari_mpseg.training.preset import Preset
from napari_mpseg.training.settings import (
    Augmentation,
    OptimiserSettings,
    PatchSettings,
    ScheduleSettings,
    TrainSettings,
)

TRAINER = "napari_mpseg.detection.training:prepare"
_TABLE = (
    ("box_detections_per_img", (1500, 2000, 2500, 3000)),
    ("box_batch_size_per_image", (2000, 2500, 3000, 3500)),
    ("rpn_batch_size_per_image", (2000, 2500, 3000, 3500)),
    ("rpn_pre_nms_top_n_train", (3500, 6500, 6500, 5500)),
    ("rpn_post_nms_top_n_train", (2500, 3000, 3000, 3000)),
    ("rpn_pre_nms_top_n_test", (3500, 5000, 5000, 4000)),
    ("rpn_post_nms_top_n_test", (2500, 3000, 3000, 3000)),
)
_NOTE = (
    "ResNet-50; for a graphics card. As many particles as the title says are found in 256 x 256 px; paint each with a "
    "label of its own (dense mask). First the heads for 30 epochs, then everything for 50, each at a learning rate of "
    "0.01 and after 15 epochs of 1e-5; the best epoch of the second part is kept. A shorter run gives at most half of "
    "its epochs to the heads. Not in the text: the batch (1), the share that validates (0.2; 16 of 396 there), scores "
    "and overlaps from which particles are kept (those of torchvision; 0.5 in use). The offline set is drawn on the "
    "fly, one of the 18 variants for each patch; the paper's epochs are over the 18 times larger set."
)


def _babkauskas(number: int) -> Preset:
    network: dict[str, Any] = {"backbone": "resnet50", "weights": "imagenet"}
    network |= {name: values[number - 1] for name, values in _TABLE}
    settings = TrainSettings(
        network="mask-rcnn",
        network_options=network,
        loss="mask-rcnn",
        optimiser=OptimiserSettings("sgd", 1e-2, momentum=0.9),
        schedule=ScheduleSettings("drop", 1e-3, 15, "epochs"),
        batch=1,
        epochs=80,
        patches=PatchSettings("sliding", size=256, step=256, least_foreground=0, background_share=0.0),
        augmentation=(
            Augmentation("offline-turns"),
            Augmentation("brightness", {"low": 0.9, "high": 1.32, "probability": 0.4}),
            Augmentation("blur", {"sigma": 1.0, "kernel": 3, "probability": 0.4}),
        ),
        keep="best-iou",
        validation=0.2,
        precision="fp32",
    )
    title = f"Mask R-CNN {number}, up to {_TABLE[0][1][number - 1]} particles"
    return Preset(
        f"babkauskas-maskrcnn-{number}",
        title,
        "Babkauskas 2023",
        settings,
        note=_NOTE,
        trainer=TRAINER,
        options={"heads_epochs": 30},
    )


_LIGHT = Preset(
    "maskrcnn-light",
    "Mask R-CNN, light",
    "napari-mpseg",
    TrainSettings(
        network="mask-rcnn",
        network_options={
            "backbone": "resnet18",
            "weights": None,
            "fpn_channels": 64,
            "box_features": 256,
            "mask_layers": [64, 64],
            "rpn_nms_thresh": 0.5,
            "rpn_batch_size_per_image": 256,
            "rpn_pre_nms_top_n_train": 1000,
            "rpn_pre_nms_top_n_test": 1000,
            "rpn_post_nms_top_n_train": 500,
            "rpn_post_nms_top_n_test": 500,
            "box_batch_size_per_image": 128,
            "box_detections_per_img": 300,
        },
        loss="mask-rcnn",
        optimiser=OptimiserSettings("adamw", 5e-4, weight_decay=0.01, clip_norm=5.0),
        batch=2,
        epochs=10,
        patches=PatchSettings("around-particles", size=256, per_epoch=80, particle_share=0.75),
        augmentation=(
            Augmentation("turns-and-flips"),
            Augmentation("photometric", {"gain": 0.1, "offset": 6.0, "noise": 2.0}),
        ),
        keep="average",
        average=0.98,
        validation=0.2,
        validation_windows=8,
        precision="fp32",
    ),
    note="Trains within minutes on a processor, from scratch, for particles of 8 to 120 px. Paint each with a "
    "label of its own (dense mask). For smaller ones take patches of 128 px, which are shown twice as large; for "
    "larger ones patches of 512 px, shown half as large ('Patches of' in napari, patches.size elsewhere). Scripts and "
    "terminal can also set network_options.weights to imagenet, which is fetched online and helps with few labelled "
    "particles.",
    trainer=TRAINER,
)

DETECTOR_PRESETS: tuple[Preset, ...] = (*map(_babkauskas, (1, 2, 3, 4)), _LIGHT)
