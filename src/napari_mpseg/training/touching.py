"""Presets that tell touching particles apart."""

from napari_mpseg.training.preset import Preset
from napari_mpseg.training.settings import Augmentation, OptimiserSettings, PatchSettings, TrainSettings

_SETTINGS = TrainSettings(
    network="half-multiresunet",
    network_options={"dropout": 0.1, "local_contrast": 32},
    head="affinities",
    loss="bce",
    loss_options={"positive_weight": 1.0},
    optimiser=OptimiserSettings("adamw", 4e-3, weight_decay=0.01, clip_norm=1.0),
    batch=4,
    epochs=60,
    patches=PatchSettings(size=96, per_epoch=40, particle_share=0.7),
    augmentation=(
        Augmentation("turns-and-flips"),
        Augmentation("scale", {"low": 0.8, "high": 1.25}),
        Augmentation(
            "hue-saturation-value",
            {"hue": 15.0, "saturation": [0.7, 1.3], "value": [0.85, 1.15], "probability": 0.7},
        ),
        Augmentation("photometric", {"gain": 0.1, "offset": 8.0, "noise": 2.0}),
    ),
    shrink=2,
    keep="average",
    average=0.99,
    validation=0.2,
    validation_windows=12,
)

TOUCHING = (
    Preset(
        "touching",
        "Painted: touching particles",
        "napari-mpseg",
        _SETTINGS,
        note="For particles that touch, cross or lie in clusters; paint each with a label of its own (dense mask). The "
        "image is seen at half its size, for particles of 20 to 80 px and fibres of 10 px. For others change how small "
        "it is seen ('Image seen at' in napari, shrink elsewhere), so that particles are 10 to 40 px there, fibres 5.",
    ),
)
