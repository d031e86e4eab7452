"""What is learnt from: boxes around particles, patches cut and mirrored, none of it invented."""

import numpy as np
import pytest
from scipy import ndimage

from napari_mpseg.detection.sampling import DetectionSampler, cut_particles
from napari_mpseg.detection.splitting import split_images
from napari_mpseg.detection.target import target_of
from napari_mpseg.errors import SettingsError, UnknownNameError
from napari_mpseg.training.data.pairs import LabelledImage
from napari_mpseg.training.settings import Augmentation, PatchSettings, TrainSettings


def test_boxes_are_the_smallest_around_each_particle():
    labels = np.zeros((20, 30), np.uint16)
    labels[3:7, 10:12] = 700
    labels[15, 5] = 3
    labels[10:12, 20:25] = labels[14:16, 20:25] = 9  # in two pieces
    target = target_of(labels)
    boxes = {tuple(box) for box in target.boxes.tolist()}
    assert boxes == {(10, 3, 12, 7), (5, 15, 6, 16), (20, 10, 25, 16)}
    for number, (x0, y0, x1, y1) in enumerate(target.boxes.astype(int), start=1):
        own = target.instances == number
        assert own[y0:y1, x0:x1].sum() == own.sum() > 0
    assert np.array_equal(target.instances > 0, labels > 0)


def test_there_may_be_no_particle():
    target = target_of(np.zeros((16, 16), np.int32))
    assert target.boxes.shape == (0, 4)
    assert not target.instances.any()


def test_slivers_at_the_border_are_left_out_and_small_particles_inside_are_not():
    labels = np.zeros((16, 16), np.int32)
    labels[0, 3:6] = 1
    labels[0:4, 10] = 2
    labels[8, 8] = 3
    target = target_of(labels)
    assert sorted(map(tuple, target.boxes.astype(int).tolist())) == [(8, 8, 9, 9), (10, 0, 11, 4)]
    assert not target.instances[0, 3:6].any()


def test_a_small_image_is_mirrored_and_its_mirrored_particles_are_others():
    labels = np.zeros((20, 40), np.int32)
    labels[5:8, 5:8] = 1  # inside
    labels[17:20, 30:34] = 2  # at the border
    image = np.arange(800, dtype=np.uint8).reshape(20, 40, 1)
    pixels, seen = cut_particles(LabelledImage("a", image, labels > 0, instances=labels), 0, 0, 40)
    assert pixels.shape == (40, 40, 1)
    assert np.array_equal(pixels[20:], pixels[:20][::-1])
    target = target_of(seen)
    assert len(target) == 3
    assert seen[18, 31] == seen[21, 31] == 2  # touches its mirror image, and is one with it
    assert seen[33, 6] not in (0, 1)


@pytest.mark.parametrize("steps", [(), ("turns-and-flips",), ("flips",), ("offline-turns",), ("rotate", "shift")])
def test_particles_move_with_the_image(discs, steps):
    settings = TrainSettings(
        batch=2,
        patches=PatchSettings(size=64, per_epoch=6),
        augmentation=tuple(Augmentation(name) for name in steps),
    )
    sampler = DetectionSampler([discs(), discs(seed=1)], settings, np.random.default_rng(0))
    batches = list(sampler.epoch())
    assert len(batches) == sampler.steps_per_epoch == 3
    found = 0
    for batch in batches:
        for image, target in zip(batch.images, batch.targets, strict=True):
            assert image.shape == (1, 64, 64)
            assert image.dtype == np.float32
            particle = target.instances > 0
            found += len(target)
            if particle.any():
                # discs are about 180 and the ground about 40
                assert image[0][ndimage.binary_erosion(particle)].mean() > 0.6
            numbers = np.unique(target.instances[particle])
            assert numbers.tolist() == list(range(1, len(target) + 1))
            for number in numbers:  # no number between two others was made by interpolation
                assert np.count_nonzero(target.instances == number) >= 1
                _, pieces = ndimage.label(target.instances == number)
                assert pieces <= 2
    assert found >= 6


def test_a_run_that_goes_on_draws_what_it_would_have_drawn(discs):
    settings = TrainSettings(batch=2, patches=PatchSettings("sliding", size=48, step=24), seed=4)
    first = DetectionSampler([discs()], settings, np.random.default_rng(4))
    list(first.epoch())
    state = first.state()
    later = [batch.images[0] for batch in first.epoch()]
    second = DetectionSampler([discs()], settings, np.random.default_rng(4))
    second.restore(state)
    assert all(np.array_equal(a, b.images[0]) for a, b in zip(later, second.epoch(), strict=True))


def test_an_unknown_way_to_choose_patches_is_refused(discs):
    with pytest.raises(UnknownNameError, match="around-particles"):
        DetectionSampler([discs()], TrainSettings(patches=PatchSettings("spiral")), np.random.default_rng(0))
    with pytest.raises(SettingsError, match="particle pixels"):
        DetectionSampler(
            [discs(count=0)], TrainSettings(patches=PatchSettings("sliding", size=48)), np.random.default_rng(0)
        )


def test_few_images_are_cut_and_many_are_kept_whole(discs):
    one = discs(side=200, count=20)
    train, held = split_images([one], 0.25, 0)
    assert train[0].image.shape == (150, 200, 1)
    assert held[0].image.shape == (50, 200, 1)
    assert np.array_equal(held[0].image[10:20, 5:9], one.image[160:170, 5:9])
    assert np.array_equal(held[0].instances, one.instances[150:])
    many = [discs(seed=seed) for seed in range(6)]
    train, held = split_images(many, 0.34, 0)
    assert (len(train), len(held)) == (4, 2)
    assert {pair.name for pair in train + held} == {pair.name for pair in many}


def test_too_little_is_not_divided(discs):
    for images, share in (([discs(side=48)], 0.2), ([discs()], 0.0), ([discs(count=1)], 0.5)):
        train, held = split_images(images, share, 0)
        assert not held
        assert train[0] is images[0]
