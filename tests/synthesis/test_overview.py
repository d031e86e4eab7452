"""What a filter looks like from afar."""

import numpy as np
import pytest
from scipy import ndimage

from napari_mpseg.synthesis.microscopes import synthetic_image
from napari_mpseg.synthesis.overview import levels


@pytest.mark.parametrize("look", ["fluorescence", "bright-field"])
def test_levels_show_every_particle_near_its_place(look):
    variant = {"bright-field": "clean"}.get(look)
    made = synthetic_image(
        look=look, variant=variant, size=(1100, 900), seed=3, density_per_mm2=12.0, median_length_um=15.0
    )
    pictures, labels = levels(made.settings)
    assert [level.shape for level in labels] == [(550, 450)]
    expected = made.labels.compute().reshape(550, 2, 450, 2).max((1, 3))
    np.testing.assert_array_equal(labels[0].compute(), expected)
    picture, near = pictures[0].compute(), made.image.data.compute()
    assert picture.shape == (550, 450, 3)
    mean = near.reshape(550, 2, 450, 2, 3).mean((1, 3))
    background = (expected == 0) & (ndimage.uniform_filter(mean[..., 0], 9) > 0.5)
    assert abs(np.median(picture[background], axis=0) - np.median(mean[background], axis=0)).max() < 12


def test_from_far_away_particles_are_points_at_about_their_places():
    made = synthetic_image(look="fluorescence", size=(6000, 5000), seed=3, density_per_mm2=0.3)
    _, labels = levels(made.settings)
    assert [level.shape for level in labels] == [(3000, 2500), (1500, 1250), (750, 625)]
    far, full = labels[2].compute(), made.labels.compute()
    there = np.unique(far)[1:]
    assert len(there) > 0.95 * made.n_particles  # two may fall on one pixel
    boxes = ndimage.find_objects(full)
    for label in there[:100]:
        y, x = np.argwhere(far == label)[0]
        rows, columns = boxes[label - 1]
        # at most half a slot away: 256 px of 512
        assert abs(8 * y + 4 - (rows.start + rows.stop) / 2) < 264
        assert abs(8 * x + 4 - (columns.start + columns.stop) / 2) < 264


def test_all_of_a_huge_filter_is_seen_at_once():
    made = synthetic_image(look="bright-field", size=(60_000, 50_000), seed=3)
    pictures, _ = levels(made.settings)
    smallest = pictures[-1].compute()
    assert max(smallest.shape) <= 1024
    assert smallest[smallest.shape[0] // 2, smallest.shape[1] // 2].min() > 150  # membrane
    assert smallest[0, 0].max() == 0  # never scanned
