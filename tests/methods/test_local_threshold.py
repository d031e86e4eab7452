"""Local thresholds are scikit-image's, whatever the tiles, and find particles under uneven light."""

import dask.array as da
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from skimage.filters import threshold_local, threshold_niblack, threshold_sauvola
from skimage.io import imread

from napari_mpseg.errors import ImageError, SettingsError, UnknownNameError
from napari_mpseg.images.image import Image
from napari_mpseg.images.open import open_image
from napari_mpseg.inference.tiled import tiled_probability
from napari_mpseg.methods.local_threshold import LOCAL_RULES, local_threshold
from napari_mpseg.methods.options import options_of
from napari_mpseg.pipeline import segment


def found_in(pixels, tile=4096, **options):
    """Return the mask of a whole image, computed in tiles."""
    prepared = local_threshold(**options).prepare(Image(da.from_array(pixels, chunks=40)))
    return tiled_probability(prepared.image, prepared.predictor, tile).compute() > 0.5


EXPECTED = {
    "sauvola": lambda grey, window, k: threshold_sauvola(grey, window, k),
    "niblack": lambda grey, window, k: threshold_niblack(grey, window, k),
    "mean": lambda grey, window, k: threshold_local(grey, window, "mean"),
    "gaussian": lambda grey, window, k: threshold_local(grey, window, "gaussian"),
    "median": lambda grey, window, k: threshold_local(grey, window, "median"),
}


@pytest.mark.parametrize("window", [3, 15, 61])
@pytest.mark.parametrize("rule", LOCAL_RULES)
def test_levels_are_those_of_scikit_image_up_to_the_border(rng, rule, window):
    grey = rng.integers(0, 256, (75, 58)).astype(np.uint8)
    light = found_in(grey, rule=rule, window=window, k=0.3, offset=2.5, particles="dark")
    level = EXPECTED[rule](grey, window, 0.3) - 2.5
    clear = np.abs(grey - level) > 1e-6
    np.testing.assert_array_equal(light[clear], (grey < level)[clear])
    dark = found_in(255 - grey, rule=rule, window=window, k=0.3, offset=2.5)
    np.testing.assert_array_equal(dark, light)


@pytest.mark.parametrize("shape", [(131, 77), (50, 51), (3, 130), (1, 1)])
@pytest.mark.parametrize("rule", LOCAL_RULES)
def test_the_tiles_change_nothing(rng, rule, shape):
    pixels = rng.integers(0, 4, (*shape, 3)).astype(np.uint8)  # few values: many pixels lie at their level
    pixels[shape[0] // 2 :, :, :] *= 60
    whole = found_in(pixels, rule=rule, window=21, offset=0)
    for tile in (16, 37):
        np.testing.assert_array_equal(found_in(pixels, tile, rule=rule, window=21, offset=0), whole)


@pytest.mark.parametrize(("window", "size"), [(51, 384), (101, 400)])
@pytest.mark.parametrize("rule", LOCAL_RULES)
def test_the_tiles_change_nothing_on_smooth_images_with_large_windows(rng, rule, window, size):
    """On smooth ground many pixels lie near their level, so that any part of a window that is cut off shows."""
    smooth = gaussian_filter(rng.normal(size=(size, size)), 20)
    pixels = np.clip(128 + 50 * smooth / smooth.std(), 0, 255).astype(np.uint8)
    options = {"rule": rule, "window": window, "k": 0.02, "offset": 0.0}
    whole = found_in(pixels, **options)
    assert 0.01 < whole.mean() < 0.99
    np.testing.assert_array_equal(found_in(pixels, 128, **options), whole)


@pytest.mark.parametrize("rule", LOCAL_RULES)
def test_particles_are_found_where_one_level_fails(rule):
    ground = np.tile(np.linspace(0, 150, 160), (90, 1))
    truth = np.zeros((90, 160), bool)
    for x in (12, 60, 110, 145):
        truth[40:44, x : x + 4] = True
    found = found_in((ground + 95 * truth).astype(np.uint8), rule=rule, window=25)
    np.testing.assert_array_equal(found, truth)


def test_options_have_choices_and_are_told():
    options = {option.name: option for option in options_of("local-threshold")}
    assert options["rule"].choices == tuple(LOCAL_RULES)
    assert all(option.help for option in options.values())
    assert local_threshold().describe() == {
        "rule": "sauvola",
        "window": 51,
        "k": 0.35,
        "offset": 0,
        "channel": "grey",
        "particles": "bright",
    }


@pytest.mark.parametrize(
    ("options", "says"),
    [({"window": 50}, "50 pixels"), ({"window": 1}, "1 pixels"), ({"k": -3.0}, "-3"), ({"offset": 300.0}, "300")],
)
def test_impossible_settings_are_told(options, says):
    with pytest.raises(SettingsError, match=says):
        local_threshold(**options)


def test_unknown_names_are_told():
    with pytest.raises(UnknownNameError, match="sauvola"):
        local_threshold(rule="souvola")
    with pytest.raises(SettingsError, match="bright"):
        local_threshold(particles="light")
    with pytest.raises(ImageError, match="colour"):
        local_threshold(channel="red").prepare(open_image(np.zeros((9, 9), np.uint8)))


def test_wider_images_are_seen_in_eight_bits(rng):
    grey = rng.integers(0, 256, (60, 60)).astype(np.uint8)
    grey[0, :2] = 0, 255
    wide = grey.astype(np.float32) * 12 - 400
    np.testing.assert_array_equal(found_in(wide, window=15), found_in(grey, window=15))


def test_real_patches_are_found_with_the_defaults(shared_data):
    hits = wrong = missed = 0
    for path in sorted((shared_data / "mpnet" / "fold_2").glob("*.png")):
        truth = imread(path.parent / "labels" / path.name) < 128
        found = np.asarray(segment(path, "local-threshold", measure=False, min_size=0).labels) > 0
        hits += (found & truth).sum()
        wrong += (found & ~truth).sum()
        missed += (~found & truth).sum()
    assert hits / (hits + wrong + missed) > 0.65
