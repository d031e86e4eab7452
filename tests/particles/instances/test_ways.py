"""What every way of splitting keeps to, and what each is for."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter
from skimage.io import imread
from skimage.measure import label

from napari_mpseg.errors import ImageError, SettingsError, UnknownNameError
from napari_mpseg.particles.instances import (
    INSTANCES,
    DistanceWatershed,
    ImageJWatershed,
    InstanceSettings,
    IntensityWatershed,
    make_instances,
)

CONNECTIVITIES = [1, 2]


def blobs():
    """Masks of round blobs with necks between them, of any share of the image."""
    return st.builds(_blobs, st.integers(0, 2**32), st.integers(1, 40), st.integers(1, 40), st.floats(0.1, 0.9))


def _blobs(seed, height, width, share):
    noise = gaussian_filter(np.random.default_rng(seed).random((height, width)), 1.5)
    return noise >= np.quantile(noise, 1 - share)


def texture(shape):
    y, x = np.mgrid[: shape[0], : shape[1]]
    return np.sin(y / 2.0) * np.cos(x / 3.0)


def assert_dense_in_raster_order(labels):
    numbers, first = np.unique(labels.ravel()[labels.ravel() > 0], return_index=True)
    np.testing.assert_array_equal(numbers, np.arange(1, len(numbers) + 1))
    assert (np.diff(first) > 0).all()


@pytest.mark.parametrize("way", INSTANCES)
@pytest.mark.parametrize("connectivity", CONNECTIVITIES)
@settings(max_examples=25, deadline=None)
@given(mask=blobs())
def test_what_comes_out_is_in_the_mask_connected_and_numbered(way, connectivity, mask):
    labels = make_instances(mask, InstanceSettings(way=way, connectivity=connectivity), image=texture(mask.shape))
    assert labels.dtype == np.int32
    assert labels.shape == mask.shape
    assert not labels[~mask].any()
    assert_dense_in_raster_order(labels)
    # as many connected regions of one value as there are values: each label is in one piece
    assert label(labels, background=0, connectivity=connectivity).max() == labels.max()


@pytest.mark.parametrize("way", [name for name in INSTANCES if name != "imagej-watershed"])
@settings(max_examples=25, deadline=None)
@given(mask=blobs())
def test_ways_without_a_line_keep_every_pixel(way, mask):
    labels = make_instances(mask, InstanceSettings(way=way), image=texture(mask.shape))
    np.testing.assert_array_equal(labels > 0, mask)


@pytest.mark.parametrize("way", INSTANCES)
@settings(max_examples=25, deadline=None)
@given(mask=blobs())
def test_no_way_joins_what_is_apart(way, mask):
    labels = make_instances(mask, InstanceSettings(way=way), image=texture(mask.shape))
    pieces = label(mask, connectivity=2)
    for number in range(1, labels.max() + 1):
        assert len(np.unique(pieces[labels == number])) == 1
    assert set(np.unique(pieces[labels > 0])) == set(range(1, pieces.max() + 1))


@pytest.mark.parametrize("connectivity", CONNECTIVITIES)
@settings(max_examples=25, deadline=None)
@given(mask=blobs())
def test_turning_by_180_degrees_keeps_components(connectivity, mask):
    chosen = InstanceSettings(connectivity=connectivity)
    labels, turned = make_instances(mask, chosen), make_instances(mask[::-1, ::-1], chosen)[::-1, ::-1]
    pairs = np.unique(np.stack([labels.ravel(), turned.ravel()], 1), axis=0)
    assert len(pairs) == len(np.unique(labels)) == len(np.unique(turned))


@pytest.mark.parametrize("way", INSTANCES)
@settings(max_examples=15, deadline=None)
@given(mask=blobs(), place=st.tuples(st.integers(1, 30), st.integers(1, 30)))
def test_background_around_the_image_changes_nothing(way, mask, place):
    mask = np.pad(mask, 1)  # the border of the image is no background, so the particles must not touch it
    image = texture(mask.shape)
    far = ((place[0], 3), (place[1], 5))
    chosen = InstanceSettings(way=way, options={"smoothing": 0.0} if way == "intensity-watershed" else {})
    labels = make_instances(mask, chosen, image=image)
    larger = make_instances(np.pad(mask, far), chosen, image=np.pad(image, far))
    np.testing.assert_array_equal(larger[place[0] : -3, place[1] : -5], labels)


@pytest.mark.parametrize(("name", "count"), [("touching", 94), ("shapes_misc", 428)])
def test_prominence_is_the_h_of_h_maxima(reference, name, count):
    """The counts with h = 0.5 that are noted beside ImageJ's figures, found with scikit-image's h-maxima."""
    mask = imread(reference / "masks" / f"{name}.png")
    way = InstanceSettings(way="distance-watershed", options=DistanceWatershed(prominence=0.5))
    assert make_instances(mask, way).max() == count


@pytest.fixture
def discs():
    """Two touching discs of radius 9, middles 16 px apart, and which of the middles is nearer."""
    y, x = np.mgrid[:30, :50]
    one, other = np.hypot(y - 15, x - 15), np.hypot(y - 15, x - 31)
    return np.minimum(one, other) <= 9, one, other


@pytest.mark.parametrize("way", ["imagej-watershed", "distance-watershed"])
def test_discs_are_cut_at_the_neck(discs, way):
    mask, one, other = discs
    labels = make_instances(mask, InstanceSettings(way=way))
    assert labels.max() == 2
    inner = mask & (np.abs(one - other) > 2)
    np.testing.assert_array_equal(labels[inner], np.where(one < other, 1, 2)[inner])


def test_a_shallow_neck_is_left_when_more_prominence_is_asked(discs):
    mask, _, _ = discs
    neck = 9 - np.sqrt(9**2 - 8**2)  # how much thinner the neck is than a disc
    for prominence, count in ((neck - 1, 2), (neck + 1, 1)):
        way = InstanceSettings(way="distance-watershed", options={"prominence": prominence})
        assert make_instances(mask, way).max() == count


def test_middles_that_are_too_close_become_one(discs):
    mask, _, _ = discs
    for least, count in ((15.0, 2), (17.5, 1)):
        way = InstanceSettings(way="distance-watershed", options={"min_distance": least})
        assert make_instances(mask, way).max() == count


def test_a_line_can_be_left_between_parts(discs):
    mask, _, _ = discs
    labels = make_instances(mask, InstanceSettings(way="distance-watershed", options={"line": True}))
    assert labels.max() == 2
    lost = mask & (labels == 0)
    assert 0 < lost.sum() < 20
    assert label(labels > 0, connectivity=1).max() == 2


@pytest.mark.parametrize("dark", [False, True])
def test_brightness_tells_two_particles_of_one_shape_apart(dark):
    """A plain bar has no neck; its two bright halves do have a valley between them."""
    mask = np.zeros((20, 44), bool)
    mask[5:15, 2:42] = True
    x = np.arange(44)
    image = np.tile(100 + 50 * np.cos((x - 12) / 20 * 2 * np.pi), (20, 1))  # tops at 12 and 32, valley at 22
    image = -image if dark else image
    assert make_instances(mask, InstanceSettings(way="imagej-watershed")).max() == 1
    labels = make_instances(mask, InstanceSettings(way="intensity-watershed", options={"dark": dark}), image=image)
    assert labels.max() == 2
    assert (labels[5:15, 2:21] == 1).all()
    assert (labels[5:15, 24:42] == 2).all()
    deaf = IntensityWatershed(prominence=1.0, dark=dark)
    assert make_instances(mask, InstanceSettings(way="intensity-watershed", options=deaf), image=image).max() <= 2


def test_a_probability_is_its_own_image(discs):
    _, one, other = discs
    probability = np.exp(-(np.minimum(one, other) ** 2) / 60)
    labels = make_instances(probability, InstanceSettings(way="intensity-watershed", threshold=0.2))
    assert labels.max() == 2
    np.testing.assert_array_equal(labels > 0, probability > 0.2)


@pytest.mark.parametrize("way", ["distance-watershed", "intensity-watershed"])
def test_parts_grow_from_given_seeds(discs, way):
    mask, one, other = discs
    chosen = InstanceSettings(way=way, options={"prominence": 0.9})
    points = np.array([[15, 15], [15.4, 30.6]])
    painted = np.zeros(mask.shape, np.int32)
    painted[14:17, 14:17], painted[14:17, 30:33] = 7, 3
    for seeds in (points, painted):
        labels = make_instances(mask, chosen, image=-np.minimum(one, other), seeds=seeds)
        assert labels.max() == 2
        assert labels[15, 15] != labels[15, 31]
        np.testing.assert_array_equal(labels > 0, mask)
    one_seed = make_instances(mask, chosen, image=-np.minimum(one, other), seeds=points[:1])
    assert one_seed.max() == 1
    assert make_instances(mask, chosen, image=-one, seeds=np.zeros(mask.shape, int)).max() == 1


def test_pixels_that_are_not_square_count_as_they_are():
    """Discs of the true world, seen with pixels twice as high as wide, are cut as with square ones."""
    from napari_mpseg.calibration import Calibration

    y, x = np.mgrid[:30, :100]
    mask = np.minimum(np.hypot(2 * y - 30, x - 30), np.hypot(2 * y - 30, x - 58)) <= 15
    way = InstanceSettings(way="distance-watershed", options={"prominence": 2.0})
    labels = make_instances(mask, way, calibration=Calibration((2.0, 1.0), "um"))
    assert labels.max() == 2
    assert (labels[:, :43][mask[:, :43]] == labels[15, 30]).all()


def test_wrong_settings_are_told():
    with pytest.raises(UnknownNameError, match="imagej-watershed"):
        InstanceSettings(way="imagej-watershd")
    with pytest.raises(SettingsError, match="no setting 'prominence'"):
        InstanceSettings(way="imagej-watershed", options={"prominence": 1.0})
    with pytest.raises(SettingsError, match="tolerance is -1; give a number from 0"):
        InstanceSettings(way="imagej-watershed", options={"tolerance": -1.0})
    with pytest.raises(SettingsError, match="takes ImageJWatershed, not DistanceWatershed"):
        InstanceSettings(way="imagej-watershed", options=DistanceWatershed())
    with pytest.raises(SettingsError, match="tolerance"):
        ImageJWatershed(tolerance=float("nan"))


def test_what_is_missing_or_too_much_is_told(discs):
    mask, _, _ = discs
    with pytest.raises(SettingsError, match="needs an image"):
        make_instances(mask, InstanceSettings(way="intensity-watershed"))
    with pytest.raises(SettingsError, match="takes no seeds"):
        make_instances(mask, InstanceSettings(way="imagej-watershed"), seeds=[[1, 2]])
    with pytest.raises(ImageError, match="same height and width"):
        make_instances(mask, InstanceSettings(way="intensity-watershed"), image=np.zeros((3, 3)))
    with pytest.raises(ImageError, match="NaN"):
        make_instances(mask, InstanceSettings(way="intensity-watershed"), image=np.full(mask.shape, np.nan))
    with pytest.raises(ImageError, match="fit no image"):
        make_instances(mask, InstanceSettings(way="distance-watershed"), seeds=np.zeros((3, 3)))
    with pytest.raises(ImageError, match="outside the image"):
        make_instances(mask, InstanceSettings(way="distance-watershed"), seeds=[[15, 500]])


def test_a_way_without_settings_says_so():
    from napari_mpseg.errors import SettingsError
    from napari_mpseg.particles.instances.ways import INSTANCES

    with pytest.raises(SettingsError, match=r"has no setting 'prominence'\. It has no settings\.$"):
        INSTANCES["components"].settings_from({"prominence": 1})
