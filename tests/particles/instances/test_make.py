"""The steps before and after splitting."""

import json

import dask.array as da
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import binary_fill_holes
from skimage.io import imread
from skimage.measure import regionprops
from skimage.morphology import closing, dilation, erosion

from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import Cancelled, ImageError, SettingsError
from napari_mpseg.particles.instances import INSTANCES, InstanceSettings, make_instances
from napari_mpseg.particles.instances.regions import mask_above
from napari_mpseg.particles.labelling import label_mask
from napari_mpseg.progress import CancelToken
from napari_mpseg.settings import from_dict, to_dict

masks = st.builds(
    lambda seed, height, width, share: np.random.default_rng(seed).random((height, width)) < share,
    st.integers(0, 2**32),
    st.integers(1, 25),
    st.integers(1, 25),
    st.floats(0.05, 0.95),
)


@given(masks, st.sampled_from([1, 2]))
@settings(max_examples=40, deadline=None)
def test_components_are_those_of_label_mask(mask, connectivity):
    labels = make_instances(mask, InstanceSettings(connectivity=connectivity))
    np.testing.assert_array_equal(labels, label_mask(mask, connectivity=connectivity))


@given(masks, st.sampled_from([1, 2]))
@settings(max_examples=40, deadline=None)
def test_all_holes_are_filled_as_scipy_fills_them(mask, connectivity):
    labels = make_instances(mask, InstanceSettings(fill_holes=None, connectivity=connectivity))
    neighbours = np.ones((3, 3)) if connectivity == 1 else None  # background touches the other way
    filled = binary_fill_holes(np.pad(mask, 1), neighbours)[1:-1, 1:-1]
    np.testing.assert_array_equal(labels > 0, _open_at_the_border(mask, filled, connectivity))


def _open_at_the_border(mask, filled, connectivity):
    """Take back holes that touch the image's border: what closes them may lie outside."""
    from skimage.measure import label

    holes = label(~mask, connectivity=3 - connectivity)
    edges = np.unique(np.concatenate([holes[0], holes[-1], holes[:, 0], holes[:, -1]]))
    return filled & ~np.isin(holes, edges[edges > 0])


def test_only_small_holes_are_filled_and_the_limit_is_inclusive():
    mask = np.zeros((12, 20), bool)
    mask[1:11, 1:19] = True
    mask[3:5, 3:5] = mask[3:6, 10:12] = False  # holes of 4 and 6 px
    for largest, filled in ((3, 0), (4, 4), (5, 4), (6, 10)):
        found = make_instances(mask, InstanceSettings(fill_holes=largest)) > 0
        assert found.sum() == mask.sum() + filled
    # 5 um2 are 5 / 0.25 = 20 px of 0.5 um
    in_um = InstanceSettings(fill_holes=1.0, unit="um")
    assert (make_instances(mask, in_um, calibration=Calibration.parse("0.5um")) > 0).sum() == mask.sum() + 4


def test_an_island_in_a_hole_is_filled_over():
    mask = np.zeros((11, 11), bool)
    mask[1:10, 1:10], mask[2:9, 2:9], mask[5, 5] = True, False, True
    assert make_instances(mask).max() == 2
    labels = make_instances(mask, InstanceSettings(fill_holes=None))
    assert labels.max() == 1
    assert labels.sum() == 81


@given(masks, st.integers(0, 12), st.integers(0, 12))
@settings(max_examples=40, deadline=None)
def test_size_limits_are_inclusive(mask, least, more):
    labels = make_instances(mask, InstanceSettings(min_size=least, max_size=least + more))
    areas = [region.area for region in regionprops(label_mask(mask))]
    assert np.bincount(labels.ravel())[1:].tolist() == [area for area in areas if least <= area <= least + more]


def test_size_limits_in_a_unit():
    mask = np.zeros((5, 12), bool)
    mask[1, 1:4] = mask[3, 1:11] = True  # 3 and 10 px
    pixel = Calibration.parse("0.3um")
    for limits, sizes in (
        ({"min_size": 0.9}, [10]),  # 10 px of 0.09 um2, exactly
        ({"max_size": 0.27}, [3]),
        ({"min_size": 0.27, "max_size": 0.9}, [3, 10]),
        ({"min_size": 900_000, "unit": "nm"}, [10]),
    ):
        labels = make_instances(mask, InstanceSettings(**{"unit": "um", **limits}), calibration=pixel)
        assert np.bincount(labels.ravel())[1:].tolist() == sizes


@pytest.mark.parametrize("way", INSTANCES)
@given(mask=masks)
@settings(max_examples=15, deadline=None)
def test_nothing_excluded_touches_an_edge(way, mask):
    labels = make_instances(mask, InstanceSettings(way=way, exclude_on_edges=True), image=np.ones(mask.shape))
    assert not labels[[0, -1]].any()
    assert not labels[:, [0, -1]].any()
    assert (np.diff(np.unique(labels)) == 1).all()


