"""Labels made tile by tile are those of the whole image at once."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from skimage.measure import label
from skimage.morphology import disk

from napari_mpseg.inference.grid import TileGrid
from napari_mpseg.inference.labelling import TileSummary, join_tiles, label_tile


def tiled_labels(mask, tile, connectivity=2, min_size=0):
    grid = TileGrid(mask.shape, tile)
    labels, summaries = np.zeros(mask.shape, np.int32), []
    for part in grid:
        y0, y1, x0, x1 = part.core
        labels[y0:y1, x0:x1], summary = label_tile(mask[y0:y1, x0:x1], part, mask.shape[1], connectivity)
        summaries.append(summary)
    final = join_tiles(summaries, grid, connectivity, min_size)
    for part in grid:
        y0, y1, x0, x1 = part.core
        if part.index in final.tables:
            labels[y0:y1, x0:x1] = final.tables[part.index][labels[y0:y1, x0:x1]]
    return labels, final.count


def whole_labels(mask, connectivity=2, min_size=0):
    labels = label(mask, connectivity=connectivity)
    small = np.flatnonzero(np.bincount(labels.ravel()) < min_size)
    return label(mask & ~np.isin(labels, small[small > 0]), connectivity=connectivity)


masks = arrays(bool, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=24))


@settings(deadline=None, max_examples=200)
@given(masks, st.integers(1, 9), st.sampled_from([1, 2]), st.integers(0, 6))
def test_tiles_give_the_labels_of_the_whole_image(mask, tile, connectivity, min_size):
    found, count = tiled_labels(mask, tile, connectivity, min_size)
    expected = whole_labels(mask, connectivity, min_size)
    np.testing.assert_array_equal(found, expected)
    assert count == expected.max()


def test_a_spiral_across_many_tiles_is_one_particle():
    angle = np.linspace(0, 14 * np.pi, 60000)
    radius = np.linspace(3, 120, 60000)
    mask = np.zeros((256, 256), bool)
    mask[(128 + radius * np.sin(angle)).astype(int), (128 + radius * np.cos(angle)).astype(int)] = True
    assert whole_labels(mask).max() == 1
    found, count = tiled_labels(mask, 16)
    assert count == 1
    np.testing.assert_array_equal(found, mask)


def test_disks_keep_their_number_and_area(rng):
    mask = np.zeros((300, 400), bool)
    expected = 0
    for y in range(10, 280, 30):
        for x in range(10, 380, 30):
            mask[y : y + 13, x : x + 13] |= disk(6).astype(bool)
            expected += 1
    found, count = tiled_labels(mask, 37)
    assert count == expected
    assert set(np.bincount(found.ravel())[1:]) == {disk(6).sum()}


def test_real_masks(reference):
    from skimage.io import imread

    for name in ("shapes_misc", "touching"):
        mask = imread(reference / "masks" / f"{name}.png") > 0
        for tile in (64, 100):
            np.testing.assert_array_equal(tiled_labels(mask, tile)[0], label(mask, connectivity=2))


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (50, 1)])
def test_thin_images(shape):
    full, count = tiled_labels(np.ones(shape, bool), 7)
    assert (full == 1).all()
    assert count == 1
    assert tiled_labels(np.zeros(shape, bool), 7)[1] == 0


def summaries_of(mask, tile):
    grid = TileGrid(mask.shape, tile)
    found = []
    for part in grid:
        y0, y1, x0, x1 = part.core
        found.append(label_tile(mask[y0:y1, x0:x1], part, mask.shape[1])[1])
    return grid, found


def test_summaries_come_back_from_files_and_other_processes(rng, tmp_path):
    grid, summaries = summaries_of(rng.random((50, 70)) > 0.7, 16)
    expected = join_tiles(summaries, grid)
    restored = []
    for summary in summaries:
        np.savez(tmp_path / "one.npz", **summary.to_arrays())
        with np.load(tmp_path / "one.npz", allow_pickle=False) as arrays:
            restored.append(TileSummary.from_arrays(arrays))
        assert restored[-1].index == summary.index
        assert restored[-1].count == summary.count
    for found in (join_tiles(restored, grid), join_tiles(pickle.loads(pickle.dumps(summaries)), grid)):
        assert found.count == expected.count
        assert all(np.array_equal(found.tables[index], table) for index, table in expected.tables.items())


def test_the_order_of_arrival_does_not_matter(rng):
    grid, summaries = summaries_of(rng.random((60, 60)) > 0.6, 8)
    expected = join_tiles(summaries, grid)
    found = join_tiles([summaries[k] for k in rng.permutation(len(summaries))], grid)
    assert list(found.tables) == list(expected.tables)
    assert all(np.array_equal(found.tables[index], table) for index, table in expected.tables.items())


def test_what_is_kept_of_a_tile_is_small():
    """Background is not kept, nor where particles lie that touch no edge."""
    mask = np.zeros((1024, 1024), bool)
    mask[5:900:10, 5:900:10] = True
    mask[0, 100:104] = True
    _, (summary,) = summaries_of(mask, 1024)
    assert summary.count == 90 * 90 + 1
    assert sum(array.nbytes for array in summary.to_arrays().values()) == 16 * summary.count + 4 * 12 + 16
