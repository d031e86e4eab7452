"""The registry of presets: every published recipe, and this project's own.

References
----------
Baek et al. 2021; Park et al. 2022, supporting information S2; Lee and Jhang 2021; Lee et al. 2022; Babkauskas 2023.
"""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from napari_mpseg.registry import Registry
from napari_mpseg.training.detector_presets import DETECTOR_PRESETS
from napari_mpseg.training.earlier import EarlierStage
from napari_mpseg.training.preset import Preset, load_preset
from napari_mpseg.training.settings import (
    Augmentation,
    OptimiserSettings,
    PatchSettings,
    ScheduleSettings,
    TrainSettings,
)
from napari_mpseg.training.touching import TOUCHING

PRESETS: Registry[Preset] = Registry("preset")


def find_preset(preset: "Preset | str | os.PathLike[str]") -> Preset:
    """Return a preset itself, the registered one of a name, or the one in a JSON file.

    Raises
    ------
    UnknownNameError
        If there is none of that name.
    """
    if isinstance(preset, Preset):
        return preset
    text = os.fspath(preset)
    if text not in PRESETS and Path(text).suffix == ".json":
        return load_preset(text)
    return PRESETS[text]


def _add(name: str, title: str, source: str, settings: TrainSettings, **more: Any) -> None:
    PRESETS.add(name, Preset(name, title, source, settings, **more))


# -- this project's own ----------------------------------------------------------------------------------------------

_TURNS = Augmentation("turns-and-flips")
_LIGHT = Augmentation("photometric", {"gain": 0.1, "offset": 4.0, "noise": 1.0})

NILE_RED = TrainSettings(
    network="half-multiresunet",
    network_options={"dropout": 0.3},
    loss="bce+dice-batch",
    optimiser=OptimiserSettings("adamw", 2e-3, weight_decay=0.05, clip_norm=1.0),
    schedule=ScheduleSettings("one-cycle"),
    batch=8,
    epochs=8,
    patches=PatchSettings(size=96, per_epoch=400, particle_share=0.75, synthetic_share=0.1),
    augmentation=(_TURNS, Augmentation("grey", {"share": 0.1}), _LIGHT),
    keep="average",
    precision="bf16",
    threshold=0.2,
)
PAINTED = TrainSettings(
    network="half-multiresunet",
    network_options={"dropout": 0.3},
    loss="bce",
    loss_options={"positive_weight": 1.0},
    optimiser=OptimiserSettings("adamw", 2e-3, weight_decay=0.01, clip_norm=1.0),
    batch=4,
    epochs=20,
    patches=PatchSettings(size=96, per_epoch=40, particle_share=0.5),
    augmentation=(_TURNS, _LIGHT),
    keep="average",
    average=0.98,
    validation=0.2,
    validation_windows=12,
)
_add(
    "painted",
    "Painted: bundled network",
    "napari-mpseg",
    PAINTED,
    start="default",
    note="For a few painted particles or scribbles; useful after some seconds, better after some minutes.",
)
_add(
    "painted-from-scratch",
    "Painted: from scratch",
    "napari-mpseg",
    replace(PAINTED, epochs=60),
    note="Nothing is known before: for images unlike fluorescence filters, in any number of channels.",
)
_add(
    "painted-large",
    "Painted: large particles",
    "napari-mpseg",
    replace(
        PAINTED,
        network_options={"dropout": 0.1, "local_contrast": 32},
        epochs=60,
        shrink=4,
        patches=replace(PAINTED.patches, size=64),
        augmentation=(
            _TURNS,
            Augmentation(
                "hue-saturation-value",
                {"hue": 15.0, "saturation": [0.7, 1.3], "value": [0.85, 1.15], "probability": 0.7},
            ),
            Augmentation("photometric", {"gain": 0.1, "offset": 8.0, "noise": 2.0}),
        ),
    ),
    note="For particles of 30 to 300 px. The image is seen at a quarter of its size: fast, and wide enough to see a "
    "large particle whole; and each pixel as it differs from its surroundings, so that one model serves bright and "
    "dark backgrounds.",
)
for _preset in TOUCHING:
    PRESETS.add(_preset.name, _preset)
