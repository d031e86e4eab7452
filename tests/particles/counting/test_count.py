"""Counting in clutter: the same boxes as scipy and scikit-image give for the whole image, whatever the tiles."""

import dask.array as da
import numpy as np
import pytest
import zarr
from scipy import ndimage
from skimage.measure import label, regionprops

from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import Cancelled, ImageError, SettingsError
from napari_mpseg.particles.counting import CountSettings, count_and_label, count_particles
from napari_mpseg.progress import CancelToken


def strands(seed: int = 0, shape: tuple[int, int] = (157, 211), density: float = 0.004) -> np.ndarray:
    """Return short strands, rings and specks, uint8 probability."""
    rng = np.random.default_rng(seed)
    image = np.zeros(shape, np.uint8)
    for _ in range(int(density * image.size / 8)):
        y, x = rng.integers(0, shape[0]), rng.integers(0, shape[1])
        if rng.random() < 0.5:
            image[y : y + rng.integers(1, 4), x : x + rng.integers(1, 25)] = rng.integers(60, 256)
        else:
            image[y : y + rng.integers(1, 25), x : x + rng.integers(1, 4)] = rng.integers(60, 256)
    for _ in range(4):
        y, x, r = rng.integers(0, shape[0]), rng.integers(0, shape[1]), rng.integers(12, 40)
        yy, xx = np.ogrid[: shape[0], : shape[1]]
        ring = np.abs(np.hypot(yy - y, xx - x) - r) < 1
        image[ring] = rng.integers(60, 256)
    return image


def reference(own: np.ndarray, dilate: int, erode: int, *, connectivity: int = 2, fill: bool = True, least: int = 1):
    """Return boxes, own areas and own pixels' numbers by scipy and scikit-image, of the whole image at once."""
    whole = ndimage.binary_dilation(own, np.ones((dilate, dilate)))
    whole = ndimage.binary_erosion(whole, np.ones((erode, erode)), border_value=1)
    if fill:
        # what encloses a hole is connected the other way than the background
        whole = ndimage.binary_fill_holes(whole, ndimage.generate_binary_structure(2, 3 - connectivity))
    pieces = label(whole, connectivity=connectivity)
    boxes, areas, numbers = [], [], np.zeros(own.shape, int)
    for region in regionprops(pieces):
        pixels = own & (pieces == region.label)
        if pixels.sum() >= least:
            # of the pixels before filling: a filled hole lies inside
            boxes.append(region.bbox)
            areas.append(int(pixels.sum()))
            numbers[pixels] = len(boxes)
    return boxes, areas, numbers


@pytest.mark.parametrize("connectivity", [1, 2])
@pytest.mark.parametrize("fill", [True, False])
@pytest.mark.parametrize(("dilate", "erode"), [(15, 9), (5, 5), (9, 1), (1, 1)])
@pytest.mark.parametrize("tile", [None, 37])
def test_boxes_are_those_of_the_whole_image(connectivity, fill, dilate, erode, tile):
    image = strands(dilate + 31 * connectivity)
    settings = CountSettings(
        threshold=0.4, dilate=dilate, erode=erode, connectivity=connectivity, fill_holes=None if fill else 0, min_size=2
    )
    boxes, areas, numbers = reference(image > 0.4 * 255, dilate, erode, connectivity=connectivity, fill=fill, least=2)
    counted, labels = count_and_label(image, settings, graded=True, tile=tile)
    assert counted.corners.tolist() == [list(map(float, box)) for box in boxes]
    assert counted.frame["area_px"].tolist() == areas
    np.testing.assert_array_equal(labels.compute(), numbers)
    assert counted.count == len(boxes) > 5


