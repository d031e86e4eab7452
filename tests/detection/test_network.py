"""The network is torchvision's Mask R-CNN with the anchors, levels and limits of Babkauskas 2023."""

import math

import numpy as np
import pytest
import torch
from torchvision.models.detection import maskrcnn_resnet50_fpn
from torchvision.models.detection.roi_heads import project_masks_on_boxes

from napari_mpseg.detection.network import build_detector
from napari_mpseg.detection.region_heads import instance_crops
from napari_mpseg.detection.settings import DetectorSettings
from napari_mpseg.errors import ModelError, SettingsError
from napari_mpseg.settings import from_dict, to_dict
from napari_mpseg.training.detector_presets import DETECTOR_PRESETS

# table 3 of the paper, by row: models 1 to 4
TABLE = {
    "box_detections_per_img": (1500, 2000, 2500, 3000),
    "box_batch_size_per_image": (2000, 2500, 3000, 3500),
    "rpn_batch_size_per_image": (2000, 2500, 3000, 3500),
    "rpn_pre_nms_top_n_train": (3500, 6500, 6500, 5500),
    "rpn_post_nms_top_n_train": (2500, 3000, 3000, 3000),
    "rpn_pre_nms_top_n_test": (3500, 5000, 5000, 4000),
    "rpn_post_nms_top_n_test": (2500, 3000, 3000, 3000),
}


@pytest.mark.parametrize("model", [1, 2, 3, 4])
def test_presets_hold_the_table(model):
    preset = next(one for one in DETECTOR_PRESETS if one.name == f"babkauskas-maskrcnn-{model}")
    settings = from_dict(DetectorSettings, preset.settings.network_options)
    for name, values in TABLE.items():
        assert getattr(settings, name) == values[model - 1]
    assert (settings.min_size, settings.max_size, settings.rpn_nms_thresh) == (256, 256, 0.2)
    assert (settings.backbone, settings.weights) == ("resnet50", "imagenet")
    assert settings.anchors == (10, 24, 32, 48, 64)
    assert settings.ratios == (0.5, 1, 2)
    optimiser, schedule = preset.settings.optimiser, preset.settings.schedule
    assert (optimiser.name, optimiser.momentum, optimiser.learning_rate) == ("sgd", 0.9, 0.01)
    assert (schedule.every, schedule.unit) == (15, "epochs")
    assert optimiser.learning_rate * schedule.factor == pytest.approx(1e-5)
    assert (preset.options["heads_epochs"], preset.settings.epochs) == (30, 30 + 50)
    assert preset.settings.keep == "best-iou"


def test_settings_survive_json_and_refuse_the_impossible():
    settings = DetectorSettings(backbone="resnet18", weights=None)
    assert from_dict(DetectorSettings, to_dict(settings)) == settings
    for wrong in (
        {"backbone": "vgg"},
        {"weights": "lvis"},
        {"anchors": [8, 16]},
        {"min_size": 512},
        {"rpn_nms_thresh": 1.5},
        {"box_detections_per_img": 0},
        {"mask_layers": []},
        {"weights": "coco", "backbone": "resnet18"},
    ):
        with pytest.raises(SettingsError):
            from_dict(DetectorSettings, wrong)


def test_limits_reach_the_network(tiny):
    network = tiny(rpn_pre_nms_top_n_train=11, rpn_pre_nms_top_n_test=12, rpn_post_nms_top_n_train=13)
    rpn, heads = network.rpn, network.roi_heads
    assert rpn._pre_nms_top_n == {"training": 11, "testing": 12}
    assert rpn._post_nms_top_n == {"training": 13, "testing": 50}
    assert (rpn.nms_thresh, rpn.fg_bg_sampler.batch_size_per_image) == (0.5, 64)
    assert (heads.detections_per_img, heads.fg_bg_sampler.batch_size_per_image) == (20, 32)
    assert (network.transform.min_size, network.transform.max_size) == ((64,), 64)


def test_anchors_have_the_published_sizes_one_for_each_level(tiny):
    anchors = tiny().rpn.anchor_generator.cell_anchors
    assert len(anchors) == 5
    for boxes, size in zip(anchors, (10, 24, 32, 48, 64), strict=True):
        width, height = (boxes[:, 2:] - boxes[:, :2]).T.tolist()
        for w, h, ratio in zip(width, height, (0.5, 1, 2), strict=True):
            # height / width is the ratio, and the area that of the square, with corners rounded to whole pixels
            assert abs(h - size * math.sqrt(ratio)) <= 1
            assert abs(w - size / math.sqrt(ratio)) <= 1


