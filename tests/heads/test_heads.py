"""Heads: what they are taught decodes back to the particles, and what they find covers the mask."""

import numpy as np
import pytest
import tifffile
from scipy import ndimage
from skimage.draw import disk, ellipse

from napari_mpseg.heads.affinities import OFFSETS, ends
from napari_mpseg.heads.boundary import insides
from napari_mpseg.heads.distance import relative_depth
from napari_mpseg.heads.flooding import flooded
from napari_mpseg.heads.fragments import pairs_between
from napari_mpseg.heads.joining import joined
from napari_mpseg.heads.pieces import near_another
from napari_mpseg.heads.registry import HEADS, MASK
from napari_mpseg.training.run.objects import f1, object_counts

SEVERAL = [name for name in HEADS if name != MASK]


def beads():
    """Return discs of several sizes, most of them touching, with numbers that are not 1 to N."""
    labels = np.zeros((90, 110), np.int32)
    for number, (y, x, radius) in enumerate([(20, 20, 12), (20, 41, 10), (38, 31, 9), (70, 30, 5), (58, 80, 18)]):
        rows, columns = disk((y, x), radius, shape=labels.shape)
        inside = labels[rows, columns] == 0
        labels[rows[inside], columns[inside]] = 7 * number + 3
    rows, columns = ellipse(74, 88, 14, 8, shape=labels.shape)
    inside = labels[rows, columns] == 0
    labels[rows[inside], columns[inside]] = 2
    return labels


def crossing():
    """Return a fibre that goes on behind another."""
    labels = np.zeros((60, 90), np.int32)
    labels[27:33, 5:85] = 1
    labels[5:55, 42:49] = 2
    return labels


def score(truth, found):
    return f1(*object_counts(truth, found))


@pytest.mark.parametrize("name", HEADS)
def test_targets_and_weights_have_one_plane_per_channel(name):
    head, labels = HEADS[name], beads()
    targets, weights = head.targets(labels), head.weights(labels)
    assert head.name == name
    assert targets.shape == weights.shape == (head.channels, *labels.shape)
    assert targets.dtype == weights.dtype == np.float32
    np.testing.assert_array_equal(targets[0], labels > 0)
    assert 0 <= targets.min() <= targets.max() <= 1
    assert weights.min() >= 0
    np.testing.assert_array_equal(weights[0], 1)


@pytest.mark.parametrize("name", SEVERAL)
def test_targets_decode_to_the_particles(name):
    labels = beads()
    found = HEADS[name].decode(HEADS[name].targets(labels), 0.5)
    assert score(labels, found) == 1
    for number in np.unique(labels[labels > 0]):  # nearly pixel for pixel
        own = labels == number
        best = np.bincount(found[own]).argmax()
        assert (own & (found == best)).sum() >= 0.93 * (own | (found == best)).sum()


def test_the_mask_alone_tells_nothing_apart():
    labels = beads()
    found = HEADS[MASK].decode(HEADS[MASK].targets(labels), 0.5)
    assert found.max() == 3  # a cluster, a single bead, a pair


def test_only_affinities_join_what_goes_on_behind_a_fibre():
    labels = crossing()
    parts = {name: int(HEADS[name].decode(HEADS[name].targets(labels), 0.5).max()) for name in HEADS}
    assert parts == {"mask": 1, "boundary": 3, "distance": 3, "affinities": 2}
    found = HEADS["affinities"].decode(HEADS["affinities"].targets(labels), 0.5)
    np.testing.assert_array_equal(found, np.where(labels == 1, found[30, 10], np.where(labels == 2, found[10, 45], 0)))


