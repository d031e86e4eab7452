"""Pasting: by hand formulas, and by what the Poisson equation must give."""

from dataclasses import replace

import numpy as np
import pytest

from napari_mpseg.errors import SettingsError, UnknownNameError
from napari_mpseg.synthesis.semi import SemiSettings
from napari_mpseg.synthesis.semi.blends import BLENDS, Piece
from napari_mpseg.synthesis.semi.poisson import seamless
from napari_mpseg.synthesis.semi.recolouring import RECOLOURINGS, random_colour


@pytest.fixture
def ground(rng):
    return rng.uniform(0, 255, (21, 21, 3)).astype(np.float32)


@pytest.fixture
def pasted(disc, rng):
    pixels = rng.uniform(0, 255, (21, 21, 3)).astype(np.float32)
    return Piece(pixels, disc(6).astype(np.float32), disc(6))


def test_weighted_is_65_to_35_as_in_the_paper(ground, pasted):
    result, share = BLENDS["weighted"](ground, pasted, SemiSettings())
    inside = pasted.mask
    np.testing.assert_allclose(result[inside], 0.65 * pasted.pixels[inside] + 0.35 * ground[inside], atol=1e-3)
    np.testing.assert_array_equal(result[~inside], ground[~inside])
    np.testing.assert_array_equal(share, inside)


def test_the_weight_can_be_chosen(ground, pasted):
    result, _ = BLENDS["weighted"](ground, pasted, SemiSettings(weight=0.25))
    inside = pasted.mask
    np.testing.assert_allclose(result[inside], 0.25 * pasted.pixels[inside] + 0.75 * ground[inside], atol=1e-3)


def test_replace_takes_the_particle_and_nothing_else(ground, pasted):
    result, _ = BLENDS["replace"](ground, pasted, SemiSettings())
    np.testing.assert_allclose(result[pasted.mask], pasted.pixels[pasted.mask], atol=1e-4)
    np.testing.assert_array_equal(result[~pasted.mask], ground[~pasted.mask])


def test_a_feathered_edge_is_the_normal_distribution():
    from scipy.special import erf

    mask = np.zeros((50, 50), bool)
    mask[10:40, 10:40] = True
    piece = Piece(np.full((50, 50, 1), 200, np.float32), mask.astype(np.float32), mask)
    result, _ = BLENDS["feathered"](np.zeros((50, 50, 1), np.float32), piece, SemiSettings(feather=2.0))
    at = np.arange(5, 16)
    expected = 200 * 0.5 * (1 + erf((at - 9.5) / (2 * np.sqrt(2))))
    np.testing.assert_allclose(result[25, at, 0], expected, atol=2)


def test_a_feathered_edge_brings_none_of_the_old_surroundings(disc):
    mask = disc(6)
    pixels = np.where(mask[..., None], np.float32(200), np.float32(0))  # black surroundings
    result, _ = BLENDS["feathered"](
        np.full((21, 21, 1), 150, np.float32), Piece(pixels, mask * 1.0, mask), SemiSettings()
    )
    assert result.min() >= 150 - 1e-3


def test_a_thin_fibre_is_feathered_at_full_strength():
    mask = np.zeros((20, 40), bool)
    mask[10, 5:35] = True
    piece = Piece(np.full((20, 40, 1), 200, np.float32), mask.astype(np.float32), mask)
    result, _ = BLENDS["feathered"](np.zeros((20, 40, 1), np.float32), piece, SemiSettings(feather=1.5))
    assert result[10, 20, 0] == pytest.approx(200, abs=1)


def test_poisson_of_a_piece_without_gradient_is_a_constant_background(disc):
    ground = np.full((21, 21, 3), (10, 120, 230), np.float32)
    result = seamless(ground, np.full_like(ground, 77), disc(6))
    np.testing.assert_allclose(result, ground, atol=1e-3)


def test_poisson_of_a_piece_without_gradient_is_a_sloping_background(disc):
    y, x = np.mgrid[:21, :21]  # a plane solves the equation without sources
    ground = (3 * y + 5 * x)[..., None].astype(np.float32)
    result = seamless(ground, np.full_like(ground, 77), disc(6))
    np.testing.assert_allclose(result, ground, atol=1e-3)


def test_poisson_of_the_background_itself_changes_nothing(ground, disc):
    np.testing.assert_allclose(seamless(ground, ground + 40, disc(6)), ground, atol=2e-3)


def test_poisson_keeps_differences_between_neighbours(ground, pasted, disc):
    """The equation itself, pixel by pixel, with sums written out."""
    region = disc(6)
    result = seamless(ground, pasted.pixels, region)
    np.testing.assert_array_equal(result[~region], ground[~region])
    for y, x in np.argwhere(region):
        around = [(y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)]
        got = sum(result[y, x] - result[at] for at in around)
        wanted = sum(pasted.pixels[y, x] - pasted.pixels[at] for at in around)
        np.testing.assert_allclose(got, wanted, atol=0.02)