@pytest.mark.parametrize("name", ["dist_clustered", "shapes_misc"])
def test_excluding_on_edges_keeps_as_many_as_imagej(reference, name):
    counts = pd.read_csv(reference / "shapes_counts.csv").set_index(["mask", "variant"])["count_1_53t"]
    mask = imread(reference / "masks" / f"{name}.png")
    assert make_instances(mask, InstanceSettings(exclude_on_edges=True)).max() == counts[name, "exclude"]
    both = InstanceSettings(exclude_on_edges=True, fill_holes=None)
    assert make_instances(mask, both).max() == counts[name, "include_exclude"]


@pytest.fixture
def broken():
    """A strand of 3 px with a gap of 8 px in it, and a second one 30 px below."""
    mask = np.zeros((70, 90), bool)
    mask[20:23, 10:40] = mask[20:23, 48:80] = mask[52:55, 10:80] = True
    return mask


def test_strands_are_joined_as_in_the_paper(broken):
    """Dilated by 15 x 15 and eroded by 9 x 9, beside scikit-image's greyscale morphology."""
    labels = make_instances(broken, InstanceSettings(join_dilate=15, join_erode=9))
    assert labels.max() == 2
    expected = erosion(dilation(broken, np.ones((15, 15))), np.ones((9, 9)))
    np.testing.assert_array_equal(labels > 0, expected)
    rows, columns = np.nonzero(labels == 1)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (17, 25, 7, 82)  # 3 px more on each side


def test_equal_sides_close_the_gap_and_grow_nothing(broken):
    labels = make_instances(broken, InstanceSettings(join_dilate=9, join_erode=9))
    np.testing.assert_array_equal(labels > 0, closing(broken, np.ones((9, 9))))
    assert labels.max() == 2


def test_joined_strands_can_keep_their_own_pixels(broken):
    labels = make_instances(broken, InstanceSettings(join_dilate=15, join_erode=9, join_keeps="own"))
    np.testing.assert_array_equal(labels > 0, broken)
    assert labels[21, 11] == labels[21, 79] == 1
    assert labels[53, 11] == 2


def test_sides_in_a_unit_become_the_nearest_odd_number_of_pixels(broken):
    # 4.1 um of 0.5 um are 8.2 px, so 9; 3.4 um are 6.8 px, so 7
    in_um = InstanceSettings(join_dilate=4.1, join_erode=3.4, unit="um")
    in_px = InstanceSettings(join_dilate=9, join_erode=7)
    np.testing.assert_array_equal(
        make_instances(broken, in_um, calibration=Calibration.parse("0.5um")), make_instances(broken, in_px)
    )


def test_nothing_is_eaten_at_the_border():
    mask = np.zeros((9, 30), bool)
    mask[:4, :10] = mask[:4, 14:] = True
    labels = make_instances(mask, InstanceSettings(join_dilate=5, join_erode=5))
    assert labels.max() == 1
    assert (labels[:4] == 1).all()


def test_labels_are_taken_as_a_mask_or_split_each_by_itself():
    labels = np.zeros((20, 40), np.uint16)
    labels[5:15, 5:20], labels[5:15, 20:35], labels[7:9, 7:9] = 9, 4, 0
    labels[17, 30] = 9  # a second piece of 9
    assert make_instances(labels).max() == 2
    kept = make_instances(labels, InstanceSettings(within_labels=True, fill_holes=None))
    assert kept.max() == 3
    assert (kept[5:15, 5:20] == 1).all()  # the hole too
    assert (kept[5:15, 20:35] == 2).all()
    assert kept[17, 30] == 3


def test_a_hole_between_two_labels_stays():
    labels = np.zeros((9, 20), np.int32)
    labels[1:8, 1:10], labels[1:8, 10:19], labels[4, 9:11] = 1, 2, 0
    assert (make_instances(labels, InstanceSettings(within_labels=True, fill_holes=None))[4, 9:11] == 0).all()
    assert (make_instances(labels, InstanceSettings(fill_holes=None))[4, 9:11] == 1).all()


@pytest.mark.parametrize("way", INSTANCES)
def test_dask_and_zarr_give_what_numpy_gives(way, rng, tmp_path):
    import zarr
    from scipy.ndimage import gaussian_filter

    probability = gaussian_filter(rng.random((90, 130)), 2).astype(np.float32)
    probability = (probability - probability.min()) / np.ptp(probability)
    chosen = InstanceSettings(way=way, threshold=0.55, fill_holes=None, min_size=4)
    expected = make_instances(probability, chosen)
    assert expected.max() > 5
    np.testing.assert_array_equal(make_instances(da.from_array(probability, chunks=(37, 41)), chosen), expected)
    stored = zarr.create_array(str(tmp_path / "p.zarr"), data=probability, chunks=(32, 32))
    np.testing.assert_array_equal(make_instances(stored, chosen), expected)


def test_colour_images_are_taken_as_the_mean_of_their_channels(rng):
    mask = np.ones((30, 30), bool)
    image = rng.integers(0, 255, (30, 30, 3)).astype(np.uint8)
    chosen = InstanceSettings(way="intensity-watershed")
    expected = make_instances(mask, chosen, image=image.astype(np.float64).mean(2))
    np.testing.assert_array_equal(make_instances(mask, chosen, image=image), expected)
    np.testing.assert_array_equal(make_instances(mask, chosen, image=da.from_array(image, chunks=(7, 9, 3))), expected)


