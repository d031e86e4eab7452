"""The flood between the markers is scikit-image's watershed, and the same in every tile."""

import dask.array as da
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, gaussian_gradient_magnitude
from skimage.filters import sobel, threshold_otsu
from skimage.io import imread
from skimage.segmentation import watershed

from napari_mpseg.errors import Cancelled, ImageError, SettingsError, UnknownNameError
from napari_mpseg.images.image import Image
from napari_mpseg.images.open import open_image
from napari_mpseg.inference.tiled import tiled_probability
from napari_mpseg.methods.flooding import FloodSettings, flooded, flooded_box
from napari_mpseg.methods.options import options_of
from napari_mpseg.methods.watershed_gradient import marker_levels, watershed_gradient
from napari_mpseg.pipeline import segment
from napari_mpseg.progress import CancelToken


def found_in(pixels, tile=4096, **options):
    """Return the mask of a whole image, computed in tiles."""
    prepared = watershed_gradient(**options).prepare(Image(da.from_array(pixels, chunks=90)))
    return tiled_probability(prepared.image, prepared.predictor, tile).compute() > 0.5


def cloudy(rng, shape=(220, 190), width=3.0):
    """Return smooth ground with bright things of many shapes, uint8."""
    smooth = gaussian_filter(rng.normal(0, 1, shape), width)
    return np.clip(110 + 45 * smooth / smooth.std(), 0, 255).astype(np.uint8)


def plainly(order, markers):
    """Flood as plainly as can be: always the lowest pixel on the shore, which gives itself to its neighbours."""
    labels, done = markers.copy(), np.zeros(markers.shape, bool)
    shore = {(order[p], p) for p in map(tuple, np.argwhere(markers))}
    while shore:
        lowest = min(shore)
        shore.remove(lowest)
        y, x = lowest[1]
        done[y, x] = True
        for p in ((y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)):
            if 0 <= p[0] < order.shape[0] and 0 <= p[1] < order.shape[1] and not labels[p]:
                labels[p] = labels[y, x]
                shore.add((order[p], p))
    return labels


def test_it_is_the_flood_from_the_lowest_pixel_on(rng):
    grey = cloudy(rng, (40, 36), 1.5)
    gradient = sobel(grey.astype(float))
    order = np.empty(grey.size, int)
    order[np.argsort(gradient.ravel(), kind="stable")] = np.arange(grey.size)
    expected = plainly(order.reshape(grey.shape), np.where(grey <= 80, 1, np.where(grey > 140, 2, 0))) == 2
    np.testing.assert_array_equal(flooded(grey, gradient, FloodSettings(80, 140)), expected)
    assert 0 < expected[(grey > 80) & (grey <= 140)].mean() < 1


@pytest.mark.parametrize("gradient", ["sobel", "gaussian"])
def test_scikit_image_agrees_but_where_gradients_are_equal(rng, gradient):
    grey = cloudy(rng)
    steep = sobel(grey.astype(float)) if gradient == "sobel" else gaussian_gradient_magnitude(grey.astype(float), 1.4)
    markers = np.where(grey <= 70, 1, np.where(grey > 150, 2, 0))
    expected = watershed(steep, markers, connectivity=2) == 2
    found = found_in(grey, dark_level=70, bright_level=150, gradient=gradient, sigma=1.4)
    assert (found != expected).mean() < 2e-3
    assert found[grey > 150].all()
    assert not found[grey <= 70].any()


@pytest.mark.parametrize(
    ("dark", "bright", "gradient"), [(90, 130, "sobel"), (60, 140, "sobel"), (60, 140, "gaussian"), (-1, -1, "sobel")]
)
def test_the_tiles_change_nothing(rng, dark, bright, gradient):
    grey = np.repeat(cloudy(rng, (150, 140))[..., None], 3, 2)
    options = {"dark_level": dark, "bright_level": bright, "gradient": gradient}
    whole = found_in(grey, **options)
    assert 0 < whole.mean() < 1
    for tile in (41, 64):
        np.testing.assert_array_equal(found_in(grey, tile, **options), whole)


