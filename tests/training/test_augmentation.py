"""Augmentations: image, mask and known pixels stay together; what is drawn and computed is as the papers say."""

import colorsys

import numpy as np
import pytest
import torch

from napari_mpseg.errors import SettingsError, UnknownNameError
from napari_mpseg.training.augment.augmentation import AUGMENTATIONS, augment, check_augmentation, fill_with
from napari_mpseg.training.settings import Augmentation

GEOMETRIC = ("turns-and-flips", "flips", "shift", "rotate", "scale", "offline-turns")
CERTAIN = {
    "flips": {"horizontal": 1, "vertical": 1},
    "grey": {"share": 1},
    **{name: {"probability": 1} for name in ("brightness", "contrast", "blur", "hue-saturation-value")},
}


def step(name, **options):
    return Augmentation(name, {**CERTAIN.get(name, {}), **options})


@pytest.fixture
def patch(rng):
    """An image whose third channel marks the mask and whose fourth marks what is known."""
    mask, known = np.zeros((40, 48), bool), np.zeros((40, 48), bool)
    mask[8:19, 25:38] = True
    mask[24:34, 6:14] = True
    known[3:30, 5:40] = True
    image = rng.uniform(20, 200, (40, 48, 4)).astype(np.float32)
    image[..., 2], image[..., 3] = 250.0 * mask, 250.0 * known
    return image, mask, known


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_every_augmentation_keeps_its_promises(name, patch):
    before = [part.copy() for part in patch]
    seen = []
    for seed in range(12):
        image, mask, known = augment(*patch, [step(name)], np.random.default_rng(seed))
        again, _, _ = augment(*patch, [step(name)], np.random.default_rng(seed))
        np.testing.assert_array_equal(image, again)  # the same seed, the same patch
        assert (image.dtype, mask.dtype, known.dtype) == (np.float32, bool, bool)
        assert image.shape == (*mask.shape, 4)
        assert known.shape == mask.shape
        assert image.min() >= 0
        assert image.max() <= 255
        assert augment(patch[0], patch[1], None, [step(name)], np.random.default_rng(seed))[2] is None
        seen.append((image.shape, image.tobytes(), mask.tobytes()))
    assert len(set(seen)) > 1 or name in ("grey", "flips", "blur")
    for part, as_it_was in zip(patch, before, strict=True):
        np.testing.assert_array_equal(part, as_it_was)


@pytest.mark.parametrize("name", AUGMENTATIONS)
@pytest.mark.parametrize("channels", [1, 2, 3, 5])
def test_any_number_of_channels(name, channels, rng):
    image = rng.uniform(0, 255, (16, 16, channels)).astype(np.float32)
    changed, _, _ = augment(image, image[..., 0] > 100, None, [step(name)], rng)
    assert changed.shape == image.shape
    check_augmentation([step(name)], channels)


@pytest.mark.parametrize("name", GEOMETRIC)
def test_mask_and_known_move_with_the_image(name, patch):
    """Two channels mark them: they may differ by interpolation at edges, never by a displacement."""
    for seed in range(8):
        image, mask, known = augment(*patch, [step(name)], np.random.default_rng(seed))
        assert ((image[..., 2] > 125) != mask).mean() < 0.01
        if name != "offline-turns":
            # what came in at the border is filled with the mean, and is neither particle nor known
            marked = image[..., 3] > 249
            assert (marked & ~known).mean() < 0.02
            assert (known & (image[..., 3] < 125)).mean() < 0.01
        assert 0.5 < mask.sum() / patch[1].sum() < 1.8


@pytest.mark.parametrize("name", [name for name in AUGMENTATIONS if name not in GEOMETRIC])
def test_colour_leaves_the_mask_alone(name, patch, rng):
    _, mask, known = augment(*patch, [step(name)], rng)
    np.testing.assert_array_equal(mask, patch[1])
    np.testing.assert_array_equal(known, patch[2])