def test_stored_probabilities_are_shares_of_the_largest_number():
    np.testing.assert_array_equal(mask_above(np.array([[127, 128, 255]], np.uint8), 0.5), [[False, True, True]])
    np.testing.assert_array_equal(mask_above(np.array([[0.5, 0.51]]), 0.5), [[False, True]])


@pytest.mark.parametrize("shape", [(0, 0), (0, 4), (1, 1), (3, 5)])
@pytest.mark.parametrize("way", INSTANCES)
def test_empty_and_full_images(way, shape):
    chosen = InstanceSettings(way=way, fill_holes=None, join_dilate=3, join_erode=3)
    assert make_instances(np.zeros(shape, bool), chosen, image=np.ones(shape)).max(initial=0) == 0
    full = make_instances(np.ones(shape, bool), chosen, image=np.ones(shape))
    assert (full == 1).all()


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_probabilities_may_leave_their_range_by_rounding(kind):
    probability = np.array([[-1e-9, 0.4, 0.6, 1.0000001]], kind)
    assert make_instances(probability).tolist() == [[0, 0, 1, 1]]


@pytest.mark.parametrize(
    ("array", "text"),
    [
        (np.zeros((2, 3, 4)), "two axes"),
        (np.full((3, 3), -1), "negative"),
        (np.full((3, 3), 7.0), "probability from 0 to 1"),
        (np.full((3, 3), np.nan), "probability from 0 to 1"),
        (np.full((3, 3), 1.00001), r"from 1\.00001 to 1\.00001"),
        (np.zeros((3, 3), complex), "neither a mask"),
    ],
)
def test_arrays_that_are_no_mask_are_told(array, text):
    with pytest.raises(ImageError, match=text):
        make_instances(array)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"threshold": 1.0}, "Threshold"),
        ({"connectivity": 8}, "Connectivity"),
        ({"join_dilate": 3, "join_erode": 5}, "eat particles away"),
        ({"join_dilate": -1}, "length of 0 or more"),
        ({"join_dilate": 3, "within_labels": True}, "cannot be joined"),
        ({"join_keeps": "all"}, "join_keeps"),
        ({"fill_holes": -1}, "area of 0 or more"),
        ({"min_size": 5, "max_size": 4}, "nothing would be left"),
        ({"unit": "parsec"}, "not a length"),
        ({"unit": 3}, "unit is 3"),
        ({"min_size": "3"}, "min_size is '3'; give a number"),
        ({"min_size": None}, "min_size is None"),
        ({"threshold": "0.5"}, "threshold is '0.5'"),
        ({"join_dilate": "15"}, "join_dilate is '15'"),
        ({"fill_holes": True}, "fill_holes is True; give a number. To fill all holes give None"),
        ({"connectivity": True}, "connectivity is True"),
        ({"exclude_on_edges": "no"}, "exclude_on_edges is 'no'; give true or false"),
    ],
)
def test_impossible_settings_are_told(values, text):
    with pytest.raises(SettingsError, match=text):
        InstanceSettings(**values)


def test_settings_that_do_not_fit_the_image_are_told_before_any_work():
    mask = np.ones((4, 4), bool)
    for values in ({"min_size": 5.0}, {"fill_holes": 2.0}, {"join_dilate": 5.0}):
        with pytest.raises(SettingsError, match="no pixel size"):
            make_instances(mask, InstanceSettings(unit="um", **values))
    with pytest.raises(SettingsError, match="odd number, such as 5"):
        make_instances(mask, InstanceSettings(join_dilate=4))


@pytest.mark.parametrize("way", INSTANCES)
def test_settings_turn_into_json_and_back(way):
    chosen = InstanceSettings(way=way, fill_holes=None, min_size=2.5, unit="um")
    text = json.dumps(to_dict(chosen))
    assert from_dict(InstanceSettings, json.loads(text)) == chosen
    assert json.loads(text)["way"] == way


def test_numbers_of_numpy_are_numbers():
    assert InstanceSettings(min_size=np.float32(2), fill_holes=np.int64(3), connectivity=np.int32(1)).min_size == 2


def test_progress_is_told_and_cancelling_stops():
    mask = np.zeros((60, 60), bool)
    mask[::3, ::3] = True
    events = []
    make_instances(mask, InstanceSettings(way="imagej-watershed"), on_progress=events.append)
    assert events[-1].done == events[-1].total == 400
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        make_instances(mask, InstanceSettings(way="imagej-watershed"), cancel=cancel)


def test_the_input_is_not_changed(rng):
    labels = rng.integers(0, 3, (30, 30)).astype(np.int32)
    before = labels.copy()
    for within in (True, False):
        make_instances(labels, InstanceSettings(fill_holes=None, within_labels=within, way="distance-watershed"))
    np.testing.assert_array_equal(labels, before)