_add("nile-red", "Bundled network's recipe", "napari-mpseg", NILE_RED)
_add(
    "smp-unet-r18",
    "U-Net, small ResNet-18",
    "napari-mpseg",
    replace(
        NILE_RED,
        network="smp-unet",
        network_options={"encoder": "resnet18", "weights": None},
        patches=replace(NILE_RED.patches, synthetic_share=0.0),
        threshold=0.5,
    ),
    note="The small encoder for comparisons on two cores, from random weights; scripts and terminal can set "
    "network_options.weights to imagenet, which is fetched online.",
)

# -- Baek et al. 2021, and Park et al. 2022 --------------------------------------------------------------------------

_BAEK, _PARK = "Baek et al. 2021", "Park et al. 2022, S2"
_ADAM = OptimiserSettings("adam", 1e-3)
_SGD = OptimiserSettings("sgd", 1e-3, momentum=0.9)
_R101 = {"encoder": "resnet101", "weights": "imagenet"}
_COCO = {"weights": "coco"}
_WEIGHTED = ("bce", {"positive_weight": 9.0})
_DICE = ("dice", {"epsilon": 1.0})
_BOTH: tuple[str, dict[str, Any]] = ("bce+dice", {})
_SLIDING = PatchSettings("sliding", size=256, step=30, least_foreground=1, background_share=0.05)


def _sliding(
    network: str, options: dict[str, Any], loss: tuple[str, dict[str, Any]], optimiser: OptimiserSettings, epochs: int
) -> TrainSettings:
    return TrainSettings(
        network=network,
        network_options=options,
        loss=loss[0],
        loss_options=loss[1],
        optimiser=optimiser,
        batch=10,
        epochs=epochs,
        patches=_SLIDING,
        keep="best-loss",
        validation=0.25,
    )


_BAEK_NOTE = "The paper does not give the number of epochs: 20, as in Park et al. One fold of four is for validation."
for _number, _loss, _optimiser in (
    (1, _WEIGHTED, replace(_SGD, learning_rate=3e-3)),
    (2, _DICE, _ADAM),
    (3, _BOTH, _ADAM),
):
    _add(
        f"baek-unet-{_number}",
        f"U-Net({_number}), ResNet-101",
        _BAEK,
        _sliding("smp-unet", _R101, _loss, _optimiser, 20),
        note=_BAEK_NOTE,
    )

_PHOTOMETRIC = ("photometric",)
for _name, _title, _network, _options, _loss, _optimiser, _epochs, _tta in (
    ("unet-1", "U-Net(1)", "smp-unet", _R101, _WEIGHTED, _SGD, 20, ()),
    ("unet-2", "U-Net(2)", "smp-unet", _R101, _BOTH, _ADAM, 20, ()),
    ("unet-3", "U-Net(3)", "smp-unet", _R101, _DICE, _ADAM, 20, ()),
    ("unet-4", "U-Net(4)", "smp-unet", _R101, _DICE, _SGD, 20, ()),
    ("tta-unet-3", "TTA U-Net(3)", "smp-unet", _R101, _DICE, _ADAM, 20, _PHOTOMETRIC),
    ("tta-unet-4", "TTA U-Net(4)", "smp-unet", _R101, _DICE, _SGD, 20, _PHOTOMETRIC),
    ("fcn", "FCN, ResNet-101", "fcn_resnet101", _COCO, _DICE, _SGD, 10, ()),
    ("deeplabv3", "DeepLabv3, ResNet-101", "deeplabv3_resnet101", _COCO, _DICE, _ADAM, 10, ()),
    ("nested-unet", "Nested U-Net (U-Net++)", "smp-unetplusplus", _R101, _WEIGHTED, _ADAM, 20, ()),
):
    _add(
        f"park-{_name}",
        _title,
        _PARK,
        _sliding(_network, _options, _loss, _optimiser, _epochs),
        tta=_tta,
        note="Patches as in Baek et al., whose data it uses. One fold of four is for validation.",
    )

# -- Lee and Jhang 2021 ----------------------------------------------------------------------------------------------