# -- the bundled network's own ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("options", [(0.1, 0.1, 4.0, 1.0), (1.0, 0.3, 9.0, 20.0), (0.0, 0.0, 0.0, 0.0)])
def test_the_bundled_recipe_to_the_last_bit(seed, options, rng):
    """Its weights can be made again only if the same numbers are drawn, and nothing is rounded otherwise."""
    share, gain, offset, noise = options
    image = rng.integers(0, 256, (24, 24, 3)).astype(np.float32)
    mask = rng.random((24, 24)) < 0.2

    draw = np.random.default_rng(seed)
    turns = int(draw.integers(4))
    expected, truth = np.rot90(image, turns), np.rot90(mask, turns)
    if draw.random() < 0.5:
        expected, truth = expected[:, ::-1], truth[:, ::-1]
    if draw.random() < share:
        expected = np.repeat(expected.mean(2, keepdims=True), 3, 2)
    expected = expected * np.exp(draw.normal(0, gain))
    expected = expected + draw.normal(0, offset) + draw.normal(0, offset / 4, 3)
    expected = expected + draw.normal(0, 1, expected.shape) * draw.uniform(0, noise)
    expected = np.clip(expected, 0, 255).astype(np.float32) / 255

    steps = [
        Augmentation("turns-and-flips"),
        Augmentation("grey", {"share": share}),
        Augmentation("photometric", {"gain": gain, "offset": offset, "noise": noise}),
    ]
    ours = np.random.default_rng(seed)
    found, moved, _ = augment(image, mask, None, steps, ours)
    assert (found / 255).tobytes() == np.ascontiguousarray(expected).tobytes()
    np.testing.assert_array_equal(moved, truth)
    assert ours.bit_generator.state == draw.bit_generator.state


# -- one by one ------------------------------------------------------------------------------------------------------


def test_turns_and_flips_are_the_eight_symmetries():
    image = np.arange(4, dtype=np.float32).reshape(2, 2, 1)
    seen = [
        augment(image, image[..., 0] > 0, None, [step("turns-and-flips")], np.random.default_rng(seed))[0].tobytes()
        for seed in range(400)
    ]
    counts = np.unique(seen, return_counts=True)[1]
    assert len(counts) == 8
    assert counts.min() > 25


@pytest.mark.parametrize(("horizontal", "vertical"), [(1, 0), (0, 1), (1, 1), (0, 0)])
def test_flips(patch, rng, horizontal, vertical):
    image, mask, known = augment(*patch, [Augmentation("flips", {"horizontal": horizontal, "vertical": vertical})], rng)
    for found, given in ((image, patch[0]), (mask, patch[1]), (known, patch[2])):
        expected = np.fliplr(given) if horizontal else given
        np.testing.assert_array_equal(found, np.flipud(expected) if vertical else expected)


def test_shift_reaches_a_fifth_and_fills_with_the_mean(patch):
    _, mask, _ = patch
    seen = set()
    for seed in range(300):
        changed, moved, _ = augment(*patch, [step("shift", fill=[1, 2, 3, 4])], np.random.default_rng(seed))
        border = (changed == (1, 2, 3, 4)).all(2)
        assert not moved[border].any()
        down = int(border[:, 24].sum()) * (1 if border[0, 24] else -1)
        right = int(border[20].sum()) * (1 if border[20, 0] else -1)
        seen.add((down, right))
        inside = mask[max(0, -down) : 40 - max(0, down), max(0, -right) : 48 - max(0, right)]
        np.testing.assert_array_equal(moved[~border].reshape(inside.shape), inside)
    downs, rights = zip(*seen, strict=True)
    assert (min(downs), max(downs)) == (-8, 8)
    assert (min(rights), max(rights)) == (-9, 9)