@pytest.mark.parametrize("width", [4, 40, 63, 64, 90, 127, 128, 200, 255, 256, 400, 512, 900])
@pytest.mark.parametrize("height", [30, 128, 500])
def test_boxes_are_looked_at_on_the_level_of_the_rule(tiny, width, height):
    network = tiny()
    pool = network.roi_heads.box_roi_pool
    levels = {str(level): torch.zeros(1, 16, 1024 // 4 >> level, 1024 // 4 >> level) for level in range(4)}
    boxes = torch.tensor([[0.0, 0, width, height]])
    pool(levels, [boxes], [(1024, 1024)])
    k = math.floor(3 + math.log2(math.sqrt(width * height) / 128))
    assert pool.map_levels([boxes]).item() + 2 == min(5, max(2, k))


def test_weights_are_named_and_shaped_as_in_torchvision():
    ours = build_detector(DetectorSettings(), 3, pretrained=False).state_dict()
    theirs = maskrcnn_resnet50_fpn(weights=None, weights_backbone=None, num_classes=2).state_dict()
    # a frozen batch normalisation counts no batches
    wanted = {name: value.shape for name, value in theirs.items() if not name.endswith("num_batches_tracked")}
    assert {name: value.shape for name, value in ours.items()} == wanted


def test_a_grey_image_meets_the_sum_of_the_colours_kernels(tiny, monkeypatch):
    from napari_mpseg.detection import network as module

    kernels = {}

    def load(network, settings):
        kernels["colour"] = network.backbone.body["conv1"].weight.detach().clone()

    monkeypatch.setattr(module, "load_trained", load)
    grey = tiny(weights="imagenet").backbone.body["conv1"].weight
    assert torch.allclose(grey, kernels["colour"].sum(1, keepdim=True))


def test_without_the_internet_it_is_said_how_to_do_without(monkeypatch, tmp_path):
    from napari_mpseg.networks import torchvision_networks

    def offline(url):
        raise OSError("no route to host")

    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(torchvision_networks, "require_reachable", offline)
    for weights in ("imagenet", "coco"):
        with pytest.raises(ModelError, match=r"network_options\.weights=None"):
            build_detector(DetectorSettings(weights=weights), 1)


@pytest.mark.parametrize("channels", [1, 3])
def test_windows_of_any_size_give_particles_in_their_own_pixels(tiny, channels):
    network = tiny(channels, box_score_thresh=0.0).eval()
    with torch.inference_mode():
        found = network([torch.rand(channels, 64, 64), torch.rand(channels, 40, 128)])
    for one, (height, width) in zip(found, ((64, 64), (40, 128)), strict=True):
        count = len(one["scores"])
        assert 0 < count <= 20
        assert one["masks"].shape == (count, 1, 28, 28)
        assert one["boxes"][:, 2].max() <= width + 1e-3
        assert one["boxes"][:, 3].max() <= height + 1e-3


def test_masks_to_learn_are_those_of_torchvision():
    rng = np.random.default_rng(0)
    instances = torch.from_numpy(rng.integers(0, 5, (48, 64)).astype(np.int32))
    boxes = torch.tensor([[3.0, 4, 20, 30], [10.5, 2.25, 50, 40], [0, 0, 64, 48], [5, 5, 6, 6]])
    numbers = torch.tensor([1, 2, 3, 4])
    masks = torch.stack([(instances == number).to(torch.uint8) for number in (1, 2, 3, 4)])
    wanted = project_masks_on_boxes(masks, boxes, numbers - 1, 28)
    assert torch.allclose(instance_crops(instances, numbers, boxes, (48, 64), 28), wanted)
    # boxes of a window shown twice as large
    assert torch.allclose(instance_crops(instances, numbers, boxes * 2, (96, 128), 28), wanted, atol=1e-5)


def test_a_window_without_particles_is_learnt_from(tiny):
    network = tiny().train()
    nothing = {
        "boxes": torch.zeros(0, 4),
        "labels": torch.zeros(0, dtype=torch.int64),
        "instances": torch.zeros(64, 64, dtype=torch.int32),
    }
    losses = network([torch.rand(1, 64, 64)], [nothing])
    assert set(losses) == {"loss_classifier", "loss_box_reg", "loss_mask", "loss_objectness", "loss_rpn_box_reg"}
    assert all(torch.isfinite(loss) for loss in losses.values())
    sum(losses.values()).backward()