def test_a_long_patch_widens_the_window_until_it_fits_and_no_further():
    grey = np.full((300, 3000), 10, np.uint8)
    grey[145:155, 100:500] = 140  # between the markers
    grey[145:155, 500:505] = 160
    boxes = []

    def read(box):
        boxes.append(box)
        return grey[box[0] : box[1], box[2] : box[3]]

    box = (130, 170, 90, 120)
    settings = FloodSettings(50, 150)
    found = flooded_box(read, grey.shape, box, settings)
    expected = flooded(grey, sobel(grey.astype(float)), settings)[130:170, 90:120]
    np.testing.assert_array_equal(found, expected)
    assert expected.any()
    assert 505 < boxes[-1][3] < 1000
    boxes.clear()
    flooded_box(read, grey.shape, (10, 40, 90, 120), settings)
    assert len(boxes) == 1


def test_levels_are_the_means_of_both_sides_of_otsu_s_level(rng):
    grey = np.concatenate([rng.normal(60, 9, 4000), rng.normal(170, 14, 1500)]).clip(0, 255).astype(np.uint8)
    level = threshold_otsu(grey)
    dark, bright = marker_levels(np.bincount(grey, minlength=256))
    assert dark == pytest.approx(grey[grey <= level].mean())
    assert bright == pytest.approx(grey[grey > level].mean())
    assert marker_levels(np.zeros(256)) == (255, 255)


def test_borders_lie_where_the_image_changes_most(rng):
    truth = np.zeros((120, 150), bool)
    truth[30:50, 40:70], truth[80:84, 100:106] = True, True
    grey = np.clip(gaussian_filter(25.0 + 160 * truth, 1.0) + rng.normal(0, 3, truth.shape), 0, 255).astype(np.uint8)
    found = found_in(grey)
    assert (found & truth).sum() / (found | truth).sum() > 0.93
    np.testing.assert_array_equal(found_in(255 - grey, particles="dark"), found)


@pytest.mark.parametrize("pixels", [np.zeros((1, 1), np.uint8), np.full((40, 30), 7, np.uint16), np.eye(3)])
def test_images_with_little_in_them(pixels):
    found = found_in(pixels)
    assert found.shape == pixels.shape
    if pixels.min() == pixels.max():
        assert not found.any()


def test_images_without_numbers_give_no_particles():
    assert not found_in(np.full((20, 20), np.nan, np.float32)).any()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"dark_level": 300}, "300"),
        ({"dark_level": 120, "bright_level": 100}, "120 must be lower"),
        ({"sigma": 0.0}, "0 pixels"),
    ],
)
def test_impossible_settings_are_told(options, says):
    with pytest.raises(SettingsError, match=says):
        watershed_gradient(**options)


def test_what_does_not_fit_the_image_is_told(rng):
    image = open_image(cloudy(rng))
    with pytest.raises(SettingsError, match="Give both"):
        watershed_gradient(dark_level=250).prepare(image)
    with pytest.raises(ImageError, match="colour"):
        watershed_gradient(channel="red").prepare(image)
    with pytest.raises(UnknownNameError, match="sobel"):
        watershed_gradient(gradient="prewitt")


def test_it_can_be_cancelled_and_is_told(rng):
    events, cancel = [], CancelToken()
    method = watershed_gradient()
    prepared = method.prepare(open_image(cloudy(rng)), on_progress=events.append)
    assert events[-1].done == events[-1].total == 1
    assert "surely background" in prepared.notes[0]
    cancel.cancel()
    with pytest.raises(Cancelled):
        method.prepare(open_image(cloudy(rng)), cancel=cancel)
    assert method.describe()["particles"] == "bright"
    assert all(option.help for option in options_of("watershed-gradient"))


def test_real_patches_are_found_with_the_defaults(shared_data):
    hits = wrong = missed = 0
    for path in sorted((shared_data / "mpnet" / "fold_3").glob("*.png")):
        truth = imread(path.parent / "labels" / path.name) < 128
        found = np.asarray(segment(path, "watershed-gradient", measure=False, min_size=0).labels) > 0
        hits += (found & truth).sum()
        wrong += (found & ~truth).sum()
        missed += (~found & truth).sum()
    assert hits / (hits + wrong + missed) > 0.58
