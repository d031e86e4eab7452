"""Presets say what the papers say, can be changed in one field, saved and loaded."""

import json

import pytest

from napari_mpseg.errors import SettingsError, UnknownNameError
from napari_mpseg.networks.registry import NETWORKS
from napari_mpseg.settings import to_dict
from napari_mpseg.training.preset import load_preset, parse_value
from napari_mpseg.training.presets import PRESETS, find_preset
from napari_mpseg.training.run.losses import LOSSES
from napari_mpseg.training.run.optimisers import OPTIMISERS, SCHEDULES

# network, loss, optimiser, learning rate, batch, epochs: typed from the papers (None: not in the paper)
PUBLISHED = {
    "baek-unet-1": ("smp-unet", "bce", "sgd", 0.003, 10, None),
    "baek-unet-2": ("smp-unet", "dice", "adam", 0.001, 10, None),
    "baek-unet-3": ("smp-unet", "bce+dice", "adam", 0.001, 10, None),
    "park-unet-1": ("smp-unet", "bce", "sgd", 0.001, 10, 20),
    "park-unet-2": ("smp-unet", "bce+dice", "adam", 0.001, 10, 20),
    "park-unet-3": ("smp-unet", "dice", "adam", 0.001, 10, 20),
    "park-unet-4": ("smp-unet", "dice", "sgd", 0.001, 10, 20),
    "park-tta-unet-3": ("smp-unet", "dice", "adam", 0.001, 10, 20),
    "park-tta-unet-4": ("smp-unet", "dice", "sgd", 0.001, 10, 20),
    "park-fcn": ("fcn_resnet101", "dice", "sgd", 0.001, 10, 10),
    "park-deeplabv3": ("deeplabv3_resnet101", "dice", "adam", 0.001, 10, 10),
    "park-nested-unet": ("smp-unetplusplus", "bce", "adam", 0.001, 10, 20),
    "lee-jhang-unet": ("unet", "weighted-bce", "adam", 0.001, None, 150),
    "lee-jhang-half-unet": ("half-unet", "weighted-bce", "adam", 0.001, None, 150),
    "lee-jhang-multiresunet": ("multiresunet", "weighted-bce", "adam", 0.001, None, 150),
    "lee-jhang-half-multiresunet": ("half-multiresunet", "weighted-bce", "adam", 0.001, None, 150),
    "lee-jhang-quarter-multiresunet": ("quarter-multiresunet", "weighted-bce", "adam", 0.001, None, 150),
    "lee-unet-standard": ("unet-standard", None, None, None, None, None),
    "lee-unet-semi-dense": ("unet-semi-dense", None, None, None, None, None),
    "lee-unet-reverse": ("unet-reverse", None, None, None, None, None),
    "babkauskas-unet-r18": ("smp-unet", "dice", "adam", 0.0001, 1, 50),
    "babkauskas-unet-r18-scratch": ("smp-unet", "dice", "adam", 0.0001, 1, 50),
    "babkauskas-unet-r34": ("smp-unet", "dice", "adam", 0.0001, 1, 50),
    "babkauskas-unet-r34-scratch": ("smp-unet", "dice", "adam", 0.0001, 1, 50),
}


@pytest.mark.parametrize("name", list(PUBLISHED))
def test_presets_say_what_the_papers_say(name):
    settings = PRESETS[name].settings
    here = (
        settings.network,
        settings.loss,
        settings.optimiser.name,
        settings.optimiser.learning_rate,
        settings.batch,
        settings.epochs,
    )
    for ours, theirs in zip(here, PUBLISHED[name], strict=True):
        assert theirs is None or ours == theirs
    if None in PUBLISHED[name]:
        assert PRESETS[name].note, "what the paper leaves open must be said"