def test_poisson_at_the_border_of_the_image(ground, pasted):
    region = np.zeros((21, 21), bool)
    region[:8, :8] = True
    result = seamless(ground, ground + 9, region)
    np.testing.assert_allclose(result, ground, atol=2e-3)
    everything = seamless(ground, pasted.pixels, np.ones((21, 21), bool))
    np.testing.assert_array_equal(everything, pasted.pixels)


def test_a_large_poisson_region_is_solved_as_well(monkeypatch, ground, pasted, disc):
    from napari_mpseg.synthesis.semi import poisson

    exact = seamless(ground, pasted.pixels, disc(6))
    monkeypatch.setattr(poisson, "_DIRECT", 0)
    np.testing.assert_allclose(seamless(ground, pasted.pixels, disc(6)), exact, atol=0.05)


def test_poisson_leaves_neighbouring_particles_alone(ground, pasted):
    taken = np.zeros((21, 21), bool)
    taken[:, 17:] = True
    alone, _ = BLENDS["poisson"](ground, pasted, SemiSettings())
    beside, _ = BLENDS["poisson"](ground, replace(pasted, taken=taken), SemiSettings())
    assert (alone[:, 17:] != ground[:, 17:]).any()
    np.testing.assert_array_equal(beside[:, 17:][~pasted.mask[:, 17:]], ground[:, 17:][~pasted.mask[:, 17:]])


@pytest.mark.parametrize("name", list(BLENDS))
def test_every_blend_leaves_far_pixels_and_its_inputs_alone(ground, name):
    mask = np.zeros((21, 21), bool)
    mask[9:12, 9:12] = True
    piece = Piece(np.full((21, 21, 3), 90, np.float32), mask.astype(np.float32), mask)
    before = ground.copy()
    result, share = BLENDS[name](ground, piece, SemiSettings())
    np.testing.assert_array_equal(ground, before)
    np.testing.assert_array_equal(result[:2], ground[:2])
    assert result.dtype == np.float32
    assert share[10, 10] > 0.5
    assert share[0, 0] == 0


@pytest.mark.parametrize("name", list(RECOLOURINGS))
def test_every_recolouring_leaves_the_surroundings(disc, rng, name):
    pixels, mask = rng.uniform(0, 255, (21, 21, 3)).astype(np.float32), disc(6)
    result = RECOLOURINGS[name](pixels.copy(), mask, SemiSettings(), rng)
    np.testing.assert_array_equal(result[~mask], pixels[~mask])
    assert result.min() >= 0
    assert result.max() <= 255


def test_original_plain_and_random_colours(disc, rng):
    pixels, mask = rng.uniform(90, 110, (21, 21, 3)).astype(np.float32), disc(6)
    np.testing.assert_array_equal(RECOLOURINGS["original"](pixels, mask, SemiSettings(), rng), pixels)
    own = RECOLOURINGS["plain"](pixels, mask, SemiSettings(), rng)[mask]
    np.testing.assert_allclose(own, np.broadcast_to(pixels[mask].mean(0), own.shape), rtol=1e-5)
    red = RECOLOURINGS["plain"](pixels, mask, SemiSettings(colour=(250, 0, 7)), rng)[mask]
    np.testing.assert_array_equal(red, np.broadcast_to(np.float32([250, 0, 7]), red.shape))
    random = RECOLOURINGS["random"](pixels, mask, SemiSettings(), rng)[mask]
    texture = [values / values.mean(0) for values in (pixels[mask], random)]
    np.testing.assert_allclose(texture[0], texture[1], rtol=1e-3)
    assert np.abs(random.mean(0) - pixels[mask].mean(0)).max() > 10


def test_random_colours_are_those_of_the_hsv_cone(rng):
    import colorsys

    class Fixed:
        def random(self):
            return 0.61

        def uniform(self, low, high):
            return {1: 0.7, 240: 180}[high]

    expected = np.array(colorsys.hsv_to_rgb(0.61, 0.7, 180))
    np.testing.assert_allclose(random_colour(Fixed(), 3), expected, rtol=1e-5)


def test_colours_of_another_number_of_channels_are_refused(disc, rng):
    pixels = np.zeros((21, 21, 3), np.float32)
    with pytest.raises(SettingsError, match="has 2 values, the image 3 channels"):
        RECOLOURINGS["plain"](pixels, disc(6), SemiSettings(colour=(1, 2)), rng)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"blend": "mixd"}, "mixed|weighted"),
        ({"recolour": "blue"}, "original"),
        ({"background": "real"}, "with-particles"),
    ],
)
def test_unknown_names_are_told_with_the_choices(wrong, told):
    with pytest.raises(UnknownNameError, match=told):
        SemiSettings(**wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"weight": 1.2},
        {"occlusion": -0.1},
        {"camouflage": 2},
        {"size": (8, 512)},
        {"particles": (5, 2)},
        {"scale": (0, 1)},
        {"seed": -1},
        {"feather": 0},
        {"density": -3},
        {"clutter": -1},
    ],
)
def test_impossible_settings_are_refused_with_their_value(wrong):
    (name,) = wrong
    with pytest.raises(SettingsError, match=f"{name}.*impossible"):
        SemiSettings(**wrong)
