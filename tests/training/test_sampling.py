"""Samplers repeat from their seed, go on from a saved state, and give every crop something to learn from."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from napari_mpseg.errors import SettingsError, UnknownNameError
from napari_mpseg.training.data.pairs import LabelledImage
from napari_mpseg.training.patches.pixel_index import PixelIndex
from napari_mpseg.training.patches.sampling import SAMPLERS, CropSampler
from napari_mpseg.training.patches.sliding import SlidingSampler
from napari_mpseg.training.patches.windows import find_patches, window_corners
from napari_mpseg.training.settings import Augmentation, PatchSettings, TrainSettings

PATCHES = PatchSettings(size=32, step=16, per_epoch=7, background_share=0.5)
PLAIN = TrainSettings(batch=3, patches=PATCHES)


def settings(name, **patches):
    return replace(PLAIN, patches=replace(PATCHES, name=name, **patches))


def squares(rng, count=3, side=80, channels=3):
    """Return images of bright squares on a dim ground, with their masks."""
    found = []
    for index in range(count):
        mask = np.zeros((side, side), bool)
        for _ in range(4):
            y, x = rng.integers(2, side - 10, 2)
            mask[y : y + 6, x : x + 6] = True
        image = np.where(mask[..., None], 180, 30) + rng.normal(0, 5, (side, side, channels))
        found.append(LabelledImage(f"{index}", image.clip(0, 255).astype(np.uint8), mask))
    return found


def strokes(side=200):
    """Return an image with two painted particles, a painted background stroke, and much that is not painted."""
    mask, known = np.zeros((2, side, side), bool)
    mask[50:54, 60:64] = mask[180:190, 5:9] = True
    known |= mask
    known[120:123, 20:150] = True
    mask[10:30, 100:120] = True  # true, but not painted: must count for nothing
    return LabelledImage("painted", np.zeros((side, side, 1), np.uint8), mask, known)


def make(name, images, seed=0, chosen=None, synthetic=()):
    return SAMPLERS[name](images, synthetic, chosen or settings(name), np.random.default_rng(seed))


def arrays(sampler, epochs=1):
    return [(batch.images, batch.targets, batch.known) for _ in range(epochs) for batch in sampler.epoch()]


def equal(first, second):
    return len(first) == len(second) and all(
        np.array_equal(a, b) for one, other in zip(first, second, strict=True) for a, b in zip(one, other, strict=True)
    )


@pytest.mark.parametrize("name", SAMPLERS)
def test_batches_have_the_form_networks_take(name, rng):
    sampler = make(name, squares(rng))
    batches = list(sampler.epoch())
    assert len(batches) == sampler.steps_per_epoch
    for batch in batches:
        count = len(batch.images)
        assert 1 <= count <= 3
        assert batch.images.shape == (count, 3, 32, 32)
        assert batch.targets.shape == (count, 1, 32, 32)
        assert batch.known is None
        assert batch.images.dtype == batch.targets.dtype == np.float32
        assert batch.images.flags.c_contiguous
        assert 0.1 < batch.images.max() <= 1
        assert set(np.unique(batch.targets)) <= {0, 1}


@pytest.mark.parametrize("name", SAMPLERS)
def test_the_same_seed_gives_the_same_and_another_seed_another(name, rng):
    images = squares(rng)
    steps = (Augmentation("turns-and-flips"), Augmentation("photometric"))
    chosen = replace(settings(name), augmentation=steps)
    first, again, other = (arrays(make(name, images, seed, chosen), 2) for seed in (1, 1, 2))
    assert equal(first, again)
    assert not equal(first, other)


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_resumed_run_goes_on_exactly(name, rng):
    images = squares(rng)
    chosen = replace(settings(name), augmentation=(Augmentation("photometric"),))
    whole = make(name, images, 5, chosen)
    arrays(whole, 2)
    state = json.loads(json.dumps(whole.state()))
    rest = arrays(whole, 2)
    resumed = make(name, images, 5, chosen)
    resumed.restore(state)
    assert equal(rest, arrays(resumed, 2))


def test_the_state_of_any_generator_is_json(rng):
    images = squares(rng)
    first = CropSampler(images, [], PLAIN, np.random.Generator(np.random.MT19937(3)))
    state = json.loads(json.dumps(first.state()))
    expected = arrays(first)
    second = CropSampler(images, [], PLAIN, np.random.Generator(np.random.MT19937(9)))
    second.restore(state)
    assert equal(expected, arrays(second))
    with pytest.raises(SettingsError, match="anew"):
        CropSampler(images, [], PLAIN, np.random.default_rng(0)).restore(state)


def test_unknown_samplers_are_refused():
    with pytest.raises(UnknownNameError, match="sliding"):
        SAMPLERS["slidin"]


def reference_crop(images, particles, rng, side, share):
    """Return where the next random crop lies: first the particle is drawn, then its pixel, then a shift."""
    if rng.random() < share:
        index, label = particles[rng.integers(len(particles))]
        pixels = np.argwhere(ndimage.label(images[index].mask, np.ones((3, 3)))[0] == label)
        corner = pixels[rng.integers(len(pixels))] - rng.integers(8, side - 8, 2)
    else:
        index = int(rng.integers(len(images)))
        corner = rng.integers(0, np.array(images[index].mask.shape) - side + 1)
    return index, np.clip(corner, 0, np.array(images[index].mask.shape) - side)


def test_random_crops_keep_their_order_of_draws(rng):
    """The bundled weights are only reproducible if every seed goes on giving the same crops."""
    images = squares(rng)
    particles = [
        (index, label)
        for index, pair in enumerate(images)
        for label in range(1, ndimage.label(pair.mask, np.ones((3, 3)))[1] + 1)
    ]
    sampler, draws = make("around-particles", images, 42), np.random.default_rng(42)
    for _ in range(40):
        image, mask, known = sampler.crop()
        index, (y, x) = reference_crop(images, particles, draws, 32, 0.75)
        part = (slice(y, y + 32), slice(x, x + 32))
        np.testing.assert_array_equal(image, images[index].image[part] / np.float32(255))
        np.testing.assert_array_equal(mask, images[index].mask[part])
        assert known is None


def test_an_epoch_of_random_crops_has_full_batches(rng):
    batches = list(make("around-particles", squares(rng)).epoch())
    assert [len(batch.images) for batch in batches] == [3, 3, 3]  # 7 crops asked for, 3 a batch


def test_crops_lie_around_particles_as_often_as_asked(rng):
    pair = squares(rng, 1, 256)[0]
    for share in (0.0, 1.0):
        sampler = make("around-particles", [pair], chosen=settings("around-particles", particle_share=share))
        hits = np.mean([sampler.crop()[1].any() for _ in range(60)])
        assert hits == 1 if share else hits < 0.5


def test_synthetic_images_are_drawn_with_their_share():
    real = LabelledImage("real", np.zeros((40, 40, 1), np.uint8), np.zeros((40, 40), bool))
    made = LabelledImage("made", np.full((40, 40, 1), 255, np.uint8), np.zeros((40, 40), bool))
    sampler = make("around-particles", [real], 0, settings("around-particles", synthetic_share=0.3), [made])
    bright = np.mean([sampler.crop()[0].max() == 1 for _ in range(1000)])
    assert abs(bright - 0.3) < 0.05  # three standard deviations are 0.043


def test_images_smaller_than_the_crop_are_filled_with_what_is_not_known(rng):
    for name in SAMPLERS:
        pair = squares(rng, 1, 20)[0]
        batch = next(make(name, [pair], chosen=settings(name, size=48)).epoch())
        assert batch.images.shape[2:] == (48, 48)
        np.testing.assert_array_equal(batch.known[0, 0], np.pad(np.ones((20, 20), bool), (0, 28)))
        np.testing.assert_array_equal(batch.targets[0, 0, :20, :20], pair.mask)
        np.testing.assert_array_equal(batch.images[0, 0, 20:, :20], np.tile(batch.images[0, 0, 19, :20], (28, 1)))


def test_images_without_particles_are_fine_for_random_crops():
    blank = LabelledImage("blank", np.zeros((40, 40, 3), np.uint8), np.zeros((40, 40), bool))
    assert not any(batch.targets.any() for batch in make("around-particles", [blank]).epoch())


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_every_crop_of_a_painted_image_holds_painted_pixels(share):
    pair = strokes()
    sampler = make("around-particles", [pair], chosen=settings("around-particles", particle_share=share))
    particles = []
    for _ in range(100):
        _, mask, known = sampler.crop()
        assert known.any()
        particles.append((mask & known).any())
    if share == 1:
        assert all(particles)
    if share == 0:
        assert not any(particles)  # the background stroke is more than 32 px away from both particles


def test_images_on_which_nothing_is_painted_are_left_out():
    pair = strokes()
    bare = replace(pair, known=np.zeros_like(pair.known))
    sampler = make("around-particles", [bare, pair], chosen=settings("around-particles", particle_share=0.0))
    assert all(sampler.crop()[2].any() for _ in range(30))
    with pytest.raises(SettingsError, match="painted"):
        make("around-particles", [bare])


def test_known_and_partly_known_images_share_a_batch(rng):
    whole = squares(rng, 1, channels=1)
    batch = next(make("around-particles", [*whole, strokes()], chosen=replace(PLAIN, batch=12)).epoch())
    shares = batch.known.mean((1, 2, 3))
    assert (shares == 1).any()
    assert (shares < 1).any()
    assert batch.known.dtype == bool
    assert batch.known.shape == batch.targets.shape


def test_an_image_with_particle_strokes_alone_gives_crops_around_them():
    pair = strokes()
    only = replace(pair, known=pair.known & pair.mask)
    sampler = make("around-particles", [only], chosen=settings("around-particles", particle_share=0.0))
    assert all((crop[1] & crop[2]).any() for crop in (sampler.crop() for _ in range(20)))


def test_numbers_of_pixels_are_in_reading_order(rng):
    where = rng.random((17, 23)) < 0.1
    index = PixelIndex(where)
    expected = np.argwhere(where)
    assert len(index) == len(expected)
    np.testing.assert_array_equal([index.pixel(number) for number in range(len(index))], expected)
    assert len(PixelIndex(np.zeros((3, 4), bool))) == 0


def coded(pair, number):
    """Return the image with each pixel telling where it is: y, x and the number of the image."""
    ys, xs = np.indices(pair.mask.shape, np.uint8)
    return replace(pair, image=np.stack([ys, xs, np.full_like(ys, number)], -1))


def test_an_epoch_of_the_sliding_window_visits_every_patch_once(rng):
    images = [coded(pair, number) for number, pair in enumerate(squares(rng))]
    sampler = make("sliding", images)
    orders = []
    for _ in range(2):
        first = np.concatenate([batch.images[:, :, 0, 0] for batch in sampler.epoch()])
        orders.append([(int(n), int(y), int(x)) for y, x, n in np.rint(first * 255)])
    expected = sorted(
        map(tuple, find_patches(images, np.random.default_rng(0), size=32, step=16, background_share=0.5))
    )
    assert sorted(orders[0]) == sorted(orders[1]) == expected
    assert orders[0] != orders[1]
    assert len(sampler.patches) == len(expected)


@pytest.mark.parametrize("batch", [1, 2, 5, 1000])
def test_batches_of_the_sliding_window_are_even(rng, batch):
    chosen = replace(settings("sliding"), batch=batch)
    sampler = make("sliding", squares(rng), chosen=chosen)
    sizes = [len(one.images) for one in sampler.epoch()]
    assert sum(sizes) == len(sampler.patches)
    assert len(sizes) == sampler.steps_per_epoch == -(-len(sampler.patches) // batch)
    assert max(sizes) <= batch
    assert max(sizes) - min(sizes) <= 1


def test_patches_of_the_sliding_window_are_thinned_at_random(rng):
    images = squares(rng)
    chosen = settings("sliding")
    every = {tuple(patch) for patch in make("sliding", images).patches.tolist()}
    few = replace(chosen, patches=replace(chosen.patches, most=len(every) // 2))
    drawn = [
        {tuple(p) for p in SlidingSampler(images, [], few, np.random.default_rng(s)).patches.tolist()} for s in (0, 1)
    ]
    assert [len(one) for one in drawn] == [len(every) // 2] * 2
    assert drawn[0] != drawn[1]
    many = replace(chosen, patches=replace(chosen.patches, most=len(every)))
    assert len(make("sliding", images, chosen=many).patches) == len(every)


def test_every_sliding_patch_of_a_painted_image_holds_painted_pixels():
    sampler = make("sliding", [strokes()])
    for batch in sampler.epoch():
        assert batch.known.any((1, 2, 3)).all()
    particles = [((batch.targets > 0) & batch.known).any((1, 2, 3)).sum() for batch in sampler.epoch()]
    corners = window_corners((200, 200), 32, 16)
    painted = strokes().mask & strokes().known
    assert sum(particles) == sum(painted[y : y + 32, x : x + 32].any() for y, x in corners)


def test_sliding_without_a_particle_says_what_to_do():
    blank = LabelledImage("blank", np.zeros((40, 40, 3), np.uint8), np.zeros((40, 40), bool))
    with pytest.raises(SettingsError, match="Label some particles"):
        SlidingSampler([blank], [], PLAIN, np.random.default_rng(0))
