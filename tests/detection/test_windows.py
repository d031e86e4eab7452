"""A detector looks at windows of any size, mirrored at borders, every particle once."""

import numpy as np
import pytest
import torch

from napari_mpseg.detection.windows import WindowDetector, detect
from napari_mpseg.images.scaling import Scaling

SCALING = Scaling("fixed", 0.0, 255.0)


class Seer(torch.nn.Module):
    """Finds the bright connected regions of what it is shown, as a detector would; shows which sizes it saw."""

    def __init__(self):
        super().__init__()
        self.sizes = set()

    def forward(self, images):
        from scipy import ndimage

        (image,) = images
        self.sizes.add(tuple(image.shape))
        labels, count = ndimage.label(image[0].numpy() > 0.5)
        boxes = [(x.start, y.start, x.stop, y.stop) for y, x in ndimage.find_objects(labels)]
        masks = torch.ones(count, 1, 28, 28)
        scores = torch.linspace(0.9, 0.6, count) if count else torch.zeros(0)
        return [{"boxes": torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4), "scores": scores, "masks": masks}]


def _rectangles(shape, rng, count):
    labels = np.zeros(shape, np.int32)
    for number in range(1, count + 1):
        h, w = rng.integers(4, 14, 2)
        y, x = rng.integers(0, shape[0] - h), rng.integers(0, shape[1] - w)
        if not labels[max(0, y - 2) : y + h + 2, max(0, x - 2) : x + w + 2].any():
            labels[y : y + h, x : x + w] = number
    return labels


@pytest.mark.parametrize("shape", [(30, 40), (64, 64), (70, 150), (200, 131), (5, 300)])
def test_every_particle_is_found_once_whatever_the_size(shape, rng):
    labels = _rectangles(shape, rng, 25) if shape[0] > 20 else np.zeros(shape, np.int32)
    detector = WindowDetector(Seer(), SCALING, 64, 16)
    found, scores = detector.instances((labels > 0) * np.uint8(200))
    assert detector.network.sizes == {(1, 64, 64)}
    assert np.array_equal(found > 0, labels > 0)
    assert len(np.unique(found)) == len(np.unique(labels))
    pairs = np.unique(np.stack([found, labels])[:, labels > 0], axis=1)
    assert pairs.shape[1] == len(np.unique(labels)) - 1  # each is one of the others
    assert np.array_equal(scores > 0, found > 0)


def test_margins_are_cut_off_and_count_as_context(rng):
    labels = _rectangles((128, 128), rng, 20)
    window = (labels > 0) * np.uint8(200)
    detector = WindowDetector(Seer(), SCALING, 64, 16)
    core = detector.predict(window, (16, 20, 16, 5))
    assert core.shape == (128 - 36, 128 - 21)
    assert core.dtype == np.float32
    assert np.array_equal(core > 0, labels[16:-20, 16:-5] > 0)


def test_pixels_that_are_no_numbers_belong_to_no_particle():
    pixels = np.zeros((64, 64), np.float32)
    pixels[20:30, 20:30] = 200
    pixels[24, 24] = np.nan
    labels, scores = WindowDetector(Seer(), Scaling("fixed", 0.0, 255.0, not_finite=1), 64, 16).instances(pixels)
    assert labels[22, 22] > 0
    assert labels[24, 24] == scores[24, 24] == 0


def test_an_image_of_a_network_comes_back_as_numpy(tiny):
    network = tiny(3, box_score_thresh=0.0).eval()
    found = detect(network, np.random.default_rng(0).random((64, 64, 3), np.float32), torch.device("cpu"))
    assert found.boxes.shape == (len(found), 4)
    assert found.masks.shape == (len(found), 28, 28)
    assert found.masks.dtype == np.float16
    assert len(found) > 0


def test_3000_detections_are_found_in_bounded_memory(tiny):
    """The mask head sees 128 at a time; its last layer for all at once would take 300 MB (28 x 28 x 32 floats each)."""
    import resource

    from napari_mpseg.detection.region_heads import AT_ONCE

    network = tiny(
        box_detections_per_img=3000,
        box_score_thresh=0.0,
        box_nms_thresh=1.0,
        rpn_nms_thresh=1.0,
        rpn_pre_nms_top_n_test=4000,
        rpn_post_nms_top_n_test=3000,
        min_size=256,
        max_size=256,
        fpn_channels=16,
        mask_layers=[32],
    ).eval()
    seen = []
    network.roi_heads.mask_head.register_forward_hook(lambda module, given, made: seen.append(len(made)))
    network.roi_heads.box_head.register_forward_hook(lambda module, given, made: seen.append(len(made)))
    pixels = np.random.default_rng(0).random((256, 256, 1), np.float32)
    detect(tiny().eval(), pixels[:64, :64], torch.device("cpu"))  # libraries are loaded
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = detect(network, pixels, torch.device("cpu"))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before  # kB
    assert len(found) == 3000
    assert max(seen) == AT_ONCE
    assert grown < 100e3
