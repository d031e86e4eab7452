"""Where nanoparticles lie: nothing shows the cells in which they are placed."""

import numpy as np
import pytest
from scipy import ndimage

from napari_mpseg.synthesis import SemSettings, synthetic_sem
from napari_mpseg.synthesis.blocks import Window
from napari_mpseg.synthesis.sem_particles import CELL, _packed, paint_sem_labels

SIZE = 1536, 1536
EIGHT = np.ones((3, 3))


def crossing(labels, offset):
    """Count particles that lie across the lines at `offset` in every cell, down and across."""
    found = 0
    for each in (labels, labels.T):
        for line in range(CELL + offset, each.shape[0] - CELL // 2, CELL):
            both = (each[line - 2] == each[line + 1]) & (each[line] > 0)
            found += len(np.unique(each[line][both]))
    return found


@pytest.mark.parametrize("clustering", [0.0, 0.8])
def test_as_many_particles_lie_across_borders_of_cells_as_elsewhere(clustering):
    labels = paint_sem_labels(SemSettings(size=SIZE, coverage=0.15, clustering=clustering), Window(0, 0, *SIZE))
    at_borders, elsewhere = (crossing(labels, offset) for offset in (0, CELL // 2))
    assert elsewhere > 100
    assert 0.7 < at_borders / elsewhere < 1.4


def test_density_is_even_over_the_cells():
    labels = (
        paint_sem_labels(SemSettings(size=(1280, 1280), coverage=0.2, clustering=0.0), Window(0, 0, 1280, 1280)) > 0
    )
    inner = labels[CELL:-CELL, CELL:-CELL]
    cells = inner.reshape(8, CELL, 8, CELL).mean((0, 2))  # the mean cell
    strips = cells.reshape(8, 16, 8, 16).mean((1, 3))
    border = np.ones((8, 8), bool)
    border[1:-1, 1:-1] = False
    assert strips[border].mean() == pytest.approx(strips[~border].mean(), rel=0.15)


def test_a_window_does_not_depend_on_what_was_drawn_before():
    settings = SemSettings(size=(900, 900), coverage=0.4, clustering=1.0, seed=3)
    whole = paint_sem_labels(settings, Window(0, 0, 900, 900))
    for y, x in ((700, 650), (250, 250), (0, 300)):
        _packed.cache_clear()
        part = paint_sem_labels(settings, Window(y, x, 150, 150))
        np.testing.assert_array_equal(part, whole[y : y + 150, x : x + 150])


@pytest.mark.parametrize("diameter", [5.0, 60.0, 400.0])
@pytest.mark.parametrize("spread", [0.05, 1.0])
def test_all_particles_are_there_and_whole_however_dense(diameter, spread):
    settings = SemSettings(
        size=(200, 260), coverage=0.5, clustering=1.0, median_diameter_nm=diameter, diameter_sigma=spread, seed=8
    )
    made = synthetic_sem(settings)
    labels = made.labels.compute()
    np.testing.assert_array_equal(np.unique(labels), np.arange(made.n_particles + 1))
    for label, where in enumerate(ndimage.find_objects(labels), 1):
        assert ndimage.label(labels[where] == label, EIGHT)[1] == 1
