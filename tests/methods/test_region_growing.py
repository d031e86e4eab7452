"""Regions grow as in the whole image, from boxes around their points."""

from collections import deque

import dask.array as da
import numpy as np
import pytest
from skimage.measure import label, regionprops

from napari_mpseg.errors import Cancelled, SettingsError, UnknownNameError
from napari_mpseg.images.image import Image
from napari_mpseg.images.open import open_image
from napari_mpseg.inference.tiled import tiled_probability
from napari_mpseg.methods.drawn import PixelSet
from napari_mpseg.methods.options import options_of
from napari_mpseg.methods.region_growing import region_growing
from napari_mpseg.pipeline import segment
from napari_mpseg.progress import CancelToken


def grown(pixels, seeds, tile=4096, **options):
    """Return the mask and the notes."""
    prepared = region_growing(seeds, **options).prepare(Image(da.from_array(pixels, chunks=64)))
    return tiled_probability(prepared.image, prepared.predictor, tile).compute() > 0.5, prepared.notes


def patchy(rng, shape=(260, 310)):
    """Return smooth random patches with long regions, uint8."""
    from scipy.ndimage import gaussian_filter

    smooth = gaussian_filter(rng.normal(0, 1, shape), 4)
    return np.clip(128 + 60 * smooth / smooth.std(), 0, 255).astype(np.uint8)


def by_rounds(grey, seed, tolerance, neighbours):
    """Grow by the mean, written as plainly as can be."""
    region = {seed}
    while True:
        mean = sum(int(grey[p]) for p in region) / len(region)
        ring = {
            (y + dy, x + dx)
            for y, x in region
            for dy, dx in neighbours
            if 0 <= y + dy < grey.shape[0] and 0 <= x + dx < grey.shape[1]
        } - region
        joining = {p for p in ring if abs(int(grey[p]) - mean) <= tolerance + 1e-9}
        if not joining:
            return region
        region |= joining


@pytest.mark.parametrize("connectivity", [1, 2])
@pytest.mark.parametrize("tolerance", [5.0, 20.0, 20.5, 47.9])
def test_the_seed_rule_is_a_flood_of_the_whole_image(rng, tolerance, connectivity):
    pixels = patchy(rng)
    for seed in ((3, 4), (130, 150), (259, 309), (80, 0)):
        alike = label(np.abs(pixels.astype(int) - pixels[seed]) <= tolerance, connectivity=connectivity)
        expected = alike == alike[seed]
        found, notes = grown(
            pixels, np.array([seed], float), tolerance=tolerance, connectivity=connectivity, max_size=10**6
        )
        np.testing.assert_array_equal(found, expected)
        assert not notes