_LEE_JHANG = TrainSettings(
    loss="weighted-bce",
    loss_options={"reduction": "sum"},
    optimiser=OptimiserSettings("adam", 1e-3, epsilon=1e-7),
    schedule=ScheduleSettings("stairs", 0.96, 800, "steps"),
    batch=4,
    epochs=150,
    patches=PatchSettings("sliding", size=512, step=412, least_foreground=0, background_share=0.0),
    augmentation=(
        Augmentation("shift", {"share": 0.2}),
        Augmentation("rotate", {"degrees": 45.0}),
        Augmentation("flips", {"horizontal": 0.5, "vertical": 0.5}),
    ),
    keep="last",
    validation=0.1,
)
for _network, _title in (
    ("unet", "U-net"),
    ("half-unet", "Half U-net"),
    ("multiresunet", "MultiResUNet"),
    ("half-multiresunet", "Half MultiResUNet"),
    ("quarter-multiresunet", "Quarter MultiResUNet"),
):
    _add(
        f"lee-jhang-{_network}",
        _title,
        "Lee and Jhang 2021",
        replace(_LEE_JHANG, network=_network, network_options={"batch_norm": False}),
        note="Not in the paper: the batch (4 here) and the probability of a flip (0.5 here). Of 80 % that are not for "
        "testing, 8 % validate: 0.1 of what is trained on.",
    )

# -- Lee et al. 2022 -------------------------------------------------------------------------------------------------

_LEE_2022 = TrainSettings(
    loss="bce+dice",
    optimiser=OptimiserSettings("rmsprop", 1e-4, momentum=0.9, weight_decay=1e-8, clip_value=0.1),
    schedule=ScheduleSettings("stairs", 0.8, 4, "epochs"),
    batch=1,
    epochs=40,
    patches=PatchSettings("sliding", size=512, step=512, least_foreground=0, background_share=0.0),
    augmentation=(Augmentation("flips", {"horizontal": 0.5, "vertical": 0.5}),),
    standardise=True,
)
for _network, _title in (
    ("unet-standard", "U-Net, symmetric skips"),
    ("unet-semi-dense", "U-Net, semi-dense skips"),
    ("unet-reverse", "U-Net, reverse skips"),
):
    _add(
        f"lee-{_network}",
        _title,
        "Lee et al. 2022",
        replace(_LEE_2022, network=_network),
        note="Not in the text: optimiser (RMSprop here, which goes with the momentum, weight decay and clipping that "
        "are given), learning rate (1e-4), loss (cross-entropy and Dice), batch (1), epochs (40), slices (512 px).",
    )

_add(
    "lee-transfer",
    "U-Net, reverse skips, transfer",
    "Lee et al. 2022",
    replace(_LEE_2022, network="unet-reverse"),
    before=EarlierStage(
        "semi", count=100, options={"blend": "weighted", "weight": 0.65, "background": "with-particles"}
    ),
    note="Particles cut out of the labelled images, pasted 0.65 over 0.35 elsewhere, are learnt from first, then the "
    "labelled images; each stage is normalised by mean and deviation of its own images. Reverse skips, which the paper "
    "finds best at camouflaged particles. Not in the text: how many images are made (100 here), their size (that of "
    "the smallest labelled image, at most 512 px), how many particles in each (1 to 10), the scale of particles (0.8 "
    "to 1.25), epochs of either stage (40), whether the real stage has a smaller learning rate (it has the same); and, "
    "as in the other presets of this paper, optimiser (RMSprop), learning rate (1e-4), loss (cross-entropy and Dice), "
    "batch (1), slices (512 px).",
)

# -- Babkauskas 2023 -------------------------------------------------------------------------------------------------

_BABKAUSKAS = TrainSettings(
    network="smp-unet",
    loss="dice",
    optimiser=OptimiserSettings("adam", 1e-4),
    batch=1,
    epochs=50,
    patches=PatchSettings("sliding", size=256, step=256, least_foreground=0, background_share=0.0),
    augmentation=(
        Augmentation("offline-turns"),
        Augmentation("brightness", {"low": 0.9, "high": 1.32, "probability": 0.4}),
        Augmentation("blur", {"sigma": 1.0, "kernel": 3, "probability": 0.4}),
    ),
    keep="best-iou",
    validation=0.2,
)
for _depth in (18, 34):
    for _weights, _suffix, _words in (("imagenet", "", "pre-trained"), (None, "-scratch", "untrained")):
        _add(
            f"babkauskas-unet-r{_depth}{_suffix}",
            f"U-Net, ResNet-{_depth}, {_words}",
            "Babkauskas 2023",
            replace(_BABKAUSKAS, network_options={"encoder": f"resnet{_depth}", "weights": _weights}),
            note="The offline set (22 images become 396) is drawn on the fly: one of the 18 variants for each "
            "patch. The paper's 50 epochs are over the 18 times larger set: for as many steps train for 900 epochs.",
        )
for _preset in DETECTOR_PRESETS:
    PRESETS.add(_preset.name, _preset)