@pytest.mark.parametrize("tile", [9, 16, 50, 64, 101, 500])
@pytest.mark.parametrize("kind", ["numpy", "dask", "zarr"])
def test_tiles_and_chunks_change_nothing(tile, kind):
    image = strands(5)
    boxes, areas, _ = reference(image > 0.5 * 255, 15, 9)
    given = image
    if kind == "dask":
        given = da.from_array(image, chunks=(41, 29))
    elif kind == "zarr":
        given = zarr.create_array({}, shape=image.shape, chunks=(33, 50), dtype="uint8")
        given[...] = image
    if tile < 16 and kind != "numpy":
        pytest.skip("thousands of tiny tiles, once is enough")
    counted = count_particles(given, graded=True, tile=tile)
    assert counted.corners.tolist() == [list(map(float, box)) for box in boxes]
    assert counted.frame["area_px"].tolist() == areas


def test_a_hole_across_many_tiles_encloses_what_is_in_it():
    mask = np.zeros((90, 90), bool)
    mask[5, 5:85] = mask[84, 5:85] = mask[5:85, 5] = mask[5:85, 84] = True
    mask[40:44, 40:44] = True  # far from the frame
    for tile in (11, 20, 45, 90):
        assert count_particles(mask, tile=tile).count == 1
        assert count_particles(mask, CountSettings(fill_holes=0), tile=tile).count == 2
    mask[5, 40:70] = False  # the frame is open, by more than is joined
    for tile in (11, 20, 45, 90):
        assert count_particles(mask, tile=tile).count == 2


