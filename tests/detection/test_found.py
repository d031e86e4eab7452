"""Masks in boxes become labels: in the right pixels, best first, in little memory."""

import tracemalloc

import numpy as np
import pytest
import torch
from torchvision.models.detection.roi_heads import paste_masks_in_image

from napari_mpseg.detection.found import Found, in_window, labelled, together
from napari_mpseg.detection.region_heads import instance_crops
from napari_mpseg.detection.target import target_of


def _iou(one, other):
    return np.count_nonzero(one & other) / np.count_nonzero(one | other)


def _found(boxes, scores, value=1.0):
    return Found(
        np.array(boxes, np.float32), np.array(scores, np.float32), np.full((len(scores), 28, 28), value, np.float16)
    )


@pytest.mark.parametrize("radius", [3, 5, 9, 20, 40])
def test_a_mask_as_it_is_learnt_goes_back_to_where_it_was(disc, radius):
    labels = disc((100, 120), 50.3, 61.8, radius).astype(np.int32)
    target = target_of(labels)
    crops = instance_crops(
        torch.from_numpy(target.instances), torch.tensor([1]), torch.from_numpy(target.boxes), labels.shape, 28
    )
    where, particle = in_window(crops[0].numpy(), target.boxes[0], labels.shape)
    again = np.zeros(labels.shape, bool)
    again[where] = particle
    # bins of a mask are coarser than pixels from a box of 28 pixels on
    assert _iou(again, labels > 0) > (0.99 if radius < 14 else 0.97)


@pytest.mark.parametrize("box", [(10, 20, 50, 44), (10.4, 20.7, 33.1, 60.2), (-8, -3, 20, 30), (100, 70, 140, 99)])
def test_masks_lie_where_torchvision_puts_them(disc, box):
    values = np.clip(0.5 + disc((28, 28), 12, 15, 11) - disc((28, 28), 8, 18, 4) * 1.0, 0, 1).astype(np.float32) - 0.1
    where, particle = in_window(values, np.array(box, np.float32), (90, 128))
    ours = np.zeros((90, 128), bool)
    ours[where] = particle
    corners = torch.tensor([box], dtype=torch.float32)
    theirs = paste_masks_in_image(torch.from_numpy(values)[None, None], corners, (90, 128))
    # torchvision rounds boxes to whole pixels first, and makes them a pixel larger
    assert _iou(ours, theirs[0, 0].numpy() >= 0.5) > 0.8


def test_a_box_outside_the_window_covers_nothing():
    for box in ((-20, 0, -5, 10), (0, 200, 10, 210), (5, 5, 5, 9)):
        assert in_window(np.ones((28, 28)), np.array(box, float), (64, 64)) is None


def test_the_better_particle_takes_the_pixels_and_the_same_again_is_dropped():
    found = _found([(10, 10, 30, 30), (20, 10, 40, 30), (8, 11, 28, 31)], [0.6, 0.9, 0.8])
    labels, scores = labelled(found, (50, 50))
    assert labels[15, 35] == 1  # of score 0.9
    assert labels[15, 25] == 1  # of both
    # most pixels of the one of 0.8 are left, and of the one of 0.6 nearly none
    assert labels.max() == 2
    assert labels[15, 15] == 2
    assert np.isclose(np.unique(scores), [0, 0.8, 0.9]).all()
    assert np.array_equal(scores > 0, labels > 0)


def test_a_higher_least_score_leaves_out_particles_and_changes_nothing_else(rng):
    corner = rng.uniform(0, 100, (60, 2))
    found = _found(np.hstack([corner, corner + rng.uniform(5, 30, (60, 2))]), rng.random(60))
    every, scores = labelled(found, (128, 128))
    for least in (0.2, 0.5, 0.8):
        some, _ = labelled(found, (128, 128), least)
        assert np.array_equal(some, np.where(scores >= np.float32(least), every, 0))


def test_nothing_found_is_no_label():
    nothing = _found(np.zeros((0, 4)), [])
    labels, scores = labelled(together([nothing, nothing]), (20, 30))
    assert labels.shape == scores.shape == (20, 30)
    assert not labels.any()


def test_3000_particles_take_no_more_memory_than_some_label_images(rng):
    corner = rng.uniform(0, 250, (3000, 2)).astype(np.float32)
    side = rng.uniform(2, 60, (3000, 2)).astype(np.float32)
    found = Found(
        np.hstack([corner, corner + side]), rng.random(3000).astype(np.float32), np.ones((3000, 28, 28), np.float16)
    )
    tracemalloc.start()
    labels, _ = labelled(found, (256, 256))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert labels.any()
    # a float mask of the window for each would be 786 MB
    assert peak < 4e6