@pytest.mark.parametrize("name", HEADS)
@pytest.mark.parametrize("threshold", [0.2, 0.5, 0.9])
def test_any_fields_give_labels_that_cover_the_mask(name, threshold, rng):
    fields = ndimage.gaussian_filter(rng.random((HEADS[name].channels, 40, 53)), (0, 1, 1))
    fields = ((fields - fields.min()) / np.ptp(fields)).astype(np.float32)
    found = HEADS[name].decode(fields, threshold)
    assert found.dtype == np.int32
    np.testing.assert_array_equal(found > 0, fields[0] >= threshold)
    np.testing.assert_array_equal(np.unique(found[found > 0]), np.arange(1, found.max() + 1))
    np.testing.assert_array_equal(HEADS[name].decode(fields.copy(), threshold), found)


@pytest.mark.parametrize("name", HEADS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (3, 2), (20, 21)])
def test_empty_full_and_tiny_windows(name, shape):
    head = HEADS[name]
    for labels, count in ((np.zeros(shape, np.int32), 0), (np.full(shape, 4, np.int32), 1)):
        targets = head.targets(labels)
        assert np.isfinite(targets).all()
        assert np.isfinite(head.weights(labels)).all()
        assert head.decode(targets, 0.5).max() == count


@pytest.mark.parametrize("name", HEADS)
@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.int64])
def test_labels_of_any_type_and_number(name, dtype):
    labels = beads().astype(dtype)
    others = np.where(labels > 0, 99 - labels, 0).astype(dtype)
    np.testing.assert_array_equal(HEADS[name].targets(labels), HEADS[name].targets(others))


def test_a_depth_is_the_share_of_the_largest():
    labels = np.zeros((9, 13), np.int32)
    labels[2:7, 2:11] = 5  # 5 px thick: 1, 2, 3 px from the outside; the border lies half a pixel off
    depth = relative_depth(labels)
    np.testing.assert_allclose(depth[:, 6], [0, 0, 0.2, 0.6, 1, 0.6, 0.2, 0, 0], rtol=1e-6)


def test_every_piece_has_one_connected_inside(rng):
    labels = np.zeros((120, 120), np.int32)
    for number in range(1, 26):  # overlapping lines and discs: some pieces are a pixel wide
        y, x = rng.integers(5, 115, 2)
        if number % 2:
            labels[y : y + int(rng.integers(1, 4)), max(0, x - 40) : x + 40] = number
        else:
            labels[disk((y, x), rng.integers(1, 12), shape=labels.shape)] = number
    inside = insides(labels)
    assert not (inside & (labels == 0)).any()
    for number in np.unique(labels[labels > 0]):
        pieces, count = ndimage.label(labels == number, np.ones((3, 3)))
        for piece in range(1, count + 1):
            assert ndimage.label(inside & (pieces == piece), np.ones((3, 3)))[1] == 1


def test_near_another_is_a_square_around(rng):
    labels = rng.integers(0, 3, (12, 14)).astype(np.int32) * (rng.random((12, 14)) < 0.4)
    for radius in (1, 2):
        expected = np.zeros(labels.shape, bool)
        for y, x in np.argwhere(labels > 0):
            window = labels[max(0, y - radius) : y + radius + 1, max(0, x - radius) : x + radius + 1]
            expected[y, x] = ((window > 0) & (window != labels[y, x])).any()
        np.testing.assert_array_equal(near_another(labels, radius), expected)


def test_affinities_say_whether_two_pixels_belong_together(rng):
    labels = rng.integers(0, 3, (19, 23)).astype(np.int32)
    targets = HEADS["affinities"].targets(labels)
    for plane, (down, right) in zip(targets[1:], OFFSETS, strict=True):
        for y in range(19):
            for x in range(23):
                v, u = y + down, x + right
                inside = 0 <= v < 19 and 0 <= u < 23
                assert plane[y, x] == (inside and labels[y, x] > 0 and labels[y, x] == labels[v, u])


def test_pairs_end_in_the_image():
    here, there = ends((5, 7), (2, -3))
    ys, xs = np.mgrid[:5, :7]
    np.testing.assert_array_equal(ys[here] + 2, ys[there])
    np.testing.assert_array_equal(xs[here] - 3, xs[there])
    assert ys[here].size == 3 * 4
    assert np.zeros((5, 7))[ends((5, 7), (9, 0))[0]].size == 0