def test_only_small_holes_are_filled_where_asked_for():
    mask = np.zeros((40, 80), bool)
    for x in (5, 45):
        size = 9 if x == 5 else 21
        mask[5 : 5 + size, x : x + size] = True
        mask[6 : 4 + size, x + 1 : x - 1 + size] = False
        mask[5 + size // 2, x + size // 2] = True
    unjoined = {"dilate": 1, "erode": 1}
    # holes of 7 x 7 - 1 = 48 and 19 x 19 - 1 = 360 pixels
    for limit, count in ((0, 4), (47, 4), (48, 3), (359, 3), (360, 2), (None, 2)):
        for tile in (9, 80):
            assert count_particles(mask, CountSettings(fill_holes=limit, **unjoined), tile=tile).count == count


def test_strands_up_to_dilate_minus_one_apart_are_one():
    for gap, count in ((13, 1), (14, 1), (15, 2)):
        mask = np.zeros((40, 80), bool)
        mask[20, 10:20] = mask[20, 20 + gap : 60] = True
        assert count_particles(mask).count == count


def test_confidence_is_that_of_the_particles_own_pixels():
    probability = np.zeros((30, 60))
    probability[10, 10:14] = [0.6, 0.7, 0.8, 0.9]
    probability[10, 20:22] = 1.0
    probability[12, 15] = 0.4  # below the threshold
    counted = count_particles(probability)
    assert counted.frame["area_px"].tolist() == [6]
    assert counted.frame["confidence"].tolist() == pytest.approx([5.0 / 6])
    assert counted.frame["confidence_max"].tolist() == [1.0]
    stored = count_particles((probability * 255).astype("uint8"), graded=True, tile=11)
    assert stored.frame["confidence"].tolist() == pytest.approx([(153 + 178 + 204 + 229 + 2 * 255) / 6 / 255])
    mask = count_particles(probability > 0.5)
    assert mask.frame["confidence"].isna().all()
    beside = count_particles(probability > 0.5, probability=probability)
    assert beside.frame["confidence"].tolist() == pytest.approx([5.0 / 6])


def test_boxes_know_their_labels_and_pieces_of_one_label_are_one_particle():
    labels = np.zeros((60, 120), np.int32)
    labels[10, 10:20], labels[10, 25:35] = 7, 3  # 5 px apart: joined
    labels[40, 10:20] = labels[40, 80:90] = 9  # far apart, but one particle
    for tile in (13, 200):
        counted = count_particles(labels, numbered=True, tile=tile)
        assert counted.frame["labels"].tolist() == [(3, 7), (9,)]
        assert counted.corners.tolist() == [[7, 7, 14, 38], [37, 7, 44, 93]]
    assert count_particles(labels).count == 3


def test_eroding_first_drops_what_is_thin():
    mask = np.zeros((60, 60), bool)
    mask[10:22, 10:22] = True
    mask[40:43, 10:50] = True
    assert count_particles(mask).count == 2
    counted = count_particles(mask, CountSettings(erode_first=True))
    # 12 - 8 = 4 px are left, and 14 more are added: 3 px to each side
    assert counted.corners.tolist() == [[7, 7, 25, 25]]
    assert counted.frame["area_px"].tolist() == [144]


def test_sizes_in_micrometre_are_the_nearest_odd_pixels():
    mask = strands(3) > 128
    size = Calibration((2.0, 2.0), "um")
    micrometre = CountSettings(dilate=30, erode=18, min_size=20, unit="um")
    pixels = CountSettings(dilate=15, erode=9, min_size=5)
    one, other = count_particles(mask, micrometre, calibration=size), count_particles(mask, pixels)
    assert one.corners.tolist() == other.corners.tolist()
    with pytest.raises(SettingsError, match="no pixel size"):
        count_particles(mask, micrometre)


def test_impossible_settings_are_told():
    for wrong in ({"dilate": 9, "erode": 15}, {"threshold": 1.5}, {"connectivity": 3}, {"min_size": -1}):
        with pytest.raises(SettingsError):
            CountSettings(**wrong)
    with pytest.raises(SettingsError, match="odd"):
        count_particles(np.zeros((5, 5), bool), CountSettings(dilate=14))
    with pytest.raises(ImageError):
        count_particles(np.zeros((5, 5, 3), bool))
    with pytest.raises(ImageError):
        count_particles(np.zeros((5, 5), bool), probability=np.zeros((4, 5)))


def test_nothing_is_nothing():
    for empty in (np.zeros((50, 70), bool), np.zeros((50, 70))):
        counted, labels = count_and_label(empty, tile=20)
        assert counted.count == 0
        assert not labels.compute().any()
    full = count_particles(np.ones((50, 70), bool), tile=20)
    assert full.corners.tolist() == [[0, 0, 50, 70]]


def test_a_count_can_be_stopped():
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        count_particles(np.ones((50, 70), bool), tile=20, cancel=token)


@pytest.mark.parametrize("tile", [None, 16])
def test_labels_that_touch_or_enclose_one_another_keep_boxes_of_their_own_if_nothing_is_joined(tile):
    labels = np.zeros((50, 70), np.uint16)
    labels[5:12, 5:15], labels[5:12, 15:30] = 7, 300  # side by side
    labels[20:45, 20:50] = 2
    labels[25:40, 25:45] = 0
    labels[30:34, 30:36] = 9  # in the other's hole
    labels[2, 60], labels[40, 60] = 5, 5  # in two pieces
    probability = np.where(labels == 9, 0.75, 0.5)
    probability[30, 30] = 1
    none = CountSettings(dilate=0, erode=0)
    counted = count_particles(labels, none, numbered=True, probability=probability, tile=tile)
    expected = {(region.label,): (*region.bbox, region.area) for region in regionprops(labels)}
    assert counted.count == 5
    frame = counted.frame
    assert {row.labels: (row.y0, row.x0, row.y1, row.x1, row.area_px) for row in frame.itertuples()} == expected
    assert frame["labels"].tolist() == [(5,), (7,), (300,), (2,), (9,)]
    assert frame["confidence"].iloc[4] == pytest.approx((23 * 0.75 + 1) / 24)
    assert frame["confidence_max"].iloc[4] == 1
    assert count_particles(labels > 0, none).count == 4  # without numbers: two pieces of 5, the pair, and the ring
    assert count_particles(labels, none, numbered=True, tile=tile).count == 5
    assert count_particles(labels, CountSettings(dilate=0, erode=0, min_size=20), numbered=True).count == 4
