"""Composed images: exact truth, the controls do what they say, and image k of a seed is always the same."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from napari_mpseg.errors import ImageError, SettingsError
from napari_mpseg.settings import from_dict, to_dict
from napari_mpseg.synthesis.microscopes import MICROSCOPES
from napari_mpseg.synthesis.semi import Cutout, SemiSettings, compose, cut_out
from napari_mpseg.synthesis.semi.backgrounds import BACKGROUNDS
from napari_mpseg.synthesis.semi.blends import BLENDS
from napari_mpseg.synthesis.semi.grounds import Grounds
from napari_mpseg.training.data.pairs import LabelledImage

SMALL = SemiSettings(size=(96, 112), particles=(4, 8), background="plain")


@pytest.fixture
def cutouts(field):
    return cut_out([field])


@pytest.mark.parametrize("background", list(BACKGROUNDS))
@pytest.mark.parametrize("blend", list(BLENDS))
def test_truth_is_dense_and_complete(cutouts, field, background, blend):
    settings = replace(SMALL, background=background, blend=blend, occlusion=0.5, clutter=2)
    made = compose(cutouts, [field], settings, 3)
    assert made.image.shape == (96, 112, 3)
    assert made.image.dtype == np.uint8
    assert made.instances.dtype == np.int32
    np.testing.assert_array_equal(np.unique(made.instances), np.arange(made.count + 1))
    np.testing.assert_array_equal(made.mask, made.instances > 0)
    for particle in made.particles:
        own = made.instances == particle.number
        rows, columns = np.nonzero(own)
        assert particle.area == own.sum()
        assert particle.box == (rows.min(), columns.min(), rows.max() + 1, columns.max() + 1)
        assert 0 <= particle.hidden < 1


def test_a_pasted_particle_is_where_the_truth_says(piece):
    made = compose([piece(radius=6)], [], replace(SMALL, blend="replace", background_colour=(0,), scale=(1, 1)), 0)
    inner = ndimage.binary_erosion(made.mask, iterations=2)
    np.testing.assert_allclose(made.image[inner].mean(0), (200, 100, 50), atol=2)
    np.testing.assert_array_equal(made.image[~made.mask], 0)


def test_weighted_values_by_hand(piece):
    still = replace(SMALL, background_colour=(40, 80, 120), rotate=False, flip=False, scale=(1, 1))
    made = compose([piece(colour=(200, 100, 50))], [], still, 0)
    expected = np.rint(0.65 * np.array([200, 100, 50]) + 0.35 * np.array([40, 80, 120]))
    np.testing.assert_array_equal(made.image[made.mask], np.broadcast_to(expected, (made.mask.sum(), 3)))


def test_without_occlusion_particles_neither_overlap_nor_touch(cutouts, field):
    settings = replace(SMALL, particles=(15, 15), background="with-particles", apart=2)
    for index in range(4):
        made = compose(cutouts, [field], settings, index)
        assert all(particle.hidden == 0 for particle in made.particles)
        for number in range(1, made.count + 1):
            near = ndimage.binary_dilation(made.instances == number, np.ones((3, 3)), iterations=2)
            assert set(np.unique(made.instances[near])) <= {0, number}
        assert made.count > 5


@pytest.mark.parametrize("most", [0.2, 0.6])
def test_no_particle_is_covered_more_than_allowed(piece, most):
    settings = replace(SMALL, size=(64, 64), particles=(30, 30), occlusion=most, clutter=3, scale=(1, 1))
    hidden = [particle.hidden for index in range(3) for particle in compose([piece()], [], settings, index).particles]
    assert max(hidden) <= most + 1e-6
    assert max(hidden) > 0.5 * most


def test_with_full_occlusion_covered_particles_are_not_in_the_truth(piece):
    settings = replace(SMALL, size=(40, 40), particles=(60, 60), occlusion=1.0)
    made = compose([piece()], [], settings, 0)
    assert 0 < made.count < 60
    np.testing.assert_array_equal(np.unique(made.instances[made.mask]), np.arange(1, made.count + 1))


@pytest.mark.parametrize("blend", list(BLENDS))
def test_full_camouflage_makes_the_mean_colour_that_of_the_surroundings(piece, blend):
    y, x = np.mgrid[:100, :100]
    image = np.stack([80 + y / 2, 90 + x / 2, 100 + (x + y) / 4], 2).astype(np.float32)
    slope = LabelledImage("slope", image, np.zeros((100, 100), bool))
    one, found = piece(radius=8, colour=(140, 60, 120), around=(90, 90, 90)), {}
    for camouflage in (0.0, 0.5, 1.0):
        settings = SemiSettings(
            size=(100, 100), particles=(1, 1), background="empty", blend=blend, camouflage=camouflage, scale=(1, 1)
        )
        made = compose([one], [slope], settings, 1)
        # the edge itself is left out, where some blends fade
        ring = ndimage.binary_dilation(made.mask, iterations=6) & ~ndimage.binary_dilation(made.mask, iterations=3)
        found[camouflage] = np.abs(made.image[made.mask].mean(0) - made.image[ring].mean(0))
    assert found[0.0].max() > 15
    assert found[1.0].max() < 1.5
    np.testing.assert_allclose(found[0.5], found[0.0] / 2, atol=1.5)


def test_texture_survives_camouflage(rng, disc):
    texture = rng.normal(150, 20, (29, 29, 3)).clip(0, 255).astype(np.uint8)
    one = Cutout(texture, disc(10).astype(np.float32))
    settings = replace(SMALL, camouflage=1.0, particles=(1, 1), blend="replace", background_colour=(100,), scale=(1, 1))
    made = compose([one], [], settings, 0)
    assert made.image[made.mask].std(0).min() > 10


def test_image_k_does_not_depend_on_the_others(cutouts, field):
    settings = replace(SMALL, background="empty", occlusion=0.3, clutter=1, recolour="random")
    grounds = Grounds([field])
    forward = [compose(cutouts, grounds, settings, index) for index in range(4)]
    for index in (3, 0, 2):
        again = compose(cutouts, [field], settings, index)
        np.testing.assert_array_equal(again.image, forward[index].image)
        np.testing.assert_array_equal(again.instances, forward[index].instances)
        assert again.particles == forward[index].particles
    assert (forward[0].image != forward[1].image).any()
    other = compose(cutouts, grounds, replace(settings, seed=1), 0)
    assert (other.image != forward[0].image).any()


def test_numbers_asked_for_are_pasted(piece):
    for index in range(5):
        assert compose([piece(4)], [], replace(SMALL, size=(256, 256), particles=(7, 7)), index).count == 7
    dense = replace(SMALL, size=(300, 300), density=100.0)  # 9 on average
    counts = [compose([piece(3)], [], dense, index).count for index in range(40)]
    assert np.mean(counts) == pytest.approx(9, abs=4 * 3 / np.sqrt(40))


def test_particles_of_the_background_stay_in_the_truth(field, piece):
    settings = SemiSettings(size=(120, 140), particles=(0, 0), background="with-particles")
    made = compose([piece()], [field], settings, 0)
    np.testing.assert_array_equal(made.image, field.image)
    np.testing.assert_array_equal(made.instances, field.instances)
    assert [particle.source for particle in made.particles] == ["background"] * 3


def test_an_empty_background_shows_no_particle_of_its_own(field, piece):
    settings = SemiSettings(size=(40, 40), particles=(0, 0), background="empty")
    for index in range(10):
        made = compose([piece()], [field], settings, index)
        assert made.count == 0
        assert made.image[..., 2].max() < 120  # particles have 220 there


@pytest.mark.parametrize("look", ["", *MICROSCOPES])
def test_synthetic_backgrounds_of_every_look_hold_no_particle(piece, look):
    settings = replace(SMALL, background="synthetic", look=look, particles=(1, 1))
    made = compose([piece()], [], settings, 0)
    assert (made.count, made.ground) == (1, "synthetic")
    assert len(np.unique(made.image[~made.mask])) > 5
    assert (compose([piece()], [], settings, 1).image != made.image).any()


def test_where_no_large_crop_is_empty_a_smaller_one_is_mirrored(rng, piece):
    mask = np.ones((100, 100), bool)
    mask[40:70, 20:55] = False
    image = np.where(mask[..., None], 255, rng.integers(0, 50, (100, 100, 1))).astype(np.uint8)
    crowded = LabelledImage("crowded", image, mask)
    settings = SemiSettings(size=(80, 90), particles=(0, 0), background="empty")
    made = compose([piece()], [crowded], settings, 0)
    assert made.image.shape == (80, 90, 1)
    assert made.image.max() < 50
    full = LabelledImage("full", image, np.ones((100, 100), bool))
    with pytest.raises(ImageError, match="without a particle"):
        compose([piece()], [full], settings, 0)


def test_a_background_smaller_than_the_image_is_mirrored_with_its_truth(field, piece):
    settings = SemiSettings(size=(300, 200), particles=(0, 0), background="with-particles")
    made = compose([piece()], [field], settings, 0)
    expected = np.pad(field.mask, [(0, 180), (0, 60)], mode="symmetric")
    np.testing.assert_array_equal(made.mask, expected)
    assert made.count == ndimage.label(expected)[1]


def test_pasted_particles_are_known_where_the_background_is_not(field, piece):
    known = np.zeros(field.mask.shape, bool)
    known[:50] = True
    part = replace(field, known=known)
    settings = SemiSettings(size=(120, 140), particles=(5, 5), background="with-particles")
    made = compose([piece()], [part], settings, 0)
    pasted = np.isin(made.instances, [p.number for p in made.particles if p.source != "background"])
    np.testing.assert_array_equal(made.known, known | pasted)
    assert not made.mask[~made.known].any()


def test_the_border_cuts_particles_only_if_it_may(piece):
    def touching(settings):
        edge = np.ones(settings.size, bool)
        edge[1:-1, 1:-1] = False
        return sum(bool((compose([piece(10)], [], settings, k).mask & edge).any()) for k in range(12))

    inside = replace(SMALL, size=(64, 64), particles=(1, 1))
    assert touching(replace(inside, inside=False)) >= 4
    for index in range(12):
        made = compose([piece(10)], [], replace(inside, rotate=False, scale=(1, 1)), index)
        assert made.particles[0].area == piece(10).area


@pytest.mark.parametrize(("grounds", "cut", "expected"), [(3, 1, 3), (1, 3, 1), (0, 3, 3), (0, 1, 1)])
def test_grey_and_colour_go_together(piece, grounds, cut, expected):
    one = piece()
    one = Cutout(one.pixels[..., :cut], one.alpha)
    images = [LabelledImage("g", np.zeros((96, 112, grounds), np.uint8), np.zeros((96, 112), bool))] if grounds else []
    for background in ("plain", "synthetic"):
        assert compose([one], images, replace(SMALL, background=background), 0).image.shape[2] == expected


def test_other_numbers_of_channels_are_refused(piece):
    five = LabelledImage("g", np.zeros((96, 112, 5), np.uint8), np.zeros((96, 112), bool))
    with pytest.raises(ImageError, match="have 3 channels, the image to be composed 5"):
        compose([piece()], [five], SMALL, 0)


def test_what_is_missing_is_told(piece, field):
    with pytest.raises(ImageError, match="no cutout"):
        compose([], [field], SMALL, 0)
    with pytest.raises(ImageError, match="no image to paste onto"):
        compose([piece()], [], SemiSettings(), 0)
    with pytest.raises(SettingsError, match="too large for images"):
        compose([piece(60)], [], replace(SMALL, size=(32, 32)), 0)


def test_clutter_covers_but_is_no_particle(piece):
    settings = replace(SMALL, particles=(0, 0), background_colour=(120,))
    made = compose([piece()], [], replace(settings, clutter=6), 0)
    assert made.count == 0
    assert (made.image != 120).any()
    np.testing.assert_array_equal(compose([piece()], [], settings, 0).image, 120)


def test_settings_survive_json():
    settings = SemiSettings(size=(64, 80), colour=(1.0, 2.0, 3.0), density=4.0, blend="poisson")
    assert from_dict(SemiSettings, json.loads(json.dumps(to_dict(settings)))) == settings


def test_real_filters_and_beads_are_composed(shared_data, tmp_path):
    from napari_mpseg.synthesis.semi import CutoutSettings
    from napari_mpseg.training.data.pairs import load_folder
    from napari_mpseg.training.data.semi_sources import labelled_images

    filters = load_folder(shared_data / "mpnet" / "fold_3", 0)
    cutouts = cut_out(filters, CutoutSettings(least_pixels=1))
    settings = SemiSettings(size=(256, 256), particles=(3, 3))
    counts = [compose(cutouts, filters, settings, index).count for index in range(3)]
    assert min(counts) >= 3
    for kind in ("images", "labels"):
        (tmp_path / kind).mkdir()
        path = sorted((shared_data / "mira" / kind).glob("*_brightfield_*"))[0]
        (tmp_path / kind / path.name).symlink_to(path)
    beads = labelled_images(tmp_path)
    made = compose(cut_out(beads), beads, SemiSettings(size=(256, 256), blend="poisson", background="empty"), 0)
    assert made.count >= 1