def test_what_lies_between_fragments_is_counted(rng):
    fragments = rng.integers(0, 4, (9, 11)).astype(np.int32)
    offsets = np.array([(0, 1), (1, -1), (3, 2)])
    affinities = rng.random((3, 9, 11)).astype(np.float32)
    expected = {}
    for k, (down, right) in enumerate(offsets):
        for y in range(9):
            for x in range(11):
                if not (0 <= y + down < 9 and 0 <= x + right < 11):
                    continue
                pair = tuple(sorted((int(fragments[y, x]), int(fragments[y + down, x + right]))))
                if pair[0] != 0 and pair[0] != pair[1]:
                    total, count = expected.get(pair, (0.0, 0))
                    expected[pair] = (total + float(affinities[k, y, x]), count + 1)
    pairs, sums, counts = pairs_between(affinities, fragments, offsets)
    assert [tuple(pair) for pair in pairs.tolist()] == sorted(expected)
    np.testing.assert_allclose(sums, [expected[pair][0] for pair in sorted(expected)], rtol=1e-6)
    np.testing.assert_array_equal(counts, [expected[pair][1] for pair in sorted(expected)])


def test_fragments_are_joined_by_their_mean_surest_first():
    # 1 and 2 go together first; with 2, 3 is then (0.6 + 4 * 0.2) / 5 from them, and stays; 4 and 5 have nobody else
    pairs = np.array([(1, 2), (1, 3), (2, 3), (4, 5)])
    groups = joined(6, pairs, np.array([9.0, 0.6, 0.8, 1.4]), np.array([10, 1, 4, 2]))
    assert groups.tolist() == [0, 1, 1, 2, 3, 3, 4]


def test_markers_grow_downhill_and_meet_on_the_ridge():
    heights = np.array([[0.1, 0.2, 0.9, 0.3, 0.1, 0.0]], np.float32)
    mask = np.ones((1, 6), bool)
    markers = np.array([[True, False, False, False, False, True]])
    found = flooded(markers, heights, mask)
    assert found[0, [0, 1, 3, 4, 5]].tolist() == [1, 1, 2, 2, 2]
    mask[0, 4] = False
    assert flooded(markers, heights, mask).tolist() == [[1, 1, 1, 1, 0, 2]]
    assert flooded(np.zeros_like(markers), heights, mask).tolist() == [[1, 1, 1, 1, 0, 2]]


@pytest.mark.parametrize(
    ("folder", "name", "shrink", "least"),
    [
        ("mira/labels", "boundary", 4, 1.0),
        ("mira/labels", "distance", 4, 1.0),
        ("mira/labels", "affinities", 4, 1.0),
        ("nuclei/labels", "boundary", 1, 0.99),
        ("nuclei/labels", "distance", 1, 0.98),
        ("nuclei/labels", "affinities", 1, 0.99),
        ("sem-fibres/val/labels", "affinities", 2, 0.9),
    ],
)
def test_true_fields_of_real_particles_decode_to_them(shared_data, folder, name, shrink, least):
    counts = np.zeros(3, int)
    for path in sorted((shared_data / folder).glob("*.tif"))[:4]:
        labels = tifffile.imread(path)[:600:shrink, :700:shrink].astype(np.int32)
        counts += object_counts(labels, HEADS[name].decode(HEADS[name].targets(labels), 0.5))
    assert f1(*counts) >= least


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (0, 0), (1, 1)])
@pytest.mark.parametrize("head", HEADS)
def test_images_without_pixels_are_no_error(head, shape):
    head = HEADS[head]
    labels = np.zeros(shape, np.int32)
    assert head.targets(labels).shape == head.weights(labels).shape == (head.channels, *shape)
    found = head.decode(np.zeros((head.channels, *shape), np.float32), 0.5)
    assert found.shape == shape
    assert not found.any()
