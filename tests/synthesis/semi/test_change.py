"""Turning, scaling and mirroring keep what a particle is."""

import numpy as np
import pytest
from scipy import ndimage

from napari_mpseg.errors import SettingsError
from napari_mpseg.synthesis.semi import Cutout, SemiSettings
from napari_mpseg.synthesis.semi.change import changed, changed_at_random


def bar(length=40, width=1):
    mask = np.zeros((length + 8, width + 8), bool)
    mask[4:-4, 4:-4] = True
    return Cutout((mask[..., None] * 200).astype(np.uint8), mask.astype(np.float32))


@pytest.mark.parametrize("angle", [0, 1, 30, 45, 77.7, 90, 123.4, 359])
def test_a_turned_disc_keeps_area_and_shape(piece, angle):
    disc = piece(radius=12)
    turned = changed(disc, angle=angle)
    assert abs(turned.area - disc.area) <= 1
    rows, columns = np.nonzero(turned.mask)
    distance = np.hypot(rows - rows.mean(), columns - columns.mean())
    assert distance.max() <= 12.6


@pytest.mark.parametrize("scale", [0.5, 0.8, 1.3, 2.0])
def test_area_grows_with_the_square_of_the_scale(piece, scale):
    disc = piece(radius=12)
    assert changed(disc, angle=33, scale=scale).area == pytest.approx(disc.area * scale**2, abs=1)


@pytest.mark.parametrize("angle", [0, 90, 180, 270, 360, -90])
def test_quarter_turns_move_pixels_and_change_none(rng, angle):
    mask = np.zeros((20, 30), bool)
    mask[5:9, 5:21] = True
    pixels = rng.integers(0, 255, (20, 30, 3), dtype=np.uint8)
    turned = changed(Cutout(pixels, mask.astype(np.float32)), angle=angle)
    np.testing.assert_array_equal(turned.pixels, np.rot90(pixels, angle // 90))
    np.testing.assert_array_equal(turned.mask, np.rot90(mask, angle // 90))


@pytest.mark.parametrize("angle", [20, 65, 110, 250])
def test_a_bar_lies_at_the_angle_asked(angle):
    mask = changed(bar(41, 3), angle=angle).mask
    rows, columns = np.nonzero(mask)
    axis = np.linalg.svd(np.stack([rows - rows.mean(), columns - columns.mean()]), full_matrices=False)[0][:, 0]
    # the upright bar, turned counter-clockwise as seen on a screen where rows point down
    expected = np.array([np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))])
    assert abs(axis @ expected) > 0.999


def test_pixels_turn_with_their_mask(rng):
    mask = np.zeros((40, 60), bool)
    mask[12:28, 12:48] = True
    values = np.where(mask & (np.arange(60) > 30), 220, np.where(mask, 120, 10))
    one = Cutout(np.repeat(values[..., None], 3, 2).astype(np.uint8), mask.astype(np.float32))
    for angle in (17, 140, 233):
        turned = changed(one, angle=angle)
        inner = ndimage.binary_erosion(turned.mask, iterations=2)
        assert turned.pixels[inner].min() > 80  # neither the old surroundings ...
        assert turned.pixels[~turned.mask & ~ndimage.binary_dilation(turned.mask)].max() < 80  # ... nor the particle
        bright = turned.pixels[..., 0][inner] > 170
        assert bright.mean() == pytest.approx(17 / 36, abs=0.06)


@pytest.mark.parametrize("angle", [10, 30, 45, 60, 85])
@pytest.mark.parametrize("scale", [0.7, 1.0, 1.4])
def test_a_fibre_one_pixel_wide_stays_one_piece(angle, scale):
    fibre = changed(bar(40, 1), angle=angle, scale=scale)
    assert ndimage.label(fibre.mask, np.ones((3, 3)))[1] == 1
    assert fibre.area >= round(40 * scale**2)
    rows, columns = np.nonzero(fibre.mask)
    assert np.hypot(np.ptp(rows), np.ptp(columns)) == pytest.approx(39 * scale, abs=3)


def test_mirroring_exchanges_left_and_right():
    mask = np.zeros((12, 14), bool)
    mask[4:8, 4] = mask[4, 4:10] = True
    one = Cutout(np.arange(12 * 14, dtype=np.uint8).reshape(12, 14, 1), mask.astype(np.float32))
    mirrored = changed(one, mirror=True)
    np.testing.assert_array_equal(mirrored.mask, mask[:, ::-1])
    np.testing.assert_array_equal(mirrored.pixels, one.pixels[:, ::-1])


def test_colours_stay_within_their_range(rng):
    mask = np.ones((20, 20), bool)
    pixels = rng.choice(np.array([0, 255], np.uint8), (20, 20, 3))
    turned = changed(Cutout(np.pad(pixels, ((4, 4), (4, 4), (0, 0))), np.pad(mask, 4).astype(np.float32)), angle=31)
    assert turned.pixels.min() >= 0
    assert turned.pixels.max() <= 255


def test_a_soft_edge_stays_soft_and_keeps_the_truth(piece):
    from napari_mpseg.synthesis.semi.alpha import soft_alpha

    disc = piece(radius=12)
    soft = Cutout(disc.pixels, soft_alpha(disc.mask, 1.5))
    turned = changed(soft, angle=50)
    assert turned.area == pytest.approx(disc.area, abs=1)
    assert ((turned.alpha > 0.1) & (turned.alpha < 0.4)).any()


def test_random_changes_keep_to_the_settings(piece, rng):
    disc = piece(radius=10)
    still = SemiSettings(rotate=False, flip=False, scale=(1, 1))
    np.testing.assert_array_equal(changed_at_random(disc, still, rng).pixels, disc.pixels)
    areas = [changed_at_random(disc, SemiSettings(scale=(0.5, 2)), rng).area for _ in range(40)]
    assert min(areas) >= disc.area * 0.25 - 1
    assert max(areas) <= disc.area * 4 + 1
    assert max(areas) > 3 * min(areas)


def test_an_impossible_scale_is_refused(piece):
    with pytest.raises(SettingsError, match="Scale 0"):
        changed(piece(), scale=0)