@pytest.mark.parametrize("rule", ["seed", "mean"])
@pytest.mark.parametrize(("tolerance", "width"), [(0.0, 1), (0.5, 1), (1.0, 3), (1.9, 3), (2.0, 5)])
def test_darker_and_brighter_pixels_are_taken_alike(rule, tolerance, width):
    steps = np.array([[90, 98, 99, 100, 101, 102, 110]], np.uint8)
    found, _ = grown(np.vstack([steps, np.zeros_like(steps)]), [[0, 3]], rule=rule, tolerance=tolerance)
    assert found[0].tolist() == [abs(place - 3) <= width // 2 for place in range(7)]


@pytest.mark.parametrize("connectivity", [1, 2])
def test_the_mean_rule_grows_in_rounds(rng, connectivity):
    pixels = patchy(rng, (60, 70))
    pixels[20:40, 30:50] += 20
    steps = [(-1, 0), (1, 0), (0, -1), (0, 1)] + [(-1, -1), (-1, 1), (1, -1), (1, 1)] * (connectivity == 2)
    for seed in ((25, 35), (0, 0)):
        found, _ = grown(pixels, [seed], rule="mean", tolerance=18.0, connectivity=connectivity)
        assert {tuple(p) for p in np.argwhere(found).tolist()} == by_rounds(pixels, seed, 18.0, steps)


@pytest.mark.parametrize("rule", ["seed", "mean"])
def test_a_region_larger_than_the_first_box_is_whole_and_only_its_box_is_read(rule):
    pixels = np.zeros((3000, 3000), np.uint8)
    y = np.arange(1200)
    for width in range(4):
        pixels[700 + y // 6, 900 + y + width] = 180
    reads = deque()

    def told(block, block_info=None):
        reads.append(block_info[0]["array-location"])
        return block

    data = da.from_array(pixels, chunks=250).map_blocks(told, dtype=np.uint8, meta=np.zeros((0, 0), np.uint8))
    prepared = region_growing([[800, 1500]], rule=rule).prepare(Image(data))
    assert len(set(map(str, reads))) < 70 < 144
    found = tiled_probability(prepared.image, prepared.predictor).compute() > 0.5
    np.testing.assert_array_equal(found, pixels > 0)


def test_the_tiles_change_nothing(rng):
    pixels = patchy(rng)
    seeds = rng.uniform(0, 259, (12, 2))
    whole, _ = grown(pixels, seeds)
    for tile in (33, 100):
        np.testing.assert_array_equal(grown(pixels, seeds, tile)[0], whole)


def test_several_points_in_one_region_give_one_region():
    pixels = np.zeros((40, 60), np.uint8)
    pixels[5:15, 5:20], pixels[20:30, 30:50] = 150, 160
    result = segment(pixels, "region-growing", options={"seeds": np.array([[6.0, 6], [14, 19], [10.4, 9.6], [25, 40]])})
    assert result.count == 2
    assert sorted(np.bincount(np.asarray(result.labels).ravel())[1:]) == [150, 200]


def test_a_region_that_runs_out_is_left_out_and_told():
    pixels = np.full((200, 200), 10, np.uint8)
    pixels[50:60, 50:60] = 200
    found, notes = grown(pixels, [[55, 55], [100, 100]], max_size=1000)
    assert found.sum() == 100
    assert "y = 100, x = 100" in notes[0]
    assert "1000" in notes[0]


@pytest.mark.parametrize(
    ("seeds", "says"),
    [
        (None, "needs points"),
        (np.zeros((0, 2)), "no point"),
        ([[1, 2, 3]], r"\(1, 3\)"),
        ([[np.nan, 2]], "not a number"),
        ("abc", "no numbers"),
        ([[5, 5], [5, 29.6], [-1, 3]], r"y = 5, x = 29.6 \(and 1 more\)"),
    ],
)
def test_points_that_make_no_sense_are_told(seeds, says):
    with pytest.raises(SettingsError, match=says):
        region_growing(seeds).prepare(open_image(np.zeros((20, 30), np.uint8)))


@pytest.mark.parametrize(
    ("options", "says"),
    [({"tolerance": -1.0}, "-1"), ({"connectivity": 3}, "3"), ({"max_size": 0}, "0 pixels")],
)
def test_impossible_settings_are_told(options, says):
    with pytest.raises(SettingsError, match=says):
        region_growing([[0, 0]], **options)
    with pytest.raises(UnknownNameError, match="mean"):
        region_growing([[0, 0]], rule="meen")


def test_progress_is_told_per_point_and_it_can_be_cancelled(rng):
    image, events, cancel = open_image(patchy(rng)), [], CancelToken()
    region_growing([[5, 5], [9, 90]]).prepare(image, on_progress=events.append)
    assert [(event.done, event.total, event.unit) for event in events] == [(1, 2, "points"), (2, 2, "points")]
    with pytest.raises(Cancelled):
        region_growing([[5, 5], [9, 90]]).prepare(image, on_progress=lambda event: cancel.cancel(), cancel=cancel)


def test_options_are_told_and_points_are_described():
    assert [option.name for option in options_of("region-growing")] == [
        "rule",
        "tolerance",
        "connectivity",
        "max_size",
        "channel",
    ]
    assert region_growing([[1.5, 2]]).describe()["seeds"] == [[1.5, 2]]


def test_a_set_of_pixels_is_drawn_across_its_blocks(rng):
    mask = rng.random((1100, 1060)) < 0.002
    pixels = PixelSet([np.argwhere(mask), np.argwhere(mask)[:5]])
    for box in ((0, 1100, 0, 1060), (1000, 1050, 1020, 1030), (5, 5, 0, 9)):
        y0, y1, x0, x1 = box
        np.testing.assert_array_equal(pixels.draw(box) > 0, mask[y0:y1, x0:x1])


def test_objects_of_the_blobs_image_grow_from_their_brightest_pixels(shared_data):
    folder = shared_data / "painted"
    blobs, truth = open_image(folder / "blobs.tif"), np.asarray(open_image(folder / "blobs_labels_imagej.tif").data)
    grey = np.asarray(blobs.data)
    objects = regionprops(label(truth > 0), grey)
    seeds = [tuple(one.coords[grey[tuple(one.coords.T)].argmax()]) for one in objects]
    found = np.asarray(segment(blobs, "region-growing", options={"seeds": seeds, "tolerance": 100.0}).labels) > 0
    assert (found & (truth > 0)).sum() / (found | (truth > 0)).sum() > 0.8