def test_details_of_the_papers():
    baek, lee, second = PRESETS["baek-unet-1"], PRESETS["lee-jhang-unet"].settings, PRESETS["lee-unet-reverse"].settings
    assert baek.settings.loss_options == {"positive_weight": 9.0}
    assert baek.settings.network_options == {"encoder": "resnet101", "weights": "imagenet"}
    assert (baek.settings.patches.size, baek.settings.patches.step) == (256, 30)
    assert baek.settings.patches.background_share == 0.05
    assert baek.settings.keep == "best-loss"
    assert (lee.schedule.factor, lee.schedule.every, lee.schedule.unit) == (0.96, 800, "steps")
    assert lee.optimiser.epsilon == 1e-7
    assert (second.schedule.factor, second.schedule.every, second.schedule.unit) == (0.8, 4, "epochs")
    assert (second.optimiser.momentum, second.optimiser.weight_decay, second.optimiser.clip_value) == (0.9, 1e-8, 0.1)
    assert second.standardise
    assert PRESETS["park-tta-unet-3"].tta == ("photometric",)
    assert PRESETS["babkauskas-unet-r34"].settings.keep == "best-iou"


@pytest.mark.parametrize("name", list(PRESETS))
def test_every_preset_is_complete_and_survives_json(name, tmp_path):
    from napari_mpseg.inference.augmentation import TTA
    from napari_mpseg.training.augment.augmentation import AUGMENTATIONS
    from napari_mpseg.training.patches.sampling import SAMPLERS

    preset = PRESETS[name]
    settings = preset.settings
    assert preset.title
    assert preset.source
    if not preset.trainer:  # those have networks and losses of their own
        assert settings.network in NETWORKS
        assert settings.loss in LOSSES
    assert settings.optimiser.name in OPTIMISERS
    assert settings.schedule.name in SCHEDULES
    assert settings.patches.name in SAMPLERS
    assert all(step.name in AUGMENTATIONS for step in settings.augmentation)
    assert all(step in TTA for step in preset.tta)
    assert load_preset(preset.save(tmp_path / "preset.json")) == preset
    assert find_preset(tmp_path / "preset.json") == preset


def test_one_field_is_changed():
    changed = PRESETS["painted"].changed(epochs=3, **{"optimiser.learning_rate": 0.5, "network_options.dropout": 0.0})
    assert changed.settings.epochs == 3
    assert changed.settings.optimiser.learning_rate == 0.5
    assert changed.settings.network_options["dropout"] == 0.0
    plain, other = to_dict(PRESETS["painted"]), to_dict(changed)
    assert plain["settings"]["patches"] == other["settings"]["patches"]
    assert PRESETS["painted"].settings.epochs == plain["settings"]["epochs"] != 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epoch": 3}, "no setting 'epoch'"),
        ({"optimiser.rate": 3}, "no setting"),
        ({"nothing.at.all": 3}, "no setting"),
        ({"epochs": "many"}, "whole number"),
        ({"epochs": 0}, "at least 1"),
        ({"keep": "best"}, "best-loss"),
        ({"validation": 0.0, "keep": "best-loss"}, "validation share"),
    ],
)
def test_impossible_changes_are_refused(change, message):
    with pytest.raises(SettingsError, match=message):
        PRESETS["painted"].changed(**change)


def test_a_damaged_preset_is_refused(tmp_path):
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(SettingsError, match="cannot be read"):
        find_preset(tmp_path / "a.json")
    values = to_dict(PRESETS["painted"])
    values["settings"]["colour"] = 1
    (tmp_path / "b.json").write_text(json.dumps(values))
    with pytest.raises(SettingsError, match="no setting 'colour'"):
        find_preset(tmp_path / "b.json")
    with pytest.raises(UnknownNameError, match="painted"):
        find_preset("paintd")


@pytest.mark.parametrize(
    ("text", "value"),
    [("5", 5), ("1e-3", 1e-3), ("true", True), ("None", None), ("smp-unet", "smp-unet"), ("[1, 2]", [1, 2])],
)
def test_values_from_the_command_line(text, value):
    assert parse_value(text) == value