def test_rotation_is_that_of_scikit_image(patch):
    from skimage.transform import rotate

    image, mask, known = patch
    for seed in range(5):
        angle = np.random.default_rng(seed).uniform(-45, 45)
        found, moved, still = augment(*patch, [step("rotate", fill=[7])], np.random.default_rng(seed))
        expected = rotate(image, angle, order=1, cval=7, preserve_range=True)
        # the outermost pixels are left out: there the two libraries blend the fill differently
        inside = rotate(np.pad(np.ones((36, 44)), 2), angle, order=1) > 0.999
        assert inside.mean() > 0.5
        assert np.abs(found - expected)[inside].max() < 0.01
        assert (found[rotate(np.ones((40, 48)), angle, order=1) == 0] == 7).all()
        assert (moved != rotate(mask, angle, order=0)).mean() < 0.005
        assert (still != rotate(known, angle, order=0)).mean() < 0.005


def test_the_empty_border_is_the_mean_pixel_and_background(patch):
    image, mask, _ = patch
    mean = image.mean((0, 1))
    for name in ("shift", "rotate", "scale"):
        options = {"low": 0.5, "high": 0.5} if name == "scale" else {}
        changed, moved, _ = augment(image, np.ones_like(mask), None, [step(name, **options)], np.random.default_rng(3))
        border = np.isclose(changed, mean, atol=1e-3).all(2)
        assert border.sum() > 100
        assert not moved[border].any()
        np.testing.assert_allclose(moved.sum() + border.sum(), mask.size, rtol=0.03)


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_scale_changes_sizes_by_the_factor(factor, rng):
    image, mask = np.zeros((64, 64, 1), np.float32), np.zeros((64, 64), bool)
    mask[24:40, 28:36] = True
    image[mask] = 200
    changed, moved, _ = augment(image, mask, None, [step("scale", low=factor, high=factor, fill=[0])], rng)
    rows, columns = np.flatnonzero(moved.any(1)), np.flatnonzero(moved.any(0))
    assert (len(rows), len(columns)) == (16 * factor, 8 * factor)
    assert rows.mean() == pytest.approx(31.5, abs=0.6)
    assert changed.sum() == pytest.approx(image.sum() * factor**2, rel=0.02)


def test_brightness_factors_and_how_often():
    image = np.full((2, 2, 3), 100, np.float32)
    steps = [Augmentation("brightness", {"low": 0.9, "high": 1.32, "probability": 0.4})]
    generator = np.random.default_rng(0)
    values = np.array([augment(image, image[..., 0] > 0, None, steps, generator)[0][0, 0, 0] for _ in range(2000)])
    changed = values[values != 100]
    assert len(changed) / 2000 == pytest.approx(0.4, abs=0.04)
    assert changed.min() == pytest.approx(90, abs=0.5)
    assert changed.max() == pytest.approx(132, abs=0.5)
    assert changed.mean() == pytest.approx(111, abs=1.5)


def test_grey_levels_end_at_255(rng):
    bright, _, _ = augment(
        np.full((4, 4, 1), 220, np.float32), np.zeros((4, 4), bool), None, [step("brightness", low=1.3, high=1.3)], rng
    )
    assert (bright == 255).all()


def test_contrast_by_hand(rng):
    image = np.array([[[50.0], [150.0]], [[90.0], [110.0]]], np.float32)
    changed, _, _ = augment(image, image[..., 0] > 100, None, [step("contrast", low=1.5, high=1.5)], rng)
    np.testing.assert_allclose(changed[..., 0], [[25, 175], [85, 115]], rtol=1e-6)


@pytest.mark.parametrize(("sigma", "kernel"), [(1.0, 3), (2.0, 7)])
def test_blur_is_that_of_torchvision(patch, rng, sigma, kernel):
    from torchvision.transforms.functional import gaussian_blur

    image = patch[0]
    changed, _, _ = augment(*patch, [step("blur", sigma=sigma, kernel=kernel)], rng)
    expected = gaussian_blur(torch.tensor(image).permute(2, 0, 1), kernel, sigma).permute(1, 2, 0)
    np.testing.assert_allclose(changed, expected, atol=1e-3)


