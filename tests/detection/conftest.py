"""A tiny detector, and images of discs that it can learn from."""

import numpy as np
import pytest
import torch

from napari_mpseg.detection.network import build_detector
from napari_mpseg.detection.settings import DetectorSettings
from napari_mpseg.settings import from_dict
from napari_mpseg.training.data.pairs import LabelledImage

TINY = {
    "backbone": "resnet18",
    "weights": None,
    "min_size": 64,
    "max_size": 64,
    "fpn_channels": 16,
    "box_features": 32,
    "mask_layers": [16],
    "rpn_nms_thresh": 0.5,
    "rpn_batch_size_per_image": 64,
    "rpn_pre_nms_top_n_train": 200,
    "rpn_pre_nms_top_n_test": 200,
    "rpn_post_nms_top_n_train": 50,
    "rpn_post_nms_top_n_test": 50,
    "box_batch_size_per_image": 32,
    "box_detections_per_img": 20,
}


def _tiny(channels=1, **changes):
    torch.manual_seed(0)
    return build_detector(from_dict(DetectorSettings, {**TINY, **changes}), channels)


def _disc(shape, y, x, radius):
    rows, columns = np.indices(shape)
    return (rows - y) ** 2 + (columns - x) ** 2 <= radius**2


def _discs(side=96, count=6, seed=0, channels=1, name="discs", apart=2):
    rng = np.random.default_rng(seed)
    labels = np.zeros((side, side), np.int32)
    for number in range(1, count + 1):
        for _ in range(100):
            y, x = rng.uniform(0, side, 2)
            radius = rng.uniform(5, 9)
            if not labels[_disc(labels.shape, y, x, radius + apart)].any():
                labels[_disc(labels.shape, y, x, radius)] = number
                break
    image = 40 + 140 * (labels > 0) + rng.normal(0, 8, labels.shape)
    image = np.clip(image, 0, 255).astype(np.uint8)[..., None].repeat(channels, -1)
    return LabelledImage(f"{name} {seed}", image, labels > 0, instances=labels)


@pytest.fixture(scope="session")
def tiny_settings():
    """Return the settings of a network that is cheap to build."""
    return TINY


@pytest.fixture(scope="session")
def tiny():
    """Build a network that is cheap, the same weights every time."""
    return _tiny


@pytest.fixture(scope="session")
def discs():
    """Make bright discs of radius 5 to 9 on a dark noisy ground, apart from each other, with their labels."""
    return _discs


@pytest.fixture(scope="session")
def disc():
    """Draw a disc."""
    return _disc