def test_hue_saturation_and_value_are_those_of_the_standard_library(rng):
    image = rng.uniform(0, 200, (6, 7, 3)).astype(np.float32)
    image[0, 0] = 90  # a grey pixel, and pure colours
    image[0, 1:4] = np.eye(3) * 120
    for seed in range(10):
        draw = np.random.default_rng(seed)
        draw.random()
        hue, saturation, value = draw.uniform(-40, 40), draw.uniform(0.5, 2), draw.uniform(0.9, 1.2)
        options = {"hue": 40, "saturation": [0.5, 2], "value": [0.9, 1.2]}
        found, _, _ = augment(
            image, image[..., 0] > 0, None, [step("hue-saturation-value", **options)], np.random.default_rng(seed)
        )
        for place in np.ndindex(6, 7):
            h, s, v = colorsys.rgb_to_hsv(*(image[place] / 255))
            expected = colorsys.hsv_to_rgb((h + hue / 360) % 1, min(1, s * saturation), v * value)
            np.testing.assert_allclose(found[place] / 255, np.minimum(expected, 1), atol=1e-4)


def test_grey_images_change_in_value_alone(rng):
    image = rng.uniform(10, 200, (5, 5, 1)).astype(np.float32)
    changed, _, _ = augment(image, image[..., 0] > 0, None, [step("hue-saturation-value")], rng)
    ratio = changed / image
    assert np.ptp(ratio) < 1e-5
    assert abs(ratio[0, 0, 0] - 1) > 1e-4


def test_a_negative_is_what_is_left_to_white_and_comes_as_often_as_asked(patch, rng):
    image, mask, known = patch
    changed, *unchanged = augment(image, mask, known, [step("negative", share=1)], rng)
    np.testing.assert_allclose(changed + image, 255, rtol=1e-6)
    assert unchanged[0] is mask
    assert unchanged[1] is known
    turned = [(augment(*patch, [step("negative", share=0.3)], rng)[0] != image).any() for _ in range(400)]
    assert 80 <= sum(turned) <= 160  # 120 of 400, give or take four standard deviations


def test_grey_is_the_mean_of_the_channels(patch, rng):
    changed, _, _ = augment(*patch, [step("grey")], rng)
    for channel in range(4):
        np.testing.assert_allclose(changed[..., channel], patch[0].mean(2), rtol=1e-5)


# -- settings --------------------------------------------------------------------------------------------------------


def test_the_mean_pixel_goes_where_none_was_given():
    steps = [step("shift"), step("rotate", fill=[1, 1, 1]), step("scale", fill=None), step("blur")]
    filled = fill_with(steps, np.array([10, 20, 30], np.float32))
    assert [one.options.get("fill") for one in filled] == [[10, 20, 30], [1, 1, 1], [10, 20, 30], None]
    assert filled[3] == steps[3]


def test_unknown_names_are_refused():
    with pytest.raises(UnknownNameError, match="Did you mean 'rotate'"):
        check_augmentation([Augmentation("rotat")])


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_unknown_options_are_refused_with_those_there_are(name):
    with pytest.raises(SettingsError, match=rf"augmentation '{name}' has no setting 'amount'\. It has:"):
        check_augmentation([Augmentation(name, {"amount": 1})])


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("flips", {"horizontal": 1.5}),
        ("shift", {"share": -0.1}),
        ("shift", {"fill": [1, 2]}),
        ("rotate", {"degrees": "many"}),
        ("rotate", {"degrees": float("nan")}),
        ("scale", {"low": 0}),
        ("scale", {"low": 2, "high": 1}),
        ("grey", {"share": 2}),
        ("negative", {"share": -0.1}),
        ("photometric", {"noise": -1}),
        ("brightness", {"probability": 40}),
        ("contrast", {"high": 0.1}),
        ("blur", {"sigma": 0}),
        ("blur", {"kernel": 4}),
        ("blur", {"kernel": 2.5}),
        ("hue-saturation-value", {"saturation": [1]}),
        ("hue-saturation-value", {"value": [2, 1]}),
    ],
)
def test_impossible_values_are_refused_before_training(name, options):
    with pytest.raises(SettingsError, match=next(iter(options))):
        check_augmentation([Augmentation(name, options)])
